// SPDX-License-Identifier: Apache-2.0
// One examination: asks the daemon, looks from outside, makes the checks. All within five seconds,
// whatever hangs. See docs/decisions/0010.
#pragma once

#include "ctl/command.h"
#include "doctor/check.h"
#include "formats/json.h"

// What annactl's words about status are made for (rpc/status.c: `contract`).
#define CONTRACT_KNOWN 1

struct examination {
	struct arena *arena; // borrowed
	struct patient patient;
	struct findings *findings;
	const char *state_folder;
	int64_t took_ns;
};

// `only`: one check; NULL: all. Everything found lives in the invocation's arena.
void examination_make(struct invocation *in, const struct check *only, struct examination *out);

// doctor_ask.c: the facts that come from the daemon's answers; *out_pid is who holds the socket, or 0.
void examination_ask(struct invocation *in, struct patient *patient, int *out_pid);
// A fact from JSON that was just written; the text is copied.
const struct value *examination_parse(struct arena *arena, const struct buf *json);

// doctor_print.c
void examination_print(struct output *output, const struct examination *examination);
void examination_format(const struct examination *examination, struct json_writer *w);
int examination_status(const struct examination *examination);
