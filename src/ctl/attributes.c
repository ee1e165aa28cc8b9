// SPDX-License-Identifier: Apache-2.0
// Attributes from words; see attributes.h.
#include "ctl/attributes.h"

#include "formats/json.h"

static bool has_leading_zero(struct str text) {
	if (str_starts(text, STR("-"))) {
		text = str_skip(text, 1);
	}
	return text.len > 1 && text.at[0] == '0' && text.at[1] >= '0' && text.at[1] <= '9';
}

static bool looks_numeric(struct str text) {
	char first = text.len > 0 ? text.at[0] : 0;
	return ((first >= '0' && first <= '9') || (first == '-' && text.len > 1)) &&
		!has_leading_zero(text);
}

struct value attribute_guess(struct str text) {
	int64_t integer;
	double number;
	if (str_is(text, "true") || str_is(text, "false")) {
		return value_of_bool(text.at[0] == 't');
	}
	if (looks_numeric(text) && str_to_int64(text, &integer)) {
		return value_of_int(integer);
	}
	if (looks_numeric(text) && str_to_double(text, &number)) {
		return value_of_double(number);
	}
	return value_of_string(text);
}

static bool read_word(struct arena *arena, struct str word, struct member *out, struct err *err) {
	ptrdiff_t equals = str_find_char(word, '=');
	struct str key = str_head(word, equals < 0 ? 0 : (size_t)equals);
	struct str text = str_skip(word, equals < 0 ? 0 : (size_t)equals + 1);
	bool is_json = str_ends(key, STR(":"));
	const struct value *value;
	struct err why = ERR_INIT;

	key = is_json ? str_head(key, key.len - 1) : key;
	if (key.len == 0) {
		return err_set(err, ERR_INVALID,
			"\"%.60s\" is not an attribute: it must be key=value or key:=json",
			word.at);
	}
	if (!str_is_utf8(word)) {
		return err_set(err, ERR_INVALID, "an attribute is not UTF-8 text");
	}
	out->key = key;
	if (!is_json) {
		out->value = attribute_guess(text);
		return true;
	}
	value = json_parse(arena, text, JSON_DEPTH, &why);
	if (!value) {
		return err_set(err, ERR_INVALID, "attribute \"%.*s\" is not JSON: %s",
			(int)(key.len > 60 ? 60 : key.len), key.at, why.message);
	}
	out->value = *value;
	return true;
}

bool attributes_parse(struct arena *arena, const struct str *words, size_t n, struct str json,
	struct value *out, struct err *err) {
	struct value table = {.type = VALUE_TABLE};
	const struct value *base = NULL;
	if (json.len > 0) {
		struct err why = ERR_INIT;
		base = json_parse(arena, json, JSON_DEPTH, &why);
		if (!base || base->type != VALUE_TABLE) {
			return err_set(err, ERR_INVALID,
				"--json-attributes is not a JSON object%s%s", base ? "" : ": ",
				base ? "" : why.message);
		}
		table.table.n = base->table.n;
	}
	table.table.members = arena_array(arena, table.table.n + n, sizeof(struct member));
	for (size_t i = 0; i < table.table.n; i++) {
		table.table.members[i] = base->table.members[i];
	}
	for (size_t i = 0; i < n; i++) {
		struct member *member = &table.table.members[table.table.n];
		if (!read_word(arena, words[i], member, err)) {
			return false;
		}
		for (size_t j = 0; j < table.table.n; j++) {
			if (str_equal(table.table.members[j].key, member->key)) {
				return err_set(err, ERR_INVALID,
					"attribute \"%.*s\" is given twice", (int)member->key.len,
					member->key.at);
			}
		}
		table.table.n++;
	}
	*out = table;
	return true;
}
