// SPDX-License-Identifier: Apache-2.0
// The journal's file format. <folder>/<stream>/<16 hex digits>.segment, little-endian:
//
//	0     header, 512 bytes, and the same again at 512 (one flipped bit cannot take a segment):
//	      "ANNAJRNL", u32 crc of the rest, u32 version, u32 compatible flags, u32 incompatible
//	      flags, u64 segment id, i64 created, char stream[64]
//	1024  frames, each at a multiple of 8:
//	      u32 head crc (bytes 4 to 31), u32 body crc, u32 length (with this header, multiple of
//	      8), u32 synced, u64 sequence, u32 count, u8 kind, u8 flags, u16 0
//	      then `count` records: u64 cause, i64 time, u32 sequence - the frame's, u32 payload length
//	      and type << 24, payload, padded to 8
//
// Every crc begins with stream, segment id and creation time: what an earlier life of a recycled
// file left behind never validates, nor does a frame that somebody put into a payload.
// `synced`: everything before this offset was durable when the frame was written, so a hole below
// it is damage and a hole at the end is a write that was never acked.
//
// Kinds. DATA. OPEN: the first frame of a segment; its body says where the one before ends (u64
// id, u64 end, u64 last sequence): what lies behind that end, and segments in between, are void.
// Its sequence is that of the first record behind it. MARK: sits at the end of what is durable
// until the next frame overwrites it; its sequence is above all before; CLEAN: by journal_close.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "io/fs.h"
#include "store/record.h"

#define SEGMENT_VERSION 1
#define SEGMENT_INCOMPATIBLE_KNOWN 0u
#define SEGMENT_HEADER_SIZE 512
#define SEGMENT_DATA_START 1024
#define SEGMENT_SIZE_MAX (INT64_C(64) * 1024 * 1024)
#define STREAM_NAME_MAX 63
#define FRAME_HEADER_SIZE 32
#define FRAME_OPEN_SIZE (FRAME_HEADER_SIZE + 24)
#define FRAME_SIZE_MAX (4 * 1024 * 1024)
#define RECORD_HEADER_SIZE 24

enum frame_kind {
	FRAME_DATA = 1,
	FRAME_OPEN = 2,
	FRAME_MARK = 3
};
enum {
	FRAME_CLEAN = 1
};

struct frame {
	int64_t offset; // in its segment
	uint32_t body_crc;
	uint32_t length;
	uint32_t synced;
	uint32_t count;
	uint64_t sequence;
	uint8_t kind;
	uint8_t flags;
	const unsigned char *bytes; // all of it, header too; borrowed
};

// What an OPEN frame says about the segment before.
struct segment_end {
	uint64_t id; // 0: there was none
	int64_t end;
	uint64_t sequence; // the last before the end
};

enum segment_condition {
	SEGMENT_OK,
	SEGMENT_BLANK,	  // zeroes: its making was cut short
	SEGMENT_RECYCLED, // another segment's header: dropped, or not yet made
	SEGMENT_DAMAGED,  // neither header is whole
	SEGMENT_NEWER,	  // a version or feature this program does not know
	SEGMENT_UNREADABLE
};

// The first part of every crc in a segment.
uint32_t segment_seed(const char *stream, uint64_t id, int64_t created_ns);
void segment_format_header(unsigned char bytes[SEGMENT_DATA_START], const char *stream, uint64_t id,
	int64_t created_ns);
// Reads the header; *out_seed on SEGMENT_OK. *err on NEWER and UNREADABLE.
enum segment_condition segment_check(struct fs *fs, int fd, const char *stream, uint64_t id,
	uint32_t *out_seed, struct err *err);
// Appends folder/stream/id and the suffix "segment" or "index".
void segment_path(
	struct buf *out, const char *folder, const char *stream, uint64_t id, const char *suffix);
// The id in a file name; false for any other file.
_must_use_ bool segment_parse_name(const char *name, const char *suffix, uint64_t *out_id);

// Appends a frame to *out; records_size says beforehand how long a DATA frame becomes.
uint64_t frame_size(const struct record *records, size_t n);
void frame_append(
	struct buf *out, uint32_t seed, const struct record *records, size_t n, uint32_t synced);
void frame_append_open(struct buf *out, uint32_t seed, uint64_t sequence, uint32_t synced,
	const struct segment_end *before);
void frame_append_mark(
	struct buf *out, uint32_t seed, uint64_t sequence, uint32_t synced, uint8_t flags);

// True when the 32 bytes at `offset` of a segment are a frame's header that a writer could have put
// there; all but bytes of *out.
_must_use_ bool frame_parse_header(
	const unsigned char *bytes, uint32_t seed, int64_t offset, struct frame *out);
// True when the body (frame->bytes, whole) is the one the header was made for, and well-formed.
_must_use_ bool frame_body_is_whole(const struct frame *frame, uint32_t seed);
void frame_parse_open(const struct frame *frame, struct segment_end *out);
// Walks the records of a whole DATA frame: *cursor is 0 at first; false at the end.
_must_use_ bool frame_next_record(const struct frame *frame, size_t *cursor, struct record *out);
uint64_t frame_last_sequence(const struct frame *frame);
