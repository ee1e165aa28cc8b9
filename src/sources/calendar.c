// SPDX-License-Identifier: Apache-2.0
// Reading calendar expressions and finding the next time; see calendar.h. The one definition that
// settles gaps and repeats: a local time stands for the first instant at which local clocks show
// it or something later on that day.
#include "sources/calendar.h"

#include <time.h>

#include "base/clock.h"

#define DAY_SECONDS 86400
#define DAYS_AHEAD (30 * 366)

// --- reading ---

static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
static const char *const month_names[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

struct field {
	const char *noun;
	uint32_t min, max;
	const char *const *names; // of min, min + 1, …
	size_t name_count;
};

static const struct field minute_field = {"minute", 0, 59, NULL, 0};
static const struct field hour_field = {"hour", 0, 23, NULL, 0};
static const struct field day_field = {"day", 1, 31, NULL, 0};
static const struct field month_field = {"month", 1, 12, month_names, 12};
static const struct field weekday_field = {"weekday", 0, 7, day_names, 7};

static bool parse_value(
	const struct field *field, struct str text, uint32_t *out, struct err *err) {
	uint64_t number;
	for (size_t i = 0; i < field->name_count; i++) {
		if (str_equal_nocase(text, str_from(field->names[i]))) {
			*out = field->min + (uint32_t)i;
			return true;
		}
	}
	if (!str_to_uint64(text, &number) || number < field->min || number > field->max) {
		text = str_head(text, 40);
		return err_set(err, ERR_INVALID, "\"%" STR_FMT "\" is no %s (%u to %u)",
			STR_ARG(text), field->noun, field->min, field->max);
	}
	*out = (uint32_t)number;
	return true;
}

// "*", "5", "1-5", each with "/2" behind it.
static bool parse_range(
	const struct field *field, struct str text, uint64_t *set, struct err *err) {
	struct str range = text, first, step_text;
	uint32_t from = field->min, to = field->max, step = 1;
	str_split(&text, '/', &range);
	bool has_step = text.at && str_split(&text, '/', &step_text);
	if (has_step) {
		uint64_t number;
		if (text.at || !str_to_uint64(step_text, &number) || number < 1 || number > 60) {
			return err_set(
				err, ERR_INVALID, "the step of a %s is 1 to 60", field->noun);
		}
		step = (uint32_t)number;
	}
	if (!str_is(range, "*")) {
		str_split(&range, '-', &first);
		if (!parse_value(field, first, &from, err)) {
			return false;
		}
		to = has_step && !range.at ? field->max : from;
		if (range.at && !parse_value(field, range, &to, err)) {
			return false;
		}
		// sun-tue and fri-mon go over the end of the week.
		if (to < from && field == &weekday_field) {
			to += 7;
		}
		if (to < from) {
			return err_set(
				err, ERR_INVALID, "a range of %ss goes upwards", field->noun);
		}
	}
	for (uint32_t i = from; i <= to; i += step) {
		*set |= UINT64_C(1) << (field == &weekday_field ? i % 7 : i);
	}
	return true;
}

static bool parse_field(
	const struct field *field, struct str text, uint64_t *out, struct err *err) {
	struct str part;
	*out = 0;
	while (str_split(&text, ',', &part)) {
		if (!parse_range(field, part, out, err)) {
			return false;
		}
	}
	return true;
}

static bool parse_cron(const struct str words[5], struct calendar *out, struct err *err) {
	uint64_t minutes, hours, days, months, weekdays;
	if (!parse_field(&minute_field, words[0], &minutes, err) ||
		!parse_field(&hour_field, words[1], &hours, err) ||
		!parse_field(&day_field, words[2], &days, err) ||
		!parse_field(&month_field, words[3], &months, err) ||
		!parse_field(&weekday_field, words[4], &weekdays, err)) {
		return false;
	}
	*out = (struct calendar){.minutes = minutes,
		.hours = (uint32_t)hours,
		.days = (uint32_t)days,
		.months = (uint16_t)months,
		.weekdays = (uint8_t)weekdays,
		.either_day = words[2].at[0] != '*' && words[4].at[0] != '*'};
	return true;
}

// "HH:MM", or ":MM" where every hour is meant.
static bool parse_time(struct str text, bool is_hourly, struct calendar *out, struct err *err) {
	struct str hour, minute = text;
	uint64_t hours = out->hours, minutes;
	str_split(&minute, ':', &hour);
	if (!minute.at || minute.len != 2 || is_hourly != (hour.len == 0) || hour.len > 2) {
		text = str_head(text, 40);
		return err_set(err, ERR_INVALID, "\"%" STR_FMT "\" is no time: write %s",
			STR_ARG(text), is_hourly ? ":MM" : "HH:MM");
	}
	if (!parse_field(&minute_field, minute, &minutes, err) ||
		(!is_hourly && !parse_field(&hour_field, hour, &hours, err))) {
		return false;
	}
	out->minutes = minutes;
	out->hours = (uint32_t)hours;
	return true;
}

static bool parse_named(const struct str *words, size_t n, struct calendar *out, struct err *err) {
	static const char *const names[] = {"hourly", "daily", "weekly", "monthly"};
	enum {
		HOURLY,
		DAILY,
		WEEKLY,
		MONTHLY,
		DAYS
	} form = 0;
	uint64_t set;
	size_t i = 1;
	while (form < DAYS && !str_equal_nocase(words[0], str_from(names[form]))) {
		form++;
	}
	*out = (struct calendar){
		1, form == HOURLY ? (1u << 24) - 1 : 1, UINT32_MAX - 1, 0x1ffe, 0x7f, false};
	bool is_time = n > 1 && str_find_char(words[1], ':') >= 0;
	if (form == DAYS || (form == WEEKLY && n > 1 && !is_time)) {
		i = form == DAYS ? 0 : 1;
		if (!parse_field(&weekday_field, words[i++], &set, err)) {
			return false;
		}
		out->weekdays = (uint8_t)set;
	} else if (form == WEEKLY) {
		out->weekdays = 1 << 1;
	} else if (form == MONTHLY) {
		set = 1 << 1;
		if (n > 1 && !is_time && !parse_field(&day_field, words[i++], &set, err)) {
			return false;
		}
		out->days = (uint32_t)set;
	}
	if (i < n && !parse_time(words[i++], form == HOURLY, out, err)) {
		return false;
	}
	return i == n || err_set(err, ERR_INVALID, "what is behind the time is not understood");
}

// --- the next time ---

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
static int64_t days_of_date(int64_t year, int month, int day) {
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		day_of_year - 719468;
}

struct date {
	int month, day, weekday;
};

static struct date date_of_days(int64_t days) {
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				      day_of_era / 146096) /
		365;
	int64_t day_of_year = day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	return (struct date){.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
		.weekday = (int)(((days + 4) % 7 + 7) % 7)};
}

// What local clocks show at t, as seconds of a clock without zones.
static int64_t local_of(int64_t t) {
	time_t time = (time_t)t;
	struct tm tm;
	if (!localtime_r(&time, &tm)) {
		return t; // a year beyond int
	}
	return days_of_date(tm.tm_year + INT64_C(1900), tm.tm_mon + 1, tm.tm_mday) * DAY_SECONDS +
		tm.tm_hour * 3600 + tm.tm_min * 60 + (tm.tm_sec > 59 ? 59 : tm.tm_sec);
}

// The offsets from UTC well before and well after a local day.
struct offsets {
	int64_t before, after;
};

static struct offsets offsets_around(int64_t local_day_start) {
	int64_t before = local_day_start - DAY_SECONDS, after = local_day_start + 2 * DAY_SECONDS;
	return (struct offsets){local_of(before) - before, local_of(after) - after};
}

// The first instant at which clocks show `local`, or the end of the gap that swallowed it.
static int64_t instant_of(int64_t local, struct offsets offsets) {
	int64_t low = local - offsets.before, high = local - offsets.after;
	if (low == high) {
		return low;
	}
	if (low > high) { // clocks went forward: low and high change places
		int64_t swap = low;
		low = high;
		high = swap;
	}
	if (local_of(low) == local) {
		return low;
	}
	if (local_of(high) == local) {
		return high;
	}
	while (high - low > 1) { // the transition lies between
		int64_t middle = low + (high - low) / 2;
		if (local_of(middle) < local) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return high;
}

static bool has_day(const struct calendar *calendar, struct date date) {
	bool is_day = calendar->days >> date.day & 1;
	bool is_weekday = calendar->weekdays >> date.weekday & 1;
	return (calendar->months >> date.month & 1) &&
		(calendar->either_day ? is_day || is_weekday : is_day && is_weekday);
}

// The first time on a local day after `after`, or INT64_MAX.
static int64_t next_on_day(const struct calendar *calendar, int64_t day_start, int64_t after) {
	struct offsets offsets = offsets_around(day_start);
	int64_t least = offsets.before < offsets.after ? offsets.before : offsets.after;
	for (int hour = 0; hour < 24; hour++) {
		for (int minute = 0; minute < 60 && (calendar->hours >> hour & 1); minute++) {
			int64_t local = day_start + hour * 3600 + minute * 60;
			// Cheap first: nothing is later than by the smaller offset.
			if (!(calendar->minutes >> minute & 1) || local - least <= after) {
				continue;
			}
			int64_t instant = instant_of(local, offsets);
			if (instant > after) {
				return instant;
			}
		}
	}
	return INT64_MAX;
}

int64_t calendar_next(const struct calendar *calendar, int64_t after_ns) {
	int64_t after = after_ns / NS_PER_SECOND - (after_ns % NS_PER_SECOND < 0);
	// A day back: a repeated hour may cross midnight.
	int64_t local = local_of(after) - DAY_SECONDS;
	int64_t first = local / DAY_SECONDS - (local % DAY_SECONDS < 0);
	for (int64_t day = first; day < first + DAYS_AHEAD; day++) {
		if (!has_day(calendar, date_of_days(day))) {
			continue;
		}
		int64_t next = next_on_day(calendar, day * DAY_SECONDS, after);
		if (next != INT64_MAX) {
			return next > INT64_MAX / NS_PER_SECOND ? INT64_MAX : next * NS_PER_SECOND;
		}
	}
	return INT64_MAX;
}

bool calendar_parse(struct str text, struct calendar *out, struct err *err) {
	struct str words[6], rest = text;
	struct calendar calendar;
	size_t n = 0;
	while (n < 6 && text.len <= CALENDAR_TEXT_MAX && str_word(&rest, &words[n])) {
		n++;
	}
	bool is_named = n > 0 && n < 4 &&
		((words[0].at[0] >= 'a' && words[0].at[0] <= 'z') ||
			(words[0].at[0] >= 'A' && words[0].at[0] <= 'Z'));
	if (n != 5 && !is_named) {
		return err_set(err, ERR_INVALID,
			"no calendar time: write \"daily 03:00\", \"weekly mon 03:00\", "
			"\"monthly 1 03:00\", \"mon-fri 09:00\", \"hourly :15\" or cron's five "
			"fields");
	}
	if (!(n == 5 ? parse_cron(words, &calendar, err) : parse_named(words, n, &calendar, err))) {
		return false;
	}
	// Any 30 years hold every date that exists.
	if (calendar_next(&calendar, 0) == INT64_MAX) {
		return err_set(err, ERR_INVALID, "that day never comes");
	}
	*out = calendar;
	return true;
}
