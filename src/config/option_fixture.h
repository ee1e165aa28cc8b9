// SPDX-License-Identifier: Apache-2.0
// Rows of every type, for the tests of what reads them; and a reader into an arena of the test's.
#pragma once

#include "base/alloc.h"
#include "base/clock.h"
#include "config/option.h"
#include "formats/toml.h"

enum level {
	LOW,
	HIGH
};
static const char *const levels[] = {"low", "high", NULL};

struct limits {
	int64_t files;
	double share;
};
static const struct option limit_rows[] = {
	{.key = "files",
		.type = OPTION_INT,
		.offset = offsetof(struct limits, files),
		.fallback = "16",
		.min = 1,
		.max = 64,
		.unit = "files",
		.help = "Open files"},
	{.key = "share",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct limits, share),
		.fallback = "0.5"},
	{0},
};

struct target {
	struct str name;
	int64_t port;
};
static const struct option target_rows[] = {
	{.key = "name",
		.type = OPTION_STRING,
		.offset = offsetof(struct target, name),
		.is_required = true,
		.min = 1,
		.max = 20,
		.help = "What it is called"},
	{.key = "port",
		.type = OPTION_INT,
		.offset = offsetof(struct target, port),
		.fallback = "80",
		.min = 1,
		.max = 65535},
	{0},
};

struct log_config {
	struct str message;
};
struct exec_config {
	struct strings argv;
	struct str token;
};
static const struct option log_rows[] = {
	{.key = "message",
		.type = OPTION_STRING,
		.offset = offsetof(struct log_config, message),
		.is_required = true,
		.help = "Text"},
	{0},
};
static const struct option exec_rows[] = {
	{.key = "argv",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct exec_config, argv),
		.min = 1,
		.max = 3},
	{.key = "token",
		.type = OPTION_STRING,
		.offset = offsetof(struct exec_config, token),
		.is_secret = true},
	{0},
};
static void check_exec(const void *config, struct place place, struct problems *problems) {
	const struct exec_config *exec = config;
	if (exec->argv.n && str_is(exec->argv.items[0], "rm")) {
		problems_add(problems, place, "rm is refused");
	}
}
static const struct variant actions[] = {
	{"log", "Writes", log_rows, sizeof(struct log_config), NULL, NULL},
	{"exec", "Runs", exec_rows, sizeof(struct exec_config), NULL, check_exec},
};
static const struct variants sets[] = {{"action", actions, 2}};

struct config {
	bool is_on;
	int64_t count;
	double ratio;
	struct str title;
	int64_t interval_ns;
	int64_t size_bytes;
	int level;
	struct strings tags;
	struct limits limits;
	struct item_list targets;
	struct tagged action;
	const struct value *where;
	struct str password;
	int64_t old;
};
static const struct option rows[] = {
	{.key = "on",
		.type = OPTION_BOOL,
		.offset = offsetof(struct config, is_on),
		.fallback = "true"},
	{.key = "count",
		.type = OPTION_INT,
		.offset = offsetof(struct config, count),
		.fallback = "3",
		.min = 1,
		.max = 10,
		.unit = "items"},
	{.key = "ratio",
		.type = OPTION_NUMBER,
		.offset = offsetof(struct config, ratio),
		.min = 0.5,
		.max = 1.5},
	{.key = "title",
		.type = OPTION_STRING,
		.offset = offsetof(struct config, title),
		.fallback = "none",
		.min = 1,
		.max = 8},
	{.key = "interval",
		.type = OPTION_DURATION,
		.offset = offsetof(struct config, interval_ns),
		.fallback = "5s",
		.min = 1e8,
		.max = 3.6e12},
	{.key = "size",
		.type = OPTION_SIZE,
		.offset = offsetof(struct config, size_bytes),
		.fallback = "1MiB",
		.max = 1 << 30},
	{.key = "level",
		.type = OPTION_CHOICE,
		.offset = offsetof(struct config, level),
		.fallback = "high",
		.choices = levels},
	{.key = "tags",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct config, tags),
		.fallback = "[\"a\", \"b\"]",
		.max = 4},
	{.key = "limits",
		.type = OPTION_TABLE,
		.offset = offsetof(struct config, limits),
		.rows = limit_rows},
	{.key = "targets",
		.type = OPTION_LIST,
		.offset = offsetof(struct config, targets),
		.rows = target_rows,
		.item_size = sizeof(struct target)},
	{.key = "action",
		.type = OPTION_TAGGED,
		.offset = offsetof(struct config, action),
		.variants = "action"},
	{.key = "where", .type = OPTION_VALUE, .offset = offsetof(struct config, where)},
	{.key = "password",
		.type = OPTION_STRING,
		.offset = offsetof(struct config, password),
		.is_secret = true,
		.min = 4},
	{.key = "old",
		.type = OPTION_INT,
		.offset = offsetof(struct config, old),
		.deprecated = "count"},
	{0},
};

static struct arena *arena;
static struct problems problems;

static inline struct option_reader begin(void) {
	arena_destroy(arena);
	arena = arena_create();
	problems_finish(&problems);
	return (struct option_reader){.arena = arena,
		.problems = &problems,
		.variant_sets = sets,
		.variant_set_count = 1};
}

static inline bool fill(const char *toml, struct config *out, uint64_t *out_hash) {
	static const struct option_scope scope = {.name = "[x]"};
	struct option_reader reader = begin();
	reader.scope = &scope;
	const struct value *table = toml_parse(arena, "c.toml", str_from(toml), &problems);
	bool is_filled = option_fill(&reader, rows, table, table->place, out);
	if (out_hash) {
		*out_hash = reader.hash;
	}
	return is_filled;
}

static inline int end(void **state) {
	(void)state;
	arena_destroy(arena);
	arena = NULL;
	problems_finish(&problems);
	return 0;
}
