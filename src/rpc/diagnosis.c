// SPDX-License-Identifier: Apache-2.0
// diagnosis: what only the inside knows, for `annactl doctor`: which program this is, where it works,
// its limits, its control group, and what the sandbox keeps from it. Each value stands alone; what
// cannot be read is left out.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "build_id.h"
#include "io/loop.h"
#include "rpc/anna.h"
#include "rpc/question.h"
#include "rpc/server.h"

#define FILE_MAX 65536
#define DESCRIPTORS_MAX 100000
// A user namespace that maps fewer ids than this hides who the peers are (user_namespaces(7)).
#define MAPPED_MIN 1000

// What only the loop may look at.
struct picture {
	const char *state_folder, *socket, *config_path;
	int64_t max_connections, socket_mode;
	uint64_t log_dropped;
	bool is_simulated;
};

static bool read_file(const char *path, struct buf *out) {
	buf_clear(out);
	return fs_read_file(fs_system(), path, FILE_MAX, out, NULL);
}

// The program that runs, and what is under its name now.
static void write_program(struct json_writer *w) {
	char target[4096];
	struct stat running, on_disk;
	ssize_t n = readlink("/proc/self/exe", target, sizeof(target) - 1);
	if (n <= 0) {
		return;
	}
	struct str exe = str_range(target, (size_t)n);
	bool is_deleted = str_ends(exe, STR(" (deleted)"));
	exe = str_head(exe, exe.len - (is_deleted ? 10 : 0));
	target[exe.len] = '\0';
	json_member_str(w, "exe", exe);
	json_member_bool(w, "exe_deleted", is_deleted);
	if (stat("/proc/self/exe", &running) == 0) {
		json_member_int(w, "exe_inode", (int64_t)running.st_ino);
		json_member_int(w, "exe_device", (int64_t)running.st_dev);
	}
	bool exists = stat(target, &on_disk) == 0;
	json_member_bool(w, "exe_on_disk", exists);
	if (exists) {
		json_member_int(w, "on_disk_inode", (int64_t)on_disk.st_ino);
		json_member_int(w, "on_disk_device", (int64_t)on_disk.st_dev);
	}
}

static void write_descriptors(struct json_writer *w) {
	int64_t sockets = 0, pipes = 0, files = 0, others = 0;
	struct rlimit limit;
	DIR *dir = opendir("/proc/self/fd");
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		json_member_int(w, "nofile", (int64_t)limit.rlim_cur);
	}
	if (!dir) {
		return;
	}
	for (int i = 0; i < DESCRIPTORS_MAX; i++) {
		struct dirent *entry = readdir(dir);
		char target[64] = "";
		if (!entry) {
			break;
		}
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		struct str what = str_range(target, n > 0 ? (size_t)n : 0);
		if (entry->d_name[0] == '.') {
			continue;
		}
		sockets += str_starts(what, STR("socket:"));
		pipes += str_starts(what, STR("pipe:"));
		files += str_starts(what, STR("/"));
		others += str_starts(what, STR("anon_inode:"));
	}
	closedir(dir);
	json_member_int(w, "fds", sockets + pipes + files + others);
	json_key(w, "fd_kinds");
	json_begin_object(w);
	json_member_int(w, "sockets", sockets);
	json_member_int(w, "pipes", pipes);
	json_member_int(w, "files", files);
	json_member_int(w, "others", others);
	json_end_object(w);
}

// "NAME value" lines of memory.events; -1: not there.
static int64_t find_number(struct str text, struct str name) {
	struct str line, word;
	int64_t number = -1;
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &word) && str_equal(word, name) && str_word(&line, &word) &&
			!str_to_int64(word, &number)) {
			number = -1;
		}
	}
	return number;
}

static void write_cgroup_number(
	const char *folder, const char *file, const char *key, struct json_writer *w) {
	struct buf text = BUF_INIT, path = BUF_INIT;
	int64_t number;
	buf_appendf(&path, "%s/%s", folder, file);
	if (read_file(buf_text(&path), &text) && str_to_int64(str_trim(buf_str(&text)), &number)) {
		json_member_int(w, key, number);
	}
	buf_finish(&path);
	buf_finish(&text);
}

static void write_cgroup(struct json_writer *w) {
	struct buf text = BUF_INIT, folder = BUF_INIT, path = BUF_INIT;
	struct str rest, line;
	json_key(w, "cgroup");
	json_begin_object(w);
	if (read_file("/proc/self/cgroup", &text)) {
		rest = buf_str(&text);
		while (str_split(&rest, '\n', &line)) {
			if (str_starts(line, STR("0::"))) { // version 2 (cgroups(7))
				json_member_str(w, "path", str_skip(line, 3));
				buf_appendf(&folder, "/sys/fs/cgroup%" STR_FMT,
					STR_ARG(str_skip(line, 3)));
			}
		}
	}
	if (folder.len > 0) {
		write_cgroup_number(buf_text(&folder), "memory.max", "memory_max", w);
		write_cgroup_number(buf_text(&folder), "memory.current", "memory_current", w);
		buf_appendf(&path, "%s/memory.events", buf_text(&folder));
		if (read_file(buf_text(&path), &text)) {
			int64_t kills = find_number(buf_str(&text), STR("oom_kill"));
			int64_t high = find_number(buf_str(&text), STR("high"));
			if (kills >= 0) {
				json_member_int(w, "oom_kill", kills);
			}
			if (high >= 0) {
				json_member_int(w, "high", high);
			}
		}
	}
	json_end_object(w);
	buf_finish(&path);
	buf_finish(&folder);
	buf_finish(&text);
}

static void write_privileges(struct json_writer *w) {
	static const struct {
		struct str name;
		const char *key;
	} fields[] = {{STR_INIT("NoNewPrivs:"), "no_new_privs"}, {STR_INIT("Seccomp:"), "seccomp"}};
	struct buf text = BUF_INIT;
	if (read_file("/proc/self/status", &text)) {
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			int64_t number = find_number(buf_str(&text), fields[i].name);
			if (number >= 0) {
				json_member_int(w, fields[i].key, number);
			}
		}
	}
	buf_finish(&text);
}

static void write_hidden(
	struct json_writer *w, const char *path, const char *error, const char *costs) {
	json_begin_object(w);
	json_member_text(w, "path", path);
	json_member_text(w, "error", error);
	json_member_text(w, "costs", costs);
	json_end_object(w);
}

// How many ids our user namespace maps; -1: not known.
static int64_t count_mapped_ids(void) {
	struct buf text = BUF_INIT;
	int64_t sum = -1;
	if (read_file("/proc/self/uid_map", &text)) {
		struct str rest = buf_str(&text), line, inside, outside, length;
		sum = 0;
		while (str_split(&rest, '\n', &line)) {
			int64_t n;
			if (str_word(&line, &inside) && str_word(&line, &outside) &&
				str_word(&line, &length) && str_to_int64(length, &n)) {
				sum += n;
			}
		}
	}
	buf_finish(&text);
	return sum;
}

// Tried, not deduced from settings: what is needed is opened.
static void write_sandbox(struct json_writer *w) {
	static const struct {
		const char *path, *costs;
	} needed[] = {{"/proc/stat", "processor figures"}, {"/proc/meminfo", "memory figures"},
		{"/proc/1/stat", "who is behind a load"}, {"/sys/class", "temperatures, batteries"},
		{"/sys/fs/cgroup", "limits, containers"}};
	int64_t mapped = count_mapped_ids();
	json_key(w, "hidden");
	json_begin_array(w);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		int fd = open(needed[i].path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			write_hidden(w, needed[i].path, strerror(errno), needed[i].costs);
		} else {
			close(fd);
		}
	}
	if (access("/run/dbus/system_bus_socket", F_OK) < 0 && errno == EACCES) {
		write_hidden(w, "/run/dbus/system_bus_socket", strerror(errno), "units, logins");
	}
	if (mapped >= 0 && mapped < MAPPED_MIN) {
		write_hidden(w, "/proc/self/uid_map", "it maps a few users only",
			"who asks, and who owns a process");
	}
	json_end_array(w);
}

static bool ask(struct question *question, struct json_writer *w, struct err *err) {
	const struct picture *picture = question->own;
	(void)err;
	json_begin_object(w);
	json_member_text(w, "version", ANNA_VERSION);
	json_member_text(w, "build", ANNA_BUILD);
	json_member_text(w, "state_folder", picture->state_folder);
	json_member_text(w, "socket", picture->socket);
	json_member_text(w, "config_path", picture->config_path);
	json_member_int(w, "socket_mode", picture->socket_mode);
	json_member_int(w, "max_connections", picture->max_connections);
	json_member_uint(w, "log_dropped", picture->log_dropped);
	if (!picture->is_simulated) {
		json_member_int(w, "pid", getpid());
		json_member_uint(w, "uid", geteuid());
		write_program(w);
		write_descriptors(w);
		write_cgroup(w);
		write_privileges(w);
		write_sandbox(w);
	}
	json_end_object(w);
	return true;
}

static void handle(struct call *call) {
	struct anna *anna = call_anna(call);
	struct picture *picture = ARENA_NEW(call_arena(call), struct picture);
	const struct rpc_config *config = anna_snapshot(anna)
		? snapshot_section(anna_snapshot(anna), &rpc_section)
		: NULL;
	const char *config_path = anna_config_path(anna);
	*picture = (struct picture){.state_folder = anna_state_folder(anna),
		.socket = anna_socket(anna),
		.config_path = config_path ? config_path : anna_config_file(anna),
		.max_connections = config ? config->max_connections : 0,
		.socket_mode = config && config->others == 1 ? 0666 : 0660,
		.log_dropped = log_dropped(),
		.is_simulated = loop_simulation(anna_services(anna)->loop)};
	question_ask(call, picture, ask, NULL);
}

DEFINE_METHOD(diagnosis) = {
	.name = "diagnosis",
	.summary = "What only the inside knows, for annactl doctor.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result =
		"{version, build, state_folder, socket, config_path, socket_mode, "
		"max_connections, log_dropped, pid, uid, exe, exe_deleted, exe_inode, fds, "
		"fd_kinds, nofile, cgroup, no_new_privs, seccomp, hidden: [{path, error, costs}]}",
	.handle = handle,
};
