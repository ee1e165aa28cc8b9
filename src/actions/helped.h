// SPDX-License-Identifier: Apache-2.0
// What the actions that ask the helper share: the question, its time limit, and what its answer
// makes of the run. Private to src/actions.
#pragma once

#include "engine/action.h"

// Asks `verb` with `params` (a JSON object); ends the run when the answer comes.
void helped_run(struct action_call *call, const char *verb, struct str params, int64_t limit_ns);
void helped_cancel(struct action_call *call);
