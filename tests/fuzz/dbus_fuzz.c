// SPDX-License-Identifier: Apache-2.0
// Messages of a bus: whatever comes, reading ends with a verdict and stays inside the message; a message
// that is whole is read by everything that reads systemd's answers.
#include <assert.h>

#include "formats/dbus.h"
#include "sources/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_inside(struct str part, struct str whole) {
	assert(!part.len || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
	assert(str_is_utf8(part) || !part.len);
}

static void check_units(const struct dbus_message *message) {
	const struct str globs[] = {STR("*.service"), STR("a*")};
	const struct unit_filter filter = {
		.watched = globs, .watched_count = 1, .ignored = globs + 1, .ignored_count = 1};
	struct arena *arena = arena_create();
	struct unit_listing listing;
	struct unit_detail detail;
	enum unit_state state;
	if (unit_listing_parse(message, &filter, arena, &listing)) {
		assert(listing.n <= UNITS_MAX);
		for (size_t i = 0; i < listing.n; i++) {
			assert(listing.entries[i].name.len &&
				listing.entries[i].name.len <= UNIT_NAME_MAX);
		}
	}
	if (unit_detail_parse(message, &detail)) {
		check_inside(detail.state_name, message->body);
		check_inside(detail.result, message->body);
	}
	if (unit_signal_state(message, &state)) {
		assert(state <= UNIT_OTHER);
	}
	arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct str whole = str_range((const char *)bytes, n);
	struct dbus_message message;
	struct dbus_reader reader;
	struct err err = ERR_INIT;
	struct buf name = BUF_INIT;
	size_t size;
	if (!dbus_measure(whole, &size, &err)) {
		assert(err.code && err.message[0]);
		return 0;
	}
	assert(size >= DBUS_HEAD && size <= DBUS_MESSAGE_MAX);
	if (size > n || !dbus_parse(str_head(whole, size), &message, &err)) {
		return 0;
	}
	check_inside(message.path, whole);
	check_inside(message.member, whole);
	check_inside(message.sender, whole);
	dbus_reader_init(&reader, &message);
	dbus_skip(&reader, message.signature);
	assert(reader.at <= reader.end);
	check_units(&message);
	(void)dbus_path_unescape(message.path, STR("/org/freedesktop/systemd1/unit/"), &name);
	buf_finish(&name);
	return 0;
}
