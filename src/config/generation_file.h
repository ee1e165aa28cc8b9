// SPDX-License-Identifier: Apache-2.0
// One generation as a file: a line of JSON that says what it is, and below it each file of the
// configuration, byte for byte, under a line of JSON with its path and length. The first line carries
// its own checksum and that of all below it, so a list needs only first lines. Nobody outside
// config/ includes it.
#pragma once

#include "config/generations.h"

#define GENERATION_HEADER_MAX 4096 // the first line; the author is cut to fit
#define GENERATION_AUTHOR_MAX 200
#define GENERATION_WRITER_MAX 40
// Six bytes for one is the worst that JSON does to a path.
#define GENERATION_PATH_LINE_MAX (6 * 4096 + 64)
#define GENERATION_BODY_MAX \
	((size_t)CONFIG_FILE_MAX + (2 * CONFIG_FILES_MAX + 1) * (size_t)GENERATION_PATH_LINE_MAX)

struct entry {
	struct generation public; // its verdict is the one shown
	enum verdict on_disk;
	uint64_t activated; // 0: never was in force
	size_t body_bytes;
	uint32_t body_crc;
	char author[GENERATION_AUTHOR_MAX + 1];
	char writer[GENERATION_WRITER_MAX + 1];
};

// Copies the author, cut to what fits.
void entry_set_author(struct entry *entry, struct str author);
// The same for the version that writes it.
void entry_set_writer(struct entry *entry, struct str writer);
// Appends the first line, with its newline.
void entry_format(const struct entry *entry, struct buf *out);
// Reads the first line (without the newline) of generation `number`; false when it is damaged. The
// author's pointer is into *out.
_must_use_ bool entry_parse(struct str line, uint64_t number, struct entry *out);
// Appends what is below the first line.
void body_format(const struct config_files *files, struct buf *out);
// Files from what is below it; the caller finishes them.
_must_use_ bool body_parse(
	struct str body, const struct entry *entry, struct config_files *out, struct err *err);
