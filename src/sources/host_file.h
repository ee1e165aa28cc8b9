// SPDX-License-Identifier: Apache-2.0
// How collectors read. A turn is one gathering of one collector, on the loop or in a job. Files
// of /proc that are read again and again keep their descriptor; small files of /sys are opened
// each time. Below a sysroot everything is read from the recorded tree, opened anew each time.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct host_config;

// Zeroed memory is a file not opened yet.
struct proc_file {
	bool is_open;
	int fd;
};
void proc_file_finish(struct proc_file *file);

struct host_turn {
	const char *sysroot; // "" or a folder
	const struct host_config *config;
	int64_t now_ns;	      // monotonic
	struct arena *memory; // for as long as this turn takes
	struct buf text;      // of the file read last
	struct err complaint; // the first file that should be readable and is not
	// A folder that is left out, because something in it does not answer; "" when there is none.
	const char *avoided;
	// Of a job: the file it is reading, so that whoever waits for it can say which one hangs.
	_Atomic(const char *) at;
};

// Reads a whole file (at most 4 MiB) into turn->text, which is empty when it cannot be read.
// It should be there: if not, that is a complaint.
bool turn_read(struct host_turn *turn, struct proc_file *file, const char *path);
// The same for what a kernel may not have: complains only when it is there and unreadable.
bool turn_try(struct host_turn *turn, struct proc_file *file, const char *path);
// A small file by its path, trimmed; false when it is not there, cannot be read, or is left out.
// *out lives in turn->memory. Never a complaint: a sensor may say ENODATA at any time.
_printf_(3, 4) bool turn_peek(struct host_turn *turn, struct str *out, const char *format, ...);
_printf_(3, 4) bool turn_peek_uint64(
	struct host_turn *turn, uint64_t *out, const char *format, ...);

// The names in a folder, in the order of their bytes and digits ("hwmon2" before "hwmon10"), at
// most 4,096; n is 0 when it is not there. Hidden names are left out.
struct names {
	const char **items;
	size_t n;
};
_printf_(2, 3) struct names turn_list(struct host_turn *turn, const char *format, ...);
// The path a symbolic link leads to, resolved; NULL when it leads nowhere.
// In turn->memory.
_printf_(2, 3) const char *turn_resolve(struct host_turn *turn, const char *format, ...);
