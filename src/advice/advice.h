// SPDX-License-Identifier: Apache-2.0
// The advisor: runs the rules of advice.def over one survey and writes what they found.
#pragma once

#include "advice/rule.h"
#include "formats/json.h"

// All rules, or the one given. Blocks; for a job.
void advice_run(struct survey *survey, const struct rule *only);
// NULL when there is none.
const struct rule *advice_find_rule(struct str id);
// The nearest id for "did you mean"; NULL when none is near.
const char *advice_nearest(struct str wrong);
const char *advice_level_name(enum advice_level level);

// {generated_at, checked, findings: […] (the worst first), unknown: [{id, why}]}
void advice_write(const struct survey *survey, struct json_writer *out);
// The members of a rule: {id, level, category, title, reads, reason, fix, risk, references, explain}.
void advice_write_rule(const struct rule *rule, struct json_writer *out);
