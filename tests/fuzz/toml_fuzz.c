// SPDX-License-Identifier: Apache-2.0
// A document without problems must be equal to what is read from its values written again. With
// problems there must be a tree all the same, and every problem must have a message and a place
// within the text.
#include <assert.h>

#include "formats/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_strings(const struct value *value) {
	if (value->type == VALUE_STRING || value->type == VALUE_TIME) {
		assert(str_is_utf8(value->string));
	}
	for (size_t i = 0; value->type == VALUE_ARRAY && i < value->array.n; i++) {
		check_strings(&value->array.items[i]);
	}
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->table.n; i++) {
		const struct member *member = &value->table.members[i];
		assert(str_is_utf8(member->key));
		assert(value_find_member(value, member->key) == member); // unique
		assert(member->place.line && member->place.column);
		check_strings(&member->value);
	}
}

static void check_problems(const struct problems *problems, struct str text) {
	size_t lines = 1;
	for (size_t i = 0; i < text.len; i++) {
		lines += text.at[i] == '\n';
	}
	for (size_t i = 0; i < problems->n; i++) {
		assert(problems->items[i].message[0]);
		assert(problems->items[i].line <= lines);
		assert(problems->items[i].column <= text.len + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	struct str text = str_range((const char *)bytes, n);
	const struct value *root = toml_parse(arena, "fuzz", text, &problems);
	assert(root && root->type == VALUE_TABLE);
	check_strings(root);
	check_problems(&problems, text);
	if (!problems_has_errors(&problems)) {
		struct buf out = BUF_INIT;
		for (size_t i = 0; i < root->table.n; i++) {
			toml_format_key(&out, root->table.members[i].key);
			buf_append_text(&out, " = ");
			toml_format(&out, &root->table.members[i].value);
			buf_append_char(&out, '\n');
		}
		const struct value *again = toml_parse(arena, "again", buf_str(&out), &problems);
		assert(!problems_has_errors(&problems));
		assert(value_equal(root, again));
		buf_finish(&out);
	}
	problems_finish(&problems);
	return 0;
}
