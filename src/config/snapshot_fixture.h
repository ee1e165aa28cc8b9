// SPDX-License-Identifier: Apache-2.0
// A schema of a table and a list, for the tests of snapshots.
#pragma once

#include "base/alloc.h"
#include "config/snapshot.h"

struct daemon_config {
	struct str log_level;
	int64_t workers;
	struct str token;
};
static const struct option daemon_rows[] = {
	{.key = "log_level",
		.type = OPTION_STRING,
		.offset = offsetof(struct daemon_config, log_level),
		.fallback = "info",
		.help = "What is logged."},
	{.key = "workers",
		.type = OPTION_INT,
		.offset = offsetof(struct daemon_config, workers),
		.fallback = "2",
		.min = 1,
		.max = 8,
		.apply = APPLY_RESTART,
		.unit = "threads",
		.help = "How many."},
	{.key = "token",
		.type = OPTION_STRING,
		.offset = offsetof(struct daemon_config, token),
		.is_secret = true,
		.help = "Who knows it may."},
	{0},
};

struct log_config {
	struct str message;
};
static const struct option log_rows[] = {
	{.key = "message",
		.type = OPTION_STRING,
		.offset = offsetof(struct log_config, message),
		.is_required = true},
	{0},
};
static const struct option none_rows[] = {{0}};
static const struct variant actions[] = {
	{"log", "Writes", log_rows, sizeof(struct log_config), NULL, NULL},
	{"none", "Nothing", none_rows, 0, NULL, NULL},
};
static const struct variants sets[] = {{"action", actions, 2}};

struct mapping {
	struct str name;
	struct str on;
	struct tagged action;
	const struct value *where;
	int64_t compiled; // by the check
};
static const struct option mapping_rows[] = {
	{.key = "name",
		.type = OPTION_STRING,
		.offset = offsetof(struct mapping, name),
		.is_required = true,
		.min = 1,
		.max = 64,
		.help = "Its name"},
	{.key = "on",
		.type = OPTION_STRING,
		.offset = offsetof(struct mapping, on),
		.fallback = "*",
		.help = "Kinds"},
	{.key = "action",
		.type = OPTION_TAGGED,
		.offset = offsetof(struct mapping, action),
		.variants = "action"},
	{.key = "where", .type = OPTION_VALUE, .offset = offsetof(struct mapping, where)},
	{0},
};

static inline void check_daemon(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	(void)arena;
	const struct daemon_config *own = config;
	if (own->workers == 7) {
		problems_add(problems, place, "seven is refused");
	}
}

static inline void check_mapping(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	(void)place;
	(void)arena;
	(void)problems;
	((struct mapping *)config)->compiled = 42;
}

static const struct section daemon_section = {"daemon", "The process", false, daemon_rows,
	sizeof(struct daemon_config), check_daemon, NULL, NULL};
static const struct section mappings_section = {"mappings", "What to do", true, mapping_rows,
	sizeof(struct mapping), check_mapping, NULL, NULL};
static const struct section *const sections[] = {&daemon_section, &mappings_section};
static const struct schema schema = {sections, 2, sets, 1, 0};

static struct problems problems;
static struct arena *arena;

static inline int begin(void **state) {
	(void)state;
	arena = arena_create();
	return 0;
}

static inline int end(void **state) {
	(void)state;
	arena_destroy(arena);
	problems_finish(&problems);
	return 0;
}

// A snapshot of one text, or of two when the second is not NULL.
static inline struct snapshot *create(const char *first, const char *second) {
	struct config_file items[] = {{STR("/etc/anna/config.toml"), str_from(first)},
		{STR("/etc/anna/conf.d/b.toml"), str_from(second)}};
	struct config_files files = {.items = items, .n = second ? 2 : 1};
	config_files_hash(&files);
	problems_finish(&problems);
	return snapshot_create(&schema, &files, &problems);
}
