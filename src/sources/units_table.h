// SPDX-License-Identifier: Apache-2.0
// The units that are kept, private to the source `units`: the failed and the watched ones, what is known
// of each, and what of that is an event. Knows nothing of the bus; who asks systemd hands the answers
// in. Life cycle: unit_table_init, unit_table_finish.
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "sources/units.h"

struct bus;
struct exposition;
struct board;
struct culprit;

struct unit {
	struct list node;    // of all, in the order they came
	struct list waiting; // for its turn to be asked for
	char name[UNIT_NAME_MAX + 1];
	enum unit_state state; // as it was last told
	char state_name[32], sub_state[32], result[32], type[32];
	bool is_known; // state holds something
	bool is_watched, is_ignored, is_listed;
	bool is_asked, is_asked_again; // an answer is on its way
	bool has_main, has_restarts;
	int32_t code, status;
	uint32_t main_pid, restarts;
	uint64_t inactive_us;
	uint64_t failed_order; // which failed last; 0: none told
};

struct unit_table {
	struct bus *bus; // where its events go
	struct unit_filter filter;
	struct list units, waiting;
	struct map by_name;
	uint64_t failures; // for failed_order
	size_t left_out;
};

void unit_table_init(struct unit_table *table, struct bus *bus);
void unit_table_finish(struct unit_table *table);
struct unit *unit_table_find(struct unit_table *table, struct str name);
// Found or new; NULL when it is full.
struct unit *unit_table_add(struct unit_table *table, struct str name);
// systemd had not loaded it before: that is inactive.
void unit_table_assume_inactive(struct unit *unit);
// Takes a listing over: new ones come in, every one kept is to be asked for. At the very first what is
// failed already is not news.
void unit_table_take_listing(
	struct unit_table *table, const struct unit_listing *listing, bool is_first);
// What GetAll said (NULL: there is no such unit any more): tells what is news, and lets go of a unit
// that is neither failed nor watched any more. When the bus of events refuses, the unit stays as it was,
// to be told at the next answer. The unit may be gone afterwards.
void unit_table_take_detail(
	struct unit_table *table, struct unit *unit, const struct unit_detail *detail);
void unit_table_remove(struct unit_table *table, struct unit *unit);

size_t unit_table_failed(const struct unit_table *table);
// The one that failed last; NULL when none is.
const struct unit *unit_table_newest_failed(const struct unit_table *table);
void unit_table_collect(const struct unit_table *table, struct exposition *out);
