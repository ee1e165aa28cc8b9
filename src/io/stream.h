// SPDX-License-Identifier: Apache-2.0
// A connected socket on the loop: bytes in by callback, bytes out by stream_write, which tries at
// once and buffers the rest up to a limit. A peer that reads too slowly is broken off, never
// waited for.
//
// Life cycle: stream_open, then stream_close or stream_finish. Every function may be called inside
// the stream's own callbacks, stream_close too; no callback comes after it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct loop;
struct stream;

#define STREAM_OUTPUT_MAX (4 * 1024 * 1024)

struct stream_handlers {
	// Bytes as they came; valid during the call.
	void (*on_data)(void *arg, struct str bytes);
	// err NULL: the peer has ended its side and may still read; comes at most once. Else the
	// connection is broken (or the peer too slow: ERR_LIMIT); comes once and is the last
	// callback; the owner still has to close the stream. Never called from inside
	// stream_write.
	void (*on_end)(void *arg, const struct err *err);
	// All that was buffered has been sent; may be NULL. Not called for what went out at once.
	void (*on_drain)(void *arg);
	void *arg;
};

// Takes the socket (also on failure) and makes it non-blocking. output_max 0: STREAM_OUTPUT_MAX.
_must_use_ struct stream *stream_open(struct loop *loop, int fd,
	const struct stream_handlers *handlers, size_t output_max, struct err *err);
// At once; what is buffered is dropped. NULL is fine.
void stream_close(struct stream *stream);
// Reads no more, sends what is buffered, then closes by itself; after deadline_ns in any case. No
// callback comes any more; the stream belongs to itself from here on.
void stream_finish(struct stream *stream, int64_t deadline_ns);
// Ends our side once all that is buffered is sent; reading goes on. Closing a TCP socket that still
// gets input resets the connection, and the peer may lose the last answer with it (RFC 9112 §9.6):
// so end first, and close when the peer has ended too or after a while.
void stream_end(struct stream *stream);
// As if the connection broke now: on_end comes from the loop with this error.
void stream_break(struct stream *stream, const struct err *why);

void stream_write(struct stream *stream, struct str bytes);
// Stops or resumes reading. While reading is stopped, a peer that goes away entirely is still
// reported.
void stream_pause(struct stream *stream, bool is_paused);

// Bytes buffered; bytes that the kernel has taken since it was opened.
size_t stream_pending(const struct stream *stream);
uint64_t stream_sent(const struct stream *stream);
