// SPDX-License-Identifier: Apache-2.0
// Tests of doctor_redact.h.
#include "ctl/doctor_redact.h"

#include "tests/check.h"

static const struct {
	const char *text, *expected;
} cases[] = {
	{"", ""},
	{"nothing to hide", "nothing to hide"},
	{"password = \"hunter2\"", "password = (removed)"},
	{"PASSWORD=hunter2 and more", "PASSWORD= (removed)"},
	{"curl -H 'Authorization: Bearer abc123' x", "curl -H 'Authorization: (removed)"},
	{"smtp.password_file = \"/run/x\"", "smtp.password_file = (removed)"},
	{"--token abc", "--token (removed)"},
	{"a\nmy_secret: b\nc", "a\nmy_secret: (removed)\nc"},
	{"see https://user:word@host/path", "see https://(removed)@host/path"},
	{"see https://host/path@2", "see https://host/path@2"},
	{"the word token", "the word token"},
};

TEST(what_follows_a_word_for_secrets_is_removed) {
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT;
		redact_text(str_from(cases[i].text), &out);
		CHECK_TEXT(buf_text(&out), cases[i].expected);
		buf_finish(&out);
	}
}

TEST(values_under_such_keys_are_removed_whole) {
	struct arena *arena = arena_create();
	struct buf out = BUF_INIT;
	struct json_writer w;
	const struct value *value = json_parse(arena,
		STR("{\"a\":1,\"api_token\":{\"x\":\"deep\"},\"list\":[\"password=x\",null,true]}"),
		JSON_DEPTH, NULL);
	json_writer_init(&w, &out);
	redact_value(value, &w);
	CHECK_TEXT(buf_text(&out),
		"{\"a\":1,\"api_token\":\"(removed)\",\"list\":[\"password= "
		"(removed)\",null,true]}");
	buf_finish(&out);
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(what_follows_a_word_for_secrets_is_removed),
		RUN(values_under_such_keys_are_removed_whole));
}
