// SPDX-License-Identifier: Apache-2.0
// Questions about a journal that a real engine wrote, in simulated time.
#include "memory/why.h"

#include "base/sha256.h"
#include "engine/mapping.h"
#include "flow/event.h"
#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

#define NOTE "action = { type = \"note\" }\n"

static void add_generation(struct fake_engine *fake, const char *config) {
	struct err err = ERR_INIT;
	struct generations *generations = generations_open(fs_system(), fake->folder, NULL, &err);
	struct config_files files = {.arena = arena_create(), .n = 1, .fs = fs_system()};
	files.items = ARENA_NEW(files.arena, struct config_file);
	files.items[0] = (struct config_file){STR("/c.toml"), str_from(config)};
	sha256_hex(str_from(config), files.hash);
	struct generation wanted = {
		.author = "test", .verdict = VERDICT_ACTIVE, .time_ns = 1767225600 * NS_PER_SECOND};
	const struct generation *added;
	CHECK(generations_add(generations, &files, &wanted, &added, &err));
	bus_set_generation(fake->bus, added->number);
	config_files_finish(&files);
	generations_close(generations);
}

static void start(struct fake_engine *fake, const char *config) {
	fake_engine_init(fake, 1);
	fake_engine_start(fake, config, false);
	add_generation(fake, config);
}

static struct why_sources sources_of(const struct fake_engine *fake) {
	return (struct why_sources){fs_system(), fake->journal_folder, fake->folder, &fake->schema,
		&mappings_section, fake->kinds};
}

// The answer as a parsed value, in the arena; checks that every reader's depth is enough.
static const struct value *ask_event(
	const struct fake_engine *fake, struct arena *arena, uint64_t id, struct err *err) {
	struct why_sources sources = sources_of(fake);
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	const struct value *answer = NULL;
	if (why_event(&sources, id, &writer, err)) {
		answer = json_parse(
			arena, arena_copy_str(arena, buf_str(&text)), JSON_DEPTH - 4, err);
		CHECK(answer);
	}
	buf_finish(&text);
	return answer;
}

static const struct value *ask_not(
	const struct fake_engine *fake, struct arena *arena, const char *asked, struct err *err) {
	struct why_sources sources = sources_of(fake);
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	const struct value *answer = NULL;
	if (why_not(&sources, str_from(asked), &writer, err)) {
		answer = json_parse(arena, arena_copy_str(arena, buf_str(&text)), JSON_DEPTH, err);
		CHECK(answer);
	}
	buf_finish(&text);
	return answer;
}

// "a.b.0.c" of a value; NULL when there is none.
static const struct value *path(const struct value *value, const char *steps) {
	struct str rest = str_from(steps), step;
	while (value && rest.at && str_split(&rest, '.', &step)) {
		int64_t i;
		if (value->type == VALUE_ARRAY) {
			bool is_there = str_to_int64(step, &i) && i < (int64_t)value->array.n;
			value = is_there ? &value->array.items[i] : NULL;
		} else {
			value = value_get(value, step);
		}
	}
	return value;
}

static const char *text_at(struct arena *arena, const struct value *value, const char *steps) {
	const struct value *found = path(value, steps);
	struct buf text = BUF_INIT;
	if (!found) {
		return "(absent)";
	}
	json_format(&text, found);
	const char *copy = arena_copy(arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

TEST(the_chain_goes_up_to_the_root_and_down_to_the_effects) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake,
		"[[mappings]]\nname = \"one\"\non = \"test.a\"\nwhere = { level = { gt = 2 } "
		"}\n" NOTE "[[mappings]]\nname = \"two\"\non = \"action.finished\"\n"
		"where = { mapping = \"one\" }\n" NOTE);
	uint64_t id = fake_engine_emit(&fake, "test.a", "{\"level\":3}");
	fake_engine_settle(&fake);

	const struct value *down = ask_event(&fake, arena, id, &err);
	const struct value *middle = path(down, "effects.1.event.id");
	CHECK(middle);
	const struct value *up = ask_event(&fake, arena, (uint64_t)middle->integer, &err);

	CHECK_TEXT(text_at(arena, down, "event.kind"), "\"test.a\"");
	CHECK_TEXT(text_at(arena, down, "causes"), "[]");
	CHECK_TEXT(text_at(arena, down, "effects.0.event.kind"), "\"action.started\"");
	CHECK_TEXT(text_at(arena, down, "effects.0.event.attributes.guards"), "{\"level\":3}");
	CHECK_TEXT(text_at(arena, down, "effects.1.event.kind"), "\"action.finished\"");
	CHECK_TEXT(text_at(arena, down, "effects.1.event.attributes.ok"), "true");
	CHECK_TEXT(text_at(arena, down, "effects.1.effects.1.event.attributes.mapping"), "\"two\"");
	CHECK_TEXT(text_at(arena, down, "truncated"), "false");
	CHECK_TEXT(text_at(arena, down, "beyond_retention"), "false");
	CHECK_TEXT(text_at(arena, down, "damaged"), "false");
	CHECK_TEXT(text_at(arena, up, "causes.0.kind"), "\"test.a\"");
	CHECK_TEXT(text_at(arena, up, "causes.1"), "(absent)");
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

TEST(a_long_chain_is_cut_and_says_so_and_can_still_be_read) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake,
		"[[mappings]]\nname = \"loop\"\non = [\"test.a\", \"action.finished\"]\n"
		"max_depth = 40\nclass = \"reflex\"\n" NOTE);
	uint64_t id = fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);

	const struct value *answer = ask_event(&fake, arena, id, &err);

	CHECK_TEXT(text_at(arena, answer, "truncated"), "true");
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

TEST(an_event_that_is_not_there_is_an_error_that_says_why) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake, "");
	(void)fake_engine_emit(&fake, "test.a", NULL);
	fake_engine_settle(&fake);

	CHECK(!ask_event(&fake, arena, 99, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_TEXT(err.message,
		"there is no event 99 in the journal; annactl events lists the latest");
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

static const char *const questions =
	"[[mappings]]\nname = \"guarded\"\non = \"test.a\"\nwhere = { level = { gt = 2 } }\n" NOTE
	"[[mappings]]\nname = \"off\"\non = \"test.a\"\nenabled = false\n" NOTE
	"[[mappings]]\nname = \"acts\"\non = \"test.a\"\nstop = true\n" NOTE
	"[[mappings]]\nname = \"behind\"\non = \"test.*\"\n" NOTE
	"[[mappings]]\nname = \"poor\"\non = \"test.p\"\nclass = \"reflex\"\nbudget = 1\n"
	"budget_per = \"1h\"\n" NOTE
	"[[mappings]]\nname = \"shallow\"\non = \"action.finished\"\nmax_depth = 0\n" NOTE
	"[[mappings]]\nname = \"waiting\"\non = \"test.never\"\n" NOTE;

static const struct {
	const char *asked;
	const char *reason;
	const char *guard, *observed;
	const char *last_event, *last_acted;
} answers[] = {
	{"guarded", "\"guard\"", "\"level gt 2\"", "\"level is 1\"", "2", "1"},
	{"off", "\"disabled\"", "null", "null", "2", "null"},
	{"acts", "\"acted\"", "\"\"", "\"\"", "2", "2"},
	{"poor", "\"refused\"", NULL, NULL, NULL, NULL},
	{"shallow", "\"refused\"", NULL, NULL, NULL, "null"},
	{"waiting", "\"no_event\"", "null", "null", "null", "null"},
	{"test.a", "\"acted\"", NULL, NULL, "2", NULL},
	{"test.never", "\"no_event\"", NULL, NULL, "null", "null"},
	{"test.lone", "\"acted\"", NULL, NULL, NULL, NULL},
};

TEST(each_reason_why_not_is_told) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	start(&fake, questions);
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":3}");
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":1}");
	fake_engine_settle(&fake);
	(void)fake_engine_emit(&fake, "test.lone", NULL);
	(void)fake_engine_emit(&fake, "test.p", NULL);
	(void)fake_engine_emit(&fake, "test.p", NULL);
	fake_engine_settle(&fake);
	loop_advance(fake.loop.loop, 5 * NS_PER_SECOND);

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct err err = ERR_INIT;
		const struct value *answer = ask_not(&fake, arena, answers[i].asked, &err);
		print_message("# %s: %s %s\n", answers[i].asked, text_at(arena, answer, "reason"),
			text_at(arena, answer, "detail"));
		CHECK(answer);
		CHECK_TEXT(text_at(arena, answer, "reason"), answers[i].reason);
		if (answers[i].guard) {
			CHECK_TEXT(text_at(arena, answer, "guard"), answers[i].guard);
			CHECK_TEXT(text_at(arena, answer, "observed"), answers[i].observed);
		}
		if (answers[i].last_event) {
			CHECK_TEXT(text_at(arena, answer, "last_event"), answers[i].last_event);
		}
		if (answers[i].last_acted) {
			CHECK_TEXT(text_at(arena, answer, "last_acted"), answers[i].last_acted);
		}
	}
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

TEST(a_mapping_behind_a_stop_names_who_stopped_it) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake, questions);
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":3}");
	fake_engine_settle(&fake);

	const struct value *answer = ask_not(&fake, arena, "behind", &err);

	CHECK_TEXT(text_at(arena, answer, "reason"), "\"stopped_by\"");
	CHECK_TEXT(text_at(arena, answer, "detail"),
		"\"\\\"acts\\\" stands before it, matched, and says stop\"");
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

TEST(the_generation_that_handled_the_event_judges_it) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake, "[[mappings]]\nname = \"m\"\non = \"test.a\"\nwhere = { level = 1 }\n" NOTE);
	(void)fake_engine_emit(&fake, "test.a", "{\"level\":2}");
	fake_engine_settle(&fake);
	add_generation(
		&fake, "[[mappings]]\nname = \"m\"\non = \"test.a\"\nwhere = { level = 2 }\n" NOTE);

	const struct value *answer = ask_not(&fake, arena, "m", &err);

	CHECK_TEXT(text_at(arena, answer, "reason"), "\"guard\"");
	CHECK_TEXT(text_at(arena, answer, "guard"), "\"level eq 1\"");
	CHECK_TEXT(text_at(arena, answer, "generation"), "1");
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

TEST(what_exists_nowhere_is_not_found_with_the_nearest_name) {
	struct fake_engine fake;
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	start(&fake, questions);
	(void)fake_engine_emit(&fake, "test.lone", NULL);
	fake_engine_settle(&fake);

	CHECK(!ask_not(&fake, arena, "guardet", &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_TEXT(err.message,
		"there is no mapping \"guardet\" and no event of that kind in the"
		" journal; did you mean \"guarded\"?");
	CHECK(!ask_not(&fake, arena, "test.lome", &err));
	CHECK(str_ends(str_from(err.message), STR("did you mean \"test.lone\"?")));
	fake_engine_finish(&fake);
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(the_chain_goes_up_to_the_root_and_down_to_the_effects),
		RUN(a_long_chain_is_cut_and_says_so_and_can_still_be_read),
		RUN(an_event_that_is_not_there_is_an_error_that_says_why),
		RUN(each_reason_why_not_is_told), RUN(a_mapping_behind_a_stop_names_who_stopped_it),
		RUN(the_generation_that_handled_the_event_judges_it),
		RUN(what_exists_nowhere_is_not_found_with_the_nearest_name));
}
