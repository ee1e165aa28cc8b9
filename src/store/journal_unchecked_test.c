// SPDX-License-Identifier: Apache-2.0
// The test of the crash test, one bug more: a journal whose checksums are not checked. This
// program has a crc32c of its own, which the linker takes instead of base/crc32c.c.
#include "base/crc32c.h"
#include "tests/check.h"
#include "tests/fakes/journal_schedule.h"

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n) {
	(void)crc;
	(void)bytes;
	(void)n;
	return 0x5a5a5a5a; // whatever is read, it is what was written
}

TEST(a_checksum_that_is_not_checked_is_found) {
	struct buf reason = BUF_INIT;

	uint64_t seed = schedule_find(1, 500, BUG_NONE, &reason);

	print_message("# no checksum: found by seed %llu: %s\n", (unsigned long long)seed,
		buf_text(&reason));
	CHECK(seed != UINT64_MAX);
	buf_finish(&reason);
}

int main(void) {
	return TESTS(RUN(a_checksum_that_is_not_checked_is_found));
}
