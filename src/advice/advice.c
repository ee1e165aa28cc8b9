// SPDX-License-Identifier: Apache-2.0
// advice.def, twice: declared, then listed; and the run over all of them.
#include "advice/advice.h"

#include "advice/survey_facts.h"
#include "config/option.h"

#define RULE(name) extern DEFINE_RULE(name);
#include "advice/advice.def"
#undef RULE

const struct rule *const advice_rules[] = {
#define RULE(name) &rule_##name,
#include "advice/advice.def"
#undef RULE
};
const size_t advice_rule_count = sizeof(advice_rules) / sizeof(advice_rules[0]);

const char *advice_level_name(enum advice_level level) {
	static const char *const names[] = {"info", "warn", "error"};
	return names[level];
}

const struct rule *advice_find_rule(struct str id) {
	for (size_t i = 0; i < advice_rule_count; i++) {
		if (str_is(id, advice_rules[i]->id)) {
			return advice_rules[i];
		}
	}
	return NULL;
}

const char *advice_nearest(struct str wrong) {
	const char *names[sizeof(advice_rules) / sizeof(advice_rules[0])];
	for (size_t i = 0; i < advice_rule_count; i++) {
		names[i] = advice_rules[i]->id;
	}
	return option_nearest(wrong, names, advice_rule_count);
}

static void run_rule(struct survey *survey, const struct rule *rule) {
	size_t unknown = survey->unjudged_count;
	survey->rule = rule;
	survey->of_rule = survey->left_out = 0;
	rule->look(survey);
	if (survey->left_out && survey->n) {
		struct finding *last = &survey->findings[survey->n - 1];
		last->evidence = survey_text(
			survey, "%s; and %zu more like it", last->evidence, survey->left_out);
	}
	survey->judged_count += survey->unjudged_count == unknown;
}

void advice_run(struct survey *survey, const struct rule *only) {
	survey->facts = ARENA_NEW(survey->root.arena, struct survey_facts);
	for (size_t i = 0; i < advice_rule_count; i++) {
		if (!only || only == advice_rules[i]) {
			run_rule(survey, advice_rules[i]);
		}
	}
}

static void member_if(struct json_writer *out, const char *key, const char *text) {
	if (text) {
		json_member_text(out, key, text);
	}
}

static void write_references(const struct rule *rule, struct json_writer *out) {
	json_key(out, "references");
	json_begin_array(out);
	for (const char *const *reference = rule->references; reference && *reference;
		reference++) {
		json_text(out, *reference);
	}
	json_end_array(out);
}

void advice_write_rule(const struct rule *rule, struct json_writer *out) {
	json_member_text(out, "id", rule->id);
	json_member_text(out, "level", advice_level_name(rule->level));
	json_member_text(out, "category", rule->category);
	json_member_text(out, "title", rule->title);
	json_member_text(out, "reads", rule->reads);
	json_member_text(out, "reason", rule->reason);
	member_if(out, "fix", rule->fix);
	member_if(out, "risk", rule->risk);
	write_references(rule, out);
	json_member_text(out, "explain", rule->explain);
}

static void write_finding(const struct finding *finding, struct json_writer *out) {
	const struct rule *rule = finding->rule;
	json_begin_object(out);
	json_member_text(out, "id", rule->id);
	json_member_text(out, "level", advice_level_name(finding->level));
	json_member_text(out, "category", rule->category);
	json_member_text(out, "title", rule->title);
	json_member_text(out, "evidence", finding->evidence);
	json_member_text(out, "reason", rule->reason);
	member_if(out, "fix", finding->fix ? finding->fix : rule->fix);
	member_if(out, "risk", rule->risk);
	write_references(rule, out);
	json_end_object(out);
}

void advice_write(const struct survey *survey, struct json_writer *out) {
	json_begin_object(out);
	json_member_time(out, "generated_at", survey->now_wall_ns);
	json_member_uint(out, "checked", survey->judged_count);
	json_key(out, "findings");
	json_begin_array(out);
	for (int level = ADVICE_ERROR; level >= ADVICE_INFO; level--) {
		for (size_t i = 0; i < survey->n; i++) {
			if (survey->findings[i].level == (enum advice_level)level) {
				write_finding(&survey->findings[i], out);
			}
		}
	}
	json_end_array(out);
	json_key(out, "unknown");
	json_begin_array(out);
	for (size_t i = 0; i < survey->unjudged_count; i++) {
		json_begin_object(out);
		json_member_text(out, "id", survey->unjudged[i].rule->id);
		json_member_text(out, "why", survey->unjudged[i].why);
		json_end_object(out);
	}
	json_end_array(out);
	json_end_object(out);
}
