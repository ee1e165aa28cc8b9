// SPDX-License-Identifier: Apache-2.0
// The kernel's clocks, and text forms of instants and durations.
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id) {
	struct timespec now;
	clock_gettime(id, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t system_monotonic(struct clock *clock) {
	(void)clock;
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_boot(struct clock *clock) {
	(void)clock;
	return read_clock(CLOCK_BOOTTIME);
}

static int64_t system_wall(struct clock *clock) {
	(void)clock;
	return read_clock(CLOCK_REALTIME);
}

struct clock *clock_system(void) {
	static struct clock kernel = {system_monotonic, system_boot, system_wall};
	return &kernel;
}

void time_format(struct buf *out, int64_t wall_ns) {
	int64_t seconds = wall_ns / NS_PER_SECOND;
	int64_t ns = wall_ns % NS_PER_SECOND;
	if (ns < 0) {
		ns += NS_PER_SECOND;
		seconds--;
	}
	time_t when = (time_t)seconds;
	struct tm tm;
	gmtime_r(&when, &tm);
	buf_appendf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000));
}

// Reads exactly n digits at *at.
static bool digits(const char **at, const char *end, int n, int *out) {
	int value = 0;
	for (int i = 0; i < n; i++, (*at)++) {
		if (*at >= end || **at < '0' || **at > '9') {
			return false;
		}
		value = value * 10 + (**at - '0');
	}
	*out = value;
	return true;
}

static bool skip(const char **at, const char *end, const char *any_of) {
	for (; *any_of; any_of++) {
		if (*at < end && **at == *any_of) {
			(*at)++;
			return true;
		}
	}
	return false;
}

static int days_in(int year, int month) {
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

bool time_parse(struct str text, int64_t *out_wall_ns) {
	if (!text.len) {
		return false;
	}
	const char *at = text.at, *end = text.at + text.len;
	int year, month, day, hour, minute, second;
	if (!digits(&at, end, 4, &year) || !skip(&at, end, "-") || !digits(&at, end, 2, &month) ||
		!skip(&at, end, "-") || !digits(&at, end, 2, &day) || !skip(&at, end, "Tt ") ||
		!digits(&at, end, 2, &hour) || !skip(&at, end, ":") ||
		!digits(&at, end, 2, &minute) || !skip(&at, end, ":") ||
		!digits(&at, end, 2, &second)) {
		return false;
	}
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
		minute > 59 || second > 60 || year < 1700 || year > 2200) {
		return false;
	}
	int64_t fraction = 0;
	if (skip(&at, end, ".")) {
		int64_t unit = NS_PER_SECOND / 10;
		int digit;
		if (!digits(&at, end, 1, &digit)) {
			return false;
		}
		do {
			fraction += unit * digit;
			unit /= 10;
		} while (digits(&at, end, 1, &digit));
	}
	int64_t offset = 0;
	if (!skip(&at, end, "Zz")) {
		int hours, minutes;
		bool minus = at < end && *at == '-';
		if (!skip(&at, end, "+-") || !digits(&at, end, 2, &hours) || !skip(&at, end, ":") ||
			!digits(&at, end, 2, &minutes) || hours > 23 || minutes > 59) {
			return false;
		}
		offset = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
	}
	if (at != end) {
		return false;
	}
	struct tm tm = {.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second};
	*out_wall_ns = ((int64_t)timegm(&tm) - offset) * NS_PER_SECOND + fraction;
	return true;
}

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {{"d", NS_PER_DAY}, {"h", 3600 * NS_PER_SECOND},
	{"m", 60 * NS_PER_SECOND}, {"s", NS_PER_SECOND}, {"ms", NS_PER_MS}, {"us", NS_PER_US},
	{"ns", 1}};

bool duration_parse(struct str text, int64_t *out_ns) {
	const int64_t most = 3653 * NS_PER_DAY;
	int64_t total = 0;
	uint64_t number;
	if (str_to_uint64(text, &number)) {
		if (number > (uint64_t)(most / NS_PER_SECOND)) {
			return false;
		}
		*out_ns = (int64_t)number * NS_PER_SECOND;
		return true;
	}
	if (!text.len) {
		return false;
	}
	int64_t smallest = INT64_MAX; // units go down, each at most once
	while (text.len) {
		size_t n = 0, letters = 0;
		while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9') {
			n++;
		}
		while (n + letters < text.len && text.at[n + letters] >= 'a' &&
			text.at[n + letters] <= 'z') {
			letters++;
		}
		struct str name = str_head(str_skip(text, n), letters);
		const struct unit *unit = NULL;
		for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
			unit = str_is(name, units[i].name) ? &units[i] : unit;
		}
		int64_t part;
		if (!unit || unit->ns >= smallest || !str_to_uint64(str_head(text, n), &number) ||
			number > INT64_MAX ||
			__builtin_mul_overflow((int64_t)number, unit->ns, &part) ||
			__builtin_add_overflow(total, part, &total) || total > most) {
			return false;
		}
		smallest = unit->ns;
		text = str_skip(text, n + letters);
	}
	*out_ns = total;
	return true;
}

void duration_format(struct buf *out, int64_t ns) {
	if (ns == 0) {
		buf_append_text(out, "0s");
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (ns >= units[i].ns) {
			buf_append_int64(out, ns / units[i].ns);
			buf_append_text(out, units[i].name);
			ns %= units[i].ns;
		}
	}
}

void duration_format_human(struct buf *out, int64_t ns) {
	if (ns < 0) {
		buf_append_char(out, '-');
		ns = ns == INT64_MIN ? INT64_MAX : -ns;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const struct unit *unit = &units[i];
		if (ns < unit->ns && unit->ns > 1) {
			continue;
		}
		if (unit->ns < NS_PER_SECOND) {
			double amount = (double)ns / (double)unit->ns; // %.3g: 999.6 would be 1e+03
			buf_appendf(out, amount >= 100 ? "%.0f %s" : "%.3g %s", amount, unit->name);
			return;
		}
		buf_appendf(out, "%lld%s", (long long)(ns / unit->ns), unit->name);
		int64_t rest = ns % unit->ns;
		if (unit[1].ns >= NS_PER_SECOND && rest >= unit[1].ns) {
			buf_appendf(out, " %lld%s", (long long)(rest / unit[1].ns), unit[1].name);
		}
		return;
	}
}
