// SPDX-License-Identifier: Apache-2.0
// The journal as a whole: what one sync covers, over all streams. A sync that fails in one stream
// takes back what all of them got since the last good one, so that "not kept" is true everywhere.
#include "store/journal.h"

#include "base/alloc.h"
#include "store/tail.h"

struct journal {
	struct tail *tails[JOURNAL_STREAMS_MAX];
	size_t n;
	uint64_t cycle_records, cycle_bytes; // since the last sync
	struct journal_stats stats;
};

struct journal *journal_open(struct fs *fs, struct clock *clock, const char *folder,
	const struct journal_options *options, struct journal_recovery *out, struct err *err) {
	int64_t size = options->segment_bytes ? options->segment_bytes : JOURNAL_SEGMENT_SIZE;
	assert(options->stream_count <= JOURNAL_STREAMS_MAX && size <= SEGMENT_SIZE_MAX);
	if (!fs_make_directories(fs, folder, err)) {
		return NULL;
	}
	struct journal *journal = xcalloc(1, sizeof(*journal));
	struct journal_recovery recovery = {.was_clean = true};
	for (size_t i = 0; i < options->stream_count; i++) {
		struct tail *tail = tail_open(
			fs, clock, folder, &options->streams[i], size, &recovery, err);
		if (!tail) {
			(void)err_prefix(err, "cannot open the journal in %s", folder);
			for (size_t j = 0; j < journal->n; j++) {
				tail_close(journal->tails[j]);
			}
			free(journal);
			return NULL;
		}
		journal->tails[journal->n++] = tail;
		if (tail_last_sequence(tail) > recovery.last_sequence) {
			recovery.last_sequence = tail_last_sequence(tail);
		}
	}
	*out = recovery;
	return journal;
}

void journal_close(struct journal *journal) {
	if (!journal) {
		return;
	}
	struct err ignored; // nobody is left to tell; the next open sees that it was not clean
	bool is_kept = journal_sync(journal, &ignored);
	for (size_t i = 0; i < journal->n; i++) {
		if (is_kept) {
			(void)tail_mark(journal->tails[i], true, &ignored);
		}
		tail_close(journal->tails[i]);
	}
	free(journal);
}

bool journal_append(struct journal *journal, const char *stream, const struct record *records,
	size_t n, struct err *err) {
	struct tail *tail = NULL;
	for (size_t i = 0; i < journal->n && !tail; i++) {
		tail = strcmp(tail_name(journal->tails[i]), stream) == 0 ? journal->tails[i] : NULL;
	}
	if (!tail || n == 0) {
		return err_set(
			err, ERR_INVALID, "nothing to append, or no journal stream %s", stream);
	}
	for (size_t i = 0; i < n; i++) {
		if (records[i].payload.len > RECORD_PAYLOAD_MAX) {
			return err_set(err, ERR_LIMIT,
				"a record of %zu bytes is too large for the journal (at most %d)",
				records[i].payload.len, RECORD_PAYLOAD_MAX);
		}
		bool is_next = i == 0 ||
			(records[i].sequence > records[i - 1].sequence &&
				records[i].sequence - records[0].sequence <= UINT32_MAX);
		if (records[i].sequence == 0 || !is_next ||
			records[i].sequence > RECORD_SEQUENCE_MAX) {
			return err_set(err, ERR_INVALID, "the sequences of a batch must rise");
		}
	}
	if (!tail_append(tail, records, n, err)) {
		return false;
	}
	journal->cycle_records += n;
	journal->cycle_bytes += frame_size(records, n);
	return true;
}

bool journal_sync(struct journal *journal, struct err *err) {
	bool is_synced = true, is_dirty = false;
	for (size_t i = 0; i < journal->n && is_synced; i++) {
		struct tail *tail = journal->tails[i];
		if (tail_is_dirty(tail)) {
			is_dirty = true;
			is_synced = tail_sync(tail, err);
		}
	}
	for (size_t i = 0; i < journal->n; i++) {
		struct tail *tail = journal->tails[i];
		if (is_synced) {
			tail_keep(tail);
		} else if (tail_is_dirty(tail)) {
			tail_abandon(tail);
		}
	}
	if (is_synced) {
		journal->stats.appended_records += journal->cycle_records;
		journal->stats.appended_bytes += journal->cycle_bytes;
	}
	journal->stats.syncs += is_dirty && is_synced;
	journal->stats.failed_syncs += !is_synced;
	journal->cycle_records = journal->cycle_bytes = 0;
	return is_synced;
}

bool journal_maintain(struct journal *journal, struct err *err) {
	bool is_ready = true;
	for (size_t i = 0; i < journal->n; i++) {
		// The first error is the one to tell, but every stream gets its turn.
		struct err more = ERR_INIT;
		if (!tail_maintain(journal->tails[i], is_ready ? err : &more)) {
			is_ready = false;
		}
	}
	return is_ready;
}

bool journal_is_starved(const struct journal *journal) {
	bool is_starved = false;
	for (size_t i = 0; i < journal->n; i++) {
		is_starved = is_starved || tail_is_starved(journal->tails[i]);
	}
	return is_starved;
}

void journal_get_stats(const struct journal *journal, struct journal_stats *out) {
	struct journal_stats stats = journal->stats;
	for (size_t i = 0; i < journal->n; i++) {
		const struct tail *tail = journal->tails[i];
		uint64_t oldest = tail_oldest_sequence(tail);
		stats.size_bytes += tail_size(tail);
		stats.dropped_segments += tail_dropped(tail);
		if (oldest && (!stats.oldest_sequence || oldest < stats.oldest_sequence)) {
			stats.oldest_sequence = oldest;
		}
	}
	*out = stats;
}
