// SPDX-License-Identifier: Apache-2.0
// What this process takes from the machine, read from /proc and its control group. What cannot be
// known is -1.
#pragma once

#include <stdint.h>

#include "io/fs.h"

struct footprint {
	int64_t rss_bytes, peak_bytes, virtual_bytes;
	int64_t limit_bytes; // the tightest memory limit of its control groups; -1: none
	int64_t threads;
	int64_t cpu_user_us, cpu_system_us;
	int64_t fds, fd_limit;
};

// `root` is put before /proc and /sys: "" for this machine. Blocking: for a job.
void footprint_read(struct fs *fs, const char *root, struct footprint *out);
