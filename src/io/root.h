// SPDX-License-Identifier: Apache-2.0
// The files of a machine, below "/" or below a folder that holds a recorded tree: short files as text,
// folders as sorted names, links by their last part. For jobs that look at many small files of /proc,
// /sys and /etc once; everything lives in the arena given, and every read has a bound. Calls block.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define ROOT_NAMES_MAX 32768 // of one folder: as many processes as a kernel has by default

struct fs;

struct root {
	struct fs *fs;
	const char *sysroot; // "" or a folder
	struct arena *arena;
	struct err err; // why the last call said false
};

// "<sysroot>/proc/stat".
_must_use_ _printf_(2, 3) char *root_path(const struct root *root, const char *format, ...);
// The content of a file of at most 1 MiB, without blanks around it. False: it cannot be read.
_must_use_ _printf_(3, 4) bool root_read(
	struct root *root, struct str *out, const char *format, ...);
// The same for files up to `limit` bytes, whole.
_must_use_ bool root_read_large(struct root *root, const char *path, size_t limit, struct str *out);
// A file that holds one number, decimal or 0x….
_must_use_ _printf_(3, 4) bool root_read_number(
	struct root *root, int64_t *out, const char *format, ...);
// The names in a folder but . and .., sorted, numbers inside names by their value (cpu2 before cpu10).
// 0 when it cannot be read (then err says why) or is empty.
_printf_(3, 4) size_t root_list(struct root *root, char ***out_names, const char *format, ...);
// The last part of where a symbolic link points: the name of a driver.
_must_use_ _printf_(3, 4) bool root_link(
	struct root *root, struct str *out, const char *format, ...);
_printf_(2, 3) bool root_has(const struct root *root, const char *format, ...);
