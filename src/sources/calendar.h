// SPDX-License-Identifier: Apache-2.0
// Calendar times, in local time. Written as one of
//
//	hourly [:MM]              daily [HH:MM]           weekly [DAY] [HH:MM]
//	monthly [1-31] [HH:MM]    DAYS HH:MM              MINUTE HOUR DAY MONTH WEEKDAY
//
// DAY is mon tue wed thu fri sat sun; DAYS a list of days and ranges (mon-fri,sun). What is left
// out is :00, 00:00, mon and 1. The five fields of the last form are cron's: *, numbers, ranges,
// lists and steps (*/15, 8-18/2), months and weekdays also by name, weekday 0 and 7 both Sunday;
// when both day and weekday are given, either is enough. Letters in any case.
//
// A day that a month does not have is left out (monthly 31 runs seven times a year). A time that
// does not exist because clocks go forward runs at the first instant after the gap; an hour that
// clocks repeat runs once, the first time. Pure but for the time zone, which is the process's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct calendar {
	uint64_t minutes; // bit 0 to 59
	uint32_t hours;	  // bit 0 to 23
	uint32_t days;	  // bit 1 to 31
	uint16_t months;  // bit 1 to 12
	uint8_t weekdays; // bit 0 (Sunday) to 6
	bool either_day;  // a day of `days` or of `weekdays` is enough
};

#define CALENDAR_TEXT_MAX 200

_must_use_ bool calendar_parse(struct str text, struct calendar *out, struct err *err);
// The first time after after_ns (wall, exclusive); INT64_MAX when there is none within 30 years
// ("0 0 30 2 *").
int64_t calendar_next(const struct calendar *calendar, int64_t after_ns);
