// SPDX-License-Identifier: Apache-2.0
// `annactl config diff [FILE]`: what would change if the file were applied; nothing is. Without a
// file, the daemon's own.
#include <limits.h>

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/reload_report.h"
#include "formats/json.h"

struct diff_options {
	struct str file;
};

static bool format_params(struct invocation *in, struct str file, struct buf *out) {
	char path[PATH_MAX];
	struct failure failure = FAILURE_INIT;
	struct err err = ERR_INIT;
	struct json_writer w;
	if (file.len == 0) {
		return true;
	}
	// The daemon's working directory is not ours.
	if (!realpath(arena_copy(in->arena, file), path)) {
		err_errno(&err, "cannot find %" STR_FMT, STR_ARG(file));
		failure_from_err(&failure, &err);
		invocation_fail(in, &failure);
		return false;
	}
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_text(&w, "path", path);
	json_end_object(&w);
	return true;
}

static int run(struct invocation *in, const void *options) {
	const struct diff_options *asked = options;
	struct request request = {.method = "config.diff", .is_repeatable = true};
	const struct value *result;
	struct buf params = BUF_INIT;
	if (!format_params(in, asked->file, &params)) {
		return in->exit_status;
	}
	request.params = buf_str(&params);
	result = invocation_call(in, &request);
	buf_finish(&params);
	if (!result) {
		return in->exit_status;
	}
	return reload_report(in, result, "diff");
}

DEFINE_COMMAND(config_diff) = {
	.name = "config diff",
	.summary = "What would change if a config file were applied now.",
	.usage = "[FILE]",
	.examples = (const char *const[]){"annactl config diff", "annactl config diff ./new.toml",
		NULL},
	.options =
		(const struct option[]){
			{.key = "FILE",
				.type = OPTION_STRING,
				.is_positional = true,
				.unit = "file",
				.offset = offsetof(struct diff_options, file),
				.help = "Else the running daemon's."},
			{0},
		},
	.options_size = sizeof(struct diff_options),
	.run = run,
};
