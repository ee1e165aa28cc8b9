// SPDX-License-Identifier: Apache-2.0
// Streams. The invariant: the owner hears of the end from the loop, never from inside its own
// stream_write, and memory goes only once no callback of the stream is on the stack.
#include "io/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "io/loop.h"

#define READ_AT_ONCE 65536
// A buffer that was needed once for a large answer is not kept by an idle connection.
#define KEEP_OUTPUT 16384

struct stream {
	struct loop *loop;
	struct stream_handlers handlers;
	struct watch watch;
	struct task end_task;  // reports `broken` outside of stream_write
	struct timer deadline; // of stream_finish
	int fd;
	uint32_t watched; // the events asked for
	size_t output_max;
	struct buf output; // not sent yet: output.at[output_at..]
	size_t output_at;
	uint64_t sent;
	unsigned depth; // callbacks of this stream on the stack
	bool is_paused;
	bool has_ended; // the peer's side
	bool is_broken;
	bool is_finishing;
	bool is_ending; // our side, once all is sent
	bool is_closed;
	struct err broken;
};

static void release(struct stream *stream) {
	if (stream->is_closed && stream->depth == 0) {
		buf_finish(&stream->output);
		free(stream);
	}
}

void stream_close(struct stream *stream) {
	if (!stream || stream->is_closed) {
		return;
	}
	stream->is_closed = true;
	watch_stop(&stream->watch);
	task_cancel(&stream->end_task);
	timer_stop(&stream->deadline);
	close(stream->fd);
	stream->fd = -1;
	release(stream);
}

static void report_broken(void *arg) {
	struct stream *stream = arg;
	if (stream->is_finishing) {
		stream_close(stream);
		return;
	}
	stream->depth++;
	stream->handlers.on_end(stream->handlers.arg, &stream->broken);
	stream->depth--;
	release(stream);
}

// The connection is of no use any more: nothing is watched, the owner is told from the loop.
static void break_off(struct stream *stream) {
	if (stream->is_broken) {
		return;
	}
	stream->is_broken = true;
	watch_stop(&stream->watch);
	buf_finish(&stream->output);
	stream->output_at = 0;
	task_post(&stream->end_task, stream->loop, report_broken, stream);
}

void stream_break(struct stream *stream, const struct err *why) {
	if (!stream->is_broken && !stream->is_closed) {
		stream->broken = *why;
		break_off(stream);
	}
}

static void watch_what_is_needed(struct stream *stream) {
	if (stream->is_broken || stream->is_closed) {
		return;
	}
	bool reads = !stream->is_paused && !stream->has_ended && !stream->is_finishing;
	uint32_t wanted = (reads ? LOOP_READABLE : 0) | (stream->output.len ? LOOP_WRITABLE : 0);
	if (wanted != stream->watched) {
		stream->watched = wanted;
		watch_change(&stream->watch, wanted);
	}
}

size_t stream_pending(const struct stream *stream) {
	return stream->output.len - stream->output_at;
}

uint64_t stream_sent(const struct stream *stream) {
	return stream->sent;
}

// Sends what the kernel takes now; how much, or -1 when the connection is broken.
static ssize_t send_now(struct stream *stream, struct str bytes) {
	size_t done = 0;
	while (done < bytes.len) {
		ssize_t n = send(
			stream->fd, bytes.at + done, bytes.len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
			break;
		}
		if (n < 0) {
			err_errno(&stream->broken, "sending to the peer failed");
			stream->broken.code = ERR_RESET;
			return -1;
		}
		done += (size_t)n;
	}
	stream->sent += done;
	return (ssize_t)done;
}

void stream_write(struct stream *stream, struct str bytes) {
	if (stream->is_broken || stream->is_closed || bytes.len == 0) {
		return;
	}
	if (stream->output.len == 0) {
		ssize_t n = send_now(stream, bytes);
		if (n < 0) {
			break_off(stream);
			return;
		}
		bytes = str_skip(bytes, (size_t)n);
	}
	if (bytes.len == 0) {
		return;
	}
	if (bytes.len > stream->output_max - stream_pending(stream)) {
		err_set(&stream->broken, ERR_LIMIT,
			"the peer reads too slowly: more than %zu bytes would wait for it",
			stream->output_max);
		break_off(stream);
		return;
	}
	buf_append_str(&stream->output, bytes);
	watch_what_is_needed(stream);
}

static void clear_output(struct stream *stream) {
	stream->output_at = 0;
	if (stream->output.cap > KEEP_OUTPUT) {
		buf_finish(&stream->output);
	} else {
		buf_clear(&stream->output);
	}
}

void stream_end(struct stream *stream) {
	stream->is_ending = true;
	if (stream->output.len == 0 && !stream->is_broken && !stream->is_closed) {
		(void)shutdown(stream->fd, SHUT_WR); // fails when the peer is gone; reading says so
	}
}

static void on_writable(struct stream *stream) {
	ssize_t n = send_now(stream, str_skip(buf_str(&stream->output), stream->output_at));
	if (n < 0) {
		break_off(stream);
		return;
	}
	stream->output_at += (size_t)n;
	if (stream->output_at < stream->output.len) {
		// Moving the rest to the front each time would be quadratic; when half is gone it
		// costs each byte one move.
		if (stream->output_at > stream->output.len / 2) {
			buf_consume(&stream->output, stream->output_at);
			stream->output_at = 0;
		}
		return;
	}
	clear_output(stream);
	watch_what_is_needed(stream);
	if (stream->is_finishing) {
		stream_close(stream);
		return;
	}
	if (stream->is_ending) {
		stream_end(stream);
	}
	if (stream->handlers.on_drain) {
		stream->handlers.on_drain(stream->handlers.arg);
	}
}

static void on_readable(struct stream *stream) {
	char bytes[READ_AT_ONCE];
	ssize_t n = recv(stream->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0) {
		stream->handlers.on_data(stream->handlers.arg, str_range(bytes, (size_t)n));
	} else if (n == 0) {
		stream->has_ended = true;
		watch_what_is_needed(stream);
		stream->handlers.on_end(stream->handlers.arg, NULL);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		err_errno(&stream->broken, "reading from the peer failed");
		stream->broken.code = ERR_RESET;
		break_off(stream);
	}
}

// The peer is gone altogether. What it sent before is still read first.
static void on_hangup(struct stream *stream) {
	if (!(stream->watched & LOOP_READABLE)) {
		err_set(&stream->broken, ERR_CLOSED, "the peer closed the connection");
		break_off(stream);
	}
}

static void on_ready(void *arg, uint32_t events) {
	struct stream *stream = arg;
	stream->depth++;
	if (events & LOOP_WRITABLE && stream->output.len) {
		on_writable(stream);
	}
	if (events & LOOP_READABLE && stream->watched & LOOP_READABLE && !stream->is_closed &&
		!stream->is_broken) {
		on_readable(stream);
	}
	if (events & LOOP_HANGUP && !stream->is_closed && !stream->is_broken) {
		on_hangup(stream);
	}
	stream->depth--;
	release(stream);
}

struct stream *stream_open(struct loop *loop, int fd, const struct stream_handlers *handlers,
	size_t output_max, struct err *err) {
	struct stream *stream = xcalloc(1, sizeof(*stream));
	stream->loop = loop;
	stream->handlers = *handlers;
	stream->fd = fd;
	stream->output_max = output_max ? output_max : STREAM_OUTPUT_MAX;
	stream->watched = LOOP_READABLE;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
		err_errno(err, "cannot make descriptor %d non-blocking", fd);
		close(fd);
		free(stream);
		return NULL;
	}
	if (!watch_start(&stream->watch, loop, fd, LOOP_READABLE, on_ready, stream, err)) {
		close(fd);
		free(stream);
		return NULL;
	}
	return stream;
}

static void on_deadline(void *arg) {
	stream_close(arg);
}

void stream_finish(struct stream *stream, int64_t deadline_ns) {
	if (stream->is_closed || stream->is_finishing) {
		return;
	}
	if (stream->is_broken || stream->output.len == 0) {
		stream_close(stream);
		return;
	}
	stream->is_finishing = true;
	watch_what_is_needed(stream);
	timer_start(&stream->deadline, stream->loop, deadline_ns, on_deadline, stream);
}

void stream_pause(struct stream *stream, bool is_paused) {
	stream->is_paused = is_paused;
	watch_what_is_needed(stream);
}
