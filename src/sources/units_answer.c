// SPDX-License-Identifier: Apache-2.0
// Reading systemd's answers (org.freedesktop.systemd1(5)); see units.h.
#include "sources/units.h"

#include <sys/wait.h>

#include "formats/dbus.h"

const char *const unit_state_names[UNIT_STATES] = {
	"active", "activating", "deactivating", "inactive", "failed"};

enum unit_state unit_state_find(struct str name) {
	for (int i = 0; i < UNIT_STATES; i++) {
		if (str_is(name, unit_state_names[i])) {
			return (enum unit_state)i;
		}
	}
	return UNIT_OTHER;
}

bool unit_matches(struct str name, const struct str *globs, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (str_glob(globs[i], name)) {
			return true;
		}
	}
	return false;
}

// One (name, description, load, active, sub, followed, path, job, job type, job path).
static bool read_entry(struct dbus_reader *list, struct unit_entry *out) {
	dbus_read_struct(list);
	out->name = dbus_read_str(list);
	(void)dbus_read_str(list);
	out->is_loaded = str_is(dbus_read_str(list), "loaded");
	out->state_name = dbus_read_str(list);
	for (size_t i = 0; i < 3; i++) {
		(void)dbus_read_str(list);
	}
	(void)dbus_read_uint32(list);
	(void)dbus_read_str(list);
	(void)dbus_read_str(list);
	out->state = unit_state_find(out->state_name);
	return !list->is_bad && out->name.len && out->name.len <= UNIT_NAME_MAX;
}

bool unit_listing_parse(const struct dbus_message *message, const struct unit_filter *filter,
	struct arena *arena, struct unit_listing *out) {
	struct unit_listing listing = {
		.entries = arena_array(arena, UNITS_MAX, sizeof(*out->entries))};
	struct dbus_reader reader, list;
	if (!str_is(message->signature, "a(ssssssouso)")) {
		return false;
	}
	dbus_reader_init(&reader, message);
	dbus_read_array(&reader, 8, &list);
	while (dbus_has_more(&list)) {
		struct unit_entry entry;
		if (!read_entry(&list, &entry)) {
			return false;
		}
		if (entry.state < UNIT_STATES) {
			listing.counts[entry.state]++;
		}
		entry.is_watched = entry.is_loaded &&
			unit_matches(entry.name, filter->watched, filter->watched_count);
		bool is_ill = entry.state == UNIT_FAILED &&
			!unit_matches(entry.name, filter->ignored, filter->ignored_count);
		if (!entry.is_watched && !is_ill) {
			continue;
		}
		if (listing.n == UNITS_MAX) {
			listing.left_out++;
			continue;
		}
		entry.name = arena_copy_str(arena, entry.name);
		entry.state_name = arena_copy_str(arena, entry.state_name);
		listing.entries[listing.n++] = entry;
	}
	if (list.is_bad) {
		return false;
	}
	*out = listing;
	return true;
}

static void take_property(
	struct str name, struct str type, struct dbus_reader *value, struct unit_detail *out) {
	static const struct {
		const char *name;
		size_t offset;
	} texts[] = {{"ActiveState", offsetof(struct unit_detail, state_name)},
		{"SubState", offsetof(struct unit_detail, sub_state)},
		{"Result", offsetof(struct unit_detail, result)},
		{"Type", offsetof(struct unit_detail, type)}};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && str_is(type, "s"); i++) {
		if (str_is(name, texts[i].name)) {
			*(struct str *)(void *)((char *)out + texts[i].offset) = dbus_read_str(
				value);
			return;
		}
	}
	if (str_is(name, "ExecMainCode") && str_is(type, "i")) {
		out->code = dbus_read_int32(value);
		out->has_main = true;
	} else if (str_is(name, "ExecMainStatus") && str_is(type, "i")) {
		out->status = dbus_read_int32(value);
	} else if (str_is(name, "ExecMainPID") && str_is(type, "u")) {
		out->main_pid = dbus_read_uint32(value);
	} else if (str_is(name, "NRestarts") && str_is(type, "u")) {
		out->restarts = dbus_read_uint32(value);
		out->has_restarts = true;
	} else if (str_is(name, "InactiveEnterTimestamp") && str_is(type, "t")) {
		out->inactive_us = dbus_read_uint64(value);
	}
}

bool unit_detail_parse(const struct dbus_message *message, struct unit_detail *out) {
	struct unit_detail detail = {0};
	struct dbus_reader reader, entries, value;
	struct str name, type;
	if (!str_is(message->signature, "a{sv}")) {
		return false;
	}
	dbus_reader_init(&reader, message);
	dbus_read_array(&reader, 8, &entries);
	while (dbus_next_property(&entries, &name, &type, &value)) {
		take_property(name, type, &value, &detail);
		if (value.is_bad) {
			return false;
		}
	}
	if (entries.is_bad || !detail.state_name.len) {
		return false;
	}
	*out = detail;
	return true;
}

const char *unit_code_name(int32_t code) {
	return code == CLD_EXITED    ? "exited"
		: code == CLD_KILLED ? "killed"
		: code == CLD_DUMPED ? "dumped"
				     : NULL;
}

bool unit_signal_state(const struct dbus_message *signal, enum unit_state *out) {
	struct dbus_reader reader, entries, value;
	struct str name, type;
	if (!str_is(signal->member, "PropertiesChanged") ||
		!str_is(signal->signature, "sa{sv}as")) {
		return false;
	}
	dbus_reader_init(&reader, signal);
	if (!str_is(dbus_read_str(&reader), "org.freedesktop.systemd1.Unit")) {
		return false;
	}
	dbus_read_array(&reader, 8, &entries);
	while (dbus_next_property(&entries, &name, &type, &value)) {
		if (str_is(name, "ActiveState") && str_is(type, "s")) {
			struct str text = dbus_read_str(&value);
			*out = unit_state_find(text);
			return !value.is_bad;
		}
	}
	return false;
}
