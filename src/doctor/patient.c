// SPDX-License-Identifier: Apache-2.0
// Facts by name and path; see patient.h.
#include "doctor/patient.h"

#include <string.h>

static struct fact *add(struct patient *patient, const char *name) {
	assert(patient->n < PATIENT_FACTS_MAX); // a fixed set of names
	struct fact *fact = &patient->facts[patient->n++];
	*fact = (struct fact){.name = name};
	return fact;
}

void patient_add(struct patient *patient, const char *name, const struct value *value) {
	add(patient, name)->value = value;
}

void patient_add_missing(
	struct patient *patient, const char *name, const char *why, bool timed_out) {
	struct fact *fact = add(patient, name);
	fact->missing = why;
	fact->timed_out = timed_out;
}

const struct fact *patient_find(const struct patient *patient, const char *name) {
	for (size_t i = 0; i < patient->n; i++) {
		if (strcmp(patient->facts[i].name, name) == 0) {
			return &patient->facts[i];
		}
	}
	return NULL;
}

const struct value *patient_get(const struct patient *patient, const char *path) {
	struct str rest = str_from(path), part;
	const struct value *value = NULL;
	bool is_first = true;
	while (str_split(&rest, '.', &part)) {
		if (is_first) {
			for (size_t i = 0; i < patient->n; i++) {
				if (str_is(part, patient->facts[i].name)) {
					value = patient->facts[i].value;
				}
			}
		} else {
			value = value_get(value, part);
		}
		is_first = false;
	}
	return value && value->type == VALUE_NULL ? NULL : value;
}

bool patient_has(const struct patient *patient, const char *path) {
	return patient_get(patient, path) != NULL;
}

int64_t patient_int(const struct patient *patient, const char *path, int64_t fallback) {
	const struct value *value = patient_get(patient, path);
	return value && value->type == VALUE_INT ? value->integer : fallback;
}

double patient_number(const struct patient *patient, const char *path, double fallback) {
	double number;
	return value_to_double(patient_get(patient, path), &number) ? number : fallback;
}

bool patient_is(const struct patient *patient, const char *path) {
	const struct value *value = patient_get(patient, path);
	return value && value->type == VALUE_BOOL && value->boolean;
}

struct str patient_str(const struct patient *patient, const char *path) {
	const struct value *value = patient_get(patient, path);
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

bool patient_says(const struct patient *patient, const char *path, const char *text) {
	return str_is(patient_str(patient, path), text);
}

const struct value *patient_item(const struct patient *patient, const char *path, size_t i) {
	const struct value *value = patient_get(patient, path);
	return value && value->type == VALUE_ARRAY && i < value->array.n ? &value->array.items[i]
									 : NULL;
}

const struct value *patient_reason(const struct patient *patient, const char *part) {
	const struct value *reason;
	for (size_t i = 0; (reason = patient_item(patient, "health.reasons", i)); i++) {
		if (str_is(value_text(reason, "part"), part) &&
			!str_is(value_text(reason, "level"), "unknown")) {
			return reason;
		}
	}
	return NULL;
}

struct str value_text(const struct value *table, const char *key) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

int64_t value_number(const struct value *table, const char *key, int64_t fallback) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type == VALUE_INT ? value->integer : fallback;
}

bool value_truth(const struct value *table, const char *key) {
	const struct value *value = value_get(table, str_from(key));
	return value && value->type == VALUE_BOOL && value->boolean;
}
