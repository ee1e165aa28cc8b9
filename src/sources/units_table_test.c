// SPDX-License-Identifier: Apache-2.0
// Which units are kept and which of their changes are events.
#include "sources/source_fixture.h"

#include "sources/units_table.h"

extern const struct capability source_units;

struct bench {
	struct fixture fixture;
	struct unit_table table;
	struct str watched[1];
};

static void bench_init(struct bench *bench) {
	fixture_init(&bench->fixture, NULL, &source_units);
	unit_table_init(&bench->table, bench->fixture.bus);
	bench->watched[0] = STR("web.service");
	bench->table.filter = (struct unit_filter){.watched = bench->watched, .watched_count = 1};
}

static void bench_finish(struct bench *bench) {
	unit_table_finish(&bench->table);
	fixture_finish(&bench->fixture);
}

static void list(struct bench *bench, const char *name, enum unit_state state, bool is_first) {
	struct unit_entry entry = {.name = str_from(name),
		.state = state,
		.state_name = str_from(unit_state_names[state])};
	const struct unit_listing listing = {.entries = &entry, .n = name[0] ? 1 : 0};
	unit_table_take_listing(&bench->table, &listing, is_first);
}

static void tell(struct bench *bench, const char *name, struct unit_detail detail) {
	struct unit *unit = unit_table_add(&bench->table, str_from(name));
	CHECK(unit != NULL);
	unit_table_take_detail(&bench->table, unit, &detail);
}

static const struct unit_detail failed = {.state_name = STR_INIT("failed"),
	.result = STR_INIT("exit-code"),
	.has_main = true,
	.code = 1,
	.status = 2,
	.inactive_us = 100};
static const struct unit_detail active = {.state_name = STR_INIT("active")};

TEST(what_has_failed_at_the_first_look_is_known_and_not_news) {
	struct bench bench;
	bench_init(&bench);
	list(&bench, "a.service", UNIT_FAILED, true);
	tell(&bench, "a.service", failed);
	CHECK_INT(bench.fixture.n, 0);
	CHECK_INT(unit_table_failed(&bench.table), 1);
	CHECK_TEXT(unit_table_newest_failed(&bench.table)->name, "a.service");
	bench_finish(&bench);
}

TEST(a_failure_later_is_news_once) {
	struct bench bench;
	bench_init(&bench);
	list(&bench, "", UNIT_ACTIVE, true);
	list(&bench, "a.service", UNIT_FAILED, false);
	tell(&bench, "a.service", failed);
	tell(&bench, "a.service", failed);
	CHECK_INT(bench.fixture.n, 1);
	CHECK_STR(bench.fixture.events[0]->kind, "unit.failed");
	bench_finish(&bench);
}

TEST(a_unit_that_failed_again_in_between_is_news_again) {
	struct bench bench;
	struct unit_detail again = failed;
	again.inactive_us = 200;
	bench_init(&bench);
	tell(&bench, "a.service", failed);
	tell(&bench, "a.service", again);
	CHECK_INT(bench.fixture.n, 2);
	bench_finish(&bench);
}

TEST(a_unit_that_works_again_is_told_and_let_go) {
	struct bench bench;
	bench_init(&bench);
	tell(&bench, "a.service", failed);
	tell(&bench, "a.service", active);
	CHECK_INT(bench.fixture.n, 2);
	CHECK_STR(bench.fixture.events[1]->kind, "unit.changed");
	CHECK(unit_table_find(&bench.table, STR("a.service")) == NULL);
	CHECK_INT(unit_table_failed(&bench.table), 0);
	bench_finish(&bench);
}

TEST(a_unit_that_vanished_is_inactive) {
	struct bench bench;
	struct value to;
	bench_init(&bench);
	tell(&bench, "a.service", failed);
	unit_table_take_detail(&bench.table, unit_table_find(&bench.table, STR("a.service")), NULL);
	CHECK_INT(bench.fixture.n, 2);
	CHECK(event_lookup(bench.fixture.events[1], STR("to"), &to));
	CHECK_STR(to.string, "inactive");
	bench_finish(&bench);
}

TEST(a_failure_that_found_no_room_is_told_later) {
	struct bench bench;
	bench_init(&bench);
	fixture_set_journal(&bench.fixture, false);
	tell(&bench, "a.service", failed);
	CHECK_INT(bench.fixture.n, 0);
	fixture_set_journal(&bench.fixture, true);
	tell(&bench, "a.service", failed);
	CHECK_INT(bench.fixture.n, 1);
	bench_finish(&bench);
}

TEST(a_watched_unit_tells_of_restarts_too) {
	struct bench bench;
	struct unit_detail one = active;
	one.has_restarts = true;
	bench_init(&bench);
	tell(&bench, "web.service", one);
	one.restarts = 1;
	tell(&bench, "web.service", one);
	tell(&bench, "web.service", one);
	CHECK_INT(bench.fixture.n, 1);
	CHECK_STR(bench.fixture.events[0]->kind, "unit.changed");
	CHECK(unit_table_find(&bench.table, STR("web.service")) != NULL);
	bench_finish(&bench);
}

TEST(an_ignored_unit_fails_in_silence) {
	struct bench bench;
	bench_init(&bench);
	bench.table.filter.ignored = bench.watched;
	bench.table.filter.ignored_count = 1;
	bench.table.filter.watched_count = 0;
	tell(&bench, "web.service", failed);
	CHECK_INT(bench.fixture.n, 0);
	CHECK_INT(unit_table_failed(&bench.table), 0);
	bench_finish(&bench);
}

TEST(no_more_units_are_kept_than_the_bound) {
	struct bench bench;
	char name[32];
	bench_init(&bench);
	for (int i = 0; i < UNITS_MAX + 3; i++) {
		snprintf(name, sizeof(name), "u%d.service", i);
		(void)unit_table_add(&bench.table, str_from(name));
	}
	CHECK_INT(bench.table.left_out, 3);
	CHECK_INT(map_count(&bench.table.by_name), UNITS_MAX);
	bench_finish(&bench);
}

int main(void) {
	return TESTS(RUN(what_has_failed_at_the_first_look_is_known_and_not_news),
		RUN(a_failure_later_is_news_once),
		RUN(a_unit_that_failed_again_in_between_is_news_again),
		RUN(a_unit_that_works_again_is_told_and_let_go),
		RUN(a_unit_that_vanished_is_inactive),
		RUN(a_failure_that_found_no_room_is_told_later),
		RUN(a_watched_unit_tells_of_restarts_too), RUN(an_ignored_unit_fails_in_silence),
		RUN(no_more_units_are_kept_than_the_bound));
}
