// SPDX-License-Identifier: Apache-2.0
// The configuration file as it lies there: whose it is, and what the installed annad says of it
// (`annad --check --json`, which is what will read it).
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor/look.h"

#define WITHIN_NS (1800 * NS_PER_MS)

static void check(const struct places *places, struct json_writer *w) {
	const char *const argv[] = {
		places->annad, "--check", "--json", "--config", places->config_path, NULL};
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	int ended = 0;
	struct arena *arena = arena_create();
	if (places->annad && places->annad[0] &&
		look_run_program(argv, WITHIN_NS, &said, &ended, &err)) {
		const struct value *answer = json_parse(
			arena, str_trim(buf_str(&said)), JSON_DEPTH, NULL);
		const struct value *problems = value_get(answer, STR("problems"));
		if (answer && value_get(answer, STR("ok"))) {
			json_member_bool(w, "is_valid", value_truth(answer, "ok"));
			json_member_int(w, "errors", value_number(answer, "errors", 0));
			json_member_str(w, "error", value_text(answer, "error"));
			if (problems) {
				json_key(w, "problems");
				json_value(w, problems);
			}
		}
	}
	arena_destroy(arena);
	buf_finish(&said);
}

static void gather(const struct places *places, struct look_report *out) {
	struct json_writer *w = &out->w;
	const char *path = places->config_path;
	struct stat status, target;
	if (!path || !path[0]) {
		look_report_missing(
			out, "there is no configuration file; every option has its default");
		return;
	}
	bool exists = lstat(path, &status) == 0;
	if (!exists && errno != ENOENT && errno != ENOTDIR) {
		look_report_missing(out, "%s: %s", path, strerror(errno));
		return;
	}
	json_member_text(w, "path", path);
	json_member_bool(w, "exists", exists);
	if (!exists) {
		return;
	}
	if (stat(path, &target) == 0) { // what annad reads
		look_write_stat(w, &target);
		json_member_int(w, "mtime_ns",
			target.st_mtim.tv_sec * NS_PER_SECOND + target.st_mtim.tv_nsec);
	} else {
		look_write_stat(w, &status);
	}
	json_member_bool(w, "is_readable", access(path, R_OK) == 0);
	check(places, w);
}

DEFINE_LOOK(config) = {.name = "config", .gather = gather};
