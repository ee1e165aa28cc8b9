// SPDX-License-Identifier: Apache-2.0
// Tests of doctor_archive.h: the bytes tar goes by. test_doctor.py lets tar read one.
#include "ctl/doctor_archive.h"

#include "tests/check.h"

TEST(a_file_is_a_header_and_whole_blocks) {
	struct buf out = BUF_INIT;
	archive_add(&out, "a.txt", STR("hello"), 0);
	CHECK_INT(out.len, 1024);
	CHECK_TEXT(out.at, "a.txt");
	CHECK_TEXT(out.at + 257, "ustar");
	CHECK_STR(str_range(out.at + 124, 11), "00000000005");
	CHECK_STR(str_range(out.at + 512, 5), "hello");
	CHECK_INT(out.at[517], 0);
	buf_finish(&out);
}

TEST(content_of_whole_blocks_is_not_padded) {
	struct buf out = BUF_INIT;
	char block[512];
	memset(block, 'x', sizeof(block));
	archive_add(&out, "a", str_range(block, sizeof(block)), 0);
	CHECK_INT(out.len, 1024);
	archive_end(&out);
	CHECK_INT(out.len, 2048);
	buf_finish(&out);
}

TEST(the_checksum_is_that_of_the_header_with_blanks_in_its_place) {
	struct buf out = BUF_INIT;
	unsigned sum = 0;
	char said[8];
	archive_add(&out, "a.txt", STR(""), INT64_C(1790000000) * 1000000000);
	memcpy(said, out.at + 148, 6);
	said[6] = '\0';
	memset(out.at + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++) {
		sum += (unsigned char)out.at[i];
	}
	char expected[8];
	(void)snprintf(expected, sizeof(expected), "%06o", sum);
	CHECK_TEXT(said, expected);
	buf_finish(&out);
}

int main(void) {
	return TESTS(RUN(a_file_is_a_header_and_whole_blocks),
		RUN(content_of_whole_blocks_is_not_padded),
		RUN(the_checksum_is_that_of_the_header_with_blanks_in_its_place));
}
