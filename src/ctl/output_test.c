// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/clock.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "formats/json.h"
#include "tests/check.h"

TEST(nothing_from_outside_reaches_the_terminal_as_a_command) {
	static const struct {
		const char *text, *safe;
	} rows[] = {
		{"plain text", "plain text"},
		{"\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"},
		{"title\033]0;x\007", "title\\x1b]0;x\\x07"},
		{"two\nlines\r", "two\\nlines\\x0d"},
		{"tab\there", "tab\\there"},
		{"\xc2\x9b"
		 "31m",
			"\\u009b31m"},
		{"del\x7f", "del\\x7f"},
		{"\xe2\x80\xae"
		 "gpj.exe",
			"\\u202egpj.exe"},
		{"not utf-8 \xff\xc0", "not utf-8 \\xff\\xc0"},
		{"half \xe2\x82", "half \\xe2\\x82"},
		{"gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2", "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		text_sanitise(&out, str_from(rows[i].text));
		CHECK_TEXT(buf_text(&out), rows[i].safe);
		buf_finish(&out);
	}
}

TEST(json_keeps_its_meaning_when_made_safe) {
	struct output output = {.buf = BUF_INIT};
	output_json_line(&output, STR("{\"a\":\"\x7f\xc2\x9b\xe2\x80\xae\xe2\x82\xac\"}"));
	CHECK_TEXT(buf_text(&output.buf), "{\"a\":\"\\u007f\\u009b\\u202e\xe2\x82\xac\"}\n");
	output_finish(&output);
}

TEST(text_is_cut_to_its_columns_and_not_to_its_bytes) {
	static const struct {
		const char *text;
		size_t columns;
		bool is_utf8;
		const char *fitted;
	} rows[] = {
		{"fits", 4, true, "fits"},
		{"too long", 5, true, "too \xe2\x80\xa6"},
		{"too long", 5, false, "to..."},
		{"gr\xc3\xbc\xc3\x9f"
		 "e dich",
			6, true,
			"gr\xc3\xbc\xc3\x9f"
			"e\xe2\x80\xa6"},
		{"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 4, true, "\xe6\xbc\xa2\xe2\x80\xa6"},
		{"abc", 2, false, "ab"},
		{"abc", 0, true, ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;
		text_fit(&out, str_from(rows[i].text), rows[i].columns, rows[i].is_utf8);
		CHECK_TEXT(buf_text(&out), rows[i].fitted);
		CHECK(text_width(buf_str(&out)) <= rows[i].columns);
		buf_finish(&out);
	}
}

TEST(numbers_and_sizes_read_well) {
	struct buf out = BUF_INIT;
	text_grouped(&out, 1234567);
	buf_append_char(&out, ' ');
	text_grouped(&out, -999);
	buf_append_char(&out, ' ');
	text_grouped(&out, -1000);
	buf_append_char(&out, ' ');
	text_bytes(&out, 1536);
	buf_append_char(&out, ' ');
	text_bytes(&out, 12);
	CHECK_TEXT(buf_text(&out), "1,234,567 -999 -1,000 1.5 KiB 12 B");
	buf_finish(&out);
}

TEST(times_always_take_twelve_columns) {
	struct buf out = BUF_INIT;
	int64_t now_ns;
	CHECK(time_parse(STR("2026-11-22T12:00:00Z"), &now_ns));
	text_clock(&out, now_ns - 3600 * NS_PER_SECOND + 7 * NS_PER_MS, now_ns);
	CHECK_TEXT(buf_text(&out), "11:00:00.007");
	buf_clear(&out);
	text_clock(&out, now_ns - 20 * NS_PER_DAY, now_ns);
	CHECK_TEXT(buf_text(&out), "Nov  2 12:00");
	buf_finish(&out);
}

TEST(a_paragraph_breaks_at_blanks_and_keeps_its_indent) {
	struct output output = {.buf = BUF_INIT, .columns = 40};
	output_text(&output, "annactl:");
	output_wrapped(&output, STR("one two three four five six seven eight nine ten"), 9, 2);
	CHECK_TEXT(buf_text(&output.buf),
		"annactl: one two three four five six\n"
		"  seven eight nine ten\n");
	output_finish(&output);
}

TEST(a_table_gives_way_in_its_flexible_column_only) {
	static const struct table_column columns[] = {{.title = "ID", .is_right = true},
		{.title = "KIND"}, {.title = "DETAIL", .is_flexible = true}};
	struct arena *arena = arena_create();
	struct table *table = table_create(arena, columns, 3, 2);
	struct output output = {.buf = BUF_INIT, .columns = 40, .is_utf8 = true};
	table_cell(table, STYLE_PLAIN, STR("7"));
	table_cell(table, STYLE_PLAIN, STR("user.deploy"));
	table_cell(table, STYLE_PLAIN, STR("a detail that is longer than its room"));
	table_end_row(table);
	table_cell(table, STYLE_PLAIN, STR("12345"));
	table_cell(table, STYLE_PLAIN, STR("x"));
	table_end_row(table);
	table_print(table, &output);
	CHECK_TEXT(buf_text(&output.buf),
		"     ID  KIND         DETAIL\n"
		"      7  user.deploy  a detail that is \xe2\x80\xa6\n"
		"  12345  x\n");
	output_finish(&output);
	arena_destroy(arena);
}

int main(void) {
	setenv("TZ", "UTC", 1);
	return TESTS(RUN(nothing_from_outside_reaches_the_terminal_as_a_command),
		RUN(json_keeps_its_meaning_when_made_safe),
		RUN(text_is_cut_to_its_columns_and_not_to_its_bytes),
		RUN(numbers_and_sizes_read_well), RUN(times_always_take_twelve_columns),
		RUN(a_paragraph_breaks_at_blanks_and_keeps_its_indent),
		RUN(a_table_gives_way_in_its_flexible_column_only));
}
