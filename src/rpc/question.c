// SPDX-License-Identifier: Apache-2.0
// One job per question; its arena and buffer are nobody else's until it is done.
#include "rpc/question.h"

#include "io/worker.h"
#include "memory/why.h"
#include "rpc/anna.h"

static void run(void *arg) {
	struct question *question = arg;
	json_writer_init(&question->writer, &question->result);
	question->failed = !question->ask(question, &question->writer, &question->err);
}

// Moves a list.
static void problems_take(struct problems *to, struct problems *from) {
	*to = *from;
	*from = (struct problems)PROBLEMS_INIT;
}

static void end(struct question *question) {
	// The question lives in the call's arena and goes with the answer; what it owns goes first.
	struct buf result = question->result;
	struct call *call = question->call;
	if (!question->failed) {
		json_raw(call_result(call), buf_str(&result));
		buf_finish(&result);
		if (question->finish) {
			question->finish(question);
		}
		call_reply(call);
		return;
	}
	struct err err = question->err;
	struct problems problems = PROBLEMS_INIT;
	bool has_problems = question->problems != NULL;
	if (has_problems) {
		problems_take(&problems, question->problems);
	}
	if (question->finish) {
		question->finish(question);
	}
	buf_finish(&result);
	if (has_problems) {
		call_fail_problems(call, &err, &problems);
	} else {
		call_fail(call, &err);
	}
	problems_finish(&problems);
}

static void on_done(void *arg) {
	end(arg);
}

void question_ask(struct call *call, void *own,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err),
	void (*finish)(struct question *question)) {
	struct question *question = ARENA_NEW(call_arena(call), struct question);
	question->call = call;
	question->anna = call_anna(call);
	question->params = call_params(call);
	question->arena = call_arena(call);
	question->own = own;
	question->ask = ask;
	question->finish = finish;
	if (!jobs_run_asked(anna_services(question->anna)->jobs, run, on_done, question)) {
		question->failed = true;
		err_set(&question->err, ERR_BUSY,
			"as many questions as Anna takes at once are waiting already");
		end(question);
	}
}

void question_ask_journal(struct call *call,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err)) {
	struct anna *anna = call_anna(call);
	struct why_sources *sources = ARENA_NEW(call_arena(call), struct why_sources);
	*sources = (struct why_sources){.fs = anna_services(anna)->fs,
		.journal_folder = anna_journal_folder(anna),
		.state_folder = anna_state_folder(anna),
		.schema = anna_schema(anna),
		.mappings = anna_mappings(anna),
		.kinds = bus_kinds(anna_services(anna)->bus)};
	question_ask(call, sources, ask, NULL);
}
