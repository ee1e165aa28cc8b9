// SPDX-License-Identifier: Apache-2.0
// Why a command could not do what it was asked: what happened, where, and the next step. Always
// printed on stderr; with --json as one object. The exit status comes from base/errors.def.
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "formats/value.h"

struct output;
struct diagnosis;

// Exit statuses that stand for no error (see errors.def for the others).
enum {
	EXIT_USAGE = 2,
	EXIT_DEGRADED = 10,
	EXIT_CRITICAL = 11
};

struct failure {
	struct err err;
	int rpc_code;	 // as the daemon said it; 0: that of err.code
	char name[40];	 // empty: that of err.code
	char where[200]; // empty: not said
	char next[280];	 // empty: the hint of err.code
	int exit_status; // 0: that of err.code
	bool is_retryable;
	int retry_after_ms;
	// The daemon could not be asked at all: annactl looks for itself what is wrong with it.
	bool is_unreachable;
	// All mistakes of a configuration, [{file, line, column, severity, message}], in the
	// arena of the call; NULL: none.
	const struct value *problems;
	int peer_pid; // who holds the socket, when it was connected; else 0
};

#define FAILURE_INIT \
	{ .err = ERR_INIT }

// All of them return false, so that a failing function may end `return failure_set(...)`.
_printf_(3, 4) bool failure_set(
	struct failure *failure, enum err_code code, const char *format, ...);
bool failure_from_err(struct failure *failure, const struct err *err);
// The `error` member of a JSON-RPC answer. Codes this build does not know keep number and name.
bool failure_from_answer(struct failure *failure, const struct value *error);
_printf_(2, 3) bool failure_set_next(struct failure *failure, const char *format, ...);

int failure_exit_status(const struct failure *failure);
const char *failure_name(const struct failure *failure);
const char *failure_next(const struct failure *failure);
// [{file, line, column, severity, message}], one a line.
void print_problems(struct output *output, const struct value *problems);
// To stderr, as text or, with --json, as one JSON object; `diagnosis` may be NULL.
void failure_print(const struct failure *failure, const struct diagnosis *diagnosis,
	const struct output *output);
