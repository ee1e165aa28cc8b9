// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include "tests/check.h"

TEST(check_vectors_agree) {
	unsigned char zeros[32] = {0}, ones[32], rising[32];
	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < sizeof(rising); i++) {
		rising[i] = (unsigned char)i;
	}
	CHECK_INT(crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_INT(crc32c(0, zeros, 32), 0x8a9136aa); // RFC 3720 B.4
	CHECK_INT(crc32c(0, ones, 32), 0x62a8ab43);
	CHECK_INT(crc32c(0, rising, 32), 0x46dd794e);
	CHECK_INT(crc32c(0, NULL, 0), 0);
}

TEST(any_cut_gives_the_same_sum) {
	const char *text = "the quick brown fox jumps over the lazy dog";
	size_t len = strlen(text);
	uint32_t whole = crc32c(0, text, len);
	for (size_t i = 0; i <= len; i++) {
		CHECK_INT(crc32c(crc32c(0, text, i), text + i, len - i), whole);
	}
}

int main(void) {
	return TESTS(RUN(check_vectors_agree), RUN(any_cut_gives_the_same_sum));
}
