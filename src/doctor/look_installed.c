// SPDX-License-Identifier: Apache-2.0
// The annad that would be started next: asked for its version by running it, so a half-written or
// missing binary shows.
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor/look.h"

#define WITHIN_NS (1500 * NS_PER_MS)

// "annad 0.1.0 (build abc)"
static void write_version(struct str text, struct json_writer *w) {
	struct str line, name, version, word, build;
	(void)str_split(&text, '\n', &line);
	json_member_str(w, "says", str_head(str_trim(line), 200));
	if (str_word(&line, &name) && str_is(name, "annad") && str_word(&line, &version) &&
		str_word(&line, &word) && str_word(&line, &build) && str_ends(build, STR(")"))) {
		json_member_str(w, "version", version);
		json_member_str(w, "build", str_head(build, build.len - 1));
	}
}

static void gather(const struct places *places, struct look_report *out) {
	const char *const argv[] = {places->annad, "--version", NULL};
	struct json_writer *w = &out->w;
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat status;
	int ended = 0;
	if (!places->annad || !places->annad[0]) {
		look_report_missing(out, "there is no annad beside annactl, in ../sbin or on PATH");
		return;
	}
	json_member_text(w, "path", places->annad);
	json_member_bool(w, "exists", stat(places->annad, &status) == 0);
	if (stat(places->annad, &status) == 0) {
		look_write_stat(w, &status);
	}
	bool runs = look_run_program(argv, WITHIN_NS, &said, &ended, &err);
	if (runs && !(WIFEXITED(ended) && WEXITSTATUS(ended) == 0)) {
		runs = err_set(&err, ERR_IO,
			WIFSIGNALED(ended) ? "%s --version was ended by signal %d"
					   : "%s --version ended with status %d",
			places->annad, WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended));
	}
	json_member_bool(w, "runs", runs);
	json_member_text(w, "error", runs ? NULL : err.message);
	if (runs) {
		write_version(buf_str(&said), w);
	}
	buf_finish(&said);
}

DEFINE_LOOK(installed) = {.name = "installed", .gather = gather};
