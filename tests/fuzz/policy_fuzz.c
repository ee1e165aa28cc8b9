// SPDX-License-Identifier: Apache-2.0
// Policy files: whatever they say, reading ends; what is read without a problem is a table of thresholds
// and mappings, has a place for every part, and says the same when it is read again.
#include <assert.h>

#include "config/policy.h"
#include "formats/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_places(const struct value *value) {
	assert(value->place.line > 0);
	for (size_t i = 0; value->type == VALUE_ARRAY && i < value->array.n; i++) {
		check_places(&value->array.items[i]);
	}
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->table.n; i++) {
		check_places(&value->table.members[i].value);
	}
	assert(value->type != VALUE_STRING || str_is_utf8(value->string));
}

static void read_once(struct str text, struct buf *out) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	const struct value *root = policy_parse(arena, "p.yaml", text, &problems);
	assert(root->type == VALUE_TABLE && root->table.n <= 2);
	for (size_t i = 0; i < root->table.n; i++) {
		check_places(&root->table.members[i].value);
	}
	json_format(out, root);
	problems_format(&problems, out);
	problems_finish(&problems);
	arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct str text = str_range((const char *)bytes, n);
	read_once(text, &first);
	read_once(text, &second);
	assert(str_equal(buf_str(&first), buf_str(&second)));
	buf_finish(&first);
	buf_finish(&second);
	return 0;
}
