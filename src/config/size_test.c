// SPDX-License-Identifier: Apache-2.0
// Sizes as text and back.
#include "config/option.h"

#include "base/random.h"
#include "tests/check.h"

static const struct {
	const char *text;
	int64_t bytes; // -1: refused
} sizes[] = {
	{"0", 0},
	{"17", 17},
	{"17B", 17},
	{"1KiB", 1024},
	{"64MiB", 64 << 20},
	{"3 GiB", INT64_C(3) << 30},
	{"2TiB", INT64_C(2) << 40},
	{"1kB", 1000},
	{"1KB", 1000},
	{"5MB", 5000000},
	{"7GB", 7000000000},
	{"1TB", 1000000000000},
	{" 8 KiB ", 8192},
	{"1.5KiB", 1536},
	{"0.5MB", 500000},
	{"9223372036854775807", INT64_MAX},
	{"", -1},
	{"KiB", -1},
	{"-1", -1},
	{"-1KiB", -1},
	{"1.5", -1},
	{"1.5B", -1},
	{"0.1KiB", -1},
	{"1KIB", -1},
	{"1 K", -1},
	{"1e3MB", 1000000000},
	{"8388608TiB", -1},
	{"9223372036854775808", -1},
	{"1e300GB", -1},
	{"nanKiB", -1},
	{"1MiBB", -1},
};

TEST(sizes_are_read_in_both_kinds_of_units) {
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int64_t bytes = -1;
		bool is_one = size_parse(str_from(sizes[i].text), &bytes);
		if (is_one != (sizes[i].bytes >= 0) || bytes != sizes[i].bytes) {
			print_error("\"%s\" gave %lld\n", sizes[i].text, (long long)bytes);
		}
		CHECK_INT(is_one, sizes[i].bytes >= 0);
		CHECK_INT(bytes, sizes[i].bytes);
	}
}

TEST(a_size_is_written_in_the_largest_unit_that_is_exact) {
	static const struct {
		int64_t bytes;
		const char *text;
	} texts[] = {{0, "0B"}, {1, "1B"}, {1000, "1kB"}, {1024, "1KiB"}, {1536, "1536B"},
		{64 << 20, "64MiB"}, {64000000, "64MB"}, {INT64_C(1) << 40, "1TiB"}};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = BUF_INIT;
		size_format(&out, texts[i].bytes);
		CHECK_TEXT(buf_text(&out), texts[i].text);
		buf_finish(&out);
	}
}

TEST(what_is_written_is_read_back) {
	struct random random;
	uint64_t seed = 20260131;
	random_init(&random, seed);
	for (int i = 0; i < 10000; i++) {
		int64_t bytes = (int64_t)(random_next(&random) >> (1 + random_below(&random, 63)));
		int64_t again = -1;
		struct buf out = BUF_INIT;
		size_format(&out, bytes);
		if (!size_parse(buf_str(&out), &again) || again != bytes) {
			print_error("seed %llu: %s\n", (unsigned long long)seed, buf_text(&out));
		}
		CHECK_INT(again, bytes);
		buf_finish(&out);
	}
}

int main(void) {
	return TESTS(RUN(sizes_are_read_in_both_kinds_of_units),
		RUN(a_size_is_written_in_the_largest_unit_that_is_exact),
		RUN(what_is_written_is_read_back));
}
