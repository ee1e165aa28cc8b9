// SPDX-License-Identifier: Apache-2.0
// The patient: what was found out about one Anna, gathered once, before any check is made. A fact has
// a name and a JSON value, or the reason why it could not be had; checks read facts and nothing else,
// so a test can make up a patient as text. What is not known is absent, never zero.
//
// Facts from the daemon's own answers (ctl/doctor_ask.c): rpc (always there: how asking went), status,
// health, capabilities, history, drift, diagnosis. Facts from outside: one per look (looks.def).
#pragma once

#include "base/arena.h"
#include "formats/value.h"

#define PATIENT_FACTS_MAX 32

struct fact {
	const char *name;
	const struct value *value; // a table; NULL: not known
	const char *missing;	   // why, when value is NULL
	bool timed_out;		   // the look did not end: something it touched hangs
};

struct patient {
	struct fact facts[PATIENT_FACTS_MAX];
	size_t n;
};

// Everything is borrowed: it lives in the arena of whoever gathers.
void patient_add(struct patient *patient, const char *name, const struct value *value);
void patient_add_missing(
	struct patient *patient, const char *name, const char *why, bool timed_out);
const struct fact *patient_find(const struct patient *patient, const char *name);

// A value by its path, the fact first: "health.memory.rss_bytes". NULL: not known, or null.
const struct value *patient_get(const struct patient *patient, const char *path);
bool patient_has(const struct patient *patient, const char *path);
int64_t patient_int(const struct patient *patient, const char *path, int64_t fallback);
double patient_number(const struct patient *patient, const char *path, double fallback);
// False also when it is not known.
bool patient_is(const struct patient *patient, const char *path);
struct str patient_str(const struct patient *patient, const char *path); // empty: not known
bool patient_says(const struct patient *patient, const char *path, const char *text);
// Items of an array; NULL past its end, or when it is not known.
const struct value *patient_item(const struct patient *patient, const char *path, size_t i);

// What health says of a part ({level, part, text, next_step}), the worst first; NULL: nothing, or that
// it could not be measured.
const struct value *patient_reason(const struct patient *patient, const char *part);

// Members of a table that is an item: as above.
struct str value_text(const struct value *table, const char *key);
int64_t value_number(const struct value *table, const char *key, int64_t fallback);
bool value_truth(const struct value *table, const char *key);
