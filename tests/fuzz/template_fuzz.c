// SPDX-License-Identifier: Apache-2.0
// A template either compiles or is refused with a message; its expansion keeps the limit and
// does not split a character.
#include <assert.h>

#include "formats/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool lookup(void *arg, struct str name, struct buf *out) {
	(void)arg;
	buf_append_text(out, "{");
	buf_append_str(out, name);
	buf_append_text(out, "}\xc3\xa9\xf0\x9f\x98\x80");
	return name.len % 3 != 0;
}

static void count_name(void *arg, struct str name) {
	assert(name.len > 0);
	++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	struct str text = str_range((const char *)bytes, n);
	const struct template *template = template_compile(arena, text, &err);
	assert(!template == (err.message[0] != '\0'));
	if (!template) {
		return 0;
	}
	struct buf whole = BUF_INIT, cut = BUF_INIT;
	size_t names = 0, limit = n ? bytes[0] : 0;
	template_names(template, count_name, &names);
	template_expand(template, lookup, NULL, SIZE_MAX, &whole);
	template_expand(template, lookup, NULL, limit, &cut);
	assert(cut.len <= limit && str_starts(buf_str(&whole), buf_str(&cut)));
	assert(whole.len <= limit ? cut.len == whole.len : cut.len + 3 >= limit);
	assert(!str_is_utf8(text) || (str_is_utf8(buf_str(&whole)) && str_is_utf8(buf_str(&cut))));
	assert(names <= n / 3);
	buf_finish(&whole);
	buf_finish(&cut);
	return 0;
}
