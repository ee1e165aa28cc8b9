// SPDX-License-Identifier: Apache-2.0
// Tests of patient.h: facts by path; what is not known is never taken for a value.
#include "doctor/patient.h"

#include "formats/json.h"
#include "tests/check.h"

struct fixture {
	struct arena *arena;
	struct patient patient;
};

static void begin(struct fixture *fixture) {
	*fixture = (struct fixture){.arena = arena_create()};
	patient_add(&fixture->patient, "health",
		json_parse(fixture->arena,
			STR("{\"a\":{\"b\":7,\"n\":null},\"text\":\"x\",\"yes\":true,\"half\":0.5,"
			    "\"list\":[{\"id\":1},{\"id\":2}],"
			    "\"reasons\":[{\"part\":\"rpc\",\"text\":\"slow\"}]}"),
			JSON_DEPTH, NULL));
	patient_add_missing(&fixture->patient, "state", "it is hidden", false);
}

TEST(values_are_found_by_path) {
	struct fixture f;
	begin(&f);
	CHECK_INT(patient_int(&f.patient, "health.a.b", -1), 7);
	CHECK_STR(patient_str(&f.patient, "health.text"), "x");
	CHECK(patient_is(&f.patient, "health.yes"));
	CHECK_DOUBLE(patient_number(&f.patient, "health.half", 0), 0.5);
	CHECK(patient_says(&f.patient, "health.text", "x"));
	arena_destroy(f.arena);
}

TEST(what_is_not_there_gives_the_fallback) {
	struct fixture f;
	begin(&f);
	CHECK(!patient_has(&f.patient, "health.a.n"));
	CHECK(!patient_has(&f.patient, "health.a.b.c"));
	CHECK(!patient_has(&f.patient, "state.mode"));
	CHECK(!patient_has(&f.patient, "nothing"));
	CHECK_INT(patient_int(&f.patient, "health.text", -1), -1);
	CHECK_STR(patient_str(&f.patient, "health.a.b"), "");
	CHECK(!patient_is(&f.patient, "health.text"));
	arena_destroy(f.arena);
}

TEST(a_missing_fact_keeps_its_reason) {
	struct fixture f;
	begin(&f);
	CHECK_TEXT(patient_find(&f.patient, "state")->missing, "it is hidden");
	CHECK(patient_find(&f.patient, "health")->missing == NULL);
	CHECK(patient_find(&f.patient, "other") == NULL);
	arena_destroy(f.arena);
}

TEST(items_end_with_null) {
	struct fixture f;
	begin(&f);
	CHECK_INT(value_number(patient_item(&f.patient, "health.list", 1), "id", 0), 2);
	CHECK(patient_item(&f.patient, "health.list", 2) == NULL);
	CHECK(patient_item(&f.patient, "health.text", 0) == NULL);
	CHECK_STR(value_text(patient_reason(&f.patient, "rpc"), "text"), "slow");
	CHECK(patient_reason(&f.patient, "memory") == NULL);
	arena_destroy(f.arena);
}

int main(void) {
	return TESTS(RUN(values_are_found_by_path), RUN(what_is_not_there_gives_the_fallback),
		RUN(a_missing_fact_keeps_its_reason), RUN(items_end_with_null));
}
