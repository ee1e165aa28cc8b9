// SPDX-License-Identifier: Apache-2.0
// Bytes of segments and frames; see segment.h. Pure but for reading a header. Every length that
// comes from a file is checked before it is used.
#include "store/segment.h"

#include <endian.h>
#include <errno.h>

#include "base/crc32c.h"

static const char magic[8] = {'A', 'N', 'N', 'A', 'J', 'R', 'N', 'L'};

enum { // offsets in the header
	HEADER_CRC = 8,
	HEADER_VERSION = 12,
	HEADER_COMPATIBLE = 16,
	HEADER_INCOMPATIBLE = 20,
	HEADER_ID = 24,
	HEADER_CREATED = 32,
	HEADER_STREAM = 40,
};

static void put32(unsigned char *to, uint32_t value) {
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static void put64(unsigned char *to, uint64_t value) {
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static uint32_t get32(const unsigned char *from) {
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const unsigned char *from) {
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

uint32_t segment_seed(const char *stream, uint64_t id, int64_t created_ns) {
	unsigned char numbers[16];
	put64(numbers, id);
	put64(numbers + 8, (uint64_t)created_ns);
	return crc32c(crc32c(0, stream, strlen(stream)), numbers, sizeof(numbers));
}

void segment_format_header(unsigned char bytes[SEGMENT_DATA_START], const char *stream, uint64_t id,
	int64_t created_ns) {
	assert(strlen(stream) <= STREAM_NAME_MAX);
	memset(bytes, 0, SEGMENT_DATA_START);
	memcpy(bytes, magic, sizeof(magic));
	put32(bytes + HEADER_VERSION, SEGMENT_VERSION);
	put32(bytes + HEADER_COMPATIBLE, 0);
	put32(bytes + HEADER_INCOMPATIBLE, 0);
	put64(bytes + HEADER_ID, id);
	put64(bytes + HEADER_CREATED, (uint64_t)created_ns);
	memcpy(bytes + HEADER_STREAM, stream, strlen(stream));
	put32(bytes + HEADER_CRC,
		crc32c(0, bytes + HEADER_VERSION, SEGMENT_HEADER_SIZE - HEADER_VERSION));
	memcpy(bytes + SEGMENT_HEADER_SIZE, bytes, SEGMENT_HEADER_SIZE);
}

// One of the two copies.
static enum segment_condition check_copy(const unsigned char *bytes, const char *stream,
	uint64_t id, uint32_t *out_seed, struct err *err) {
	static const unsigned char zeroes[SEGMENT_HEADER_SIZE];
	if (memcmp(bytes, zeroes, SEGMENT_HEADER_SIZE) == 0) {
		return SEGMENT_BLANK;
	}
	if (memcmp(bytes, magic, sizeof(magic)) != 0 ||
		crc32c(0, bytes + HEADER_VERSION, SEGMENT_HEADER_SIZE - HEADER_VERSION) !=
			get32(bytes + HEADER_CRC)) {
		return SEGMENT_DAMAGED;
	}
	uint32_t unknown = get32(bytes + HEADER_INCOMPATIBLE) & ~SEGMENT_INCOMPATIBLE_KNOWN;
	if (get32(bytes + HEADER_VERSION) != SEGMENT_VERSION || unknown) {
		(void)err_set(err, ERR_STORAGE,
			"segment %016llx of stream %s is of format %u, features %x: written by a "
			"newer version; install that version, or move the file away",
			(unsigned long long)id, stream, get32(bytes + HEADER_VERSION), unknown);
		return SEGMENT_NEWER;
	}
	char name[STREAM_NAME_MAX + 1];
	memcpy(name, bytes + HEADER_STREAM, sizeof(name));
	name[STREAM_NAME_MAX] = '\0';
	if (get64(bytes + HEADER_ID) != id || strcmp(name, stream) != 0) {
		return SEGMENT_RECYCLED;
	}
	*out_seed = segment_seed(stream, id, (int64_t)get64(bytes + HEADER_CREATED));
	return SEGMENT_OK;
}

enum segment_condition segment_check(struct fs *fs, int fd, const char *stream, uint64_t id,
	uint32_t *out_seed, struct err *err) {
	unsigned char bytes[SEGMENT_DATA_START] = {0};
	enum segment_condition found[2];
	bool is_read = false;
	for (int copy = 0; copy < 2; copy++) {
		unsigned char *at = bytes + copy * SEGMENT_HEADER_SIZE;
		ssize_t n = fs_read_all(
			fs, fd, at, SEGMENT_HEADER_SIZE, copy * SEGMENT_HEADER_SIZE);
		is_read = is_read || n >= 0;
		// Not all there: no frame is written before the header is durable, length and all.
		bool is_short = n >= 0 && n < SEGMENT_HEADER_SIZE;
		found[copy] = n < 0 ? SEGMENT_DAMAGED
			: is_short  ? SEGMENT_BLANK
				    : check_copy(at, stream, id, out_seed, err);
		if (found[copy] == SEGMENT_OK || found[copy] == SEGMENT_NEWER) {
			return found[copy];
		}
	}
	if (!is_read) {
		(void)err_set(err, ERR_IO, "cannot read segment %016llx of stream %s",
			(unsigned long long)id, stream);
		return SEGMENT_UNREADABLE;
	}
	return found[0] == found[1]					       ? found[0]
		: found[0] == SEGMENT_RECYCLED || found[1] == SEGMENT_RECYCLED ? SEGMENT_RECYCLED
									       : SEGMENT_DAMAGED;
}

void segment_path(
	struct buf *out, const char *folder, const char *stream, uint64_t id, const char *suffix) {
	buf_clear(out);
	buf_appendf(out, "%s/%s/%016llx.%s", folder, stream, (unsigned long long)id, suffix);
}

bool segment_parse_name(const char *name, const char *suffix, uint64_t *out_id) {
	uint64_t id = 0;
	for (int i = 0; i < 16; i++) {
		char c = name[i];
		bool is_digit = c >= '0' && c <= '9';
		if (!is_digit && !(c >= 'a' && c <= 'f')) {
			return false;
		}
		id = id << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
	}
	if (name[16] != '.' || strcmp(name + 17, suffix) != 0 || id == 0 || id == UINT64_MAX) {
		return false;
	}
	*out_id = id;
	return true;
}

static size_t padded(size_t n) {
	return (n + 7) & ~(size_t)7;
}

uint64_t frame_size(const struct record *records, size_t n) {
	uint64_t size = FRAME_HEADER_SIZE;
	for (size_t i = 0; i < n; i++) {
		size += RECORD_HEADER_SIZE + padded(records[i].payload.len);
	}
	return size;
}

// Fills in the header of the frame that begins at `start` in *out and ends at its end.
static void finish_frame(struct buf *out, size_t start, uint32_t seed, const struct frame *frame) {
	unsigned char *at = (unsigned char *)out->at + start;
	uint32_t length = (uint32_t)(out->len - start);
	put32(at + 4, crc32c(seed, at + FRAME_HEADER_SIZE, length - FRAME_HEADER_SIZE));
	put32(at + 8, length);
	put32(at + 12, frame->synced);
	put64(at + 16, frame->sequence);
	put32(at + 24, frame->count);
	at[28] = frame->kind;
	at[29] = frame->flags;
	at[30] = at[31] = 0;
	put32(at, crc32c(seed, at + 4, FRAME_HEADER_SIZE - 4));
}

void frame_append(
	struct buf *out, uint32_t seed, const struct record *records, size_t n, uint32_t synced) {
	size_t start = out->len;
	size_t size = (size_t)frame_size(records, n);
	unsigned char *at = (unsigned char *)buf_reserve(out, size) + FRAME_HEADER_SIZE;
	for (size_t i = 0; i < n; i++) {
		const struct record *record = &records[i];
		size_t len = record->payload.len;
		put64(at, record->cause);
		put64(at + 8, (uint64_t)record->time_ns);
		put32(at + 16, (uint32_t)(record->sequence - records[0].sequence));
		put32(at + 20, (uint32_t)len | (uint32_t)record->type << 24);
		at += RECORD_HEADER_SIZE;
		if (len) {
			memcpy(at, record->payload.at, len);
		}
		memset(at + len, 0, padded(len) - len);
		at += padded(len);
	}
	out->len += size;
	finish_frame(out, start, seed,
		&(struct frame){.synced = synced,
			.sequence = records[0].sequence,
			.count = (uint32_t)n,
			.kind = FRAME_DATA});
}

void frame_append_open(struct buf *out, uint32_t seed, uint64_t sequence, uint32_t synced,
	const struct segment_end *before) {
	size_t start = out->len;
	unsigned char *at = (unsigned char *)buf_reserve(out, FRAME_OPEN_SIZE);
	put64(at + FRAME_HEADER_SIZE, before->id);
	put64(at + FRAME_HEADER_SIZE + 8, (uint64_t)before->end);
	put64(at + FRAME_HEADER_SIZE + 16, before->sequence);
	out->len += FRAME_OPEN_SIZE;
	finish_frame(out, start, seed,
		&(struct frame){.synced = synced, .sequence = sequence, .kind = FRAME_OPEN});
}

void frame_append_mark(
	struct buf *out, uint32_t seed, uint64_t sequence, uint32_t synced, uint8_t flags) {
	size_t start = out->len;
	(void)buf_reserve(out, FRAME_HEADER_SIZE);
	out->len += FRAME_HEADER_SIZE;
	finish_frame(out, start, seed,
		&(struct frame){.synced = synced,
			.sequence = sequence,
			.kind = FRAME_MARK,
			.flags = flags});
}

// The checksum says that somebody with the seed wrote it; this, that a writer does: what one never
// writes would be read one way by recovery and another by readers.
static bool is_sane(const struct frame *frame) {
	uint32_t body = frame->length - FRAME_HEADER_SIZE;
	if (frame->sequence == 0 || frame->sequence > RECORD_SEQUENCE_MAX + 1 ||
		frame->synced % 8 || frame->synced < SEGMENT_DATA_START ||
		frame->synced > frame->offset) {
		return false;
	}
	switch (frame->kind) {
	case FRAME_DATA:
		return frame->count > 0 && frame->count <= body / RECORD_HEADER_SIZE;
	case FRAME_OPEN: // the first of a segment
		return frame->count == 0 && frame->length == FRAME_OPEN_SIZE &&
			frame->offset == SEGMENT_DATA_START;
	case FRAME_MARK: // exactly at the end of what is durable
		return frame->count == 0 && body == 0 && frame->synced == frame->offset;
	default: // a version that has more kinds says so in the header
		return false;
	}
}

bool frame_parse_header(
	const unsigned char *bytes, uint32_t seed, int64_t offset, struct frame *out) {
	uint32_t length = get32(bytes + 8);
	// The cheap tests first: this runs at every 8th byte of what may be damaged.
	if (length < FRAME_HEADER_SIZE || length > FRAME_SIZE_MAX || length % 8 ||
		crc32c(seed, bytes + 4, FRAME_HEADER_SIZE - 4) != get32(bytes)) {
		return false;
	}
	struct frame frame = {
		.offset = offset,
		.body_crc = get32(bytes + 4),
		.length = length,
		.synced = get32(bytes + 12),
		.sequence = get64(bytes + 16),
		.count = get32(bytes + 24),
		.kind = bytes[28],
		.flags = bytes[29],
	};
	if (is_sane(&frame)) {
		*out = frame;
		return true;
	}
	return false;
}

bool frame_next_record(const struct frame *frame, size_t *cursor, struct record *out) {
	size_t at = *cursor ? *cursor : FRAME_HEADER_SIZE;
	if (frame->kind != FRAME_DATA || at + RECORD_HEADER_SIZE > frame->length) {
		return false;
	}
	const unsigned char *bytes = frame->bytes + at;
	uint32_t packed = get32(bytes + 20);
	size_t len = packed & 0xffffff;
	if (padded(len) > frame->length - at - RECORD_HEADER_SIZE) {
		return false;
	}
	*out = (struct record){
		.sequence = frame->sequence + get32(bytes + 16),
		.cause = get64(bytes),
		.time_ns = (int64_t)get64(bytes + 8),
		.type = (uint8_t)(packed >> 24),
		.payload = {(const char *)bytes + RECORD_HEADER_SIZE, len},
	};
	*cursor = at + RECORD_HEADER_SIZE + padded(len);
	return true;
}

// The checksum says the bytes are those written; this, that they make sense.
static bool is_well_formed(const struct frame *frame) {
	struct record record;
	size_t cursor = 0;
	uint64_t last = 0;
	uint32_t n = 0;
	while (frame_next_record(frame, &cursor, &record)) {
		bool is_first = n == 0;
		if (is_first ? record.sequence != frame->sequence : record.sequence <= last) {
			return false;
		}
		if (record.sequence > RECORD_SEQUENCE_MAX ||
			record.payload.len > RECORD_PAYLOAD_MAX) {
			return false;
		}
		last = record.sequence;
		n++;
	}
	return n == frame->count && cursor == frame->length;
}

static bool open_is_sane(const struct frame *frame) {
	struct segment_end before;
	frame_parse_open(frame, &before);
	return before.id ? before.sequence < frame->sequence : before.sequence == 0;
}

bool frame_body_is_whole(const struct frame *frame, uint32_t seed) {
	return crc32c(seed, frame->bytes + FRAME_HEADER_SIZE, frame->length - FRAME_HEADER_SIZE) ==
		frame->body_crc &&
		(frame->kind != FRAME_DATA || is_well_formed(frame)) &&
		(frame->kind != FRAME_OPEN || open_is_sane(frame));
}

void frame_parse_open(const struct frame *frame, struct segment_end *out) {
	const unsigned char *body = frame->bytes + FRAME_HEADER_SIZE;
	uint64_t end = get64(body + 8);
	*out = (struct segment_end){
		.id = get64(body),
		.end = end > (uint64_t)SEGMENT_SIZE_MAX ? SEGMENT_SIZE_MAX : (int64_t)end,
		.sequence = get64(body + 16),
	};
}

uint64_t frame_last_sequence(const struct frame *frame) {
	uint64_t last = frame->sequence;
	struct record record;
	size_t cursor = 0;
	while (frame->count > 1 && frame_next_record(frame, &cursor, &record)) {
		last = record.sequence;
	}
	return last;
}
