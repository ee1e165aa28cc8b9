// SPDX-License-Identifier: Apache-2.0
// A configuration somebody asks about: a file, a text, or by default the daemon's own files. It is
// read and checked, and never taken on.
#pragma once

#include "config/snapshot.h"
#include "rpc/question.h"

struct candidate_params {
	struct str path;
	struct str text;
};
extern const struct option candidate_rows[];

struct candidate {
	struct snapshot *snapshot; // NULL: it has errors
	struct problems problems;
	struct snapshot *active; // the one in force, a reference
	uint64_t generation;	 // its number
};

// Asks in a job about the candidate of a call with candidate_rows; question->own is the candidate.
// Reading a named file or text is for admins: errors quote what they find.
void candidate_ask(struct call *call,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err));
// In the job: reads and checks. False when there is nothing to check (no such file).
_must_use_ bool candidate_read(struct question *question, struct err *err);
