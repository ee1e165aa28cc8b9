// SPDX-License-Identifier: Apache-2.0
// The journal, verified beside its writer or without one: every segment's header, then the frames of
// the newest segments as far as the time allows (how much was verified is said), and what the last
// hour's records say of starts. Reads only.
#include <errno.h>
#include <inttypes.h>

#include "doctor/look.h"
#include "flow/event.h"
#include "flow/kind.h"
#include "store/reader.h"
#include "store/shelf.h"

#define VERIFY_WITHIN_NS (900 * NS_PER_MS)
#define STARTS_WITHIN_NS (400 * NS_PER_MS)
#define STARTS_SINCE_NS (3600 * NS_PER_SECOND)
#define RECORDS_MAX 50000
#define TOLD_MAX 20

struct examination {
	const char *folder;
	struct buf damage, unreadable; // JSON items, each with a comma behind
	size_t damage_count, unreadable_count;
	int64_t deadline_ns;
	int64_t verified_bytes, total_bytes;
};

static bool is_late(int64_t deadline_ns) {
	return clock_monotonic(clock_system()) > deadline_ns;
}

static void tell(struct buf *out, size_t *count, const char *stream, uint64_t segment,
	uint64_t from, uint64_t to, const char *text) {
	struct json_writer w;
	if ((*count)++ >= TOLD_MAX) {
		return;
	}
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_text(&w, "stream", stream);
	json_member_uint(&w, "segment", segment);
	json_member_uint(&w, "from", from);
	json_member_uint(&w, "to", to);
	json_member_text(&w, "text", text);
	json_end_object(&w);
	buf_append_char(out, ',');
}

static void verify_segment(
	struct examination *e, const struct shelf *shelf, size_t i, const char *stream) {
	struct segment_file file;
	struct scan scan;
	struct frame frame;
	struct err err = ERR_INIT;
	uint64_t id = shelf->entries[i].id;
	int got = shelf_open_scan(shelf, i, fs_system(), e->folder, stream, &file, &scan, &err);
	if (got < 0) {
		tell(&e->unreadable, &e->unreadable_count, stream, id, 0, 0, err.message);
	}
	if (got <= 0) {
		return;
	}
	for (enum scan_result result = SCAN_FRAME;
		result != SCAN_END && !is_late(e->deadline_ns);) {
		result = scan_next(&scan, &frame, &err);
		if (result == SCAN_DAMAGE) {
			tell(&e->damage, &e->damage_count, stream, id, scan.damage_from,
				scan.damage_to, "records that were durable do not read back");
		} else if (result == SCAN_ERROR) {
			tell(&e->unreadable, &e->unreadable_count, stream, id, 0, 0, err.message);
			break;
		}
	}
	e->verified_bytes += scan.offset;
	scan_finish(&scan);
	segment_close(fs_system(), &file);
}

static void verify_stream(struct examination *e, const char *stream) {
	struct shelf shelf = {0};
	struct err err = ERR_INIT;
	if (!shelf_load(&shelf, fs_system(), e->folder, stream, &err)) {
		tell(&e->unreadable, &e->unreadable_count, stream, 0, 0, 0, err.message);
	}
	for (size_t i = shelf.n; i-- > 0;) {
		e->total_bytes += shelf.entries[i].size;
		if (!is_late(e->deadline_ns)) {
			verify_segment(e, &shelf, i, stream);
		}
	}
	shelf_finish(&shelf);
}

// When the newest record was written, and how often a daemon started within the last hour.
static void read_starts(const struct places *places, const char *folder, struct json_writer *w) {
	struct reader_query query = {.backward = true};
	struct err err = ERR_INIT;
	struct record record;
	struct reader *reader = reader_open(fs_system(), folder, &query, &err);
	int64_t newest_ns = 0, starts = 0, unclean = 0;
	int64_t deadline_ns = clock_monotonic(clock_system()) + STARTS_WITHIN_NS;
	for (int i = 0; reader && i < RECORDS_MAX && !is_late(deadline_ns); i++) {
		struct str kind;
		if (reader_next(reader, &record, &err) <= 0) {
			break;
		}
		if (record.type != RECORD_EVENT) {
			continue;
		}
		newest_ns = newest_ns ? newest_ns : record.time_ns;
		if (record.time_ns < places->now_ns - STARTS_SINCE_NS) {
			break;
		}
		if (event_peek_kind(record.payload, &kind) && str_is(kind, "daemon.started")) {
			struct event *event = event_decode(&record, &err);
			starts++;
			unclean += event && !value_truth(&event->attributes, "was_clean");
			event_unref(event);
		}
	}
	reader_close(reader);
	if (newest_ns) {
		json_member_int(w, "newest_ns", newest_ns);
	}
	json_member_int(w, "starts_last_hour", starts);
	json_member_int(w, "unclean_last_hour", unclean);
}

static void write_items(struct json_writer *w, const char *key, const struct buf *items) {
	struct buf array = BUF_INIT;
	buf_appendf(&array, "[%.*s]", items->len ? (int)items->len - 1 : 0, buf_text(items));
	json_key(w, key);
	json_raw(w, buf_str(&array));
	buf_finish(&array);
}

static void gather(const struct places *places, struct look_report *out) {
	char folder[4096];
	struct examination e = {.folder = folder, .damage = BUF_INIT, .unreadable = BUF_INIT};
	(void)snprintf(folder, sizeof(folder), "%s/journal", places->state_folder);
	if (access(folder, R_OK | X_OK) < 0) {
		look_report_missing(out, "%s: %s", folder, strerror(errno));
		return;
	}
	e.deadline_ns = clock_monotonic(clock_system()) + VERIFY_WITHIN_NS;
	for (size_t i = 0; i < JOURNAL_STREAM_COUNT; i++) {
		verify_stream(&e, journal_stream_names[i]);
	}
	json_member_text(&out->w, "path", folder);
	json_member_int(&out->w, "total_bytes", e.total_bytes);
	json_member_int(&out->w, "verified_bytes", e.verified_bytes);
	json_member_uint(&out->w, "damage_count", e.damage_count);
	json_member_uint(&out->w, "unreadable_count", e.unreadable_count);
	write_items(&out->w, "damage", &e.damage);
	write_items(&out->w, "unreadable", &e.unreadable);
	read_starts(places, folder, &out->w);
	buf_finish(&e.damage);
	buf_finish(&e.unreadable);
}

DEFINE_LOOK(journal) = {.name = "journal", .gather = gather};
