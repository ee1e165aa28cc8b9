// SPDX-License-Identifier: Apache-2.0
// The journal read back after a restart, against what the model knows of every record.
#include <stdlib.h>

#include "base/alloc.h"
#include "store/reader.h"
#include "tests/fakes/journal_schedule_parts.h"

static struct known *known_find(struct schedule *schedule, uint64_t sequence) {
	size_t low = 0, high = schedule->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (schedule->known[middle].sequence < sequence) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	bool is_there = low < schedule->n && schedule->known[low].sequence == sequence;
	return is_there ? &schedule->known[low] : NULL;
}

static bool check_damage(struct schedule *schedule, const struct record *record) {
	if (!schedule->has_flips) {
		return schedule_broken(schedule,
			"damage from %llu to %llu reported where there is none",
			(unsigned long long)record->sequence, (unsigned long long)record->cause);
	}
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		if (str_is(record->payload, schedule_streams[known->stream]) &&
			known->sequence >= record->sequence && known->sequence <= record->cause) {
			known->is_damaged = true;
		}
	}
	return true;
}

static bool check_record(struct schedule *schedule, const struct record *record) {
	struct known *known = known_find(schedule, record->sequence);
	unsigned long long sequence = record->sequence;
	if (!known) {
		return schedule_broken(schedule, "record %llu was never written", sequence);
	}
	if (known->is_seen) {
		return schedule_broken(schedule, "record %llu is there twice", sequence);
	}
	known->is_seen = true;
	// A bit flipped in the one frame that says where an abandoned segment ends is reported as damage,
	// and what was behind that end may be read again: never acked, but as it was written.
	if (known->status == FAILED && !schedule->has_open_failure[known->stream] &&
		!schedule->has_flips) {
		return schedule_broken(schedule, "record %llu came back", sequence);
	}
	_cleanup_(buf_finish) struct buf payload = BUF_INIT;
	known_make_payload(known, &payload);
	if (record->cause != known->cause || record->time_ns != known->time_ns ||
		record->type != RECORD_EVENT || !str_equal(record->payload, buf_str(&payload))) {
		return schedule_broken(schedule, "record %llu is not what was written", sequence);
	}
	return true;
}

static bool read_forward(struct schedule *schedule, uint64_t **out, size_t *out_n) {
	struct reader_query query = {0};
	struct err err = ERR_INIT;
	struct record record;
	uint64_t last = 0;
	size_t cap = 64, n = 0;
	uint64_t *seen = xcalloc(cap, sizeof(*seen));
	struct reader *reader = reader_open(sim_fs(schedule->sim), FOLDER, &query, &err);
	*out = seen;
	bool is_good = reader != NULL;
	while (is_good && reader_next(reader, &record, &err) == 1) {
		if (record.type == RECORD_DAMAGE) {
			is_good = check_damage(schedule, &record);
		} else {
			is_good = check_record(schedule, &record);
			if (is_good && record.sequence <= last) {
				is_good = schedule_broken(schedule, "record %llu comes after %llu",
					(unsigned long long)record.sequence,
					(unsigned long long)last);
			}
			last = record.sequence;
			if (n == cap) {
				cap *= 2;
				seen = xreallocarray(seen, cap, sizeof(*seen));
			}
			seen[n++] = record.sequence;
		}
	}
	reader_close(reader);
	*out = seen;
	*out_n = n;
	return is_good;
}

static bool is_asked(
	struct schedule *schedule, const struct reader_query *query, uint64_t sequence) {
	const char *stream = schedule_streams[known_find(schedule, sequence)->stream];
	return sequence > query->after && (!query->before || sequence < query->before) &&
		(!query->stream || strcmp(query->stream, stream) == 0);
}

// The sequence after `at` (in the query's direction) that the query must give; 0 at the end.
static uint64_t expect(struct schedule *schedule, const struct reader_query *query,
	const uint64_t *seen, size_t n, size_t *at) {
	while (*at < n) {
		uint64_t sequence = seen[query->backward ? n - 1 - *at : *at];
		(*at)++;
		if (is_asked(schedule, query, sequence)) {
			return sequence;
		}
	}
	return 0;
}

// A query must give exactly what the full reading gave within its bounds.
static bool check_query(struct schedule *schedule, const struct reader_query *query,
	const uint64_t *seen, size_t n) {
	struct err err = ERR_INIT;
	struct record record;
	struct reader *reader = reader_open(sim_fs(schedule->sim), FOLDER, query, &err);
	uint64_t expected, got;
	size_t at = 0;
	int found = -1;
	do {
		do {
			found = reader ? reader_next(reader, &record, &err) : -1;
		} while (found == 1 && record.type == RECORD_DAMAGE);
		got = found == 1 ? record.sequence : 0;
		expected = expect(schedule, query, seen, n, &at);
	} while (got && got == expected);
	reader_close(reader);
	if (found < 0) {
		return schedule_broken(schedule, "a query fails: %s", err.message);
	}
	return got == expected ||
		schedule_broken(schedule,
			"a %s query after %llu before %llu of %s gives %llu instead of %llu",
			query->backward ? "backward" : "forward", (unsigned long long)query->after,
			(unsigned long long)query->before, query->stream ? query->stream : "all",
			(unsigned long long)got, (unsigned long long)expected);
}

static void count_effect(void *arg, const struct record *record) {
	size_t *count = arg;
	*count += record->type == RECORD_EVENT;
}

static bool check_lookups(struct schedule *schedule, const uint64_t *seen, size_t n) {
	_cleanup_(buf_finish) struct buf payload = BUF_INIT;
	struct err err = ERR_INIT;
	struct record record;
	uint64_t sequence = seen[schedule_below(schedule, n)];
	struct fs *fs = sim_fs(schedule->sim);
	if (reader_find(fs, FOLDER, sequence, &payload, &record, &err) != 1 ||
		record.sequence != sequence) {
		return schedule_broken(
			schedule, "record %llu is not found", (unsigned long long)sequence);
	}
	size_t expected = 0, found = 0;
	struct known *known = known_find(schedule, sequence);
	uint64_t cause = known->cause ? known->cause : 1;
	for (size_t i = 0; i < n; i++) {
		expected += known_find(schedule, seen[i])->cause == cause;
	}
	int result = reader_effects(fs, FOLDER, cause, 100000, count_effect, &found, &err);
	if (result < 0 || found != expected) {
		return schedule_broken(schedule, "%zu effects of %llu are found, not %zu", found,
			(unsigned long long)cause, expected);
	}
	return true;
}

static bool check_queries(struct schedule *schedule, const uint64_t *seen, size_t n) {
	struct reader_query queries[] = {
		{.backward = true},
		{.stream = schedule_streams[schedule_below(schedule, STREAMS)]},
		{.stream = schedule_streams[schedule_below(schedule, STREAMS)], .backward = true},
		{.after = schedule_below(schedule, schedule->last_sequence + 2)},
		{.after = schedule_below(schedule, schedule->last_sequence + 2), .backward = true},
		{.before = 1 + schedule_below(schedule, schedule->last_sequence + 2),
			.backward = true},
	};
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		if (!check_query(schedule, &queries[i], seen, n)) {
			return false;
		}
	}
	return n == 0 || check_lookups(schedule, seen, n);
}

// What must be there is there; batches are whole; the unacked kept is a beginning, in order.
static bool check_presence(struct schedule *schedule) {
	uint64_t oldest[STREAMS] = {0};
	bool is_cut[STREAMS] = {false};
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		if (known->is_seen && !oldest[known->stream]) {
			oldest[known->stream] = known->sequence;
		}
	}
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		unsigned long long sequence = known->sequence;
		bool is_dropped = schedule->has_budget &&
			(known->sequence < oldest[known->stream] || !oldest[known->stream]);
		bool is_excused = known->is_damaged || is_dropped;
		if (known->status == ACKED && !known->is_seen && !is_excused) {
			return schedule_broken(schedule, "acked record %llu of %s is lost",
				sequence, schedule_streams[known->stream]);
		}
		if (i > 0 && known[-1].batch == known->batch && known[-1].status == known->status &&
			known[-1].is_seen != known->is_seen && !is_excused &&
			!known[-1].is_damaged) {
			return schedule_broken(
				schedule, "the batch of record %llu is there in part", sequence);
		}
		if (known->status == MAYBE && known->was_pending && !schedule->has_flips) {
			if (known->is_seen && is_cut[known->stream]) {
				return schedule_broken(schedule,
					"record %llu is kept, one before it is not", sequence);
			}
			is_cut[known->stream] = is_cut[known->stream] || !known->is_seen;
		}
	}
	return true;
}

bool schedule_read_back(struct schedule *schedule) {
	uint64_t *seen;
	size_t n = 0;
	for (size_t i = 0; i < schedule->n; i++) {
		schedule->known[i].is_seen = schedule->known[i].is_damaged = false;
	}
	bool is_good = read_forward(schedule, &seen, &n) && check_presence(schedule) &&
		check_queries(schedule, seen, n);
	free(seen);
	return is_good;
}
