// SPDX-License-Identifier: Apache-2.0
// The table of checks, making them, and collecting what they find; see check.h.
#include "doctor/check.h"

#include <stdarg.h>

#define CHECK(name) extern const struct check check_##name;
#include "doctor/checks.def"
#undef CHECK

const struct check *const check_table[] = {
#define CHECK(name) &check_##name,
#include "doctor/checks.def"
#undef CHECK
};
const size_t check_count = sizeof(check_table) / sizeof(*check_table);

const char *severity_name(enum severity severity) {
	static const char *const names[] = {"info", "warning", "critical"};
	return names[severity];
}

const struct check *check_find(struct str id) {
	for (size_t i = 0; i < check_count; i++) {
		if (str_is(id, check_table[i]->id)) {
			return check_table[i];
		}
	}
	return NULL;
}

_printf_(2, 0) static const char *print(struct arena *arena, const char *format, va_list args) {
	struct buf text = BUF_INIT;
	buf_vappendf(&text, format, args);
	const char *copy = arena_copy(arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

void found(struct findings *out, const char *subject, const char *format, ...) {
	va_list args;
	if (out->n == FINDINGS_MAX) {
		out->dropped++;
		return;
	}
	struct finding *finding = &out->items[out->n++];
	*finding = (struct finding){.check = out->check,
		.severity = out->check->severity,
		.subject = subject ? arena_copy(out->arena, str_from(subject)) : "",
		.fix = out->check->fix};
	va_start(args, format);
	finding->what = print(out->arena, format, args);
	va_end(args);
}

// The finding last added by this check; NULL when there was no room for it.
static struct finding *last(struct findings *out) {
	return out->dropped || out->n == 0 ? NULL : &out->items[out->n - 1];
}

void found_at(struct findings *out, const char *where, const char *format, ...) {
	struct finding *finding = last(out);
	if (finding && finding->evidence_count < EVIDENCE_MAX) {
		struct evidence *evidence = &finding->evidence[finding->evidence_count++];
		va_list args;
		va_start(args, format);
		evidence->where = arena_copy(out->arena, str_from(where));
		evidence->text = print(out->arena, format, args);
		va_end(args);
	}
}

void found_fix(struct findings *out, const char *format, ...) {
	struct finding *finding = last(out);
	if (finding) {
		va_list args;
		va_start(args, format);
		finding->fix = print(out->arena, format, args);
		va_end(args);
	}
}

void found_severity(struct findings *out, enum severity severity) {
	struct finding *finding = last(out);
	if (finding) {
		finding->severity = severity;
	}
}

void found_pid(struct findings *out, int64_t pid) {
	struct finding *finding = last(out);
	if (finding) {
		finding->pid = pid;
	}
}

const char *quoted(struct arena *arena, const char *path) {
	struct buf text = BUF_INIT;
	bool is_plain = path[0] != '\0' && path[0] != '-';
	for (const char *c = path; *c && is_plain; c++) {
		is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= '0' && *c <= '9') || strchr("/._-+:@%,", *c);
	}
	if (is_plain) {
		return path;
	}
	buf_append_char(&text, '\'');
	for (const char *c = path; *c; c++) {
		if (*c == '\'') {
			buf_append_text(&text, "'\\''");
		} else {
			buf_append_char(&text, *c);
		}
	}
	buf_append_char(&text, '\'');
	const char *copy = arena_copy(arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

void not_made(struct findings *out, const char *why) {
	out->unmade[out->unmade_count++] = (struct unmade){out->check, why};
	out->made--;
}

// Of a path that is not in its fact: mostly because the thing itself is not there.
static const char *describe_missing(
	const struct fact *fact, const char *need, struct arena *arena) {
	const struct value *exists = value_get(fact->value, STR("exists"));
	if (str_starts(str_from(need), STR("processes.daemon")) &&
		!value_get(fact->value, STR("daemon"))) {
		return "no annad runs here";
	}
	if (exists && exists->type == VALUE_BOOL && !exists->boolean) {
		return arena_printf(arena, "%" STR_FMT " is not there",
			STR_ARG(value_text(fact->value, "path")));
	}
	return arena_printf(arena, "%s is not known", need);
}

// Why a check cannot be made; NULL: it can.
static const char *missing_need(
	const struct patient *patient, const struct check *check, struct arena *arena) {
	for (const char *const *need = check->needs; need && *need; need++) {
		struct str rest = str_from(*need), name;
		(void)str_split(&rest, '.', &name);
		const struct fact *fact = patient_find(patient, arena_copy(arena, name));
		if (!fact || !fact->value) {
			return fact ? fact->missing : "this annactl does not know that fact";
		}
		if (!patient_has(patient, *need)) {
			return describe_missing(fact, *need, arena);
		}
	}
	return NULL;
}

// By insertion: few, and equal ones keep their order.
static void sort(struct findings *out) {
	for (size_t i = 1; i < out->n; i++) {
		struct finding moved = out->items[i];
		size_t at = i;
		while (at > 0 && out->items[at - 1].severity < moved.severity) {
			out->items[at] = out->items[at - 1];
			at--;
		}
		out->items[at] = moved;
	}
}

void checks_make(const struct patient *patient, const struct check *only, struct findings *out) {
	out->unmade = arena_array(out->arena, check_count, sizeof(*out->unmade));
	for (size_t i = 0; i < check_count; i++) {
		const struct check *check = check_table[i];
		if (only && only != check) {
			continue;
		}
		const char *missing = missing_need(patient, check, out->arena);
		if (missing) {
			out->unmade[out->unmade_count++] = (struct unmade){check, missing};
			continue;
		}
		out->check = check;
		out->made++;
		check->examine(patient, out);
	}
	sort(out);
}
