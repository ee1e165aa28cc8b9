// SPDX-License-Identifier: Apache-2.0
// One value into one field: type, limits and choices are checked here and nowhere else, and what
// was stored goes into the reader's hash. A secret's value is in no message.
#include "config/option_parts.h"

#include <math.h>

#include "base/clock.h"
#include "config/secret.h"
#include "formats/toml.h"

#define SHOWN_MAX 40 // bytes of a wrong value that a message repeats

static uint64_t mix_bytes(uint64_t hash, struct str bytes) {
	hash = option_mix(hash, bytes.len);
	size_t i = 0;
	for (; i + 8 <= bytes.len; i += 8) {
		uint64_t word;
		memcpy(&word, bytes.at + i, 8);
		hash = option_mix(hash, word);
	}
	if (i < bytes.len) {
		uint64_t word = 0;
		memcpy(&word, bytes.at + i, bytes.len - i);
		hash = option_mix(hash, word);
	}
	return hash;
}

static uint64_t mix_value(uint64_t hash, const struct value *value) {
	hash = option_mix(hash, value->type);
	switch (value->type) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		return option_mix(hash, value->boolean);
	case VALUE_INT:
		return option_mix(hash, (uint64_t)value->integer);
	case VALUE_DOUBLE: {
		uint64_t bits;
		memcpy(&bits, &value->number, sizeof(bits));
		return option_mix(hash, bits);
	}
	case VALUE_STRING:
	case VALUE_TIME:
		return mix_bytes(hash, value->string);
	case VALUE_ARRAY:
		hash = option_mix(hash, value->array.n);
		for (size_t i = 0; i < value->array.n; i++) {
			hash = mix_value(hash, &value->array.items[i]);
		}
		break;
	case VALUE_TABLE:
		hash = option_mix(hash, value->table.n);
		for (size_t i = 0; i < value->table.n; i++) {
			hash = mix_bytes(hash, value->table.members[i].key);
			hash = mix_value(hash, &value->table.members[i].value);
		}
		break;
	}
	return hash;
}

// "not the string "abc"", for a secret only "not a string".
static void format_found(const struct option *row, const struct value *value, struct buf *out) {
	const char *type = value_type_name(value->type);
	bool is_plain = value->type != VALUE_ARRAY && value->type != VALUE_TABLE &&
		value->type != VALUE_NULL;
	if (row->is_secret || !is_plain) {
		buf_appendf(out, "not %s", type);
		return;
	}
	struct value shown = *value;
	bool is_text = value->type == VALUE_STRING || value->type == VALUE_TIME;
	bool is_cut = is_text && value->string.len > SHOWN_MAX;
	if (is_cut) {
		size_t len = SHOWN_MAX;
		while (len > 0 && ((unsigned char)shown.string.at[len] & 0xC0) == 0x80) {
			len--;
		}
		shown.string.len = len;
	}
	buf_appendf(out, "not the %s ",
		str_find_char(str_from(type), ' ') >= 0
			? type + str_find_char(str_from(type), ' ') + 1
			: type);
	toml_format(out, &shown);
	if (is_cut) {
		buf_append_text(out, "...");
	}
}

static bool wrong_type(
	struct option_reader *reader, const struct option *row, const struct value *value) {
	struct buf text = BUF_INIT;
	option_describe_type(row, &text);
	buf_append_text(&text, ", ");
	format_found(row, value, &text);
	option_complain(reader, row, value->place, "must be %s", buf_text(&text));
	buf_finish(&text);
	return false;
}

static bool wrong_limits(
	struct option_reader *reader, const struct option *row, const struct value *value) {
	struct buf text = BUF_INIT;
	option_format_limits(row, &text);
	buf_append_text(&text, ", ");
	format_found(row, value, &text);
	option_complain(reader, row, value->place, "must be%s", buf_text(&text));
	buf_finish(&text);
	return false;
}

static bool in_limits(const struct option *row, double number) {
	if (row->min == 0 && row->max == 0) {
		return true;
	}
	bool has_max = row->max != 0 || row->min < 0;
	return number >= row->min && (!has_max || number <= row->max);
}

static bool fill_bool(struct option_reader *reader, const struct option *row,
	const struct value *value, bool *field) {
	if (value->type != VALUE_BOOL) {
		return wrong_type(reader, row, value);
	}
	*field = value->boolean;
	reader->hash = option_mix(reader->hash, value->boolean);
	return true;
}

// JSON writers differ on 60 and 60.0: a whole number is an integer.
static bool to_int64(const struct value *value, int64_t *out) {
	if (value->type == VALUE_INT) {
		*out = value->integer;
		return true;
	}
	if (value->type == VALUE_DOUBLE && fabs(value->number) <= 0x1p53 &&
		value->number == floor(value->number)) {
		*out = (int64_t)value->number;
		return true;
	}
	return false;
}

static bool to_duration(const struct value *value, int64_t *out_ns) {
	if (value->type == VALUE_STRING) {
		return duration_parse(value->string, out_ns);
	}
	double seconds;
	if (!value_to_double(value, &seconds) || !(seconds >= 0 && seconds <= 10 * 366 * 86400.0)) {
		return false;
	}
	*out_ns = value->type == VALUE_INT ? value->integer * NS_PER_SECOND
					   : (int64_t)llround(seconds * (double)NS_PER_SECOND);
	return true;
}

static bool to_size(const struct value *value, int64_t *out_bytes) {
	if (value->type == VALUE_STRING) {
		return size_parse(value->string, out_bytes);
	}
	int64_t bytes;
	if (!to_int64(value, &bytes) || bytes < 0) {
		return false;
	}
	*out_bytes = bytes;
	return true;
}

static bool fill_integer(struct option_reader *reader, const struct option *row,
	const struct value *value, int64_t *field) {
	int64_t number;
	bool is_one = row->type == OPTION_INT  ? to_int64(value, &number)
		: row->type == OPTION_DURATION ? to_duration(value, &number)
					       : to_size(value, &number);
	if (!is_one) {
		return wrong_type(reader, row, value);
	}
	if (!in_limits(row, (double)number)) {
		return wrong_limits(reader, row, value);
	}
	*field = number;
	reader->hash = option_mix(reader->hash, (uint64_t)number);
	return true;
}

static bool fill_number(struct option_reader *reader, const struct option *row,
	const struct value *value, double *field) {
	double number;
	if (!value_to_double(value, &number) || !isfinite(number)) {
		return wrong_type(reader, row, value);
	}
	if (!in_limits(row, number)) {
		return wrong_limits(reader, row, value);
	}
	*field = number;
	uint64_t bits;
	memcpy(&bits, &number, sizeof(bits));
	reader->hash = option_mix(reader->hash, bits);
	return true;
}

static bool fill_string(struct option_reader *reader, const struct option *row,
	const struct value *value, struct str *field) {
	struct str text = value->string;
	bool is_indirect = row->is_secret && value->type == VALUE_TABLE;
	if (is_indirect) {
		struct err err = ERR_INIT;
		if (!secret_read(reader->fs, reader->arena, value, &text, &err)) {
			return option_complain(reader, row, value->place, "%s", err.message);
		}
	} else if (value->type != VALUE_STRING) {
		return wrong_type(reader, row, value);
	}
	bool is_unread = is_indirect && !reader->fs;
	if (!is_unread && !in_limits(row, (double)text.len)) {
		if (text.len == 0) {
			return option_complain(reader, row, value->place, "must not be empty");
		}
		struct buf limits = BUF_INIT;
		option_format_limits(row, &limits);
		option_complain(reader, row, value->place, "must be%s long, not %zu bytes",
			buf_text(&limits), text.len);
		buf_finish(&limits);
		return false;
	}
	*field = text;
	reader->hash = mix_bytes(reader->hash, text);
	return true;
}

static bool fill_choice(struct option_reader *reader, const struct option *row,
	const struct value *value, int *field) {
	size_t n = 0;
	for (; row->choices[n]; n++) {
		if (value->type == VALUE_STRING && str_is(value->string, row->choices[n])) {
			*field = (int)n;
			reader->hash = option_mix(reader->hash, n);
			return true;
		}
	}
	const char *near = value->type == VALUE_STRING
		? option_nearest(value->string, row->choices, n)
		: NULL;
	if (!near) {
		return wrong_type(reader, row, value);
	}
	struct buf text = BUF_INIT;
	option_describe_type(row, &text);
	buf_append_text(&text, ", ");
	format_found(row, value, &text);
	option_complain(reader, row, value->place, "must be %s; did you mean \"%s\"?",
		buf_text(&text), near);
	buf_finish(&text);
	return false;
}

static bool fill_strings(struct option_reader *reader, const struct option *row,
	const struct value *value, struct strings *field) {
	bool is_one = value->type == VALUE_STRING;
	if (!is_one && value->type != VALUE_ARRAY) {
		return wrong_type(reader, row, value);
	}
	const struct value *items = is_one ? value : value->array.items;
	size_t n = is_one ? 1 : value->array.n;
	if (!in_limits(row, (double)n)) {
		struct buf limits = BUF_INIT;
		option_format_limits(row, &limits);
		option_complain(
			reader, row, value->place, "must have%s, not %zu", buf_text(&limits), n);
		buf_finish(&limits);
		return false;
	}
	struct str *copies = arena_array(reader->arena, n, sizeof(struct str));
	reader->hash = option_mix(reader->hash, n);
	for (size_t i = 0; i < n; i++) {
		if (items[i].type != VALUE_STRING) {
			return wrong_type(reader, row, &items[i]);
		}
		copies[i] = items[i].string;
		reader->hash = mix_bytes(reader->hash, items[i].string);
	}
	*field = (struct strings){copies, n};
	return true;
}

bool option_fill_scalar(struct option_reader *reader, const struct option *row,
	const struct value *value, void *field) {
	switch (row->type) {
	case OPTION_BOOL:
		return fill_bool(reader, row, value, field);
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return fill_integer(reader, row, value, field);
	case OPTION_NUMBER:
		return fill_number(reader, row, value, field);
	case OPTION_STRING:
		return fill_string(reader, row, value, field);
	case OPTION_CHOICE:
		return fill_choice(reader, row, value, field);
	case OPTION_STRINGS:
		return fill_strings(reader, row, value, field);
	case OPTION_VALUE:
		*(const struct value **)field = value;
		reader->hash = mix_value(reader->hash, value);
		return true;
	case OPTION_TABLE:
	case OPTION_LIST:
	case OPTION_TAGGED:
	case OPTION_END:
		break;
	}
	assert(!"a row of a type that is no scalar");
	return false;
}

// Text in TOML's own syntax, for what has no simpler form.
static bool toml_of_text(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, struct value *out) {
	struct problems problems = PROBLEMS_INIT;
	char *line = arena_printf(reader->arena, "v = %" STR_FMT "\n", STR_ARG(text));
	const struct value *root = toml_parse(reader->arena, "", str_from(line), &problems);
	const struct value *value = value_get(root, STR("v"));
	bool is_read = value && root->table.n == 1 && !problems_has_errors(&problems);
	if (is_read) {
		*out = *value;
		out->place = where;
	} else {
		option_complain(reader, row, where, "is not written as TOML: %s",
			problems.n ? problems.items[0].message : "it must be one value");
	}
	problems_finish(&problems);
	return is_read;
}

bool option_value_of_text(struct option_reader *reader, const struct option *row, struct str text,
	struct place where, struct value *out) {
	int64_t integer;
	double number;
	*out = value_of_string(text);
	switch (row->type) {
	case OPTION_BOOL:
		if (str_is(text, "true") || str_is(text, "false")) {
			*out = value_of_bool(str_is(text, "true"));
		}
		break;
	case OPTION_INT:
	case OPTION_NUMBER:
		if (str_to_int64(text, &integer)) {
			*out = value_of_int(integer);
		} else if (str_to_double(text, &number)) {
			*out = value_of_double(number);
		}
		break;
	case OPTION_STRINGS:
		if (str_starts(text, STR("["))) {
			return toml_of_text(reader, row, text, where, out);
		}
		break;
	case OPTION_TABLE:
	case OPTION_LIST:
	case OPTION_TAGGED:
	case OPTION_VALUE:
		return toml_of_text(reader, row, text, where, out);
	default: // the others are written as strings in the file too
		break;
	}
	out->place = where;
	return true;
}
