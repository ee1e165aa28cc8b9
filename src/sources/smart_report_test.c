// SPDX-License-Identifier: Apache-2.0
// Reports in the shape of smartctl(8) 7.3 --json, shortened.
#include "sources/smart_report.h"

#include "tests/check.h"

static const char ata[] =
	"{\"smartctl\":{\"version\":[7,3],\"exit_status\":0},\"model_name\":\"WDC WD40EFRX\","
	"\"smart_status\":{\"passed\":true},\"ata_smart_attributes\":{\"table\":["
	"{\"id\":5,\"name\":\"Reallocated_Sector_Ct\",\"value\":200,\"raw\":{\"value\":3}},"
	"{\"id\":197,\"name\":\"Current_Pending_Sector\",\"raw\":{\"value\":PENDING}},"
	"{\"id\":198,\"raw\":{\"value\":0}}]},"
	"\"power_on_time\":{\"hours\":41234},\"temperature\":{\"current\":31}}";

static const char nvme[] =
	"{\"smartctl\":{\"exit_status\":0},\"model_name\":\"Samsung SSD 970\","
	"\"smart_status\":{\"passed\":true,\"nvme\":{\"value\":0}},"
	"\"nvme_smart_health_information_log\":{\"critical_warning\":0,\"temperature\":35,"
	"\"available_spare\":100,\"percentage_used\":USED,\"media_errors\":0},"
	"\"temperature\":{\"current\":35},\"power_on_time\":{\"hours\":1200}}";

static const char *with(const char *text, const char *mark, const char *value) {
	static char out[2048];
	const char *found = strstr(text, mark);
	CHECK(found != NULL);
	(void)snprintf(out, sizeof(out), "%.*s%s%s", (int)(found - text), text, value,
		found + strlen(mark));
	return out;
}

TEST(an_ata_report_gives_its_numbers_and_leaves_the_others_unknown) {
	struct smart_report report;
	char reason[160];
	CHECK(smart_parse(str_from(with(ata, "PENDING", "0")), &report, NULL));
	CHECK_INT(report.passed.value, 1);
	CHECK_INT(report.reallocated.value, 3);
	CHECK_INT(report.celsius.value, 31);
	CHECK_INT(report.power_on_hours.value, 41234);
	CHECK(!report.media_errors.is_known && !report.used_percent.is_known);
	CHECK_TEXT(report.model, "WDC WD40EFRX");
	CHECK(!smart_is_failing(&report, reason, sizeof(reason)));
}

TEST(pending_sectors_and_spent_endurance_are_reasons_to_replace_a_disk) {
	struct smart_report report;
	char reason[160];
	CHECK(smart_parse(str_from(with(ata, "PENDING", "8")), &report, NULL));
	CHECK(smart_is_failing(&report, reason, sizeof(reason)));
	CHECK(strstr(reason, "8 sectors") != NULL);
	CHECK(smart_parse(str_from(with(nvme, "USED", "104")), &report, NULL));
	CHECK(smart_is_failing(&report, reason, sizeof(reason)));
	CHECK(strstr(reason, "104 %") != NULL);
	CHECK(smart_parse(str_from(with(nvme, "USED", "99")), &report, NULL));
	CHECK(!smart_is_failing(&report, reason, sizeof(reason)));
	CHECK(smart_parse(
		STR("{\"smartctl\":{\"exit_status\":8},\"smart_status\":{\"passed\":false}}"),
		&report, NULL));
	CHECK(smart_is_failing(&report, reason, sizeof(reason)));
}

TEST(a_disk_that_could_not_be_asked_is_an_error_with_smartctls_own_words) {
	struct smart_report report;
	struct err err = ERR_INIT;
	CHECK(!smart_parse(STR("{\"smartctl\":{\"messages\":[{\"string\":\"Unable to detect device "
			       "type\",\"severity\":\"error\"}],\"exit_status\":1}}"),
		&report, &err));
	CHECK(strstr(err.message, "Unable to detect device type") != NULL);
	static const char *const bad[] = {"", "[]", "{}", "{\"smartctl\":[]}",
		"{\"smartctl\":{\"exit_status\":\"0\"}}", "{\"smartctl\":{\"exit_status\":2}}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK(!smart_parse(str_from(bad[i]), &report, &err));
	}
}

TEST(a_sleeping_disk_is_no_error_and_knows_nothing) {
	struct smart_report report;
	CHECK(smart_parse(STR("{\"smartctl\":{\"exit_status\":2,\"messages\":[{\"string\":\"Device "
			      "is in STANDBY mode, exit(2)\"}]},\"power_mode\":{\"ata_value\":0,"
			      "\"name\":\"STANDBY\"}}"),
		&report, NULL));
	CHECK(report.is_asleep && !report.passed.is_known);
}

int main(void) {
	return TESTS(RUN(an_ata_report_gives_its_numbers_and_leaves_the_others_unknown),
		RUN(pending_sectors_and_spent_endurance_are_reasons_to_replace_a_disk),
		RUN(a_disk_that_could_not_be_asked_is_an_error_with_smartctls_own_words),
		RUN(a_sleeping_disk_is_no_error_and_knows_nothing));
}
