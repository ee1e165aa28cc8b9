// SPDX-License-Identifier: Apache-2.0
// A check of the doctor: one file in src/doctor/ that ends in its descriptor, one row in checks.def,
// one page docs/guide/findings/ID.md. It reads the patient's facts and adds findings, each with its
// evidence; nothing else. A check whose needs are not known is not made, and that is said.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "doctor/patient.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_CRITICAL
};
const char *severity_name(enum severity severity);

struct evidence {
	const char *where; // a path, a pid, a method: where it can be seen again
	const char *text;
};

#define EVIDENCE_MAX 8

struct finding {
	const struct check *check;
	enum severity severity;
	const char *subject; // which one, where there may be several; "" else
	const char *what;
	const char *fix; // what to run
	struct evidence evidence[EVIDENCE_MAX];
	size_t evidence_count;
	int64_t pid; // what its remedy acts on, where that is a process; 0: none
};

struct unmade {
	const struct check *check;
	const char *why;
};

#define FINDINGS_MAX 200

// All text lives in the arena.
struct findings {
	struct arena *arena;
	const struct check *check; // the one being made
	struct finding items[FINDINGS_MAX];
	size_t n;
	size_t dropped; // beyond FINDINGS_MAX
	struct unmade *unmade;
	size_t unmade_count;
	size_t made;
};

struct treatment;

// What the doctor can do about it by herself.
struct remedy {
	const char *summary; // "removes the socket nobody listens on"
	const char *lasting; // why it cannot be undone; NULL: it can, and `undo` says how
	// Does it; false with *err, and then nothing was changed or the message says what.
	bool (*apply)(struct treatment *treatment, struct err *err);
};

struct check {
	const char *id;	   // the row's name with dashes; never changes its meaning
	const char *title; // what it looks at, a few words
	enum severity severity;
	const char *const *needs; // facts, or paths into them; NULL-terminated
	void (*examine)(const struct patient *patient, struct findings *out);
	const char *fix; // what to run, when the finding does not say it better
	const struct remedy *remedy;
};

#define DEFINE_CHECK(name) const struct check check_##name
#define NEEDS(...) ((const char *const[]){__VA_ARGS__, NULL})

extern const struct check *const check_table[];
extern const size_t check_count;
const struct check *check_find(struct str id);

// --- what examine uses ---
_printf_(3, 4) void found(struct findings *out, const char *subject, const char *format, ...);
// Of the finding last added.
_printf_(3, 4) void found_at(struct findings *out, const char *where, const char *format, ...);
_printf_(2, 3) void found_fix(struct findings *out, const char *format, ...);
void found_severity(struct findings *out, enum severity severity);
void found_pid(struct findings *out, int64_t pid);
// Nothing can be said after all, and why: where `needs` cannot tell.
void not_made(struct findings *out, const char *why);

// A path as a word of a shell: as it is, or in quotes where it must be.
const char *quoted(struct arena *arena, const char *path);

// --- what annactl uses ---
// Makes all checks, or one; findings are sorted, the worst first.
void checks_make(const struct patient *patient, const struct check *only, struct findings *out);
