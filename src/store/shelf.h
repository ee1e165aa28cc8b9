// SPDX-License-Identifier: Apache-2.0
// The segments of one stream as files: which ids exist, and opening one with what its successor
// says about its end. Shared by the writing end (tail) and the readers.
#pragma once

#include "store/scan.h"

struct shelf_entry {
	uint64_t id;
	int64_t size; // bytes, with its index
	bool has_index;
};

// Ids in rising order.
struct shelf {
	struct shelf_entry *entries;
	size_t n, cap;
};

void shelf_finish(struct shelf *shelf);
// Lists folder/stream; a folder that does not exist is empty.
_must_use_ bool shelf_load(struct shelf *shelf, struct fs *fs, const char *folder,
	const char *stream, struct err *err);
void shelf_add(struct shelf *shelf, uint64_t id, int64_t size);
void shelf_remove(struct shelf *shelf, size_t i);
// The highest id in use, 0 when empty.
uint64_t shelf_last_id(const struct shelf *shelf);

struct segment_file {
	int fd;
	int64_t size;
	uint32_t seed;
	enum segment_condition condition;
};

// Opens a segment file for reading (or O_RDWR) and reads its header. 1; 0 when it is not there
// any more; -1 with *err when it cannot be opened or comes from a newer version.
int segment_open(struct fs *fs, const char *folder, const char *stream, uint64_t id, int flags,
	struct segment_file *out, struct err *err);
void segment_close(struct fs *fs, struct segment_file *file);
// What the OPEN frame of a segment says; false when it has none (not begun, or damaged).
_must_use_ bool segment_read_open(struct fs *fs, const char *folder, const char *stream,
	uint64_t id, struct segment_end *out, uint64_t *out_first_sequence);
// Prepares a scan of entry i: sealed where the next segment says so. 1; 0 when the segment is gone
// or void; -1 on error. The caller closes *out_file and finishes *out_scan after 1.
int shelf_open_scan(const struct shelf *shelf, size_t i, struct fs *fs, const char *folder,
	const char *stream, struct segment_file *out_file, struct scan *out_scan, struct err *err);
