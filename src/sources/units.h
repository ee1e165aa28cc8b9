// SPDX-License-Identifier: Apache-2.0
// The parts of the source `units`, private to its files: what systemd's answers say, as plain values.
// Both readers are pure over one message; what it does not say is absent.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct dbus_message;
struct dbus_reader;

// The states node_exporter shows, in its order; systemd has some more (reloading, maintenance).
enum unit_state {
	UNIT_ACTIVE,
	UNIT_ACTIVATING,
	UNIT_DEACTIVATING,
	UNIT_INACTIVE,
	UNIT_FAILED,
	UNIT_OTHER
};
#define UNIT_STATES UNIT_OTHER // those that have a name here
extern const char *const unit_state_names[UNIT_STATES];
enum unit_state unit_state_find(struct str name);

#define UNIT_NAME_MAX 255 // systemd's own limit
#define UNITS_MAX 512	  // kept at a time, failed and watched ones: 3,000 lines of metrics

struct unit_filter {
	const struct str *watched, *ignored; // globs
	size_t watched_count, ignored_count;
};
bool unit_matches(struct str name, const struct str *globs, size_t n);

struct unit_entry {
	struct str name;
	enum unit_state state;
	struct str state_name;
	bool is_loaded; // systemd has its file; others are only mentioned by some unit
	bool is_watched;
};
struct unit_listing {
	uint64_t counts[UNIT_STATES];
	struct unit_entry *entries; // failed (and not ignored) or watched ones
	size_t n;
	size_t left_out; // beyond UNITS_MAX
};
// The answer to ListUnits; texts are copied into the arena. False: it is not one.
_must_use_ bool unit_listing_parse(const struct dbus_message *message,
	const struct unit_filter *filter, struct arena *arena, struct unit_listing *out);

// What GetAll says of one unit. Texts are borrowed from the message.
struct unit_detail {
	struct str state_name, sub_state, result, type;
	bool has_main, has_restarts; // of a service
	int32_t code, status; // how its main process ended: CLD_* of waitid(2), and with what
	uint32_t main_pid, restarts;
	uint64_t inactive_us; // wall time at which it last became inactive or failed; 0: never
};
_must_use_ bool unit_detail_parse(const struct dbus_message *message, struct unit_detail *out);
// "exited", "killed", "dumped", as $EXIT_CODE in systemd.exec(5); NULL: it has not ended.
const char *unit_code_name(int32_t code);

// Of PropertiesChanged: the unit's ActiveState, when it is among what is told.
bool unit_signal_state(const struct dbus_message *signal, enum unit_state *out);
