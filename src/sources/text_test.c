// SPDX-License-Identifier: Apache-2.0
// Names from outside as text.
#include "sources/text.h"
#include "tests/check.h"

TEST(names_become_clean_text) {
	static const struct {
		struct str in;
		const char *out;
		bool is_clean;
	} rows[] = {{STR_INIT("/plain \xc3\xa4"), "/plain \xc3\xa4", true},
		{STR_INIT("a\nb"),
			"a\xef\xbf\xbd"
			"b",
			false},
		{STR_INIT("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd", false},
		{STR_INIT("\xc2\x9b"), "\xef\xbf\xbd", false},
		{STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		CHECK(clean_text(&out, rows[i].in) == rows[i].is_clean);
		CHECK_TEXT(buf_text(&out), rows[i].out);
		buf_finish(&out);
	}
}

int main(void) {
	return TESTS(RUN(names_become_clean_text));
}
