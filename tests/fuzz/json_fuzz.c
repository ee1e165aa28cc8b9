// SPDX-License-Identifier: Apache-2.0
// Whatever is JSON must survive writing and reading again unchanged; whatever is not must be
// refused with a message. What the writer makes of any bytes must be JSON.
#include <assert.h>

#include "formats/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct str text = str_range((const char *)bytes, n);
	const struct value *value = json_parse(arena, text, JSON_DEPTH, &err);
	assert(!value == (err.message[0] != '\0'));
	if (value) {
		json_format(&first, value);
		const struct value *again = json_parse(arena, buf_str(&first), JSON_DEPTH, &err);
		assert(again && value_equal(value, again));
		json_format(&second, again);
		assert(str_equal(buf_str(&first), buf_str(&second)));
	}
	struct json_writer writer;
	buf_clear(&first);
	json_writer_init(&writer, &first);
	json_str(&writer, text);
	assert(json_parse(arena, buf_str(&first), 1, &err));
	buf_finish(&first);
	buf_finish(&second);
	return 0;
}
