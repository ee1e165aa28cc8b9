// SPDX-License-Identifier: Apache-2.0
// The journal worker; see writer.h. One record is one frame, so that one is the most a damaged
// sector takes; they are written in one piece and synced once for all that waited. A commit that
// fails is tried once more, in new segments, before it is reported.
#include "store/writer.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "io/loop.h"
#include "io/worker.h"

struct entry {
	struct record record;
	struct buf payload;
	const char *stream; // writer->streams
	bool is_appended;
	struct err err;
	// On the last of a commit.
	bool is_last;
	int64_t sync_ns;
	size_t batch;
};

// What the worker last knew, handed over by exchanging a pointer.
struct news {
	struct journal_stats journal;
	bool is_failing, is_short;
	char reason[256];
};

struct writer {
	// The loop's.
	struct worker *worker;
	char *streams[JOURNAL_STREAMS_MAX];
	size_t stream_count;
	writer_result_fn *on_result;
	void *arg;
	struct writer_stats stats;
	struct windows *sync_windows;
	struct { // the range being collected
		uint64_t first, last;
		struct err err;
	} range;
	// The worker's.
	struct journal *journal;
	struct clock *clock;
	bool is_failing, is_short;
	struct err failure, shortage; // why
	// Both.
	_Atomic(struct news *) news;
};

static void publish(struct writer *writer) {
	struct news *fresh = xcalloc(1, sizeof(*fresh));
	journal_get_stats(writer->journal, &fresh->journal);
	fresh->is_failing = writer->is_failing;
	fresh->is_short = writer->is_short;
	const char *reason = writer->is_failing ? writer->failure.message
		: writer->is_short		? writer->shortage.message
						: "";
	(void)snprintf(fresh->reason, sizeof(fresh->reason), "%.*s", (int)sizeof(fresh->reason) - 1,
		reason); // cut is fine
	free(atomic_exchange(&writer->news, fresh));
}

static void append_all(struct writer *writer, void *const *messages, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct entry *entry = messages[i];
		entry->err = (struct err)ERR_INIT;
		entry->is_appended = journal_append(
			writer->journal, entry->stream, &entry->record, 1, &entry->err);
	}
}

// Fails all that counted as appended.
static void fail_all(void *const *messages, size_t n, const struct err *err) {
	for (size_t i = 0; i < n; i++) {
		struct entry *entry = messages[i];
		if (entry->is_appended) {
			entry->is_appended = false;
			entry->err = *err;
		}
	}
}

static bool has_refused(void *const *messages, size_t n, struct err *out) {
	for (size_t i = 0; i < n; i++) {
		const struct entry *entry = messages[i];
		if (!entry->is_appended && entry->err.code != ERR_LIMIT &&
			entry->err.code != ERR_INVALID) {
			*out = entry->err;
			return true;
		}
	}
	return false;
}

static void on_batch(void *self, void *const *messages, size_t n) {
	struct writer *writer = self;
	struct err err = ERR_INIT;
	int64_t began_ns = clock_monotonic(writer->clock);
	append_all(writer, messages, n);
	bool is_synced = journal_sync(writer->journal, &err);
	if (!is_synced) {
		append_all(writer, messages, n);
		is_synced = journal_sync(writer->journal, &err);
	}
	if (!is_synced) {
		fail_all(messages, n, &err);
	}
	struct entry *last = messages[n - 1];
	last->is_last = true;
	last->sync_ns = clock_monotonic(writer->clock) - began_ns;
	last->batch = n;
	bool has_failed = !is_synced || has_refused(messages, n, &err);
	// What one stream keeps says nothing of another that found no room.
	writer->is_failing = has_failed ||
		(writer->is_failing && journal_is_starved(writer->journal));
	if (has_failed) {
		writer->failure = err;
	}
	publish(writer);
	for (size_t i = 0; i < n; i++) {
		worker_reply(writer->worker, messages[i]);
	}
	bool was_short = writer->is_short;
	writer->is_short = !journal_maintain(writer->journal, &writer->shortage);
	if (writer->is_short != was_short) {
		publish(writer);
	}
}

static void report_range(struct writer *writer) {
	if (writer->range.first) {
		uint64_t first = writer->range.first, last = writer->range.last;
		struct err err = writer->range.err;
		writer->range.first = 0;
		writer->on_result(writer->arg, first, last, err.code ? &err : NULL);
	}
}

static void on_reply(void *arg, void *message) {
	struct writer *writer = arg;
	struct entry *entry = message;
	bool continues = writer->range.first && entry->record.sequence == writer->range.last + 1 &&
		entry->err.code == writer->range.err.code &&
		strcmp(entry->err.message, writer->range.err.message) == 0;
	if (!continues) {
		report_range(writer);
		writer->range.first = entry->record.sequence;
		writer->range.err = entry->err;
	}
	writer->range.last = entry->record.sequence;
	bool is_last = entry->is_last;
	if (is_last) {
		histogram_record(&writer->stats.sync_ns, entry->sync_ns);
		windows_record(writer->sync_windows, clock_monotonic(writer->clock), entry->sync_ns,
			!!entry->err.code);
		histogram_record(&writer->stats.batch, (int64_t)entry->batch);
	}
	buf_finish(&entry->payload);
	free(entry);
	if (is_last) {
		report_range(writer);
	}
}

struct writer *writer_start(struct loop *loop, struct journal *journal, size_t capacity,
	writer_result_fn *on_result, void *arg, struct err *err) {
	struct writer *writer = xcalloc(1, sizeof(*writer));
	writer->clock = loop_clock(loop);
	writer->journal = journal;
	writer->on_result = on_result;
	writer->arg = arg;
	writer->sync_windows = windows_create();
	writer->stats.sync_windows = writer->sync_windows;
	writer->stats.capacity = capacity;
	histogram_init(&writer->stats.sync_ns);
	histogram_init(&writer->stats.batch);
	journal_get_stats(journal, &writer->stats.journal);
	struct worker_spec spec = {
		.name = "journal",
		.capacity = capacity,
		.on_batch = on_batch,
		.self = writer,
		.on_reply = on_reply,
		.arg = writer,
	};
	writer->worker = worker_start(loop, &spec, err);
	if (!writer->worker) {
		windows_destroy(writer->sync_windows);
		free(writer);
		return NULL;
	}
	return writer;
}

void writer_stop(struct writer *writer) {
	if (!writer) {
		return;
	}
	worker_stop(writer->worker);
	journal_close(writer->journal);
	free(atomic_load(&writer->news));
	windows_destroy(writer->sync_windows);
	for (size_t i = 0; i < writer->stream_count; i++) {
		free(writer->streams[i]);
	}
	free(writer);
}

// Our copy of a stream's name: the caller's may be gone when the record is written. NULL when
// there are more names than a journal has streams.
static const char *keep_name(struct writer *writer, const char *stream) {
	for (size_t i = 0; i < writer->stream_count; i++) {
		if (strcmp(writer->streams[i], stream) == 0) {
			return writer->streams[i];
		}
	}
	if (writer->stream_count == JOURNAL_STREAMS_MAX) {
		return NULL;
	}
	writer->streams[writer->stream_count] = xstrdup(stream);
	return writer->streams[writer->stream_count++];
}

bool writer_append(struct writer *writer, const char *stream, uint64_t sequence, uint64_t cause,
	int64_t time_ns, enum record_type type, struct buf *payload) {
	const char *name = keep_name(writer, stream);
	if (!name) {
		return false;
	}
	struct entry *entry = xcalloc(1, sizeof(*entry));
	entry->stream = name;
	entry->record = (struct record){
		.sequence = sequence,
		.cause = cause,
		.time_ns = time_ns,
		.type = (uint8_t)type,
		.payload = buf_str(payload),
	};
	entry->payload = *payload;
	if (!worker_post(writer->worker, entry)) {
		free(entry);
		return false;
	}
	*payload = (struct buf)BUF_INIT;
	return true;
}

void writer_get_stats(struct writer *writer, struct writer_stats *out) {
	struct news *news = atomic_exchange(&writer->news, NULL);
	if (news) {
		writer->stats.journal = news->journal;
		writer->stats.is_failing = news->is_failing;
		writer->stats.is_short = news->is_short;
		memcpy(writer->stats.reason, news->reason, sizeof(news->reason));
		free(news);
	}
	writer->stats.depth = worker_depth(writer->worker);
	writer->stats.deepest = worker_deepest(writer->worker);
	worker_get_boxes(writer->worker, &writer->stats.inbox, &writer->stats.outbox);
	writer->stats.progress = worker_progress(writer->worker);
	*out = writer->stats;
}
