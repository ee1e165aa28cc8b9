// SPDX-License-Identifier: Apache-2.0
// Reading /proc/PID; see process.h. Each value stands alone: one that may not be read is left out.
#include "doctor/process.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "doctor/look.h"
#include "store/reader.h"

#define ENVIRONMENT_MAX (256 * 1024)
#define ANCESTORS_MAX 64

#define PROCESSES_MAX 100000

static bool read_of(int pid, const char *file, size_t limit, struct buf *out) {
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	buf_clear(out);
	return look_read_file(path, limit, out);
}

void processes_list(struct arena *arena, struct processes *out) {
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t cap = 4096;
	out->n = 0;
	out->pids = arena_array(arena, cap, sizeof(*out->pids));
	while (dir && out->n < PROCESSES_MAX && (entry = readdir(dir))) {
		int64_t pid;
		if (!str_to_int64(str_from(entry->d_name), &pid)) {
			continue;
		}
		if (out->n == cap) {
			int *more = arena_array(arena, 2 * cap, sizeof(*more));
			memcpy(more, out->pids, out->n * sizeof(*more));
			out->pids = more;
			cap *= 2;
		}
		out->pids[out->n++] = (int)pid;
	}
	if (dir) {
		closedir(dir);
	}
}

bool process_read(int pid, struct process *out) {
	struct buf text = BUF_INIT;
	bool ok = false;
	*out = (struct process){.pid = pid};
	if (read_of(pid, "stat", 8192, &text)) {
		// "pid (comm) S ppid …"; comm may hold anything, also ")".
		const char *name = strchr(buf_text(&text), '(');
		const char *end = strrchr(buf_text(&text), ')');
		if (name && end && end > name && end[1] == ' ') {
			struct str rest = str_from(end + 2), word;
			(void)snprintf(out->name, sizeof(out->name), "%.*s", (int)(end - name - 1),
				name + 1);
			for (int field = 3; str_word(&rest, &word); field++) {
				int64_t number = 0;
				bool is_number = str_to_int64(word, &number);
				if (field == 3) {
					out->state = word.at[0];
				} else if (field == 4 && is_number) {
					out->parent = (int)number;
				} else if (field == 14 || field == 15) {
					out->cpu_ticks += number;
				} else if (field == 22 && is_number) {
					out->start_ticks = number;
					ok = true;
				}
			}
		}
	}
	buf_finish(&text);
	return ok;
}

int64_t process_read_runnable(int pid) {
	struct buf text = BUF_INIT;
	int64_t ran = -1, waited = -1;
	// "ran waited slices" in nanoseconds (sched-stats.rst of the kernel)
	if (read_of(pid, "schedstat", 256, &text)) {
		struct str rest = buf_str(&text), word;
		if (!str_word(&rest, &word) || !str_to_int64(word, &ran) ||
			!str_word(&rest, &word) || !str_to_int64(word, &waited)) {
			ran = -1;
		}
	}
	buf_finish(&text);
	return ran < 0 ? -1 : ran + waited;
}

int64_t process_age_seconds(const struct process *process) {
	int64_t ticks = (int64_t)sysconf(_SC_CLK_TCK);
	int64_t boot = clock_boot(clock_system()) / NS_PER_SECOND;
	int64_t age = ticks > 0 ? boot - process->start_ticks / ticks : -1;
	return age < 0 ? -1 : age;
}

bool process_read_arguments(int pid, struct buf *out) {
	return read_of(pid, "cmdline", 64 * 1024, out);
}

// Effective, from status: /proc/PID itself belongs to root when the process may not be dumped.
static int64_t read_uid(int pid) {
	struct buf text = BUF_INIT;
	int64_t uid = -1;
	if (read_of(pid, "status", 16384, &text)) {
		struct str rest = buf_str(&text), line, word;
		while (str_split(&rest, '\n', &line)) {
			if (str_starts(line, STR("Uid:"))) {
				line = str_skip(line, 4);
				if (!str_word(&line, &word) || !str_word(&line, &word) ||
					!str_to_int64(word, &uid)) {
					uid = -1;
				}
			}
		}
	}
	buf_finish(&text);
	return uid;
}

void process_write(const struct process *process, struct json_writer *w) {
	int64_t uid = read_uid(process->pid);
	json_member_int(w, "pid", process->pid);
	json_member_int(w, "parent", process->parent);
	json_member_str(w, "state", str_range(&process->state, 1));
	json_member_text(w, "name", process->name);
	json_member_int(w, "start_ticks", process->start_ticks);
	if (uid >= 0) {
		json_member_int(w, "uid", uid);
	}
}

static void write_program(int pid, struct json_writer *w) {
	char path[64], target[4096];
	struct stat running, on_disk;
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0) {
		return; // another user's
	}
	struct str exe = str_range(target, (size_t)n);
	bool is_deleted = str_ends(exe, STR(" (deleted)"));
	exe = str_head(exe, exe.len - (is_deleted ? 10 : 0));
	target[exe.len] = '\0';
	json_member_str(w, "exe", exe);
	json_member_bool(w, "exe_deleted", is_deleted);
	if (stat(path, &running) == 0) {
		json_member_int(w, "exe_inode", (int64_t)running.st_ino);
		json_member_int(w, "exe_device", (int64_t)running.st_dev);
	}
	json_member_bool(w, "exe_on_disk", stat(target, &on_disk) == 0);
	if (stat(target, &on_disk) == 0) {
		json_member_int(w, "on_disk_inode", (int64_t)on_disk.st_ino);
		json_member_int(w, "on_disk_device", (int64_t)on_disk.st_dev);
	}
}

// "Max open files            1024                 4096                 files"
static void write_limit(int pid, struct json_writer *w) {
	struct buf text = BUF_INIT;
	if (read_of(pid, "limits", 16384, &text)) {
		struct str rest = buf_str(&text), line, word;
		while (str_split(&rest, '\n', &line)) {
			int64_t limit;
			if (!str_starts(line, STR("Max open files"))) {
				continue;
			}
			line = str_skip(line, 14);
			if (str_word(&line, &word) && str_to_int64(word, &limit)) {
				json_member_int(w, "nofile", limit);
			}
		}
	}
	buf_finish(&text);
}

static void write_descriptors(int pid, struct json_writer *w) {
	char path[64];
	int64_t n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	if (!dir) {
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		n += entry->d_name[0] != '.';
	}
	closedir(dir);
	json_member_int(w, "fds", n);
}

void process_write_more(int pid, struct json_writer *w) {
	struct buf text = BUF_INIT;
	struct str rest, word;
	int64_t pages;
	write_program(pid, w);
	if (read_of(pid, "wchan", 256, &text) && text.len > 0) {
		json_member_str(w, "wchan", buf_str(&text));
	}
	if (read_of(pid, "cgroup", 16384, &text)) {
		struct str line;
		rest = buf_str(&text);
		while (str_split(&rest, '\n', &line)) {
			if (str_starts(line, STR("0::"))) {
				json_member_str(w, "cgroup", str_skip(line, 3));
			}
		}
	}
	if (read_of(pid, "statm", 256, &text)) {
		rest = buf_str(&text);
		if (str_word(&rest, &word) && str_word(&rest, &word) &&
			str_to_int64(word, &pages)) {
			json_member_int(w, "resident_bytes", pages * sysconf(_SC_PAGESIZE));
		}
	}
	write_limit(pid, w);
	write_descriptors(pid, w);
	buf_finish(&text);
}

static bool names_word(int pid, const char *wanted) {
	struct buf line = BUF_INIT;
	bool is_named = false;
	if (process_read_arguments(pid, &line)) {
		struct str rest = buf_str(&line), word;
		while (str_split(&rest, '\0', &word)) {
			is_named = is_named || str_is(word, wanted);
		}
	}
	buf_finish(&line);
	return is_named;
}

int process_find_daemon(const char *socket) {
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int found = 0;
	for (int i = 0; dir && !found && i < PROCESSES_MAX && (entry = readdir(dir)); i++) {
		struct process process;
		int64_t pid;
		if (str_to_int64(str_from(entry->d_name), &pid) &&
			process_read((int)pid, &process) && process.state != 'Z' &&
			process.state != 'D' && strcmp(process.name, "annad") == 0 &&
			names_word((int)pid, socket)) {
			found = (int)pid;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

bool process_find_option(int pid, const char *option, struct buf *out) {
	struct buf line = BUF_INIT;
	bool is_next = false, is_found = false;
	buf_clear(out);
	if (pid > 0 && process_read_arguments(pid, &line)) {
		struct str rest = buf_str(&line), word;
		while (!is_found && str_split(&rest, '\0', &word)) {
			if (is_next && word.len > 0) {
				char path[64], folder[4096];
				(void)snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
				ssize_t n = word.at[0] == '/'
					? 0
					: readlink(path, folder, sizeof(folder));
				if (n > 0) {
					buf_append_str(out, str_range(folder, (size_t)n));
					buf_append_char(out, '/');
				}
				buf_append_str(out, word);
				is_found = n >= 0;
			}
			is_next = str_is(word, option);
		}
	}
	buf_finish(&line);
	return is_found;
}

static struct str find_variable(struct str environment, struct str name) {
	struct str item;
	while (str_split(&environment, '\0', &item)) {
		if (str_starts(item, name)) {
			return str_skip(item, name.len);
		}
	}
	return STR("");
}

static bool is_below_annad(const struct process *process) {
	struct process above = *process;
	for (int i = 0; i < ANCESTORS_MAX && above.parent > 1; i++) {
		if (!process_read(above.parent, &above)) {
			return false;
		}
		if (strcmp(above.name, "annad") == 0) {
			return true;
		}
	}
	return false;
}

// The event's time settles that it is this journal's event and not one of the same number elsewhere.
static bool event_is_here(const char *state_folder, uint64_t id, int64_t time_ns) {
	struct buf payload = BUF_INIT;
	struct err err = ERR_INIT;
	struct record record;
	char folder[4096];
	(void)snprintf(folder, sizeof(folder), "%s/journal", state_folder);
	bool is_here = reader_find(fs_system(), folder, id, &payload, &record, &err) == 1 &&
		record.time_ns / NS_PER_US == time_ns / NS_PER_US;
	buf_finish(&payload);
	return is_here;
}

bool process_is_leftover(
	const struct process *process, const char *state_folder, struct leftover *out) {
	struct buf environment = BUF_INIT;
	bool is_leftover = false;
	if (read_of(process->pid, "environ", ENVIRONMENT_MAX, &environment)) {
		struct str all = buf_str(&environment);
		struct str event = find_variable(all, STR("ANNA_EVENT_ID="));
		struct str time = find_variable(all, STR("ANNA_EVENT_TIME="));
		struct str mapping = find_variable(all, STR("ANNA_MAPPING="));
		int64_t time_ns;
		is_leftover = str_to_uint64(event, &out->event) && time_parse(time, &time_ns) &&
			!is_below_annad(process) &&
			event_is_here(state_folder, out->event, time_ns);
		(void)snprintf(out->mapping, sizeof(out->mapping), "%.*s",
			(int)(mapping.len < 60 ? mapping.len : 60), mapping.at ? mapping.at : "");
	}
	buf_finish(&environment);
	return is_leftover;
}
