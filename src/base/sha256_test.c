// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "tests/check.h"

static const char *hex_of(struct str message) {
	static char hex[65];
	sha256_hex(message, hex);
	return hex;
}

TEST(the_vectors_of_fips_180_agree) {
	CHECK_TEXT(hex_of(STR("")),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_TEXT(hex_of(STR("abc")),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_TEXT(hex_of(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	char *million = xmalloc(1000000);
	memset(million, 'a', 1000000);
	CHECK_TEXT(hex_of(str_range(million, 1000000)),
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

TEST(every_length_around_a_block_differs) {
	char text[130], previous[65] = "";
	memset(text, 'x', sizeof(text));
	for (size_t len = 50; len <= 130; len++) {
		const char *hex = hex_of(str_range(text, len));
		CHECK(strcmp(hex, previous) != 0);
		memcpy(previous, hex, 65);
	}
	CHECK_TEXT(hex_of(str_range(text, 64)),
		"7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
}

int main(void) {
	return TESTS(RUN(the_vectors_of_fips_180_agree), RUN(every_length_around_a_block_differs));
}
