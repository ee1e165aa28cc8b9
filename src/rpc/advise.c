// SPDX-License-Identifier: Apache-2.0
// advise: the advisor's rules run over the host, or one of them with its explanation. A job of the pool
// that may lose its threads does it: a rule may meet a folder on a mount that is dead.
#include "advice/advice.h"
#include "flow/board.h"
#include "io/loop.h"
#include "io/worker.h"
#include "rpc/anna.h"
#include "rpc/method.h"

struct advise_params {
	struct str id;
};

// In the call's arena; the survey is the job's alone while it runs.
struct advising {
	struct call *call;
	const struct rule *only; // NULL: all
	struct survey survey;
	struct culprit culprit;
	struct buf result;
};

static void write_answer(struct advising *advising, struct json_writer *writer) {
	if (!advising->only) {
		advice_write(&advising->survey, writer);
		return;
	}
	json_begin_object(writer);
	json_key(writer, "rule");
	json_begin_object(writer);
	advice_write_rule(advising->only, writer);
	json_end_object(writer);
	json_key(writer, "now");
	advice_write(&advising->survey, writer);
	json_end_object(writer);
}

// What was read is megabytes, and freed here: the loop has no time for it.
static void run(void *arg) {
	struct advising *advising = arg;
	struct json_writer writer;
	struct arena *arena = arena_create();
	advising->survey.root.arena = arena;
	advice_run(&advising->survey, advising->only);
	json_writer_init(&writer, &advising->result);
	write_answer(advising, &writer);
	arena_destroy(arena);
}

static void on_done(void *arg) {
	struct advising *advising = arg;
	struct call *call = advising->call;
	json_raw(call_result(call), buf_str(&advising->result));
	buf_finish(&advising->result);
	call_reply(call); // the arena goes with it
}

static void on_figure(void *arg, const struct figure *figure) {
	struct advising *advising = arg;
	if (strcmp(figure->name, "units.failed") == 0) {
		advising->survey.failed_units = figure->value;
	}
}

// What Anna's own watching knows is asked for here: the board is the main loop's.
static void take_figures(struct advising *advising, struct board *board) {
	const struct figure figure = {.name = "units.failed", .label = "", .unit = "units"};
	advising->survey.failed_units = -1;
	board_each_figure(board, on_figure, advising);
	if (advising->survey.failed_units > 0 &&
		board_find_culprit(board, &figure, &advising->culprit)) {
		advising->survey.failed_unit = advising->culprit.name;
	}
}

static bool find_rule(struct str id, const struct rule **out, struct err *err) {
	const struct rule *rule = id.len ? advice_find_rule(id) : NULL;
	if (id.len && !rule) {
		const char *nearest = advice_nearest(id);
		return err_set(err, ERR_NOT_FOUND, "there is no rule \"%.80s\"%s%s%s", id.at,
			nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			nearest ? "\"?" : "");
	}
	*out = rule;
	return true;
}

static void handle(struct call *call) {
	const struct advise_params *params = call_params(call);
	const struct services *services = anna_services(call_anna(call));
	struct arena *arena = call_arena(call);
	struct advising *advising = ARENA_NEW(arena, struct advising);
	struct err err = ERR_INIT;
	advising->call = call;
	if (!find_rule(arena_copy_str(arena, params->id), &advising->only, &err)) {
		call_fail(call, &err);
		return;
	}
	take_figures(advising, services->board);
	advising->survey.root = (struct root){
		.fs = services->fs, .sysroot = services->sysroot ? services->sysroot : ""};
	advising->survey.now_wall_ns = clock_wall(loop_clock(services->loop));
	if (!jobs_run(services->slow_jobs, run, on_done, advising)) {
		err_set(&err, ERR_BUSY,
			"as many looks at this machine as Anna takes at once are under way");
		call_fail(call, &err);
	}
}

static const struct option params[] = {
	{"id", OPTION_STRING, offsetof(struct advise_params, id), .max = 80,
		.help = "One rule alone, with its explanation."},
	{NULL},
};

static const char *const aliases[] = {"advisor_run", NULL};

DEFINE_METHOD(advise) = {
	.name = "advise",
	.aliases = aliases,
	.summary = "What could be better on this machine, with the evidence and the fix.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct advise_params),
	.result = "{generated_at, checked, findings: [{id, level, category, title, evidence, "
		  "reason, fix, risk, references}], unknown: [{id, why}]}; with id {rule, now: the "
		  "same of this rule}",
	.handle = handle,
};
