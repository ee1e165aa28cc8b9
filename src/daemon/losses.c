// SPDX-License-Identifier: Apache-2.0
// A map of the numbers in question, a bit each; see losses.h.
#include "daemon/losses.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "flow/event.h"
#include "flow/kind.h"
#include "store/reader.h"

struct numbers {
	uint64_t from, to;
	uint8_t *known;
};

static void mark(struct numbers *numbers, uint64_t from, uint64_t to) {
	from = from > numbers->from ? from : numbers->from;
	to = to < numbers->to ? to : numbers->to;
	for (uint64_t i = from; i <= to; i++) {
		numbers->known[(i - numbers->from) / 8] |= (uint8_t)(1u << (i - numbers->from) % 8);
	}
}

static bool is_known(const struct numbers *numbers, uint64_t i) {
	return numbers->known[(i - numbers->from) / 8] >> (i - numbers->from) % 8 & 1;
}

// Where every stream still has all it was given.
static uint64_t first_complete(struct fs *fs, const char *folder) {
	uint64_t first = 1;
	for (size_t i = 0; i < JOURNAL_STREAM_COUNT; i++) {
		struct reader_query query = {.stream = journal_stream_names[i]};
		struct reader *reader = reader_open(fs, folder, &query, NULL);
		struct record record;
		if (reader && reader_next(reader, &record, NULL) > 0 && record.sequence > first) {
			first = record.sequence;
		}
		if (reader) {
			reader_close(reader);
		}
	}
	return first;
}

static void mark_told(struct numbers *numbers, const struct record *record) {
	struct event *event = event_decode(record, NULL);
	const struct value *from = event ? event_attribute(event, STR("from")) : NULL;
	const struct value *to = event ? event_attribute(event, STR("to")) : NULL;
	if (from && to && from->type == VALUE_INT && to->type == VALUE_INT && from->integer > 0 &&
		str_is(event->source, "journal")) {
		mark(numbers, (uint64_t)from->integer, (uint64_t)to->integer);
	}
	event_unref(event);
}

static bool read_numbers(struct fs *fs, const char *folder, struct numbers *numbers) {
	struct reader_query query = {.after = numbers->from - 1, .before = numbers->to + 1};
	struct reader *reader = reader_open(fs, folder, &query, NULL);
	struct record record;
	int result = -1;
	while (reader && (result = reader_next(reader, &record, NULL)) > 0) {
		struct str kind;
		bool is_damage = record.type == RECORD_DAMAGE; // told by itself
		mark(numbers, record.sequence, is_damage ? record.cause : record.sequence);
		if (record.type == RECORD_EVENT && event_peek_kind(record.payload, &kind) &&
			str_is(kind, "source.gap")) {
			mark_told(numbers, &record);
		}
	}
	if (reader) {
		reader_close(reader);
	}
	return result == 0;
}

size_t losses_find(struct fs *fs, const char *journal_folder, uint64_t last, uint64_t span,
	struct loss *out, size_t most) {
	struct numbers numbers = {.from = first_complete(fs, journal_folder), .to = last};
	size_t n = 0;
	if (last > span && numbers.from < last - span + 1) {
		numbers.from = last - span + 1;
	}
	if (numbers.from > last) {
		return 0;
	}
	numbers.known = xcalloc((size_t)(last - numbers.from) / 8 + 1, 1);
	bool is_read = read_numbers(fs, journal_folder, &numbers);
	for (uint64_t i = numbers.from; is_read && i <= last; i++) {
		if (is_known(&numbers, i)) {
			continue;
		}
		if (n > 0 && (out[n - 1].to + 1 == i || n == most)) {
			out[n - 1].to = i;
		} else {
			out[n++] = (struct loss){i, i};
		}
	}
	free(numbers.known);
	return n;
}
