// SPDX-License-Identifier: Apache-2.0
// `annactl reload`: the daemon reads its configuration again, and says what changed. A file that is
// not valid changes nothing: exit status 5 and every mistake with its place.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/reload_report.h"
#include "formats/json.h"

struct reload_options {
	bool dry_run;
	int64_t confirm_ns;
};

static int run(struct invocation *in, const void *options) {
	const struct reload_options *asked = options;
	struct request request = {.method = "reload"};
	const struct value *result;
	struct buf params = BUF_INIT, confirm = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &params);
	json_begin_object(&w);
	if (asked->dry_run) {
		json_member_bool(&w, "dry_run", true);
	}
	if (asked->confirm_ns > 0) {
		duration_format(&confirm, asked->confirm_ns);
		json_member_str(&w, "confirm", buf_str(&confirm));
	}
	json_end_object(&w);
	request.params = buf_str(&params);
	request.is_repeatable = asked->dry_run;
	result = invocation_call(in, &request);
	buf_finish(&params);
	buf_finish(&confirm);
	return result ? reload_report(in, result, "reloaded") : in->exit_status;
}

DEFINE_COMMAND(reload) = {
	.name = "reload",
	.summary = "Read the configuration again and say what changed.",
	.usage = "[--dry-run] [--confirm 60s]",
	.examples = (const char *const[]){"annactl reload --dry-run", "annactl reload",
		"annactl reload --confirm 60s && annactl reload confirm", NULL},
	.options =
		(const struct option[]){
			{.key = "dry-run",
				.letter = 'n',
				.type = OPTION_BOOL,
				.offset = offsetof(struct reload_options, dry_run),
				.help = "Only say what would change."},
			{.key = "confirm",
				.type = OPTION_DURATION,
				.min = 1e9,
				.max = 86400e9,
				.fallback = NULL,
				.unit = "time",
				.offset = offsetof(struct reload_options, confirm_ns),
				.help = "Undo it after that time unless confirmed, also across a "
					"crash."},
			{0},
		},
	.options_size = sizeof(struct reload_options),
	.run = run,
};
