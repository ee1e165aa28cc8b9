// SPDX-License-Identifier: Apache-2.0
// Sidecar files of sealed segments; see index.h.
#include "store/index.h"

#include <endian.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/crc32c.h"

#define INDEX_VERSION 1
#define HEAD_SIZE 72
#define PAIR_SIZE 12
#define INDEX_SIZE_MAX (HEAD_SIZE + (size_t)(SEGMENT_SIZE_MAX / RECORD_HEADER_SIZE) * PAIR_SIZE)

static const char magic[8] = {'A', 'N', 'N', 'A', 'I', 'N', 'D', 'X'};

struct pair {
	uint64_t cause;
	uint32_t offset;
};

struct pairs {
	struct pair *at;
	size_t n, cap;
};

static void append32(struct buf *out, uint32_t value) {
	value = htole32(value);
	buf_append(out, &value, sizeof(value));
}

static void append64(struct buf *out, uint64_t value) {
	value = htole64(value);
	buf_append(out, &value, sizeof(value));
}

static uint32_t get32(const char *from) {
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const char *from) {
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

void index_finish(struct index *index) {
	buf_finish(&index->file);
}

static int compare_pairs(const void *a, const void *b) {
	const struct pair *left = a, *right = b;
	if (left->cause != right->cause) {
		return left->cause < right->cause ? -1 : 1;
	}
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static void add_frame(struct index *index, struct pairs *pairs, const struct frame *frame) {
	struct record record;
	size_t cursor = 0;
	while (frame_next_record(frame, &cursor, &record)) {
		bool is_first = index->first_sequence == 0;
		index->first_sequence = is_first ? record.sequence : index->first_sequence;
		index->last_sequence = record.sequence;
		if (is_first || record.time_ns < index->earliest_ns) {
			index->earliest_ns = record.time_ns;
		}
		if (is_first || record.time_ns > index->latest_ns) {
			index->latest_ns = record.time_ns;
		}
		if (!record.cause) {
			continue;
		}
		if (pairs->n == pairs->cap) {
			pairs->cap = pairs->cap ? pairs->cap * 2 : 256;
			pairs->at = xreallocarray(pairs->at, pairs->cap, sizeof(*pairs->at));
		}
		pairs->at[pairs->n++] = (struct pair){record.cause, (uint32_t)frame->offset};
	}
}

static void format(struct index *index, uint64_t id, uint32_t seed, const struct pairs *pairs) {
	struct buf *out = &index->file;
	buf_append(out, magic, sizeof(magic));
	append32(out, 0);
	append32(out, INDEX_VERSION);
	append64(out, id);
	append32(out, seed);
	append32(out, (uint32_t)pairs->n);
	append64(out, index->first_sequence);
	append64(out, index->last_sequence);
	append64(out, (uint64_t)index->earliest_ns);
	append64(out, (uint64_t)index->latest_ns);
	append64(out, (uint64_t)index->end);
	assert(out->len == HEAD_SIZE);
	for (size_t i = 0; i < pairs->n; i++) {
		append64(out, pairs->at[i].cause);
		append32(out, pairs->at[i].offset);
	}
	uint32_t crc = htole32(crc32c(0, out->at + 12, out->len - 12));
	memcpy(out->at + 8, &crc, sizeof(crc));
	index->cause_count = pairs->n;
}

bool index_build(struct scan *scan, uint64_t id, struct index *out, struct err *err) {
	struct pairs pairs = {NULL, 0, 0};
	struct index index = {.file = BUF_INIT};
	enum scan_result result;
	do {
		struct frame frame;
		result = scan_next(scan, &frame, err);
		if (result == SCAN_FRAME) {
			add_frame(&index, &pairs, &frame);
		}
	} while (result == SCAN_FRAME || result == SCAN_DAMAGE);
	if (result == SCAN_END) {
		index.end = scan->offset;
		if (pairs.n) {
			qsort(pairs.at, pairs.n, sizeof(*pairs.at), compare_pairs);
		}
		format(&index, id, scan->seed, &pairs);
		*out = index;
	}
	free(pairs.at);
	return result == SCAN_END;
}

bool index_save(struct fs *fs, const char *folder, const char *stream, uint64_t id,
	const struct index *index, struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	segment_path(&path, folder, stream, id, "index");
	(void)fs->unlink(fs, buf_text(&path)); // a bad one, if any
	int fd = fs->open(fs, buf_text(&path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	ssize_t result = fd;
	if (fd >= 0) {
		result = fs_write_all(fs, fd, index->file.at, index->file.len, 0);
		int closed = fs->close(fs, fd);
		result = result < 0 ? result : closed;
	}
	if (result < 0) {
		(void)fs->unlink(fs, buf_text(&path)); // a part of one is of no use
		errno = (int)-result;
		return err_errno(err, "cannot write %s", buf_text(&path));
	}
	return true;
}

// Reads the file with O_NOFOLLOW; false when it is not there or not of a sensible size.
static bool read_file(struct fs *fs, const char *path, struct buf *out) {
	struct fs_stat found;
	if (fs->stat(fs, path, &found) < 0 || found.size < HEAD_SIZE ||
		(uint64_t)found.size > INDEX_SIZE_MAX) {
		return false;
	}
	int fd = fs->open(fs, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0) {
		return false;
	}
	ssize_t n = fs_read_all(
		fs, fd, buf_reserve(out, (size_t)found.size), (size_t)found.size, 0);
	(void)fs->close(fs, fd); // only read
	out->len = n > 0 ? (size_t)n : 0;
	return n == found.size;
}

bool index_load(struct fs *fs, const char *folder, const char *stream, uint64_t id, uint32_t seed,
	struct index *out) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	_cleanup_(buf_finish) struct buf file = BUF_INIT;
	segment_path(&path, folder, stream, id, "index");
	if (!read_file(fs, buf_text(&path), &file)) {
		return false;
	}
	const char *at = file.at;
	uint32_t causes = get32(at + 28);
	bool is_whole = memcmp(at, magic, sizeof(magic)) == 0 &&
		get32(at + 8) == crc32c(0, at + 12, file.len - 12) &&
		get32(at + 12) == INDEX_VERSION && get64(at + 16) == id && get32(at + 24) == seed &&
		file.len - HEAD_SIZE == (size_t)causes * PAIR_SIZE;
	if (!is_whole) {
		return false;
	}
	*out = (struct index){
		.first_sequence = get64(at + 32),
		.last_sequence = get64(at + 40),
		.earliest_ns = (int64_t)get64(at + 48),
		.latest_ns = (int64_t)get64(at + 56),
		.end = (int64_t)get64(at + 64),
		.cause_count = causes,
		.file = file,
	};
	file = (struct buf)BUF_INIT;
	return true;
}

int64_t index_next_effect(const struct index *index, uint64_t cause, size_t *cursor) {
	const char *pairs = index->file.at + HEAD_SIZE;
	if (*cursor == 0) { // the first pair not below cause
		size_t low = 0, high = index->cause_count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (get64(pairs + middle * PAIR_SIZE) < cause) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		*cursor = low + 1;
	}
	size_t i = *cursor - 1;
	if (i >= index->cause_count || get64(pairs + i * PAIR_SIZE) != cause) {
		return -1;
	}
	(*cursor)++;
	return get32(pairs + i * PAIR_SIZE + 8);
}
