// SPDX-License-Identifier: Apache-2.0
// The cgroup trees: where they are (cgroups(7): v2 alone, v2 beside v1 under "unified", or v1 with
// a folder a controller), the containers in them, and what the kernel counts of one. Files of v2:
// cgroup-v2.rst of the kernel's documentation; of v1: cgroup-v1/{cpuacct,memory,pids}.rst.
#include "sources/containers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"

#define FILE_BYTES 16384
// A limit in v1 is never absent: "none" is the largest multiple of a page.
#define V1_NO_LIMIT (UINT64_C(1) << 62)

static bool exists(const char *folder, const char *name) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void add_tree(struct cgroups *cgroups, struct cgroup_tree tree) {
	struct stat entry;
	bool is_there = tree.folder && stat(tree.folder, &entry) == 0 && S_ISDIR(entry.st_mode);
	if (is_there && cgroups->n < CGROUP_TREES) {
		cgroups->trees[cgroups->n++] = tree;
	} else {
		free(tree.folder);
	}
}

void cgroups_init(struct cgroups *cgroups, const char *sysroot) {
	_cleanup_(freep) char *base = xasprintf("%s/sys/fs/cgroup", sysroot);
	*cgroups = (struct cgroups){.n = 0};
	if (exists(base, "cgroup.controllers")) {
		add_tree(cgroups,
			(struct cgroup_tree){.folder = xstrdup(base),
				.is_v2 = true,
				.has_cpu = true,
				.has_memory = true,
				.has_pids = true});
		return;
	}
	// "cpuacct" is a link to where that controller is mounted together with cpu.
	add_tree(cgroups,
		(struct cgroup_tree){.folder = xasprintf("%s/memory", base), .has_memory = true});
	add_tree(cgroups,
		(struct cgroup_tree){.folder = xasprintf("%s/cpuacct", base), .has_cpu = true});
	add_tree(cgroups,
		(struct cgroup_tree){.folder = xasprintf("%s/pids", base), .has_pids = true});
	add_tree(cgroups, (struct cgroup_tree){.folder = xasprintf("%s/systemd", base)});
	add_tree(cgroups,
		(struct cgroup_tree){.folder = xasprintf("%s/unified", base),
			.is_v2 = true,
			.has_cpu = true,
			.has_memory = true,
			.has_pids = true});
}

void cgroups_finish(struct cgroups *cgroups) {
	for (size_t i = 0; i < cgroups->n; i++) {
		free(cgroups->trees[i].folder);
	}
	cgroups->n = 0;
}

// --- finding ---

struct search {
	container_found_fn *on_found;
	void *arg;
	struct buf path; // below the tree, of the folder being looked at
	size_t folders;
};

static void search_folder(struct search *search, int parent, const char *name, int depth) {
	struct container_id id;
	struct stat entry;
	const struct dirent *below;
	if (search->folders++ >= CONTAINER_FOLDERS_MAX || depth > CONTAINER_DEPTH_MAX) {
		return;
	}
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return; // gone in the meantime
	}
	if (search->path.len && container_id_parse(buf_str(&search->path), &id)) {
		uint64_t inode = fstat(fd, &entry) == 0 ? (uint64_t)entry.st_ino : 0;
		search->on_found(search->arg, buf_str(&search->path), &id, inode);
		close(fd);
		return; // what runs in it counts as its own
	}
	DIR *folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return;
	}
	while ((below = readdir(folder))) {
		size_t len = search->path.len;
		if (below->d_name[0] == '.' ||
			(below->d_type != DT_DIR && below->d_type != DT_UNKNOWN)) {
			continue;
		}
		buf_appendf(&search->path, "/%s", below->d_name);
		search_folder(search, dirfd(folder), below->d_name, depth + 1);
		search->path.len = len;
		search->path.at[len] = '\0';
	}
	closedir(folder);
}

bool cgroups_each_container(
	const struct cgroups *cgroups, container_found_fn *on_found, void *arg) {
	struct search search = {.on_found = on_found, .arg = arg, .path = BUF_INIT};
	for (size_t i = 0; i < cgroups->n; i++) {
		// The tree's own folder may be reached by a link, those in it may not.
		int fd = open(cgroups->trees[i].folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			search_folder(&search, fd, ".", 0);
			close(fd);
		}
	}
	buf_finish(&search.path);
	return search.folders <= CONTAINER_FOLDERS_MAX;
}

// --- reading ---

// The number behind a name at the front of a line: "usage_usec 12".
static bool find_number(struct str text, const char *name, uint64_t *out) {
	struct str line, word;
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &word) && str_is(word, name)) {
			return str_word(&line, &word) && str_to_uint64(word, out);
		}
	}
	return false;
}

static bool whole_number(struct str text, uint64_t *out) {
	return str_to_uint64(str_trim(text), out);
}

void counters_parse(struct container_counters *counters, const char *file, struct str text) {
	uint64_t number = 0;
	if (strcmp(file, "cpu.stat") == 0) {
		if (find_number(text, "usage_usec", &number) && number < UINT64_MAX / 1000) {
			counters->cpu_ns = number * 1000;
		}
	} else if (strcmp(file, "cpuacct.usage") == 0) {
		(void)whole_number(text, &counters->cpu_ns);
	} else if (strcmp(file, "memory.current") == 0 ||
		strcmp(file, "memory.usage_in_bytes") == 0) {
		(void)whole_number(text, &counters->memory_bytes);
	} else if (strcmp(file, "memory.max") == 0) {
		(void)whole_number(text, &counters->limit_bytes); // "max": none
	} else if (strcmp(file, "memory.limit_in_bytes") == 0) {
		if (whole_number(text, &number) && number < V1_NO_LIMIT) {
			counters->limit_bytes = number;
		}
	} else if (strcmp(file, "memory.stat") == 0) {
		// v1 has the cgroup's own figure first and that of all below it behind.
		if (!find_number(text, "total_inactive_file", &counters->cache_bytes)) {
			(void)find_number(text, "inactive_file", &counters->cache_bytes);
		}
	} else if (strcmp(file, "memory.events") == 0 || strcmp(file, "memory.oom_control") == 0) {
		(void)find_number(text, "oom_kill", &counters->oom_kills);
	} else if (strcmp(file, "pids.current") == 0) {
		(void)whole_number(text, &counters->pids);
	}
}

static void read_file(int folder, const char *file, struct container_counters *out) {
	char bytes[FILE_BYTES];
	int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return;
	}
	ssize_t n = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (n > 0) {
		counters_parse(out, file, str_range(bytes, (size_t)n));
	}
}

static void read_tree(const struct cgroup_tree *tree, int folder, struct container_counters *out) {
	static const char *const memory[2][4] = {
		{"memory.usage_in_bytes", "memory.stat", "memory.limit_in_bytes",
			"memory.oom_control"},
		{"memory.current", "memory.stat", "memory.max", "memory.events"}};
	if (tree->has_cpu) {
		read_file(folder, tree->is_v2 ? "cpu.stat" : "cpuacct.usage", out);
	}
	for (size_t i = 0; tree->has_memory && i < 4; i++) {
		read_file(folder, memory[tree->is_v2][i], out);
	}
	if (tree->has_pids) {
		read_file(folder, "pids.current", out);
	}
}

void cgroups_read(const struct cgroups *cgroups, const char *path, struct container_counters *out) {
	*out = (struct container_counters){
		NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN};
	for (size_t i = 0; i < cgroups->n; i++) {
		_cleanup_(freep) char *folder = xasprintf("%s%s", cgroups->trees[i].folder, path);
		int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			read_tree(&cgroups->trees[i], fd, out);
			close(fd);
		}
	}
}
