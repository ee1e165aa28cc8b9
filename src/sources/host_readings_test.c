// SPDX-License-Identifier: Apache-2.0
// Readings, sorted into families.
#include "sources/host_readings.h"

#include "base/buf.h"
#include "formats/exposition.h"
#include "tests/check.h"

static void check_shown(const struct readings *readings, const char *expected) {
	struct buf out = BUF_INIT;
	struct exposition exposition;
	exposition_init(&exposition, &out);
	readings_collect(readings, &exposition);
	CHECK_TEXT(buf_text(&out), expected);
	buf_finish(&out);
}

TEST(samples_of_a_family_stand_together_in_their_order) {
	struct readings readings = {0};
	readings_clear(&readings);
	(void)readings_add(&readings, "b", "gauge", "B.", 1, "x", "2", NULL);
	(void)readings_add(&readings, "a", "counter", "A.", 2, NULL);
	(void)readings_add(&readings, "b", "gauge", "B.", 3, "x", "1", "y", "z", NULL);
	check_shown(&readings,
		"# HELP a A.\n# TYPE a counter\na 2\n# HELP b B.\n# TYPE b gauge\n"
		"b{x=\"2\"} 1\nb{x=\"1\",y=\"z\"} 3\n");
	readings_clear(&readings);
	check_shown(&readings, "");
	readings_finish(&readings);
}

TEST(a_set_is_bounded) {
	struct readings readings = {0};
	readings_clear(&readings);
	for (int i = 0; i < READINGS_MAX; i++) {
		CHECK(readings_add(&readings, "a", "gauge", "A.", i, NULL) != NULL);
	}
	CHECK(readings_add(&readings, "a", "gauge", "A.", 1, NULL) == NULL);
	readings_finish(&readings);
}

TEST(texts_are_clean) {
	struct readings readings = {0};
	readings_clear(&readings);
	CHECK_TEXT(readings_text(&readings, STR("a\n\xff")), "a\xEF\xBF\xBD\xEF\xBF\xBD");
	CHECK_TEXT(readings_name(&readings, "%s_%d", "a", 1), "a_1");
	readings_finish(&readings);
}

int main(void) {
	return TESTS(RUN(samples_of_a_family_stand_together_in_their_order), RUN(a_set_is_bounded),
		RUN(texts_are_clean));
}
