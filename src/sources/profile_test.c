// SPDX-License-Identifier: Apache-2.0
// When the profile is read, and what is answered meanwhile.
#include "sources/source_fixture.h"

extern const struct capability source_profile;

static void name_host(struct fixture *fixture, const char *name) {
	_cleanup_(freep) char *folder = xasprintf("%s/proc", fixture->folder);
	(void)mkdir(folder, 0700);
	_cleanup_(freep) char *sys = xasprintf("%s/proc/sys", fixture->folder);
	(void)mkdir(sys, 0700);
	_cleanup_(freep) char *kernel = xasprintf("%s/proc/sys/kernel", fixture->folder);
	(void)mkdir(kernel, 0700);
	_cleanup_(freep) char *path = xasprintf("%s/hostname", kernel);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL);
	fputs(name, file);
	fclose(file);
}

// The host's name in the view; empty: BUSY.
static void ask(struct fixture *fixture, const char *view, char *out_name, size_t size) {
	struct buf json = BUF_INIT;
	struct json_writer writer;
	struct err err = ERR_INIT;
	out_name[0] = '\0';
	json_writer_init(&writer, &json);
	if (!board_write_view(fixture->board, view, &writer, &err)) {
		CHECK_INT(err.code, ERR_BUSY);
		CHECK_INT(json.len, 0);
		return;
	}
	const struct value *host = json_parse(fixture->arena, buf_str(&json), 16, NULL);
	CHECK(host != NULL);
	const struct value *name = value_get(value_get(host, STR("system")), STR("hostname"));
	snprintf(out_name, size, "%" STR_FMT, STR_ARG(name->string));
	buf_finish(&json);
}

static void begin(struct fixture *fixture) {
	fixture_init(fixture, NULL, &source_profile);
	fixture->services.sysroot = fixture->folder;
	name_host(fixture, "first");
	fixture_start(fixture, "{}");
}

TEST(until_the_first_look_ends_the_answer_is_busy) {
	struct fixture fixture;
	char name[32];
	begin(&fixture);
	ask(&fixture, "host", name, sizeof(name));
	CHECK_TEXT(name, "");
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	ask(&fixture, "host", name, sizeof(name));
	CHECK_TEXT(name, "first");
	fixture_stop(&fixture);
	fixture_finish(&fixture);
}

TEST(a_new_look_is_taken_at_most_every_ten_seconds) {
	struct fixture fixture;
	char name[32];
	begin(&fixture);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	name_host(&fixture, "second");
	ask(&fixture, "host_fresh", name, sizeof(name));
	CHECK_TEXT(name, "first");
	loop_advance(fixture.fake.loop, 11 * NS_PER_SECOND);
	ask(&fixture, "host_fresh", name, sizeof(name));
	CHECK_TEXT(name, "");
	ask(&fixture, "host", name, sizeof(name)); // the last one stands meanwhile
	CHECK_TEXT(name, "first");
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	ask(&fixture, "host_fresh", name, sizeof(name));
	CHECK_TEXT(name, "second");
	fixture_stop(&fixture);
	fixture_finish(&fixture);
}

TEST(one_that_is_ten_minutes_old_is_renewed_when_asked_for) {
	struct fixture fixture;
	char name[32];
	begin(&fixture);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	name_host(&fixture, "second");
	loop_advance(fixture.fake.loop, 590 * NS_PER_SECOND);
	ask(&fixture, "host", name, sizeof(name));
	loop_advance(fixture.fake.loop, 5 * NS_PER_SECOND);
	ask(&fixture, "host", name, sizeof(name));
	CHECK_TEXT(name, "first"); // not ten minutes old yet when asked before
	loop_advance(fixture.fake.loop, 20 * NS_PER_SECOND);
	ask(&fixture, "host", name, sizeof(name));
	CHECK_TEXT(name, "first");
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	ask(&fixture, "host", name, sizeof(name));
	CHECK_TEXT(name, "second");
	fixture_stop(&fixture);
	fixture_finish(&fixture);
}

TEST(a_look_that_is_under_way_may_be_left_behind) {
	struct fixture fixture;
	begin(&fixture);
	fixture_stop(&fixture);
	loop_advance(fixture.fake.loop, NS_PER_SECOND);
	fixture_finish(&fixture);
}

int main(void) {
	return TESTS(RUN(until_the_first_look_ends_the_answer_is_busy),
		RUN(a_new_look_is_taken_at_most_every_ten_seconds),
		RUN(one_that_is_ten_minutes_old_is_renewed_when_asked_for),
		RUN(a_look_that_is_under_way_may_be_left_behind));
}
