// SPDX-License-Identifier: Apache-2.0
// TOML values without quotes: booleans, integers, floats, dates and times (TOML 1.0.0). Dates
// stay text, but only ones that exist in the calendar get through.
#include "formats/toml_reader.h"

#include <math.h>

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_octal(char c) {
	return c >= '0' && c <= '7';
}

static bool is_binary(char c) {
	return c == '0' || c == '1';
}

// A number being read: the word it stands in and, without underscores, what was read of it.
struct scan {
	const char *at;
	const char *end;
	char *to;
};

static bool skip(struct scan *scan, const char *any_of, char *out) {
	if (scan->at < scan->end && strchr(any_of, *scan->at)) {
		*out = *scan->at++;
		return true;
	}
	return false;
}

// Copies a run of digits; every underscore must stand between two of them.
static bool copy_digits(struct scan *scan, bool (*is_wanted)(char)) {
	const char *start = scan->at;
	for (; scan->at < scan->end; scan->at++) {
		char c = *scan->at;
		if (is_wanted(c)) {
			*scan->to++ = c;
		} else if (c != '_' || scan->at == start || scan->at[-1] == '_' ||
			scan->at + 1 >= scan->end || !is_wanted(scan->at[1])) {
			break;
		}
	}
	return scan->at > start;
}

// Digits at the front, exactly n of them.
static bool take_digits(struct scan *scan, int n, int *out) {
	*out = 0;
	for (int i = 0; i < n; i++, scan->at++) {
		if (scan->at >= scan->end || !is_digit(*scan->at)) {
			return false;
		}
		*out = *out * 10 + (*scan->at - '0');
	}
	return true;
}

static const char *check_date(struct scan *scan) {
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	char c;
	if (!take_digits(scan, 4, &year) || !skip(scan, "-", &c) || !take_digits(scan, 2, &month) ||
		!skip(scan, "-", &c) || !take_digits(scan, 2, &day)) {
		return "a date is written 2026-01-31";
	}
	if (month < 1 || month > 12) {
		return "the month is 01 to 12";
	}
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day < 1 || day > days[month - 1] + (month == 2 && leap)) {
		return "that month has no such day";
	}
	return NULL;
}

static const char *check_time(struct scan *scan) {
	int hour, minute, second, digit;
	char c;
	if (!take_digits(scan, 2, &hour) || !skip(scan, ":", &c) ||
		!take_digits(scan, 2, &minute) || !skip(scan, ":", &c) ||
		!take_digits(scan, 2, &second)) {
		return "a time is written 07:32:00";
	}
	if (hour > 23 || minute > 59 || second > 60) { // 60: a leap second (RFC 3339 §5.7)
		return "a time is 00:00:00 to 23:59:59";
	}
	if (skip(scan, ".", &c)) {
		if (!take_digits(scan, 1, &digit)) {
			return "there must be a digit after the point";
		}
		while (scan->at < scan->end && is_digit(*scan->at)) {
			scan->at++;
		}
	}
	return NULL;
}

static const char *check_offset(struct scan *scan) {
	int hours, minutes;
	char c;
	if (skip(scan, "Zz", &c)) {
		return NULL;
	}
	if (!skip(scan, "+-", &c) || !take_digits(scan, 2, &hours) || !skip(scan, ":", &c) ||
		!take_digits(scan, 2, &minutes)) {
		return "an offset is written Z or +01:30";
	}
	return hours > 23 || minutes > 59 ? "an offset is at most 23:59" : NULL;
}

static bool looks_like_date(const char *at, size_t len) {
	return len >= 5 && at[4] == '-' && is_digit(at[0]) && is_digit(at[1]) && is_digit(at[2]) &&
		is_digit(at[3]);
}

static bool looks_like_time(const char *at, size_t len) {
	return len >= 3 && at[2] == ':' && is_digit(at[0]) && is_digit(at[1]);
}

static const char *check_date_time(struct scan *scan, bool with_date) {
	char c;
	const char *why = NULL;
	bool with_time = true;
	if (with_date) {
		why = check_date(scan);
		with_time = skip(scan, "Tt ", &c);
	}
	if (!why && with_time) {
		why = check_time(scan);
	}
	if (!why && with_date && with_time && scan->at < scan->end) {
		why = check_offset(scan);
	}
	if (!why && scan->at < scan->end) {
		why = with_date && with_time ? "nothing may follow it"
			: with_date	     ? "a time follows it after T or a blank"
					     : "a time alone has no offset and nothing after it";
	}
	return why;
}

static const char *parse_based(struct scan *scan, struct value *out) {
	char base = scan->at[1];
	bool (*is_wanted)(char) = base == 'x' ? is_hex : base == 'o' ? is_octal : is_binary;
	int bits = base == 'x' ? 4 : base == 'o' ? 3 : 1;
	char *digits = scan->to;
	scan->at += 2;
	if (!copy_digits(scan, is_wanted) || scan->at < scan->end) {
		return base == 'x'    ? "expected hexadecimal digits after 0x"
			: base == 'o' ? "expected digits 0 to 7 after 0o"
				      : "expected digits 0 and 1 after 0b";
	}
	uint64_t value = 0;
	for (const char *p = digits; p < scan->to; p++) {
		if (value >> (63 - bits)) {
			return "it does not fit into 64 bits";
		}
		unsigned digit = *p <= '9' ? (unsigned)(*p - '0')
					   : (unsigned)((*p | 32) - 'a') + 10;
		value = value << bits | digit;
	}
	out->type = VALUE_INT;
	out->integer = (int64_t)value;
	return NULL;
}

static const char *parse_special(struct scan *scan, bool minus, struct value *out) {
	struct str rest = str_range(scan->at, (size_t)(scan->end - scan->at));
	out->type = VALUE_DOUBLE;
	if (str_is(rest, "inf")) {
		out->number = minus ? -INFINITY : INFINITY;
		return NULL;
	}
	if (str_is(rest, "nan")) {
		out->number = minus ? -NAN : NAN;
		return NULL;
	}
	return "it is not a number";
}

// The integer part, the fraction and the exponent; *out_float when it has one of the latter.
static const char *scan_decimal(struct scan *scan, bool *out_float) {
	const char *first = scan->to;
	char c;
	if (!copy_digits(scan, is_digit)) {
		return "a number begins with a digit";
	}
	if (*first == '0' && scan->to - first > 1) {
		return "a number may not begin with 0 (octal is written 0o17)";
	}
	if (skip(scan, ".", &c)) {
		*out_float = true;
		*scan->to++ = '.';
		if (!copy_digits(scan, is_digit)) {
			return "there must be a digit after the point";
		}
	}
	if (skip(scan, "eE", &c)) {
		*out_float = true;
		*scan->to++ = 'e';
		if (skip(scan, "+-", &c)) {
			*scan->to++ = c;
		}
		if (!copy_digits(scan, is_digit)) {
			return "there must be a digit in the exponent";
		}
	}
	if (scan->at < scan->end) {
		return *scan->at == '_' ? "an underscore must stand between two digits"
					: "only digits, '_', '.', 'e' and a sign make a number";
	}
	return NULL;
}

static const char *parse_number(struct scan *scan, struct value *out) {
	char *text = scan->to, sign = '\0';
	bool is_float = false;
	if (skip(scan, "+-", &sign)) {
		*scan->to++ = sign;
	}
	if (scan->end - scan->at > 1 && *scan->at == '0' && strchr("xob", scan->at[1])) {
		return sign ? "a number in another base has no sign" : parse_based(scan, out);
	}
	if (scan->at < scan->end && (*scan->at == 'i' || *scan->at == 'n')) {
		return parse_special(scan, sign == '-', out);
	}
	const char *why = scan_decimal(scan, &is_float);
	if (why) {
		return why;
	}
	struct str clean = str_range(text, (size_t)(scan->to - text));
	out->type = is_float ? VALUE_DOUBLE : VALUE_INT;
	if (is_float) {
		return str_to_double(clean, &out->number) ? NULL : "it is too large";
	}
	return str_to_int64(clean, &out->integer) ? NULL : "it does not fit into 64 bits";
}

static bool is_word(char c) {
	return toml_is_bare(c) || c == '.' || c == ':' || c == '+';
}

static struct str read_word(struct toml_reader *reader) {
	const char *start = reader->at, *p = start;
	while (is_word(*p)) {
		p++;
	}
	// A blank between a date and a time belongs to the value.
	if (p - start == 10 && looks_like_date(start, 10) && *p == ' ' && is_digit(p[1])) {
		p++;
		while (is_word(*p)) {
			p++;
		}
	}
	reader->at = p;
	return str_range(start, (size_t)(p - start));
}

static bool fail_word(struct toml_reader *reader, struct place place, struct str word) {
	static const char *const near[] = {"true", "false", "inf", "nan"};
	for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++) {
		if (str_equal_nocase(word, str_from(near[i]))) {
			return toml_fail(reader, place,
				"expected a value, found '%s'; it is written '%s'",
				arena_copy(reader->arena, word), near[i]);
		}
	}
	return toml_fail(reader, place, "expected a value, found %s; text is put in \"quotes\"",
		toml_found(reader, word.at));
}

bool toml_read_bare(struct toml_reader *reader, struct value *out) {
	struct place place = toml_place(reader, reader->at);
	struct str word = read_word(reader);
	bool is_true = str_is(word, "true");
	if (is_true || str_is(word, "false")) {
		out->type = VALUE_BOOL;
		out->boolean = is_true;
		return true;
	}
	bool with_date = looks_like_date(word.at, word.len);
	bool is_time = with_date || looks_like_time(word.at, word.len);
	char small[64];
	struct scan scan = {word.at, word.at + word.len, small};
	const char *why;
	if (is_time) {
		out->type = VALUE_TIME;
		out->string = word;
		why = check_date_time(&scan, with_date);
	} else if (word.len &&
		(is_digit(*word.at) || strchr("+-.", *word.at) || str_is(word, "inf") ||
			str_is(word, "nan"))) {
		scan.to = word.len < sizeof(small) ? small
						   : arena_alloc(reader->arena, word.len + 1);
		why = parse_number(&scan, out);
	} else {
		return fail_word(reader, place, word);
	}
	return !why ||
		toml_fail(reader, place, "%s is not a valid %s: %s", toml_found(reader, word.at),
			is_time ? "date or time" : "number", why);
}
