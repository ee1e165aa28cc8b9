// SPDX-License-Identifier: Apache-2.0
// Merges the streams by sequence; see reader.h.
#include "store/reader.h"

#include <errno.h>

#include "base/alloc.h"
#include "store/cursor.h"
#include "store/index.h"
#include "store/journal.h"

struct reader {
	struct cursor cursors[JOURNAL_STREAMS_MAX];
	size_t n;
	struct cursor *handed_out; // its record is in the caller's hands
	bool is_backward;
};

struct names {
	char *at[JOURNAL_STREAMS_MAX];
	size_t n;
	struct fs *fs;
	const char *folder;
};

static void on_name(void *arg, const char *name) {
	struct names *names = arg;
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	struct fs_stat found;
	buf_appendf(&path, "%s/%s", names->folder, name);
	if (names->n < JOURNAL_STREAMS_MAX && strlen(name) <= STREAM_NAME_MAX &&
		names->fs->stat(names->fs, buf_text(&path), &found) == 0 && found.is_directory) {
		names->at[names->n++] = xstrdup(name);
	}
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// The streams of a journal: the one asked for, or every folder in it, sorted.
static bool list_streams(
	struct fs *fs, const char *folder, const char *only, struct names *out, struct err *err) {
	*out = (struct names){.fs = fs, .folder = folder};
	if (only) {
		out->at[out->n++] = xstrdup(only);
		return true;
	}
	int result = fs->list(fs, folder, on_name, out);
	if (result < 0 && result != -ENOENT) {
		errno = -result;
		return err_errno(err, "cannot list the journal %s", folder);
	}
	if (out->n) {
		qsort(out->at, out->n, sizeof(*out->at), compare_names);
	}
	return true;
}

struct reader *reader_open(
	struct fs *fs, const char *folder, const struct reader_query *query, struct err *err) {
	struct names names;
	struct reader *reader = xcalloc(1, sizeof(*reader));
	bool is_good = list_streams(fs, folder, query->stream, &names, err);
	reader->is_backward = query->backward;
	for (size_t i = 0; i < names.n; i++) {
		if (is_good) {
			is_good = cursor_init(
				&reader->cursors[reader->n++], fs, folder, names.at[i], query, err);
		}
		free(names.at[i]);
	}
	if (!is_good) {
		reader_close(reader);
		return NULL;
	}
	return reader;
}

void reader_close(struct reader *reader) {
	if (reader) {
		for (size_t i = 0; i < reader->n; i++) {
			cursor_finish(&reader->cursors[i]);
		}
		free(reader);
	}
}

int reader_next(struct reader *reader, struct record *out, struct err *err) {
	if (reader->handed_out) {
		cursor_skip(reader->handed_out);
		reader->handed_out = NULL;
	}
	struct record best = {0};
	for (size_t i = 0; i < reader->n; i++) {
		struct record record;
		int found = cursor_peek(&reader->cursors[i], &record, err);
		if (found < 0) {
			reader->handed_out = NULL;
			return -1;
		}
		bool is_better = found > 0 &&
			(!reader->handed_out ||
				(reader->is_backward ? record.sequence > best.sequence
						     : record.sequence < best.sequence));
		if (is_better) {
			best = record;
			reader->handed_out = &reader->cursors[i];
		}
	}
	if (!reader->handed_out) {
		return 0;
	}
	*out = best;
	return 1;
}

int reader_find(struct fs *fs, const char *folder, uint64_t sequence, struct buf *payload,
	struct record *out, struct err *err) {
	struct reader_query query = {.after = sequence - 1, .before = sequence + 1};
	struct record record = {0};
	if (sequence == 0 || sequence == UINT64_MAX) {
		*out = record;
		return 0;
	}
	struct reader *reader = reader_open(fs, folder, &query, err);
	if (!reader) {
		return -1;
	}
	int found;
	bool is_damaged = false;
	while ((found = reader_next(reader, &record, err)) > 0 && record.type == RECORD_DAMAGE) {
		is_damaged = true;
	}
	if (found > 0) {
		size_t at = payload->len;
		buf_append_str(payload, record.payload);
		*out = record;
		out->payload.at = payload->at + at;
	} else if (found == 0) {
		*out = (struct record){.type = is_damaged ? RECORD_DAMAGE : 0};
		for (size_t i = 0; i < reader->n; i++) {
			uint64_t oldest = cursor_oldest(&reader->cursors[i]);
			if (oldest && (!out->sequence || oldest < out->sequence)) {
				out->sequence = oldest;
			}
		}
	}
	reader_close(reader);
	return found;
}

struct effects {
	uint64_t cause;
	size_t limit; // per stream
	struct cursor_entry *entries;
	size_t n, cap;
	struct buf bytes;
};

static void add_effects(struct effects *effects, const struct frame *frame) {
	struct record record;
	size_t cursor = 0;
	while (frame_next_record(frame, &cursor, &record)) {
		if (record.cause != effects->cause) {
			continue;
		}
		if (effects->n == effects->cap) {
			effects->cap = effects->cap ? effects->cap * 2 : 16;
			effects->entries = xreallocarray(
				effects->entries, effects->cap, sizeof(*effects->entries));
		}
		effects->entries[effects->n++] = (struct cursor_entry){record, effects->bytes.len};
		buf_append_str(&effects->bytes, record.payload);
	}
}

// By the index, where the segment has one.
static int collect_indexed(struct scan *scan, const struct index *index, struct effects *effects,
	size_t enough, struct err *err) {
	size_t at = 0;
	int64_t offset, last = -1;
	while (effects->n < enough &&
		(offset = index_next_effect(index, effects->cause, &at)) >= 0) {
		struct frame frame;
		int found = offset == last ? 0 : scan_frame_at(scan, offset, &frame, err);
		last = offset;
		if (found < 0) {
			return -1;
		}
		if (found > 0) {
			add_effects(effects, &frame);
		}
	}
	return 0;
}

static int collect_scanned(
	struct scan *scan, struct effects *effects, size_t enough, struct err *err) {
	scan->trusts_mark = true;
	if (!cursor_seek(scan, effects->cause, err)) {
		return -1;
	}
	while (effects->n < enough) {
		struct frame frame;
		enum scan_result result = scan_next(scan, &frame, err);
		if (result == SCAN_ERROR) {
			return -1;
		}
		if (result == SCAN_END) {
			break;
		}
		if (result == SCAN_FRAME) {
			add_effects(effects, &frame);
		}
	}
	return 0;
}

static int collect(struct cursor *cursor, struct effects *effects, struct err *err) {
	size_t enough = effects->n + effects->limit;
	int result = 0;
	for (size_t i = cursor_segment_of(cursor, effects->cause + 1);
		i < cursor->shelf.n && effects->n < enough && result >= 0; i++) {
		struct segment_file file;
		struct scan scan;
		struct index index;
		result = shelf_open_scan(&cursor->shelf, i, cursor->fs, cursor->folder,
			cursor->stream, &file, &scan, err);
		if (result <= 0) {
			continue;
		}
		if (scan.is_sealed &&
			index_load(cursor->fs, cursor->folder, cursor->stream,
				cursor->shelf.entries[i].id, file.seed, &index)) {
			result = collect_indexed(&scan, &index, effects, enough, err);
			index_finish(&index);
		} else {
			result = collect_scanned(&scan, effects, enough, err);
		}
		scan_finish(&scan);
		segment_close(cursor->fs, &file);
	}
	return result;
}

static int compare_effects(const void *a, const void *b) {
	uint64_t left = ((const struct cursor_entry *)a)->record.sequence;
	uint64_t right = ((const struct cursor_entry *)b)->record.sequence;
	return left < right ? -1 : left > right;
}

int reader_effects(struct fs *fs, const char *folder, uint64_t cause, int limit,
	void (*on_effect)(void *arg, const struct record *record), void *arg, struct err *err) {
	struct reader_query query = {0};
	if (cause == 0 || limit <= 0) {
		return 0;
	}
	struct reader *reader = reader_open(fs, folder, &query, err);
	if (!reader) {
		return -1;
	}
	struct effects effects = {.cause = cause, .limit = (size_t)limit};
	int result = 0;
	for (size_t i = 0; i < reader->n && result >= 0; i++) {
		result = collect(&reader->cursors[i], &effects, err);
	}
	if (result >= 0) {
		if (effects.n) {
			qsort(effects.entries, effects.n, sizeof(*effects.entries),
				compare_effects);
		}
		for (result = 0; result < limit && (size_t)result < effects.n; result++) {
			struct record record = effects.entries[result].record;
			record.payload.at = effects.bytes.at + effects.entries[result].payload_at;
			on_effect(arg, &record);
		}
	}
	free(effects.entries);
	buf_finish(&effects.bytes);
	reader_close(reader);
	return result;
}
