// SPDX-License-Identifier: Apache-2.0
// ustar; see doctor_archive.h. Blocks of 512 bytes: a header, then the content, padded with zeroes.
#include "ctl/doctor_archive.h"

#include "base/clock.h"

#define BLOCK 512

struct header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static void pad(struct buf *out, size_t n) {
	memset(buf_reserve(out, n), 0, n);
	out->len += n;
}

void archive_add(struct buf *out, const char *name, struct str content, int64_t wall_ns) {
	struct header header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
	unsigned sum = 0;
	(void)snprintf(header.name, sizeof(header.name), "%s", name);
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", 0600);
	(void)snprintf(header.uid, sizeof(header.uid), "%07o", 0);
	(void)snprintf(header.gid, sizeof(header.gid), "%07o", 0);
	(void)snprintf(
		header.size, sizeof(header.size), "%011llo", (unsigned long long)content.len);
	(void)snprintf(header.mtime, sizeof(header.mtime), "%011llo",
		(unsigned long long)(wall_ns / NS_PER_SECOND));
	// The sum is made with its own field as blanks.
	memset(header.checksum, ' ', sizeof(header.checksum));
	for (size_t i = 0; i < BLOCK; i++) {
		sum += ((const unsigned char *)&header)[i];
	}
	(void)snprintf(header.checksum, sizeof(header.checksum), "%06o", sum);
	buf_append(out, &header, BLOCK);
	buf_append_str(out, content);
	pad(out, (BLOCK - content.len % BLOCK) % BLOCK);
}

void archive_end(struct buf *out) {
	pad(out, (size_t)2 * BLOCK);
}
