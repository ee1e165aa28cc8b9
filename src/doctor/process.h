// SPDX-License-Identifier: Apache-2.0
// One process as /proc shows it (proc_pid_stat(5)). For looks and remedies; what is not known is -1
// or empty.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "formats/json.h"

struct process {
	int pid, parent;
	char state; // R S D T t Z …
	char name[32];
	int64_t start_ticks; // since boot: with the pid, it names one process for ever
	int64_t cpu_ticks;
};

// Every process that /proc shows.
struct processes {
	int *pids;
	size_t n;
};
void processes_list(struct arena *arena, struct processes *out);

// False when there is no such process.
_must_use_ bool process_read(int pid, struct process *out);
// Nanoseconds its main thread was on a processor or waiting for one; -1: not known.
int64_t process_read_runnable(int pid);
// Seconds since it was started; -1: not known.
int64_t process_age_seconds(const struct process *process);
// NUL between them.
_must_use_ bool process_read_arguments(int pid, struct buf *out);
// Members of an object: pid, parent, state, name, start_ticks, uid.
void process_write(const struct process *process, struct json_writer *w);
// And what costs more reading: exe, exe_deleted, exe_inode, on_disk_inode (of that path now), wchan,
// cgroup, nofile, fds, resident_bytes.
void process_write_more(int pid, struct json_writer *w);

// The annad whose command line names this socket; 0: none is found.
int process_find_daemon(const char *socket);
// The word behind `option` on its command line, made absolute by its working directory.
_must_use_ bool process_find_option(int pid, const char *option, struct buf *out);

struct leftover {
	uint64_t event;
	char mapping[64];
};

// Whether it is a command that a daemon on this state folder started for an event (its environment
// names an event that is in this journal) and that no annad is above any more.
_must_use_ bool process_is_leftover(
	const struct process *process, const char *state_folder, struct leftover *out);
