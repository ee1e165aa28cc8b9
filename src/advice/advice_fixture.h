// SPDX-License-Identifier: Apache-2.0
// For the tests of rules: a tree of files is made, one rule looks at it, and what it found is held
// against the exact evidence.
//
//	fires(&rule_x, (struct tree_file[]){{"/proc/swaps", "…"}, {NULL}}, "the evidence");
//	is_silent(&rule_x, …);
#pragma once

#include <sys/stat.h>

#include "advice/advice.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "io/fs.h"
#include "tests/check.h"

struct tree_file {
	const char *path;
	const char *content; // NULL: a link to `link`
	const char *link;
	int64_t size;	       // sparse, when content is "" and this is not 0
	int64_t mtime_seconds; // 0: now
};

#define FIXTURE_NOW INT64_C(1767225600) // 2026-01-01T00:00:00Z

struct bench {
	char folder[64];
	struct arena *arena;
	struct survey survey;
};

static inline void tree_put(const char *folder, const struct tree_file *file) {
	_cleanup_(freep) char *path = xasprintf("%s%s", folder, file->path);
	for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700); // may be there
		*slash = '/';
	}
	if (!file->content) {
		CHECK_INT(symlink(file->link, path), 0);
		return;
	}
	FILE *out = fopen(path, "w");
	CHECK(out != NULL);
	fputs(file->content, out);
	fclose(out);
	if (file->size) {
		CHECK_INT(truncate(path, (off_t)file->size), 0);
	}
	if (file->mtime_seconds) {
		const struct timespec times[2] = {{.tv_sec = (time_t)file->mtime_seconds},
			{.tv_sec = (time_t)file->mtime_seconds}};
		CHECK_INT(utimensat(AT_FDCWD, path, times, 0), 0);
	}
}

static inline void tree_remove(const char *path) {
	struct arena *arena = arena_create();
	struct root root = {.fs = fs_system(), .sysroot = "", .arena = arena};
	char **names;
	size_t n = root_list(&root, &names, "%s", path);
	for (size_t i = 0; i < n; i++) {
		char *below = root_path(&root, "%s/%s", path, names[i]);
		if (unlink(below) != 0) {
			tree_remove(below);
		}
	}
	(void)rmdir(path);
	arena_destroy(arena);
}

static inline void bench_init(struct bench *bench, const struct tree_file *files) {
	memset(bench, 0, sizeof(*bench));
	snprintf(bench->folder, sizeof(bench->folder), "/tmp/anna-advice-XXXXXX");
	CHECK(mkdtemp(bench->folder) != NULL);
	for (; files && files->path; files++) {
		tree_put(bench->folder, files);
	}
	bench->arena = arena_create();
	bench->survey = (struct survey){
		.root = {.fs = fs_system(), .sysroot = bench->folder, .arena = bench->arena},
		.now_wall_ns = FIXTURE_NOW * NS_PER_SECOND,
		.failed_units = -1};
}

static inline void bench_finish(struct bench *bench) {
	arena_destroy(bench->arena);
	tree_remove(bench->folder);
}

// The evidence of every finding, a line each, with the level when it is not the rule's.
static inline void bench_format(const struct bench *bench, struct buf *out) {
	for (size_t i = 0; i < bench->survey.n; i++) {
		const struct finding *finding = &bench->survey.findings[i];
		buf_appendf(out, "%s%s%s%s", i ? "\n" : "",
			finding->level != finding->rule->level ? advice_level_name(finding->level)
							       : "",
			finding->level != finding->rule->level ? ": " : "", finding->evidence);
	}
}

static inline void fires(
	const struct rule *rule, const struct tree_file *files, const char *evidence) {
	struct bench bench;
	struct buf found = BUF_INIT;
	bench_init(&bench, files);
	advice_run(&bench.survey, rule);
	bench_format(&bench, &found);
	CHECK_TEXT(buf_text(&found), evidence);
	CHECK(rule->reason[0] && rule->explain[0] && rule->reads[0] && rule->references[0]);
	buf_finish(&found);
	bench_finish(&bench);
}

static inline void is_silent(const struct rule *rule, const struct tree_file *files) {
	struct bench bench;
	struct buf found = BUF_INIT;
	bench_init(&bench, files);
	advice_run(&bench.survey, rule);
	bench_format(&bench, &found);
	CHECK_TEXT(buf_text(&found), "");
	CHECK_INT(bench.survey.unjudged_count, 0);
	buf_finish(&found);
	bench_finish(&bench);
}

// It says that it does not know, and why.
static inline void is_unsure(
	const struct rule *rule, const struct tree_file *files, const char *begins) {
	struct bench bench;
	bench_init(&bench, files);
	advice_run(&bench.survey, rule);
	CHECK_INT(bench.survey.n, 0);
	CHECK_INT(bench.survey.unjudged_count, 1);
	if (!str_starts(str_from(bench.survey.unjudged[0].why), str_from(begins))) {
		print_error("\"%s\" does not begin with \"%s\"\n", bench.survey.unjudged[0].why,
			begins);
		_fail(__FILE__, __LINE__);
	}
	bench_finish(&bench);
}

#define TREE(...) \
	(const struct tree_file[]) { \
		__VA_ARGS__, { \
			NULL \
		} \
	}
