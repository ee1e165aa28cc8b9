// SPDX-License-Identifier: Apache-2.0
// Conditions, one typed grammar everywhere:
//
//	where = { mount = "/var", used_percent = { gt = 90 }, unit = { glob = "web*" },
//	          any = [ { a = 1 }, { b = 2 } ], not = { c = 3 } }
//
// A plain value is equality; a list is "one of"; a table of operators (eq ne gt ge lt le glob
// starts ends contains in exists) must hold entirely. All members must hold. Names are
// fields and attributes of the event (event_lookup). An absent attribute fails every operator but
// exists = false and ne.
#pragma once

#include "base/arena.h"
#include "base/problems.h"
#include "flow/event.h"
#include "formats/value.h"

struct condition;

// Compiles into the arena. NULL (and problems added) when it is not valid. An absent table
// (value NULL) gives a condition that always holds.
const struct condition *condition_compile(struct arena *arena, const struct value *where,
	struct place place, struct problems *problems);

// Why a condition failed: the first test, in the order written, that did not hold.
struct condition_verdict {
	bool holds;
	char guard[128];    // "used_percent gt 90"
	char observed[128]; // "used_percent is 41.5", "mount is absent"
};

bool condition_holds(const struct condition *condition, const struct event *event);
// As holds, with the reason (or, when it holds, the guard values that were looked at).
void condition_explain(const struct condition *condition, const struct event *event,
	struct condition_verdict *out);
// Appends each test with the value it saw as a JSON object {"used_percent": 93.1, …}: what `why`
// prints as guard values and `action.started` carries.
void condition_observed(
	const struct condition *condition, const struct event *event, struct json_writer *writer);
