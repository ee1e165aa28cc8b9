// SPDX-License-Identifier: Apache-2.0
// A question whose answer takes longer than the loop has: a job writes the result, the loop sends
// it. For methods that read the journal or check a configuration.
#pragma once

#include "rpc/method.h"

struct anna;

struct question {
	struct call *call;
	struct anna *anna;
	const void *params;
	struct arena *arena; // the call's: the job's alone while it runs
	struct buf result;   // JSON
	struct json_writer writer;
	void *own; // what prepare made
	struct err err;
	struct problems *problems; // to go with err; may be NULL
	bool failed;
	// On some thread: writes one JSON value; false with *err when there is none.
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err);
	// On the loop, after the answer is written: frees what own holds; may be NULL.
	void (*finish)(struct question *question);
};

// Asks in a job, then replies or fails.
void question_ask(struct call *call, void *own,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err),
	void (*finish)(struct question *question));
// The same with own being the struct why_sources of this daemon (memory/why.h).
void question_ask_journal(struct call *call,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err));
