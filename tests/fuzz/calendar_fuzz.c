// SPDX-License-Identifier: Apache-2.0
// Calendar expressions: reading ends with a verdict, and what was read has a next time that lies
// ahead, on a full minute, and does not depend on where in the gap before it one asks.
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sources/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"};
	struct calendar calendar;
	struct err err = ERR_INIT;
	uint32_t hours;
	if (n < sizeof(hours) + 1) {
		return 0;
	}
	memcpy(&hours, bytes, sizeof(hours));
	setenv("TZ", zones[bytes[sizeof(hours)] % 4], 1);
	tzset();
	if (!calendar_parse(
		    str_range((const char *)bytes + sizeof(hours) + 1, n - sizeof(hours) - 1),
		    &calendar, &err)) {
		assert(err.code == ERR_INVALID && err.message[0]);
		return 0;
	}
	int64_t after = (int64_t)(hours % 1000000) * 3600 * NS_PER_SECOND; // to the year 2084
	int64_t next = calendar_next(&calendar, after);
	assert(next > after && next < INT64_MAX && next % NS_PER_SECOND == 0);
	assert(calendar_next(&calendar, next - 1) == next);
	assert(calendar_next(&calendar, after + (next - after) / 2) == next || next - after < 2);
	return 0;
}
