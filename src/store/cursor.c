// SPDX-License-Identifier: Apache-2.0
// One stream, forward or backward; see cursor.h. A block is always scanned forward from a frame
// boundary, so that holes are judged by the same code in both directions.
#include "store/cursor.h"

#include "base/alloc.h"

#define BLOCK_SIZE (64 * 1024)

bool cursor_init(struct cursor *cursor, struct fs *fs, const char *folder, const char *stream,
	const struct reader_query *query, struct err *err) {
	*cursor = (struct cursor){
		.fs = fs,
		.folder = xstrdup(folder),
		.stream = xstrdup(stream),
		.query = *query,
		.file = {.fd = -1},
	};
	return shelf_load(&cursor->shelf, fs, folder, stream, err);
}

static void close_segment(struct cursor *cursor) {
	if (cursor->is_open) {
		scan_finish(&cursor->scan);
		segment_close(cursor->fs, &cursor->file);
		cursor->is_open = false;
	}
}

void cursor_finish(struct cursor *cursor) {
	close_segment(cursor);
	shelf_finish(&cursor->shelf);
	buf_finish(&cursor->bytes);
	free(cursor->entries);
	free(cursor->folder);
	free(cursor->stream);
}

// UINT64_MAX for a segment not begun yet, 0 for one that is gone.
static uint64_t first_sequence(const struct cursor *cursor, size_t i) {
	struct segment_end before;
	uint64_t first = 0, id = cursor->shelf.entries[i].id;
	if (segment_read_open(cursor->fs, cursor->folder, cursor->stream, id, &before, &first)) {
		return first;
	}
	struct segment_file file;
	if (segment_open(cursor->fs, cursor->folder, cursor->stream, id, O_RDONLY, &file, NULL) <=
		0) {
		return 0;
	}
	struct scan scan;
	struct frame frame = {.sequence = UINT64_MAX};
	scan_init(&scan, cursor->fs, file.fd, file.seed, file.size);
	scan.has_seed = file.condition == SEGMENT_OK;
	int found = scan_search(&scan, SEGMENT_DATA_START, scan.limit, &frame, NULL);
	scan_finish(&scan);
	segment_close(cursor->fs, &file);
	return found > 0 && frame.kind != FRAME_MARK ? frame.sequence : UINT64_MAX;
}

size_t cursor_segment_of(const struct cursor *cursor, uint64_t sequence) {
	size_t low = 0, high = cursor->shelf.n;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2, probe = middle;
		uint64_t first = first_sequence(cursor, probe);
		while (first == UINT64_MAX && probe + 1 < high) { // never begun
			first = first_sequence(cursor, ++probe);
		}
		if (first <= sequence) {
			low = probe;
		} else {
			high = middle;
		}
	}
	return low;
}

uint64_t cursor_oldest(const struct cursor *cursor) {
	for (size_t i = 0; i < cursor->shelf.n; i++) {
		uint64_t first = first_sequence(cursor, i);
		if (first && first != UINT64_MAX) {
			return first;
		}
	}
	return 0;
}

static void place(struct scan *scan, int64_t offset, uint64_t sequence) {
	scan->offset = offset;
	scan->last_sequence = sequence ? sequence - 1 : 0;
}

bool cursor_seek(struct scan *scan, uint64_t sequence, struct err *err) {
	int64_t low = SEGMENT_DATA_START, high = scan->limit;
	struct frame found = {.offset = SEGMENT_DATA_START, .synced = SEGMENT_DATA_START};
	while (high - low > BLOCK_SIZE) {
		struct frame frame;
		int64_t middle = (low + (high - low) / 2) & ~INT64_C(7);
		int64_t to = middle + BLOCK_SIZE < high ? middle + BLOCK_SIZE : high;
		int result = scan_search(scan, middle, to, &frame, err);
		if (result < 0) {
			return false;
		}
		if (result > 0 && frame.sequence <= sequence && frame.kind != FRAME_MARK) {
			found = frame;
			low = frame.offset;
		} else {
			high = middle;
		}
	}
	// In the segment being written only what was durable once is firm ground: behind it there
	// may be a hole that ends the segment, with frames behind it that do not count.
	if (!scan->is_sealed && found.synced < found.offset) {
		int result = scan_search(scan, found.synced, found.synced + 8, &found, err);
		if (result <= 0) {
			found = (struct frame){.offset = SEGMENT_DATA_START};
		}
		if (result < 0) {
			return false;
		}
	}
	place(scan, found.offset, found.offset == SEGMENT_DATA_START ? 0 : found.sequence);
	return true;
}

static struct cursor_entry *add_entry(struct cursor *cursor) {
	if (cursor->n == cursor->cap) {
		cursor->cap = cursor->cap ? cursor->cap * 2 : 64;
		cursor->entries = xreallocarray(
			cursor->entries, cursor->cap, sizeof(*cursor->entries));
	}
	return &cursor->entries[cursor->n++];
}

static void add_damage(struct cursor *cursor, uint64_t from, uint64_t to) {
	const struct reader_query *query = &cursor->query;
	if (to <= query->after || (query->before && from >= query->before)) {
		return;
	}
	from = from > query->after ? from : query->after + 1;
	to = query->before && to >= query->before ? query->before - 1 : to;
	*add_entry(cursor) = (struct cursor_entry){
		.record = {.sequence = from,
			.cause = to,
			.type = RECORD_DAMAGE,
			.payload = str_from(cursor->stream)},
		.payload_at = SIZE_MAX,
	};
}

// False when the query ends here.
static bool add_frame(struct cursor *cursor, const struct frame *frame) {
	const struct reader_query *query = &cursor->query;
	struct record record;
	size_t at = 0;
	while (frame_next_record(frame, &at, &record)) {
		if (query->before && record.sequence >= query->before) {
			return false;
		}
		// What an abandoned segment still holds may have been written again in a later one.
		bool is_known = query->backward && cursor->lowest &&
			record.sequence >= cursor->lowest;
		if (is_known || record.sequence <= query->after ||
			(query->since_ns && record.time_ns < query->since_ns)) {
			continue;
		}
		*add_entry(cursor) = (struct cursor_entry){
			.record = record, .payload_at = cursor->bytes.len};
		buf_append_str(&cursor->bytes, record.payload);
	}
	return true;
}

// True when the file in hand still is the segment that was opened: retention may have given it
// another life meanwhile, and then what looks like damage is none.
static bool is_still_there(struct cursor *cursor) {
	uint32_t seed;
	return cursor->file.condition != SEGMENT_OK ||
		(segment_check(cursor->fs, cursor->file.fd, cursor->stream,
			 cursor->shelf.entries[cursor->segment].id, &seed, NULL) == SEGMENT_OK &&
			seed == cursor->file.seed);
}

// Scans from where the scan stands; stops at the end, or before that when a block is full and
// may_pause. 1 paused, 0 the end of the segment or of the query, -1 error.
static int scan_block(struct cursor *cursor, bool may_pause, struct err *err) {
	bool has_damage = false;
	for (;;) {
		struct frame frame;
		bool is_start_unknown = cursor->scan.last_sequence == 0;
		enum scan_result result = scan_next(&cursor->scan, &frame, err);
		if (result == SCAN_ERROR) {
			return -1;
		}
		if (result == SCAN_DAMAGE) {
			has_damage = true;
			if (cursor->query.backward && is_start_unknown) {
				cursor->open_damage = cursor->scan.damage_to;
			} else {
				add_damage(
					cursor, cursor->scan.damage_from, cursor->scan.damage_to);
			}
		}
		bool is_over = result == SCAN_END ||
			(result == SCAN_FRAME && !add_frame(cursor, &frame));
		bool is_full = may_pause && cursor->bytes.len >= BLOCK_SIZE;
		if (!is_over && !is_full) {
			continue;
		}
		if (has_damage && !is_still_there(cursor)) {
			cursor->n = 0;
			cursor->open_damage = 0;
			return 0;
		}
		cursor->is_done = cursor->is_done || (is_over && result == SCAN_FRAME && may_pause);
		return !is_over;
	}
}

// True when nothing in the segment is young enough.
static bool is_too_old(struct cursor *cursor, uint64_t id) {
	struct index index;
	if (!cursor->query.since_ns || cursor->file.condition != SEGMENT_OK ||
		!cursor->scan.is_sealed ||
		!index_load(cursor->fs, cursor->folder, cursor->stream, id, cursor->file.seed,
			&index)) {
		return false;
	}
	bool is_old = index.first_sequence && index.latest_ns < cursor->query.since_ns;
	cursor->last_sequence = is_old ? index.last_sequence : cursor->last_sequence;
	index_finish(&index);
	return is_old;
}

// Opens entry `segment` of the shelf. 1, 0: nothing to read there, -1.
static int open_segment(struct cursor *cursor, struct err *err) {
	int found = shelf_open_scan(&cursor->shelf, cursor->segment, cursor->fs, cursor->folder,
		cursor->stream, &cursor->file, &cursor->scan, err);
	if (found <= 0) {
		return found;
	}
	cursor->is_open = true;
	cursor->scan.trusts_mark = true;
	cursor->file_limit = cursor->scan.limit;
	if (is_too_old(cursor, cursor->shelf.entries[cursor->segment].id)) {
		close_segment(cursor);
		return 0;
	}
	return 1;
}

static int fill_forward(struct cursor *cursor, struct err *err) {
	if (!cursor->is_placed) {
		cursor->segment = cursor->query.after
			? cursor_segment_of(cursor, cursor->query.after + 1)
			: 0;
	}
	while (cursor->segment < cursor->shelf.n && !cursor->is_done && cursor->n == 0) {
		if (!cursor->is_open) {
			int found = open_segment(cursor, err);
			if (found < 0) {
				return -1;
			}
			if (found == 0) {
				cursor->segment++;
				continue;
			}
			cursor->scan.last_sequence = cursor->last_sequence;
			if (!cursor->is_placed && cursor->query.after &&
				!cursor_seek(&cursor->scan, cursor->query.after, err)) {
				return -1;
			}
			cursor->is_placed = true;
		}
		int paused = scan_block(cursor, true, err);
		if (paused < 0) {
			return -1;
		}
		if (!paused) {
			cursor->last_sequence = cursor->scan.last_sequence > cursor->scan.damage_to
				? cursor->scan.last_sequence
				: cursor->scan.damage_to;
			close_segment(cursor);
			cursor->segment++;
		}
	}
	return cursor->n > 0;
}

// Places the scan at the start of the block before the one in hand.
static bool step_back(struct cursor *cursor, struct err *err) {
	struct scan *scan = &cursor->scan;
	int64_t stop = cursor->block_start;
	scan->limit = stop;
	scan->is_sealed = true;
	scan->limit_sequence = cursor->block_sequence;
	for (int64_t from = stop - BLOCK_SIZE; from > SEGMENT_DATA_START; from -= BLOCK_SIZE) {
		struct frame frame;
		int found = scan_search(scan, from, stop, &frame, err);
		if (found < 0) {
			return false;
		}
		if (found > 0 && frame.sequence < scan->limit_sequence) {
			place(scan, frame.offset, frame.sequence);
			return true;
		}
	}
	place(scan, SEGMENT_DATA_START, 0);
	return true;
}

static bool begin_block(struct cursor *cursor, struct err *err) {
	bool is_first = cursor->block_start == 0;
	uint64_t before = cursor->query.before ? cursor->query.before : UINT64_MAX;
	if (is_first ? !cursor_seek(&cursor->scan, before - 1, err) : !step_back(cursor, err)) {
		return false;
	}
	cursor->block_start = cursor->scan.offset;
	cursor->block_sequence = cursor->scan.last_sequence + 1;
	return true;
}

// The start of a range that a block left open is known once an older record is.
static void close_damage(struct cursor *cursor, uint64_t to) {
	uint64_t last = cursor->scan.last_sequence;
	if (to && last) {
		if (to > last) {
			add_damage(cursor, last + 1, to);
		}
		cursor->open_damage = 0;
	}
}

static int fill_backward(struct cursor *cursor, struct err *err) {
	if (!cursor->is_placed) {
		cursor->segment = cursor->shelf.n;
		if (cursor->query.before && cursor->shelf.n) {
			cursor->segment = cursor_segment_of(cursor, cursor->query.before) + 1;
		}
		cursor->is_placed = true;
	}
	while (cursor->n == 0 && !cursor->is_done) {
		if (!cursor->is_open) {
			if (cursor->segment == 0) {
				cursor->is_done = true;
				if (cursor->open_damage) {
					add_damage(cursor, 1, cursor->open_damage);
				}
				break;
			}
			cursor->segment--;
			int found = open_segment(cursor, err);
			if (found < 0) {
				return -1;
			}
			cursor->block_start = 0;
			if (found == 0) {
				continue;
			}
		}
		uint64_t open_damage = cursor->open_damage;
		if (!begin_block(cursor, err) || scan_block(cursor, false, err) < 0) {
			return -1;
		}
		close_damage(cursor, open_damage);
		for (size_t i = 0; i < cursor->n; i++) {
			uint64_t sequence = cursor->entries[i].record.sequence;
			bool is_lower = !cursor->lowest || sequence < cursor->lowest;
			cursor->lowest = is_lower ? sequence : cursor->lowest;
		}
		if (cursor->block_start == SEGMENT_DATA_START) {
			close_segment(cursor);
		}
		// Everything older is at or below what the query asks for.
		cursor->is_done = cursor->is_done ||
			(cursor->block_sequence > 1 &&
				cursor->block_sequence <= cursor->query.after);
	}
	return cursor->n > 0;
}

int cursor_peek(struct cursor *cursor, struct record *out, struct err *err) {
	if (cursor->at == cursor->n) {
		cursor->at = cursor->n = 0;
		buf_clear(&cursor->bytes);
		int filled = cursor->query.backward ? fill_backward(cursor, err)
						    : fill_forward(cursor, err);
		if (filled <= 0) {
			cursor->is_done = true;
			cursor->n = 0;
			close_segment(cursor);
			cursor->segment = cursor->query.backward ? 0 : cursor->shelf.n;
			return filled;
		}
	}
	size_t i = cursor->query.backward ? cursor->n - 1 - cursor->at : cursor->at;
	const struct cursor_entry *entry = &cursor->entries[i];
	*out = entry->record;
	if (entry->payload_at != SIZE_MAX) {
		out->payload.at = cursor->bytes.at + entry->payload_at;
	}
	return 1;
}

void cursor_skip(struct cursor *cursor) {
	cursor->at++;
}
