// SPDX-License-Identifier: Apache-2.0
// Walking a segment; see scan.h. Memory is one window: 64 KiB, or one frame where that is larger.
#include "store/scan.h"

#include <errno.h>

#define WINDOW_SIZE (64 * 1024)
#define BAD_PIECE 4096 // how much of a range that cannot be read is given up at once

void scan_init(struct scan *scan, struct fs *fs, int fd, uint32_t seed, int64_t size) {
	*scan = (struct scan){
		.fs = fs,
		.fd = fd,
		.seed = seed,
		.has_seed = true,
		.offset = SEGMENT_DATA_START,
		.limit = size < SEGMENT_SIZE_MAX ? size : SEGMENT_SIZE_MAX,
		.acked_end = -1,
	};
}

void scan_finish(struct scan *scan) {
	buf_finish(&scan->window);
}

void scan_refresh(struct scan *scan) {
	buf_clear(&scan->window);
}

// Sectors that cannot be read become zeroes, which no frame is: they are damage like any other.
static ssize_t read_around(struct scan *scan, char *to, size_t n, int64_t offset) {
	ssize_t done = fs_read_all(scan->fs, scan->fd, to, n, offset);
	if (done != -EIO) {
		return done;
	}
	size_t total = 0;
	while (total < n) {
		size_t part = n - total < BAD_PIECE ? n - total : BAD_PIECE;
		done = fs_read_all(scan->fs, scan->fd, to + total, part, offset + (int64_t)total);
		if (done == -EIO) {
			memset(to + total, 0, part);
			done = (ssize_t)part;
		}
		if (done <= 0) {
			return done < 0 ? done : (ssize_t)total;
		}
		total += (size_t)done;
	}
	return (ssize_t)total;
}

// Makes [offset, offset + n) readable at *out, or as much of it as there is before the limit.
// How much, or -errno.
static ssize_t load(struct scan *scan, int64_t offset, size_t n, const unsigned char **out) {
	int64_t room = scan->limit - offset;
	if (room <= 0) {
		return 0;
	}
	n = (int64_t)n < room ? n : (size_t)room;
	int64_t window_end = scan->window_at + (int64_t)scan->window.len;
	if (offset < scan->window_at || offset + (int64_t)n > window_end) {
		size_t want = n > WINDOW_SIZE ? n : WINDOW_SIZE;
		want = (int64_t)want < room ? want : (size_t)room;
		buf_clear(&scan->window);
		char *to = buf_reserve(&scan->window, want);
		ssize_t got = read_around(scan, to, want, offset);
		if (got < 0) {
			return got;
		}
		scan->window.len = (size_t)got;
		scan->window_at = offset;
		n = (size_t)got < n ? (size_t)got : n;
	}
	*out = (const unsigned char *)scan->window.at + (offset - scan->window_at);
	return (ssize_t)n;
}

static int io_error(struct err *err, ssize_t result) {
	errno = (int)-result;
	(void)err_errno(err, "cannot read the journal");
	return -1;
}

int scan_frame_at(struct scan *scan, int64_t offset, struct frame *out, struct err *err) {
	const unsigned char *bytes;
	struct frame frame;
	if (!scan->has_seed) {
		return 0;
	}
	ssize_t n = load(scan, offset, FRAME_HEADER_SIZE, &bytes);
	if (n < 0) {
		return io_error(err, n);
	}
	if (n < FRAME_HEADER_SIZE || !frame_parse_header(bytes, scan->seed, offset, &frame)) {
		return 0;
	}
	n = load(scan, offset, frame.length, &bytes);
	if (n < 0) {
		return io_error(err, n);
	}
	frame.bytes = bytes;
	if ((size_t)n < frame.length || !frame_body_is_whole(&frame, scan->seed)) {
		return 0;
	}
	*out = frame;
	return 1;
}

int scan_search(struct scan *scan, int64_t from, int64_t to, struct frame *out, struct err *err) {
	static const unsigned char zeroes[FRAME_HEADER_SIZE];
	if (!scan->has_seed) {
		return 0;
	}
	for (int64_t at = (from + 7) & ~INT64_C(7); at < to;) {
		const unsigned char *bytes;
		ssize_t n = load(scan, at, FRAME_HEADER_SIZE, &bytes);
		if (n < 0) {
			return io_error(err, n);
		}
		if (n < FRAME_HEADER_SIZE) {
			return 0;
		}
		const unsigned char *end = (const unsigned char *)scan->window.at +
			scan->window.len - FRAME_HEADER_SIZE;
		for (; bytes <= end && at < to; bytes += 8, at += 8) {
			struct frame frame;
			if (memcmp(bytes, zeroes, 8) != 0 &&
				frame_parse_header(bytes, scan->seed, at, &frame)) {
				frame.bytes = NULL;
				*out = frame;
				return 1;
			}
		}
	}
	return 0;
}

// Looks through the rest of an unsealed segment for the highest offset that was durable once.
static int find_acked_end(struct scan *scan, int64_t from, struct err *err) {
	scan->acked_end = from;
	scan->acked_sequence = 0;
	for (int64_t at = from;;) {
		struct frame frame;
		int found = scan_search(scan, at, scan->limit, &frame, err);
		if (found <= 0) {
			return found;
		}
		bool is_newer = frame.sequence > scan->last_sequence;
		if (is_newer && frame.synced > scan->acked_end && frame.synced <= frame.offset) {
			scan->acked_end = frame.synced;
			scan->acked_sequence = frame.sequence;
		}
		at = frame.offset + 8; // a torn frame may hide whole ones behind its header
	}
}

static bool is_void(const struct scan *scan, const struct frame *frame) {
	return scan->void_from && frame->kind == FRAME_DATA && frame->sequence >= scan->void_from;
}

// The next whole frame behind a hole at scan->offset. Behind the durable end there may be frames of
// writes nobody was promised: where one before them is missing they do not count.
static int find_behind_hole(struct scan *scan, struct frame *out, struct err *err) {
	for (int64_t at = scan->offset + 8;;) {
		struct frame frame;
		int found = scan_search(scan, at, scan->limit, &frame, err);
		if (found > 0) {
			at = frame.offset + 8;
			if (frame.offset > scan->acked_end) {
				return 0;
			}
			found = scan_frame_at(scan, frame.offset, &frame, err);
			// A MARK was overwritten when more became durable: it says nothing here.
			if (found == 0 || frame.kind == FRAME_MARK || is_void(scan, &frame) ||
				frame.sequence <= scan->last_sequence) {
				continue;
			}
			*out = frame;
		}
		return found;
	}
}

// SCAN_DAMAGE, or SCAN_FRAME when no record can be missing (only a frame without records was hit).
static enum scan_result report(struct scan *scan, uint64_t next_sequence) {
	scan->damage_from = scan->last_sequence + 1;
	scan->damage_to = next_sequence - 1;
	if (scan->void_from && scan->damage_to >= scan->void_from) {
		scan->damage_to = scan->void_from - 1;
	}
	return scan->damage_to >= scan->damage_from && next_sequence ? SCAN_DAMAGE : SCAN_FRAME;
}

// There is no whole frame at scan->offset: is it the end, or a hole?
static enum scan_result step_over_hole(struct scan *scan, struct err *err) {
	if (scan->is_sealed) {
		scan->acked_end = scan->limit;
		scan->acked_sequence = scan->limit_sequence;
	} else if (scan->acked_end < 0 && find_acked_end(scan, scan->offset, err) < 0) {
		return SCAN_ERROR;
	}
	if (scan->offset >= scan->acked_end) {
		return SCAN_END;
	}
	// Beside a writer the frame may have been completed since it was looked at.
	struct frame frame;
	scan->has_hole = true;
	scan_refresh(scan);
	int found = scan_frame_at(scan, scan->offset, &frame, err);
	if (found > 0 && frame.kind != FRAME_MARK && frame.sequence > scan->last_sequence) {
		return SCAN_FRAME;
	}
	found = found < 0 ? found : find_behind_hole(scan, &frame, err);
	if (found < 0) {
		return SCAN_ERROR;
	}
	if (found > 0) {
		scan->offset = frame.offset;
		return report(scan, frame.sequence);
	}
	scan->offset = scan->acked_end;
	enum scan_result result = report(scan, scan->acked_sequence);
	scan->limit = scan->acked_end; // nothing more is here
	return result;
}

// The records before this segment are known to end here, whether they were read or not.
static void note_open(struct scan *scan, const struct frame *frame) {
	struct segment_end before;
	frame_parse_open(frame, &before);
	if (before.sequence > scan->last_sequence && before.sequence < frame->sequence) {
		scan->last_sequence = before.sequence;
	}
}

enum scan_result scan_next(struct scan *scan, struct frame *out, struct err *err) {
	for (;;) {
		if (scan->offset + FRAME_HEADER_SIZE > scan->limit) {
			bool is_short = scan->is_sealed && scan->offset < scan->limit;
			scan->offset = is_short ? scan->limit : scan->offset;
			return SCAN_END;
		}
		struct frame frame;
		int found = scan_frame_at(scan, scan->offset, &frame, err);
		if (found < 0) {
			return SCAN_ERROR;
		}
		if (found > 0 && is_void(scan, &frame)) {
			return SCAN_END;
		}
		bool is_next = found > 0 && frame.sequence > scan->last_sequence;
		if (is_next && frame.synced > scan->synced) {
			scan->synced = frame.synced;
		}
		if (is_next && frame.kind == FRAME_MARK && !scan->is_sealed) {
			scan->is_clean = frame.flags & FRAME_CLEAN;
			if (scan->trusts_mark || scan->is_clean) {
				return SCAN_END;
			}
		} else if (is_next && frame.kind != FRAME_MARK) {
			scan->offset += frame.length;
			if (frame.kind == FRAME_DATA) {
				scan->last_sequence = frame_last_sequence(&frame);
			}
			if (frame.kind == FRAME_OPEN) {
				note_open(scan, &frame);
			}
			*out = frame;
			return SCAN_FRAME;
		}
		enum scan_result result = step_over_hole(scan, err);
		if (result != SCAN_FRAME) {
			return result;
		}
	}
}
