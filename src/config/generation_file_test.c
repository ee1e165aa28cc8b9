// SPDX-License-Identifier: Apache-2.0
// The first line of a generation's file: written, read back, and damaged in every bit.
#include "config/generation_file.h"

#include "base/crc32c.h"
#include "tests/check.h"

static struct entry entry_of(enum verdict verdict) {
	struct entry entry = {.public = {.number = 7,
				      .time_ns = 1234567890123456789,
				      .confirm_by_ns = 42,
				      .previous = 6},
		.on_disk = verdict,
		.activated = 3,
		.body_bytes = 99,
		.body_crc = 0xdeadbeef};
	memset(entry.public.hash, 'a', 64);
	entry_set_author(&entry, STR("undo of \"5\"\n"));
	entry_set_writer(&entry, STR("0.2.0"));
	return entry;
}

// Without its newline.
static struct str line_of(const struct entry *entry, struct buf *out) {
	entry_format(entry, out);
	return str_head(buf_str(out), out->len - 1);
}

TEST(what_is_written_is_read_back) {
	struct entry entry = entry_of(VERDICT_PENDING), again;
	struct buf text = BUF_INIT;

	CHECK(entry_parse(line_of(&entry, &text), 7, &again));

	CHECK_INT(again.public.number, 7);
	CHECK_INT(again.public.time_ns, 1234567890123456789);
	CHECK_INT(again.public.confirm_by_ns, 42);
	CHECK_INT(again.public.previous, 6);
	CHECK_INT(again.on_disk, VERDICT_PENDING);
	CHECK_INT(again.activated, 3);
	CHECK_INT(again.body_bytes, 99);
	CHECK_INT(again.body_crc, 0xdeadbeef);
	CHECK_TEXT(again.public.hash, entry.public.hash);
	CHECK_TEXT(again.public.author, "undo of \"5\"\n");
	CHECK_TEXT(again.public.writer, "0.2.0");
	buf_finish(&text);
}

TEST(a_line_without_its_writer_is_whole) {
	struct entry again;
	struct buf text = BUF_INIT;
	buf_append_text(&text, "{\"format\":2,\"number\":7,\"hash\":\"");
	for (int i = 0; i < 64; i++) {
		buf_append_char(&text, 'a');
	}
	buf_append_text(&text, "\",\"time_ns\":1,\"author\":\"start\",\"verdict\":\"good\"");
	buf_appendf(&text, ",\"crc\":\"%08x\"}", crc32c(0, text.at, text.len));

	CHECK(entry_parse(buf_str(&text), 7, &again));

	CHECK_TEXT(again.public.writer, "");
	buf_finish(&text);
}

TEST(a_deadline_is_only_of_a_pending_one) {
	struct entry entry = entry_of(VERDICT_GOOD), again;
	struct buf text = BUF_INIT;

	CHECK(entry_parse(line_of(&entry, &text), 7, &again));

	CHECK_INT(again.public.confirm_by_ns, 0);
	CHECK_INT(again.public.previous, 0);
	buf_finish(&text);
}

TEST(a_line_under_the_number_of_another_is_refused) {
	struct entry entry = entry_of(VERDICT_ACTIVE), again;
	struct buf text = BUF_INIT;

	CHECK(!entry_parse(line_of(&entry, &text), 8, &again));
	buf_finish(&text);
}

TEST(every_flipped_bit_and_every_cut_is_noticed) {
	struct entry entry = entry_of(VERDICT_ACTIVE), again;
	struct buf text = BUF_INIT;
	struct str line = line_of(&entry, &text);

	for (size_t i = 0; i < line.len; i++) {
		CHECK(!entry_parse(str_head(line, i), 7, &again));
		for (int bit = 0; bit < 8; bit++) {
			text.at[i] = (char)(text.at[i] ^ (1 << bit));
			CHECK(!entry_parse(line, 7, &again));
			text.at[i] = (char)(text.at[i] ^ (1 << bit));
		}
	}
	CHECK(entry_parse(line, 7, &again));
	buf_finish(&text);
}

TEST(texts_of_any_bytes_come_back_as_they_were) {
	struct config_file items[] = {{STR("a\"b"), STR("x\ny\x01")}, {STR("c"), STR("\xff")}};
	struct config_files files = {.items = items, .n = 2}, again;
	struct entry entry = entry_of(VERDICT_REJECTED);
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	body_format(&files, &text);

	CHECK(body_parse(buf_str(&text), &entry, &again, &err));

	CHECK_INT(again.n, 2);
	CHECK_STR(again.items[0].path, "a\"b");
	CHECK_STR(again.items[0].text, "x\ny\x01");
	CHECK_STR(again.items[1].text, "\xff");
	CHECK_TEXT(again.hash, entry.public.hash);
	config_files_finish(&again);
	buf_finish(&text);
}

TEST(a_body_of_another_form_is_refused) {
	static const char *const texts[] = {"{", "[]\n", "{\"path\":3,\"bytes\":0}\n\n",
		"{\"path\":\"a\"}\n\n", "{\"path\":\"a\",\"bytes\":-1}\n\n",
		"{\"path\":\"a\",\"bytes\":3}\nab\n", "{\"path\":\"a\",\"bytes\":2}\nab",
		"{\"path\":\"a\",\"bytes\":1}\nab\n",
		"{\"path\":\"a\",\"bytes\":9223372036854775807}\nab\n",
		"{\"path\":\"a\",\"bytes\":2}\nab\nmore"};
	struct entry entry = entry_of(VERDICT_GOOD);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config_files files;
		struct err err = ERR_INIT;
		CHECK(!body_parse(str_from(texts[i]), &entry, &files, &err));
		CHECK_INT(err.code, ERR_STORAGE);
	}
}

int main(void) {
	return TESTS(RUN(what_is_written_is_read_back), RUN(a_line_without_its_writer_is_whole),
		RUN(a_deadline_is_only_of_a_pending_one),
		RUN(a_line_under_the_number_of_another_is_refused),
		RUN(every_flipped_bit_and_every_cut_is_noticed),
		RUN(texts_of_any_bytes_come_back_as_they_were),
		RUN(a_body_of_another_form_is_refused));
}
