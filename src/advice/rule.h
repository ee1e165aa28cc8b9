// SPDX-License-Identifier: Apache-2.0
// A rule of the advisor: one file in src/advice/ that ends in its descriptor, one row in advice.def. It
// reads the real state of the host below a root and adds a finding with the evidence, or none. A rule
// that cannot read what it needs says so (survey_unknown): that is neither good nor bad.
#pragma once

#include "advice/survey.h"

struct rule {
	const char *id; // "swap-missing"
	enum advice_level level;
	const char *category; // cpu, memory, storage, system, security, power, packages, network
	const char *title;    // what is not as it should be, without a full stop
	const char *reads;    // the files it looks at
	const char *reason;   // why that matters: a sentence or two
	// The command that mends it, or that shows more where a person has to decide; NULL: each finding
	// says its own, or there is none.
	const char *fix;
	const char *risk;	       // what the fix may do that is not wanted
	const char *const *references; // manual pages and documents; ends with NULL
	const char *explain;	       // how the rule judges, and when to leave it
	void (*look)(struct survey *survey);
};

#define DEFINE_RULE(name) const struct rule rule_##name

// All rules, in the order of advice.def.
extern const struct rule *const advice_rules[];
extern const size_t advice_rule_count;
