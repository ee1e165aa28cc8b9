// SPDX-License-Identifier: Apache-2.0
// Commands an earlier daemon started that are still there. A look of its own: reading what a process was
// started with (proc_pid_environ(5)) waits for a process that is stuck in the kernel.
#include <sys/stat.h>

#include "doctor/look.h"
#include "doctor/process.h"

#define TOLD_MAX 20

static void gather(const struct places *places, struct look_report *out) {
	struct arena *arena = arena_create();
	struct processes seen;
	struct process daemon, process;
	struct leftover leftover;
	struct stat folder;
	size_t told = 0;
	bool has_daemon = places->daemon_pid > 0 && process_read(places->daemon_pid, &daemon);
	processes_list(arena, &seen);
	// Environments are shown to their own user and root.
	json_member_bool(&out->w, "sees_environments",
		geteuid() == 0 ||
			(stat(places->state_folder, &folder) == 0 && folder.st_uid == geteuid()));
	json_key(&out->w, "items");
	json_begin_array(&out->w);
	for (size_t i = 0; i < seen.n && told < TOLD_MAX; i++) {
		if (!process_read(seen.pids[i], &process) || strchr("ZXD", process.state) ||
			(has_daemon && process.start_ticks > daemon.start_ticks) ||
			!process_is_leftover(&process, places->state_folder, &leftover)) {
			continue;
		}
		json_begin_object(&out->w);
		process_write(&process, &out->w);
		json_member_uint(&out->w, "event", leftover.event);
		json_member_text(&out->w, "mapping", leftover.mapping);
		json_end_object(&out->w);
		told++;
	}
	json_end_array(&out->w);
	arena_destroy(arena);
}

DEFINE_LOOK(leftovers) = {.name = "leftovers", .gather = gather};
