// SPDX-License-Identifier: Apache-2.0
// What this process takes from the machine, read from /proc and its control group. What cannot be
// known is -1.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/fs.h"

struct footprint {
	int64_t rss_bytes, peak_bytes, virtual_bytes, swap_bytes;
	int64_t pss_bytes;   // proportional share of what is shared; only when it was asked for
	int64_t limit_bytes; // where the kernel begins to take measures; -1: there is no limit
	char limit_of[128]; // whose limit: "memory.max of /system.slice/annad.service", "RLIMIT_AS"
	int64_t counted_bytes; // what the kernel counts against it, without what it can drop at
			       // once; -1: the limit is that of a group we share with others
	int64_t threads;
	int64_t cpu_user_us, cpu_system_us;
	int64_t fds, fd_limit;
	int64_t voluntary_switches, involuntary_switches; // of all threads
	int64_t minor_faults, major_faults;
};

// `root` is put before /proc and /sys: "" for this machine. Blocking: for a job. The proportional
// share costs the kernel a walk through all our pages (about a millisecond): now and then only.
void footprint_read(struct fs *fs, const char *root, bool with_pss, struct footprint *out);
