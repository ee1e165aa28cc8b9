// SPDX-License-Identifier: Apache-2.0
// The daemon's process (by who answers, else by the lock, else by its command line), and other annads at
// the same places (proc(5)). One that is stuck in the kernel is not asked for its command line: the
// kernel may hold what that needs.
#include <poll.h>
#include <sys/stat.h>

#include "doctor/look.h"
#include "doctor/process.h"

#define SAMPLE_MS 400
#define BUSY_PERCENT 90
#define TOLD_MAX 20

static int read_lock(const struct places *places) {
	struct buf text = BUF_INIT;
	char path[4096];
	int64_t pid = 0;
	struct process process;
	(void)snprintf(path, sizeof(path), "%s/lock", places->state_folder);
	if (!look_read_own_file(path, 256, &text) ||
		!str_to_int64(str_trim(buf_str(&text)), &pid) || pid <= 0 || pid > INT32_MAX ||
		!process_read((int)pid, &process) || strcmp(process.name, "annad") != 0) {
		pid = 0;
	}
	buf_finish(&text);
	return (int)pid;
}

// An annad whose command line names the same folder or socket.
static bool is_at_our_places(const struct process *process, const struct places *places) {
	struct buf line = BUF_INIT;
	bool is_ours = false;
	if (strcmp(process->name, "annad") == 0 && process_read_arguments(process->pid, &line)) {
		struct str rest = buf_str(&line), argument;
		while (str_split(&rest, '\0', &argument)) {
			is_ours = is_ours || str_is(argument, places->state_folder) ||
				str_is(argument, places->socket);
		}
	}
	buf_finish(&line);
	return is_ours;
}

// Shares of one processor over a short while.
struct share {
	double used, wanted; // percent; wanted: with the waiting for it, -1: not known
};

static bool sample(int pid, const struct process *before, struct share *out) {
	struct clock *clock = clock_system();
	struct process start, end;
	int64_t start_ns = clock_monotonic(clock), runnable = process_read_runnable(pid);
	if (!process_read(pid, &start)) {
		return false;
	}
	(void)poll(NULL, 0, SAMPLE_MS);
	int64_t took_ns = clock_monotonic(clock) - start_ns;
	int64_t runnable_after = process_read_runnable(pid);
	if (!process_read(pid, &end) || end.start_ticks != before->start_ticks) {
		return false;
	}
	double ticks = (double)(end.cpu_ticks - start.cpu_ticks);
	out->used = 100.0 * ticks / (double)sysconf(_SC_CLK_TCK) / ((double)took_ns / 1e9);
	out->wanted = runnable >= 0 && runnable_after >= runnable
		? 100.0 * (double)(runnable_after - runnable) / (double)took_ns
		: -1;
	return true;
}

static void write_daemon(int pid, const char *found_by, struct json_writer *w) {
	struct process process;
	struct share share, again;
	if (!process_read(pid, &process)) {
		return;
	}
	bool ok = sample(pid, &process, &share);
	// One moment of work on a starved machine looks like much: what is wanted twice is meant.
	if (ok && share.wanted >= BUSY_PERCENT && sample(pid, &process, &again)) {
		share.used = share.used < again.used ? share.used : again.used;
		share.wanted = share.wanted < again.wanted ? share.wanted : again.wanted;
	}
	json_begin_object(w);
	json_member_text(w, "found_by", found_by);
	process_write(&process, w);
	if (process_age_seconds(&process) >= 0) {
		json_member_int(w, "age_seconds", process_age_seconds(&process));
	}
	if (ok) {
		struct process after;
		// For a moment every process is in state D.
		if (process_read(pid, &after)) {
			json_member_str(w, "state_after", str_range(&after.state, 1));
		}
		json_member_double(w, "cpu_percent", share.used);
		if (share.wanted >= 0) {
			json_member_double(w, "runnable_percent", share.wanted);
		}
	}
	process_write_more(pid, w);
	json_end_object(w);
}

static void write_others(const struct places *places, const struct processes *seen, int daemon,
	struct json_writer *w) {
	size_t told = 0;
	json_key(w, "others");
	json_begin_array(w);
	for (size_t i = 0; i < seen->n && told < TOLD_MAX; i++) {
		struct process process;
		if (seen->pids[i] != daemon && process_read(seen->pids[i], &process) &&
			process.state != 'Z' && process.state != 'D' &&
			is_at_our_places(&process, places)) {
			json_begin_object(w);
			process_write(&process, w);
			json_end_object(w);
			told++;
		}
	}
	json_end_array(w);
}

static void gather(const struct places *places, struct look_report *out) {
	struct arena *arena = arena_create();
	struct processes seen;
	struct process daemon;
	const char *found_by = "socket";
	int pid = places->daemon_pid;
	processes_list(arena, &seen);
	if (seen.n == 0) {
		look_report_missing(out, "/proc shows no processes here");
		arena_destroy(arena);
		return;
	}
	if (pid == 0) {
		pid = read_lock(places);
		found_by = "lock";
	}
	for (size_t i = 0; i < seen.n && pid == 0; i++) {
		if (process_read(seen.pids[i], &daemon) && daemon.state != 'Z' &&
			is_at_our_places(&daemon, places)) {
			pid = daemon.pid;
			found_by = "command line";
		}
	}
	struct buf told = BUF_INIT;
	if (pid > 0) {
		struct json_writer w;
		json_writer_init(&w, &told);
		write_daemon(pid, found_by, &w);
	}
	// Said before the others are looked at, and again with them: one of them may hang.
	for (int i = 0; i < 2; i++) {
		if (told.len > 0) {
			json_key(&out->w, "daemon");
			json_raw(&out->w, buf_str(&told));
		}
		if (i == 0) {
			look_report_so_far(out);
		}
	}
	buf_finish(&told);
	write_others(places, &seen, pid, &out->w);
	arena_destroy(arena);
}

DEFINE_LOOK(processes) = {.name = "processes", .gather = gather};
