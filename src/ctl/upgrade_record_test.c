// SPDX-License-Identifier: Apache-2.0
// The record of an upgrade: written and read back, absent, and damaged.
#include "ctl/upgrade_record.h"

#include "io/draft.h"
#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

#define PATH "/upgrade/state"

struct fixture {
	struct sim_fs *sim;
	struct fs *fs;
	struct arena *arena;
	struct err err;
};

static struct fixture fixture_create(void) {
	struct fixture fixture = {.sim = sim_fs_create(1), .arena = arena_create()};
	fixture.fs = sim_fs(fixture.sim);
	CHECK(fs_make_directories(fixture.fs, "/upgrade", &fixture.err));
	return fixture;
}

static void fixture_destroy(struct fixture *fixture) {
	arena_destroy(fixture->arena);
	sim_fs_destroy(fixture->sim);
}

TEST(what_is_written_is_read_back) {
	struct fixture f = fixture_create();
	struct upgrade_record record = {.phase = PHASE_INSTALLING,
		.from = {STR("0.1.0+29.gabc"), STR("0.1.0"), STR("abc")},
		.to = {STR("0.1.1"), STR("0.1.1"), STR("def")},
		.event = 42,
		.reason = STR("a \"reason\"\nof two lines")};
	struct upgrade_record again;

	CHECK(upgrade_record_write(f.fs, PATH, &record, &f.err));
	CHECK(upgrade_record_read(f.fs, PATH, f.arena, &again, &f.err));

	CHECK_INT(again.phase, PHASE_INSTALLING);
	CHECK_STR(again.from.package, "0.1.0+29.gabc");
	CHECK_STR(again.from.build, "abc");
	CHECK_STR(again.to.number, "0.1.1");
	CHECK_INT(again.event, 42);
	CHECK_STR(again.reason, "a \"reason\"\nof two lines");
	fixture_destroy(&f);
}

TEST(no_record_means_that_nothing_was_under_way) {
	struct fixture f = fixture_create();
	struct upgrade_record record;

	CHECK(upgrade_record_read(f.fs, PATH, f.arena, &record, &f.err));

	CHECK_INT(record.phase, PHASE_NONE);
	fixture_destroy(&f);
}

TEST(a_damaged_record_is_an_error_and_not_the_absence_of_one) {
	static const char *const texts[] = {"", "{", "{}", "{\"format\":1,\"phase\":\"dreaming\"}",
		"{\"format\":2,\"phase\":\"keeping\"}", "{\"format\":1,\"phase\":\"none\"}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f = fixture_create();
		struct upgrade_record record;
		CHECK(draft_replace(f.fs, PATH, str_from(texts[i]), &f.err));

		CHECK(!upgrade_record_read(f.fs, PATH, f.arena, &record, &f.err));

		CHECK_INT(f.err.code, ERR_STORAGE);
		fixture_destroy(&f);
	}
}

TEST(a_release_is_what_version_says) {
	static const struct {
		const char *said, *number, *build; // number NULL: refused
	} rows[] = {{"annad 0.1.0 (build 947bb966daeb)\n", "0.1.0", "947bb966daeb"},
		{"annad 1.20.3 (build 947bb966daeb-dirty)", "1.20.3", "947bb966daeb-dirty"},
		{"annactl 0.1.0 (build a)", NULL, NULL}, {"annad 0.1.0", NULL, NULL},
		{"annad 0.1.0 (build a", NULL, NULL}, {"", NULL, NULL}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct release release;
		bool is_one = release_parse(str_from(rows[i].said), arena, &release);
		CHECK_INT(is_one, rows[i].number != NULL);
		if (is_one) {
			CHECK_STR(release.number, rows[i].number);
			CHECK_STR(release.build, rows[i].build);
		}
		arena_destroy(arena);
	}
}

int main(void) {
	return TESTS(RUN(what_is_written_is_read_back),
		RUN(no_record_means_that_nothing_was_under_way),
		RUN(a_damaged_record_is_an_error_and_not_the_absence_of_one),
		RUN(a_release_is_what_version_says));
}
