// SPDX-License-Identifier: Apache-2.0
// `annactl doctor fix`: does what a finding's remedy can do, looks again, and tells what came of it.
// What cannot be undone is said before and needs a yes. A fix is done only when its finding is gone.
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "ctl/doctor_audit.h"
#include "ctl/doctor_examine.h"
#include "doctor/look.h"

#define RUN_NS (30 * NS_PER_SECOND)
#define CALL_NS (10 * NS_PER_SECOND)
// How long a finding may take to go away after its fix (a restart, a mount that comes back).
#define GONE_NS (8 * NS_PER_SECOND)
#define LOOK_AGAIN_MS 250

struct fix_options {
	struct str id;
	bool dry_run, yes;
};

enum outcome {
	FIX_DONE,
	FIX_NOT_DONE,
	FIX_SKIPPED
};

struct fixing {
	struct invocation *in;
	const struct fix_options *asked;
	const struct examination *examination;
	struct json_writer w; // with --json
	size_t counts[3];
};

static bool call(
	struct treatment *treatment, const char *method, const char *params, struct err *err) {
	struct invocation *in = treatment->arg;
	struct request request = {.method = method, .params = str_from(params)};
	struct failure failure = FAILURE_INIT;
	int64_t usual_ns = in->client.timeout_ns;
	in->client.timeout_ns = CALL_NS;
	bool ok = client_call(&in->client, &request, in->arena, &failure) != NULL;
	in->client.timeout_ns = usual_ns;
	return ok || err_set(err, failure.err.code, "%s: %s", method, failure.err.message);
}

static bool run_program(struct treatment *treatment, const char *const *argv, struct err *err) {
	struct buf said = BUF_INIT;
	int status = 0;
	(void)treatment;
	bool ok = look_run_program(argv, RUN_NS, &said, &status, err);
	buf_finish(&said);
	if (ok && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		return err_set(err, ERR_IO, "%s %s failed with status %d", argv[0],
			argv[1] ? argv[1] : "", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	return ok;
}

static bool is_still_there(const struct findings *findings, const struct finding *finding) {
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].check == finding->check &&
			strcmp(findings->items[i].subject, finding->subject) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_gone(struct invocation *in, const struct finding *finding) {
	struct examination again;
	connection_close(&in->client.connection); // it may be a restarted daemon's
	examination_make(in, finding->check, &again);
	return again.findings->unmade_count == 0 && !is_still_there(again.findings, finding);
}

// Examines that one check again until the finding is gone; false with *err when it stays, or when it
// cannot be looked at any more.
static bool wait_until_gone(struct invocation *in, const struct finding *finding, struct err *err) {
	int64_t deadline_ns = clock_monotonic(in->clock) + GONE_NS;
	for (;;) {
		struct examination again;
		connection_close(&in->client.connection); // it may be a restarted daemon's
		examination_make(in, finding->check, &again);
		bool is_made = again.findings->unmade_count == 0;
		if (is_made && !is_still_there(again.findings, finding)) {
			return true;
		}
		if (clock_monotonic(in->clock) >= deadline_ns) {
			return err_set(err, ERR_UNAVAILABLE,
				is_made ? "it was done, and the finding is still there"
					: "it was done, but whether it helped cannot be seen: %s",
				is_made ? "" : again.findings->unmade[0].why);
		}
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
}

// --- telling ---

static void tell_plan(struct fixing *fixing, const struct finding *finding) {
	struct output *output = &fixing->in->output;
	const struct remedy *remedy = finding->check->remedy;
	struct buf text = BUF_INIT;
	if (output->is_json) {
		return;
	}
	output_style(output, STYLE_BOLD, str_from(finding->check->id));
	output_text(output, "  ");
	output_wrapped(output, str_from(finding->what), strlen(finding->check->id) + 2, 2);
	buf_appendf(&text, "does   %s", remedy->summary);
	output_text(output, "  ");
	output_wrapped(output, buf_str(&text), 2, 9);
	if (remedy->lasting) {
		buf_clear(&text);
		buf_appendf(&text, "cannot be undone: %s", remedy->lasting);
		output_text(output, "  ");
		output_style(output, STYLE_WARN, STR("note   "));
		output_wrapped(output, buf_str(&text), 9, 9);
	}
	buf_finish(&text);
}

static void tell_outcome(struct fixing *fixing, const struct finding *finding,
	const struct treatment *treatment, enum outcome outcome, const char *why) {
	static const char *const words[] = {"done", "not done", "skipped"};
	struct output *output = &fixing->in->output;
	fixing->counts[outcome]++;
	if (output->is_json) {
		struct json_writer *w = &fixing->w;
		json_begin_object(w);
		json_member_text(w, "id", finding->check->id);
		json_member_text(w, "subject", finding->subject[0] ? finding->subject : NULL);
		json_member_text(w, "remedy", finding->check->remedy->summary);
		json_member_text(w, "outcome", words[outcome]);
		json_member_text(w, "why", why);
		json_member_text(w, "before", treatment ? treatment->before : NULL);
		json_member_text(w, "after", treatment ? treatment->after : NULL);
		json_member_text(w, "undo", treatment ? treatment->undo : NULL);
		json_member_text(w, "cannot_be_undone", finding->check->remedy->lasting);
		json_end_object(w);
		return;
	}
	output_text(output, "  ");
	output_style(output,
		outcome == FIX_DONE		 ? STYLE_GOOD
			: outcome == FIX_SKIPPED ? STYLE_DIM
						 : STYLE_BAD,
		str_from(words[outcome]));
	if (why) {
		output_text(output, ":");
		output_wrapped(output, str_from(why), strlen(words[outcome]) + 3, 9);
	} else {
		output_text(output, "\n");
	}
	if (outcome == FIX_DONE && treatment && treatment->undo) {
		output_text(output, "  undo   ");
		output_wrapped(output, str_from(treatment->undo), 9, 9);
	}
}

// --- doing ---

// Whether to go on; else *out_why says why not.
static bool is_allowed(struct fixing *fixing, const struct finding *finding, const char **out_why) {
	char answer[8] = "";
	struct output *output = &fixing->in->output;
	if (fixing->asked->dry_run) {
		*out_why = "a dry run: nothing was changed";
		return false;
	}
	if (fixing->asked->yes || !finding->check->remedy->lasting) {
		return true;
	}
	if (output->is_json || !isatty(STDIN_FILENO) || !output->is_terminal) {
		*out_why = "it cannot be undone: say --yes";
		return false;
	}
	output_text(output, "  go on? [y/N] ");
	(void)output_flush(output);
	*out_why = "you did not say yes";
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static void fix(struct fixing *fixing, const struct finding *finding) {
	struct err err = ERR_INIT, untold = ERR_INIT;
	const char *why = NULL;
	struct treatment treatment = {.patient = &fixing->examination->patient,
		.finding = finding,
		.arena = fixing->in->arena,
		.call = call,
		.run = run_program,
		.arg = fixing->in};
	tell_plan(fixing, finding);
	if (fixing->counts[FIX_DONE] > 0 && is_gone(fixing->in, finding)) {
		tell_outcome(
			fixing, finding, NULL, FIX_DONE, "what was done before helped here too");
		return;
	}
	if (!is_allowed(fixing, finding, &why)) {
		tell_outcome(fixing, finding, NULL, FIX_SKIPPED, why);
		return;
	}
	bool was_applied = finding->check->remedy->apply(&treatment, &err);
	bool is_done = was_applied && wait_until_gone(fixing->in, finding, &err);
	if (was_applied &&
		!doctor_audit(fixing->in, fixing->examination->state_folder, &treatment, is_done,
			&untold)) {
		why = arena_printf(fixing->in->arena, "%s%sit is in no journal: %s",
			is_done ? "" : err.message, is_done ? "" : "; ", untold.message);
	} else if (!is_done) {
		why = arena_copy(fixing->in->arena, str_from(err.message));
	}
	tell_outcome(fixing, finding, &treatment, is_done ? FIX_DONE : FIX_NOT_DONE, why);
}

static void finish(struct fixing *fixing, struct buf *json) {
	struct output *output = &fixing->in->output;
	size_t all = fixing->counts[0] + fixing->counts[1] + fixing->counts[2];
	if (output->is_json) {
		json_end_array(&fixing->w);
		json_member_uint(&fixing->w, "done", fixing->counts[FIX_DONE]);
		json_member_uint(&fixing->w, "not_done", fixing->counts[FIX_NOT_DONE]);
		json_member_uint(&fixing->w, "skipped", fixing->counts[FIX_SKIPPED]);
		json_end_object(&fixing->w);
		output_json_line(output, buf_str(json));
	} else if (all == 0) {
		output_text(output, "nothing found that the doctor can fix\n");
	}
}

static int run(struct invocation *in, const void *options) {
	const struct fix_options *asked = options;
	const struct check *only = check_find(asked->id);
	struct examination examination;
	struct buf json = BUF_INIT;
	struct fixing fixing = {.in = in, .asked = asked, .examination = &examination};
	if (asked->id.len > 0 && !only) {
		return invocation_misuse(in, "there is no check %" STR_FMT, STR_ARG(asked->id));
	}
	if (only && !only->remedy) {
		return invocation_misuse(
			in, "%s cannot be fixed by the doctor; by hand: %s", only->id, only->fix);
	}
	examination_make(in, only, &examination);
	json_writer_init(&fixing.w, &json);
	json_begin_object(&fixing.w);
	json_key(&fixing.w, "fixes");
	json_begin_array(&fixing.w);
	for (size_t i = 0; i < examination.findings->n; i++) {
		const struct finding *finding = &examination.findings->items[i];
		if (finding->check->remedy) {
			fix(&fixing, finding);
		}
	}
	finish(&fixing, &json);
	buf_finish(&json);
	return fixing.counts[FIX_NOT_DONE] ? 1 : 0;
}

DEFINE_COMMAND(doctor_fix) = {
	.name = "doctor fix",
	.summary = "Mend what can be mended, and look again.",
	.usage = "[ID] [--dry-run] [--yes]",
	.examples = (const char *const[]){"annactl doctor fix --dry-run",
		"annactl doctor fix socket-stale --yes", NULL},
	.options =
		(const struct option[]){
			{.key = "ID",
				.type = OPTION_STRING,
				.is_positional = true,
				.offset = offsetof(struct fix_options, id),
				.help = "This finding only."},
			{.key = "dry-run",
				.letter = 'n',
				.type = OPTION_BOOL,
				.offset = offsetof(struct fix_options, dry_run),
				.help = "Say what would be done, and do nothing."},
			{.key = "yes",
				.letter = 'y',
				.type = OPTION_BOOL,
				.offset = offsetof(struct fix_options, yes),
				.help = "Do also what cannot be undone, without asking."},
			{0},
		},
	.options_size = sizeof(struct fix_options),
	.run = run,
};
