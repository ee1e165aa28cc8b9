// SPDX-License-Identifier: Apache-2.0
// Findings for people and programs. What could not be checked is always said: silence means that it
// was looked at and is well.
#include "ctl/doctor_examine.h"

#define PAGES "docs/guide/findings/"

static enum style style_of(enum severity severity) {
	return severity == SEVERITY_CRITICAL   ? STYLE_BAD
		: severity == SEVERITY_WARNING ? STYLE_WARN
					       : STYLE_DIM;
}

static void print_member(struct output *output, const char *label, struct str text) {
	output_printf(output, "  %-6s", label);
	output_wrapped(output, text, 8, 8);
}

static void print_finding(struct output *output, const struct finding *finding) {
	struct buf text = BUF_INIT;
	const char *severity = severity_name(finding->severity);
	output_style(output, style_of(finding->severity), str_from(severity));
	output_text(output, "  ");
	output_style(output, STYLE_BOLD, str_from(finding->check->id));
	output_text(output, "\n");
	print_member(output, "what", str_from(finding->what));
	for (size_t i = 0; i < finding->evidence_count; i++) {
		buf_clear(&text);
		buf_appendf(&text, "%s: %s", finding->evidence[i].where, finding->evidence[i].text);
		print_member(output, i ? "" : "seen", buf_str(&text));
	}
	print_member(output, "fix", str_from(finding->fix));
	if (finding->check->remedy) {
		buf_clear(&text);
		buf_appendf(&text, "or annactl doctor fix %s: %s", finding->check->id,
			finding->check->remedy->summary);
		print_member(output, "", buf_str(&text));
	}
	buf_clear(&text);
	buf_appendf(&text, "annactl doctor explain %s", finding->check->id);
	print_member(output, "page", buf_str(&text));
	output_text(output, "\n");
	buf_finish(&text);
}

// "why: id, id, id", each reason once.
static void print_unmade(struct output *output, const struct findings *findings) {
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < findings->unmade_count; i++) {
		const char *why = findings->unmade[i].why;
		bool is_first = true;
		for (size_t j = 0; j < i; j++) {
			is_first = is_first && strcmp(findings->unmade[j].why, why) != 0;
		}
		if (!is_first) {
			continue;
		}
		buf_clear(&text);
		buf_appendf(&text, "%s:", why);
		for (size_t j = i; j < findings->unmade_count; j++) {
			if (strcmp(findings->unmade[j].why, why) == 0) {
				buf_appendf(&text, "%s %s", j > i ? "," : "",
					findings->unmade[j].check->id);
			}
		}
		output_text(output, "  ");
		output_wrapped(output, buf_str(&text), 2, 4);
	}
	buf_finish(&text);
}

void examination_print(struct output *output, const struct examination *examination) {
	const struct findings *findings = examination->findings;
	for (size_t i = 0; i < findings->n; i++) {
		print_finding(output, &findings->items[i]);
	}
	if (findings->n == 0) {
		output_style(output, STYLE_GOOD, STR("nothing found"));
	} else {
		output_printf(output, "%zu found", findings->n + findings->dropped);
	}
	output_printf(output, ": %zu checks made", findings->made);
	if (findings->unmade_count > 0) {
		output_printf(output, ", %zu could not be made\n", findings->unmade_count);
		print_unmade(output, findings);
	} else {
		output_text(output, "\n");
	}
}

static void format_finding(const struct finding *finding, struct json_writer *w) {
	char page[200];
	(void)snprintf(page, sizeof(page), PAGES "%s.md", finding->check->id);
	json_begin_object(w);
	json_member_text(w, "id", finding->check->id);
	json_member_text(w, "severity", severity_name(finding->severity));
	json_member_text(w, "subject", finding->subject[0] ? finding->subject : NULL);
	json_member_text(w, "what", finding->what);
	json_key(w, "evidence");
	json_begin_array(w);
	for (size_t i = 0; i < finding->evidence_count; i++) {
		json_begin_object(w);
		json_member_text(w, "where", finding->evidence[i].where);
		json_member_text(w, "text", finding->evidence[i].text);
		json_end_object(w);
	}
	json_end_array(w);
	json_member_text(w, "fix", finding->fix);
	json_member_bool(w, "can_fix", finding->check->remedy != NULL);
	json_member_text(w, "page", page);
	json_end_object(w);
}

void examination_format(const struct examination *examination, struct json_writer *w) {
	static const char *const words[] = {"ok", "info", "warning", "critical"};
	const struct findings *findings = examination->findings;
	json_begin_object(w);
	// The first is the worst.
	json_member_text(w, "worst", words[findings->n ? findings->items[0].severity + 1 : 0]);
	json_key(w, "findings");
	json_begin_array(w);
	for (size_t i = 0; i < findings->n; i++) {
		format_finding(&findings->items[i], w);
	}
	json_end_array(w);
	json_member_uint(w, "dropped", findings->dropped);
	json_member_uint(w, "checks", check_count);
	json_member_uint(w, "made", findings->made);
	json_key(w, "not_made");
	json_begin_array(w);
	for (size_t i = 0; i < findings->unmade_count; i++) {
		json_begin_object(w);
		json_member_text(w, "id", findings->unmade[i].check->id);
		json_member_text(w, "why", findings->unmade[i].why);
		json_end_object(w);
	}
	json_end_array(w);
	json_member_int(w, "took_ms", examination->took_ns / NS_PER_MS);
	json_end_object(w);
}

int examination_status(const struct examination *examination) {
	const struct findings *findings = examination->findings;
	enum severity worst = findings->n ? findings->items[0].severity : SEVERITY_INFO;
	return worst == SEVERITY_CRITICAL   ? EXIT_CRITICAL
		: worst == SEVERITY_WARNING ? EXIT_DEGRADED
					    : 0;
}
