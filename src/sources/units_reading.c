// SPDX-License-Identifier: Apache-2.0
// A job that reads a listing of units; see units_reading.h.
#include "sources/units_reading.h"

#include "base/alloc.h"
#include "config/snapshot.h"
#include "formats/dbus.h"
#include "io/worker.h"

struct unit_reading {
	struct snapshot *snapshot;
	struct unit_filter filter;
	struct buf bytes;
	struct arena *arena;
	struct unit_listing listing;
	bool is_read;
	unit_reading_fn *on_done; // NULL: forgotten
	void *arg;
};

static void destroy(struct unit_reading *reading) {
	if (reading->snapshot) {
		snapshot_unref(reading->snapshot);
	}
	arena_destroy(reading->arena);
	buf_finish(&reading->bytes);
	free(reading);
}

static void run(void *arg) {
	struct unit_reading *reading = arg;
	struct dbus_message message;
	reading->is_read = dbus_parse(buf_str(&reading->bytes), &message, NULL) &&
		unit_listing_parse(&message, &reading->filter, reading->arena, &reading->listing);
}

static void on_run(void *arg) {
	struct unit_reading *reading = arg;
	if (reading->on_done) {
		reading->on_done(reading->arg, reading->is_read ? &reading->listing : NULL);
	}
	destroy(reading);
}

struct unit_reading *unit_reading_start(struct jobs *jobs, struct snapshot *snapshot,
	const struct unit_filter *filter, struct str message, unit_reading_fn *on_done, void *arg) {
	struct unit_reading *reading = xcalloc(1, sizeof(*reading));
	reading->snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
	reading->filter = *filter;
	reading->arena = arena_create();
	reading->on_done = on_done;
	reading->arg = arg;
	buf_append_str(&reading->bytes, message);
	if (!jobs_run(jobs, run, on_run, reading)) {
		destroy(reading);
		return NULL;
	}
	return reading;
}

void unit_reading_forget(struct unit_reading *reading) {
	if (reading) {
		reading->on_done = NULL;
	}
}
