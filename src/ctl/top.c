// SPDX-License-Identifier: Apache-2.0
// `annactl top`: what is busy and who is it. A screen that lives on a terminal, one print
// elsewhere.
#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/top_screen.h"
#include "ctl/watch.h"

struct top_options {
	bool once, watch;
	int64_t interval_ns;
};

static void draw(
	void *arg, struct output *output, const struct value *now, const struct value *before) {
	(void)before;
	top_draw(arg, output, now);
}

static void on_key(void *arg, char key) {
	struct top_screen *screen = arg;
	switch (key) {
	case 'c':
	case 'C':
		screen->order = TOP_BY_CPU;
		break;
	case 'm':
	case 'M':
		screen->order = TOP_BY_MEMORY;
		break;
	case 'i':
	case 'I':
		screen->order = TOP_BY_IO;
		break;
	case ' ':
		screen->is_paused = !screen->is_paused;
		break;
	default:
		break;
	}
}

static int run(struct invocation *in, const void *options) {
	const struct top_options *asked = options;
	struct top_screen screen = {.order = TOP_BY_CPU};
	bool is_live = in->output.is_terminal && !in->output.is_json && !asked->once;
	if (asked->once && asked->watch) {
		return invocation_misuse(in, "--once and --watch exclude each other");
	}
	if (is_live || asked->watch) {
		return watch_run(in,
			&(struct watch){.method = "top",
				.period_ns = asked->interval_ns,
				.hint = "c cpu, m memory, i I/O first; space holds it; "
					"q or Ctrl-C ends it",
				.draw_own = draw,
				.on_key = on_key,
				.is_paused = &screen.is_paused,
				.arg = &screen});
	}
	const struct value *top = invocation_ask(in, "top");
	if (!top) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, top);
	} else {
		in->output.rows = 0; // all of it, not a screenful
		top_draw(&screen, &in->output, top);
	}
	return 0;
}

DEFINE_COMMAND(top) = {
	.name = "top",
	.summary = "What is busy and who is it: processes, units, containers.",
	.usage = "[--once | --watch] [--interval TIME]",
	.examples = (const char *const[]){"annactl top --once", "annactl top --watch --interval 5s",
		"annactl top --json", NULL},
	.options =
		(const struct option[]){
			{.key = "once",
				.type = OPTION_BOOL,
				.offset = offsetof(struct top_options, once),
				.help = "Print it once, on a terminal too."},
			{.key = "watch",
				.letter = 'w',
				.type = OPTION_BOOL,
				.offset = offsetof(struct top_options, watch),
				.help = "Again and again until Ctrl-C; what a terminal shows "
					"anyway."},
			{.key = "interval",
				.letter = 'i',
				.type = OPTION_DURATION,
				.offset = offsetof(struct top_options, interval_ns),
				.fallback = "1s",
				.min = 0.5 * NS_PER_SECOND,
				.max = 3600.0 * NS_PER_SECOND,
				.help = "Time between two looks."},
			{0},
		},
	.options_size = sizeof(struct top_options),
	.run = run,
};
