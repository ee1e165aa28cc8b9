// SPDX-License-Identifier: Apache-2.0
// Filled structs as text; above all that no secret gets into it.
#include "config/option.h"

#include "formats/toml.h"
#include "tests/check.h"

static const char *const colours[] = {"red", "green", NULL};

struct inner {
	int64_t port;
	struct str key;
};
static const struct option inner_rows[] = {
	{"port", OPTION_INT, offsetof(struct inner, port), .fallback = "80"},
	{"key", OPTION_STRING, offsetof(struct inner, key), .is_secret = true},
	{0},
};
struct item {
	struct str name;
	bool is_on;
};
static const struct option item_rows[] = {
	{"name", OPTION_STRING, offsetof(struct item, name)},
	{"on", OPTION_BOOL, offsetof(struct item, is_on)},
	{0},
};
static const struct variant kinds[] = {
	{"http", "x", inner_rows, sizeof(struct inner), NULL, NULL},
};
static const struct variants sets[] = {{"kind", kinds, 1}};

struct config {
	struct str text;
	double ratio;
	int64_t interval_ns;
	int64_t size_bytes;
	int colour;
	struct strings words;
	struct inner inner;
	struct item_list items;
	struct tagged kind;
	const struct value *value;
};
static const struct option rows[] = {
	{"text", OPTION_STRING, offsetof(struct config, text), .fallback = "hello"},
	{"ratio", OPTION_NUMBER, offsetof(struct config, ratio), .fallback = "0.5"},
	{"interval", OPTION_DURATION, offsetof(struct config, interval_ns), .fallback = "90s"},
	{"size", OPTION_SIZE, offsetof(struct config, size_bytes), .fallback = "64KiB"},
	{"colour", OPTION_CHOICE, offsetof(struct config, colour), .choices = colours},
	{"words", OPTION_STRINGS, offsetof(struct config, words)},
	{"inner", OPTION_TABLE, offsetof(struct config, inner), .rows = inner_rows},
	{"items", OPTION_LIST, offsetof(struct config, items), .rows = item_rows,
		.item_size = sizeof(struct item)},
	{"kind", OPTION_TAGGED, offsetof(struct config, kind), .variants = "kind"},
	{"value", OPTION_VALUE, offsetof(struct config, value)},
	{0},
};

static void check_format(const char *toml, bool only_changed, const char *expected) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct option_reader reader = {.arena = arena,
		.problems = &problems,
		.variant_sets = sets,
		.variant_set_count = 1};
	struct config config;
	const struct value *table = toml_parse(arena, "f", str_from(toml), &problems);
	CHECK(option_fill(&reader, rows, table, table->place, &config));
	struct buf out = BUF_INIT;

	option_format(rows, &config, STR("c"), only_changed, &out);

	CHECK_TEXT(buf_text(&out), expected);
	CHECK(!strstr(buf_text(&out), "hunter"));
	buf_finish(&out);
	arena_destroy(arena);
	problems_finish(&problems);
}

TEST(all_options_are_written_with_their_defaults) {
	check_format("", false,
		"c.text = \"hello\"\nc.ratio = 0.5\nc.interval = \"1m30s\"\nc.size = \"64KiB\"\n"
		"c.colour = \"red\"\nc.words = []\nc.inner.port = 80\nc.inner.key = \"\"\n"
		"c.items = []\n");
}

TEST(only_what_differs_from_the_default_is_written) {
	check_format("", true, "");
	check_format("text = 'hello'\nratio = 0.5\nsize = 65536\ncolour = 'green'\n", true,
		"c.colour = \"green\"\n");
}

TEST(nested_options_have_their_path) {
	check_format("words = ['a', 'b\"']\nitems = [ {name='x y', on=true}, {on=true} ]\n"
		     "kind = { type = 'http', port = 8080 }\nvalue = { a = [1, 'b'] }\n"
		     "[inner]\nport = 1\n",
		true,
		"c.words = [\"a\", \"b\\\"\"]\nc.inner.port = 1\n"
		"c.items[\"x y\"].name = \"x y\"\nc.items[\"x y\"].on = true\nc.items[1].on = "
		"true\n"
		"c.kind.type = \"http\"\nc.kind.port = 8080\nc.value = { a = [1, \"b\"] }\n");
}

TEST(a_secret_is_never_written) {
	check_format("inner = { key = 'hunter2' }\nkind = { type = 'http', key = 'hunter3' }\n",
		true,
		"c.inner.key = \"(secret)\"\nc.kind.type = \"http\"\n"
		"c.kind.key = \"(secret)\"\n");
}

TEST(types_are_described_with_an_example_and_their_limits) {
	static const struct {
		struct option row;
		const char *text;
	} cases[] = {
		{{"k", OPTION_BOOL}, "true or false"},
		{{"k", OPTION_INT, .min = 1, .max = 65535}, "an integer from 1 to 65535"},
		{{"k", OPTION_INT, .min = 1}, "an integer at least 1"},
		{{"k", OPTION_INT, .min = -5}, "an integer from -5 to 0"},
		{{"k", OPTION_NUMBER, .max = 1.5, .unit = "percent"},
			"a number from 0 to 1.5 percent"},
		{{"k", OPTION_DURATION, .min = 1e9, .max = 6e10},
			"a duration like 90s or 5m from 1s to 1m"},
		{{"k", OPTION_SIZE, .max = 1024}, "a size like 512KiB or 64MiB from 0B to 1KiB"},
		{{"k", OPTION_CHOICE, .choices = colours}, "one of red, green"},
		{{"k", OPTION_TAGGED}, "a table with a type"},
		{{"k", OPTION_VALUE}, "a value"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = BUF_INIT;
		option_describe_type(&cases[i].row, &out);
		CHECK_TEXT(buf_text(&out), cases[i].text);
		buf_finish(&out);
	}
}

int main(void) {
	return TESTS(RUN(all_options_are_written_with_their_defaults),
		RUN(only_what_differs_from_the_default_is_written),
		RUN(nested_options_have_their_path), RUN(a_secret_is_never_written),
		RUN(types_are_described_with_an_example_and_their_limits));
}
