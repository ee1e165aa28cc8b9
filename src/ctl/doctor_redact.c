// SPDX-License-Identifier: Apache-2.0
// Words that stand before secrets; see doctor_redact.h.
#include "ctl/doctor_redact.h"

#define REMOVED "(removed)"

static const char *const words[] = {"passw", "passphrase", "secret", "token", "api_key", "apikey",
	"api-key", "authorization", "bearer", "credential", "private_key", "private-key", "cookie",
	"access_key", "access-key"};

static char lower(char c) {
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Where the first such word ends, or -1.
static ptrdiff_t find_word(struct str line) {
	for (size_t at = 0; at < line.len; at++) {
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			size_t n = 0;
			while (words[i][n] && at + n < line.len &&
				lower(line.at[at + n]) == words[i][n]) {
				n++;
			}
			if (!words[i][n]) {
				return (ptrdiff_t)(at + n);
			}
		}
	}
	return -1;
}

// "https://user:word@host": what is between // and @ goes.
static void append_without_users(struct str line, struct buf *out) {
	for (;;) {
		ptrdiff_t at = str_find(line, STR("://"));
		size_t end = at < 0 ? line.len : (size_t)at + 3;
		buf_append_str(out, str_head(line, end));
		line = str_skip(line, end);
		if (at < 0) {
			return;
		}
		size_t n = 0;
		while (n < line.len && !strchr(" /@\"'", line.at[n])) {
			n++;
		}
		if (n < line.len && line.at[n] == '@') {
			buf_append_text(out, REMOVED);
			line = str_skip(line, n);
		}
	}
}

static void redact_line(struct str line, struct buf *out) {
	ptrdiff_t end = find_word(line);
	if (end < 0) {
		append_without_users(line, out);
		return;
	}
	size_t keep = (size_t)end;
	// The rest of the word and what joins it to its value stay, so that one sees what was there.
	while (keep < line.len &&
		strchr("abcdefghijklmnopqrstuvwxyz_\"':= ", lower(line.at[keep]))) {
		if (strchr("=:", line.at[keep])) {
			keep++;
			break;
		}
		keep++;
	}
	bool has_mark = keep > 0 && strchr("=:", line.at[keep - 1]) != NULL;
	append_without_users(str_head(line, has_mark ? keep : (size_t)end), out);
	if (has_mark ? keep < line.len : (size_t)end < line.len) {
		buf_append_text(out, " " REMOVED);
	}
}

void redact_text(struct str text, struct buf *out) {
	struct str line;
	bool is_first = true;
	while (str_split(&text, '\n', &line)) {
		if (!is_first) {
			buf_append_char(out, '\n');
		}
		redact_line(line, out);
		is_first = false;
	}
}

static void redact_string(struct str text, struct json_writer *w) {
	struct buf clean = BUF_INIT;
	redact_text(text, &clean);
	json_str(w, buf_str(&clean));
	buf_finish(&clean);
}

void redact_value(const struct value *value, struct json_writer *w) {
	switch (value->type) {
	case VALUE_STRING:
	case VALUE_TIME:
		redact_string(value->string, w);
		break;
	case VALUE_ARRAY:
		json_begin_array(w);
		for (size_t i = 0; i < value->array.n; i++) {
			redact_value(&value->array.items[i], w); // depth is bounded by JSON_DEPTH
		}
		json_end_array(w);
		break;
	case VALUE_TABLE:
		json_begin_object(w);
		for (size_t i = 0; i < value->table.n; i++) {
			const struct member *member = &value->table.members[i];
			json_key_str(w, member->key);
			if (find_word(member->key) >= 0) {
				json_text(w, REMOVED);
			} else {
				redact_value(&member->value, w);
			}
		}
		json_end_object(w);
		break;
	default:
		json_value(w, value);
	}
}
