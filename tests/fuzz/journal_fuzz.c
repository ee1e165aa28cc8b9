// SPDX-License-Identifier: Apache-2.0
// Recovery and readers over arbitrary bytes of a segment: they must end, stay within the bytes, and
// agree; recovery run again must change nothing. The first byte says how the bytes are used: as the
// whole file; behind a good header; or as frames whose checksums are made right, so that what is
// behind the checksums is reached too.
#include <endian.h>

#include "base/crc32c.h"
#include "store/journal.h"
#include "store/reader.h"
#include "store/segment.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

#define FOLDER "/j"
#define SIZE_MAX_HERE (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

// Follows the length fields and makes every frame's checksums right.
static void mend(unsigned char *at, size_t n, uint32_t seed) {
	while (n >= FRAME_HEADER_SIZE) {
		uint32_t length;
		memcpy(&length, at + 8, sizeof(length));
		length = le32toh(length) & 0xfff8;
		length = length < FRAME_HEADER_SIZE ? FRAME_HEADER_SIZE : length;
		length = length > n ? (uint32_t)n & ~7u : length;
		uint32_t stored = htole32(length);
		memcpy(at + 8, &stored, sizeof(stored));
		stored = htole32(crc32c(seed, at + FRAME_HEADER_SIZE, length - FRAME_HEADER_SIZE));
		memcpy(at + 4, &stored, sizeof(stored));
		stored = htole32(crc32c(seed, at + 4, FRAME_HEADER_SIZE - 4));
		memcpy(at, &stored, sizeof(stored));
		at += length;
		n -= length;
	}
}

static void count_effect(void *arg, const struct record *record) {
	(void)record;
	++*(int *)arg;
}

static uint64_t read_all(struct fs *fs, bool backward) {
	struct reader_query query = {.backward = backward};
	struct record record;
	struct err err;
	uint64_t sum = 0;
	struct reader *reader = reader_open(fs, FOLDER, &query, &err);
	while (reader && reader_next(reader, &record, &err) == 1) {
		if (record.type != RECORD_DAMAGE) {
			sum += record.sequence * 31 + str_hash(record.payload);
		}
	}
	reader_close(reader);
	return sum;
}

static void use(struct sim_fs *sim) {
	static const struct journal_stream_options streams[] = {{"normal", 1 << 20, 0}};
	struct journal_options options = {streams, 1, 8192};
	struct journal_recovery first, second;
	struct fake_clock clock;
	struct err err;
	struct fs *fs = sim_fs(sim);
	fake_clock_init(&clock);
	(void)read_all(fs, false);
	(void)read_all(fs, true);
	struct journal *journal = journal_open(fs, &clock.clock, FOLDER, &options, &first, &err);
	if (!journal) {
		return; // a newer version
	}
	uint64_t digest = sim_fs_digest(sim);
	sim_fs_kill(sim);
	journal_close(journal);
	sim_fs_boot(sim);
	journal = journal_open(fs, &clock.clock, FOLDER, &options, &second, &err);
	assert(journal && digest == sim_fs_digest(sim));
	assert(first.last_sequence == second.last_sequence);
	assert(read_all(fs, false) == read_all(fs, true));
	int effects = 0;
	struct record record = {.sequence = second.last_sequence + 1, .cause = 3};
	if (record.sequence && journal_append(journal, "normal", &record, 1, &err)) {
		assert(journal_sync(journal, &err) && journal_maintain(journal, &err));
		struct buf payload = BUF_INIT;
		int found = reader_find(fs, FOLDER, record.sequence, &payload, &record, &err);
		assert(found == 1);
		buf_finish(&payload);
	}
	(void)reader_effects(fs, FOLDER, 3, 1000, count_effect, &effects, &err);
	journal_close(journal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static unsigned char file[SIZE_MAX_HERE];
	if (n < 1 || n > SIZE_MAX_HERE - SEGMENT_DATA_START) {
		return 0;
	}
	int mode = bytes[0] % 3;
	size_t start = mode ? SEGMENT_DATA_START : 0;
	memset(file, 0, sizeof(file));
	segment_format_header(file, "normal", 1, 0);
	memcpy(file + start, bytes + 1, n - 1);
	if (mode == 2) {
		mend(file + start, n - 1, segment_seed("normal", 1, 0));
	}
	struct sim_fs *sim = sim_fs_create(1);
	sim_fs_put(sim, FOLDER "/normal/0000000000000001.segment", file,
		bytes[0] & 64 ? start + n - 1 : sizeof(file));
	use(sim);
	sim_fs_destroy(sim);
	return 0;
}
