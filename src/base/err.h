// SPDX-License-Identifier: Apache-2.0
// An expected failure: a code from one table and a message complete enough to show a person
// (what happened, where, what to do next). A function that fails writes *err and no output; one
// that succeeds writes outputs and leaves *err alone. Errors are values on the caller's stack.
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "base/attributes.h"

enum err_code {
	ERR_NONE = 0,
#define ERROR(symbol, rpc, name, http, exit, retryable, after, text, hint) ERR_##symbol,
#include "base/errors.def"
#undef ERROR
	ERR_COUNT
};

struct err {
	enum err_code code;
	char message[480];
};

#define ERR_INIT \
	{ ERR_NONE, "" }

// One row of errors.def.
struct err_row {
	enum err_code code;
	int rpc_code;
	const char *name;
	int http_status;
	int exit_status;
	bool retryable;
	int retry_after_ms;
	const char *text;
	const char *hint;
};

// The row of a code; ERR_INTERNAL's for a code out of range. Never NULL.
const struct err_row *err_row(enum err_code code);
// The code whose row carries this JSON-RPC number, or ERR_INTERNAL.
enum err_code err_from_rpc(int rpc_code);

// Writes the error and returns false, so that a failing function may end `return err_set(...)`.
// A NULL err is allowed: the failure is then only the false.
_printf_(3, 4) bool err_set(struct err *err, enum err_code code, const char *format, ...);
// As err_set, with ": <text of errno>" appended; ERR_IO unless errno says DENIED or NOT_FOUND.
_printf_(2, 3) bool err_errno(struct err *err, const char *format, ...);
// Puts "text: " before the message of an error that is being handed up; returns false.
_printf_(2, 3) bool err_prefix(struct err *err, const char *format, ...);
