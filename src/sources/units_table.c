// SPDX-License-Identifier: Apache-2.0
// Units that are kept, and their events; see units_table.h.
#include "sources/units_table.h"

#include "base/alloc.h"
#include "flow/bus.h"
#include "formats/exposition.h"
#include "sources/text.h"

void unit_table_init(struct unit_table *table, struct bus *bus) {
	*table = (struct unit_table){.bus = bus};
	list_init(&table->units);
	list_init(&table->waiting);
}

void unit_table_remove(struct unit_table *table, struct unit *unit) {
	map_remove(&table->by_name, str_from(unit->name));
	list_remove(&unit->node);
	list_remove(&unit->waiting);
	free(unit);
}

void unit_table_finish(struct unit_table *table) {
	list_for_each (node, &table->units) {
		unit_table_remove(table, list_item(node, struct unit, node));
	}
	map_finish(&table->by_name);
}

struct unit *unit_table_find(struct unit_table *table, struct str name) {
	return map_get(&table->by_name, name);
}

struct unit *unit_table_add(struct unit_table *table, struct str name) {
	const struct unit_filter *filter = &table->filter;
	struct unit *unit = map_get(&table->by_name, name);
	if (unit) {
		return unit;
	}
	if (map_count(&table->by_name) >= UNITS_MAX || !name.len || name.len > UNIT_NAME_MAX) {
		table->left_out++;
		return NULL;
	}
	unit = xcalloc(1, sizeof(*unit));
	memcpy(unit->name, name.at, name.len);
	unit->is_watched = unit_matches(name, filter->watched, filter->watched_count);
	unit->is_ignored = unit_matches(name, filter->ignored, filter->ignored_count);
	list_add_last(&table->units, &unit->node);
	list_init(&unit->waiting);
	map_put(&table->by_name, str_from(unit->name), unit);
	return unit;
}

static void copy_text(char *to, size_t size, struct str text) {
	snprintf(to, size, "%" STR_FMT, STR_ARG(str_head(text, size - 1)));
}

static void set_state(struct unit *unit, struct str name) {
	copy_text(unit->state_name, sizeof(unit->state_name), name);
	unit->state = unit_state_find(name);
	unit->is_known = true;
}

void unit_table_assume_inactive(struct unit *unit) {
	set_state(unit, STR("inactive"));
}

void unit_table_take_listing(
	struct unit_table *table, const struct unit_listing *listing, bool is_first) {
	list_for_each (node, &table->units) {
		list_item(node, struct unit, node)->is_listed = false;
	}
	table->left_out = listing->left_out;
	for (size_t i = 0; i < listing->n; i++) {
		const struct unit_entry *entry = &listing->entries[i];
		struct unit *unit = unit_table_add(table, entry->name);
		if (!unit) {
			continue;
		}
		unit->is_listed = true;
		if (!unit->is_known && (is_first || entry->state != UNIT_FAILED)) {
			set_state(unit, entry->state_name);
		}
	}
	list_for_each (node, &table->units) {
		struct unit *unit = list_item(node, struct unit, node);
		if (unit->is_asked) {
			unit->is_asked_again = true;
		} else if (list_is_empty(&unit->waiting)) {
			list_add_last(&table->waiting, &unit->waiting);
		}
	}
}

static struct event *event_of(const char *kind, const struct unit *unit) {
	struct event *event = event_create(kind, "units", str_from(unit->name));
	event_set_text(event, "unit", unit->name);
	return event;
}

static void set_clean(struct event *event, const char *name, struct str bytes) {
	struct buf text = BUF_INIT;
	clean_text(&text, bytes);
	if (text.len) {
		event_set_str(event, name, buf_str(&text));
	}
	buf_finish(&text);
}

static bool publish_failed(
	struct unit_table *table, const struct unit *unit, const struct unit_detail *detail) {
	struct event *event = event_of("unit.failed", unit);
	set_clean(event, "result", detail->result);
	const char *code = detail->has_main ? unit_code_name(detail->code) : NULL;
	event_set_text(event, "exit_code", code);
	if (code) {
		event_set_int(event, "exit_status", detail->status);
	}
	if (detail->main_pid) {
		event_set_int(event, "main_pid", detail->main_pid);
	}
	if (detail->has_restarts) {
		event_set_int(event, "restarts", detail->restarts);
	}
	return bus_publish(table->bus, event, NULL, NULL, NULL) != 0;
}

static bool publish_changed(
	struct unit_table *table, const struct unit *unit, const struct unit_detail *detail) {
	struct event *event = event_of("unit.changed", unit);
	if (unit->is_known) {
		event_set_text(event, "from", unit->state_name);
	}
	set_clean(event, "to", detail->state_name);
	set_clean(event, "sub_state", detail->sub_state);
	if (detail->has_restarts) {
		event_set_int(event, "restarts", detail->restarts);
	}
	return bus_publish(table->bus, event, NULL, NULL, NULL) != 0;
}

static bool has_failed_again(const struct unit *unit, const struct unit_detail *detail) {
	return unit->inactive_us && detail->inactive_us > unit->inactive_us;
}

// Whether all there was to tell was told.
static bool tell(
	struct unit_table *table, const struct unit *unit, const struct unit_detail *detail) {
	enum unit_state state = unit_state_find(detail->state_name);
	bool was_failed = unit->is_known && unit->state == UNIT_FAILED;
	bool is_same = unit->is_known && str_is(detail->state_name, unit->state_name);
	if (state == UNIT_FAILED && !unit->is_ignored &&
		(!was_failed || has_failed_again(unit, detail)) &&
		!publish_failed(table, unit, detail)) {
		return false;
	}
	bool has_restarted = is_same && unit->has_restarts && detail->has_restarts &&
		detail->restarts > unit->restarts;
	bool is_told = unit->is_watched || (was_failed && !unit->is_ignored);
	if (is_told && unit->is_known && (!is_same || has_restarted)) {
		return publish_changed(table, unit, detail);
	}
	return true;
}

static void take_detail(
	struct unit_table *table, struct unit *unit, const struct unit_detail *detail) {
	bool was_failed = unit->is_known && unit->state == UNIT_FAILED;
	bool is_news = !was_failed || has_failed_again(unit, detail) || !unit->failed_order;
	set_state(unit, detail->state_name);
	copy_text(unit->sub_state, sizeof(unit->sub_state), detail->sub_state);
	copy_text(unit->result, sizeof(unit->result), detail->result);
	// Of a mount the property Type is its file system; node_exporter shows that of services.
	bool is_service = str_ends(str_from(unit->name), STR(".service"));
	copy_text(unit->type, sizeof(unit->type), is_service ? detail->type : STR(""));
	unit->has_main = detail->has_main;
	unit->has_restarts = detail->has_restarts;
	unit->code = detail->code;
	unit->status = detail->status;
	unit->main_pid = detail->main_pid;
	unit->restarts = detail->restarts;
	unit->inactive_us = detail->inactive_us;
	if (unit->state != UNIT_FAILED) {
		unit->failed_order = 0;
	} else if (is_news) {
		unit->failed_order = ++table->failures;
	}
}

void unit_table_take_detail(
	struct unit_table *table, struct unit *unit, const struct unit_detail *detail) {
	static const struct unit_detail gone = {.state_name = STR_INIT("inactive")};
	detail = detail ? detail : &gone;
	if (!tell(table, unit, detail)) {
		return;
	}
	take_detail(table, unit, detail);
	bool is_ill = unit->state == UNIT_FAILED && !unit->is_ignored;
	if (!is_ill && !unit->is_watched) {
		unit_table_remove(table, unit);
	}
}

size_t unit_table_failed(const struct unit_table *table) {
	size_t n = 0;
	list_for_each (node, &table->units) {
		const struct unit *unit = list_item(node, struct unit, node);
		n += unit->state == UNIT_FAILED && unit->is_known && !unit->is_ignored;
	}
	return n;
}

const struct unit *unit_table_newest_failed(const struct unit_table *table) {
	const struct unit *newest = NULL;
	list_for_each (node, &table->units) {
		const struct unit *unit = list_item(node, struct unit, node);
		bool is_ill = unit->state == UNIT_FAILED && unit->is_known && !unit->is_ignored;
		if (is_ill && (!newest || unit->failed_order > newest->failed_order)) {
			newest = unit;
		}
	}
	return newest;
}

void unit_table_collect(const struct unit_table *table, struct exposition *out) {
	exposition_family(out, "node_systemd_unit_state", "gauge", "Systemd unit");
	list_for_each (node, &table->units) {
		const struct unit *unit = list_item(node, struct unit, node);
		for (int i = 0; unit->is_known && i < UNIT_STATES; i++) {
			exposition_sample(out, unit->state == (enum unit_state)i, "name",
				unit->name, "state", unit_state_names[i], "type", unit->type, NULL);
		}
	}
	exposition_family(out, "node_systemd_service_restart_total", "counter",
		"Service unit count of Restart triggers");
	list_for_each (node, &table->units) {
		const struct unit *unit = list_item(node, struct unit, node);
		if (unit->has_restarts) {
			exposition_sample(out, unit->restarts, "name", unit->name, NULL);
		}
	}
}
