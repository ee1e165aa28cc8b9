// SPDX-License-Identifier: Apache-2.0
// Asking the helper (helper/helper.h), the second process that may do what Anna may not. One
// question is one connection; nothing waits on the loop. A helper that is not installed, refuses,
// says nonsense or says nothing is an error with what to do.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct loop;
struct helper_question;

struct helper_answer {
	int64_t exit_status;
	struct str output; // valid during the callback
	bool is_cut;	   // there was more
	int64_t duration_ms;
};

// answer NULL: it was not done, or nobody knows whether it was (ERR_SLOW, ERR_CLOSED): *err.
typedef void helper_answer_fn(void *arg, const struct helper_answer *answer, const struct err *err);

// Sends `params` (a JSON object) to the verb. on_answer comes once, later, on the loop; at the
// latest after limit_ns. NULL with *err when it cannot be asked at all; then on_answer never comes.
_must_use_ struct helper_question *helper_ask(struct loop *loop, const char *socket_path,
	const char *verb, struct str params, int64_t limit_ns, helper_answer_fn *on_answer,
	void *arg, struct err *err);
// Forgets it; what was begun goes on all the same. No callback comes any more.
void helper_forget(struct helper_question *question);
