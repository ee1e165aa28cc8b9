// SPDX-License-Identifier: Apache-2.0
#include "io/stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

struct fixture {
	struct fake_loop fake;
	struct stream *stream;
	int peer;
	struct buf got;
	int ends; // of the peer's side
	int breaks;
	int drains;
	struct err err;
	enum {
		KEEP,
		CLOSE_IN_DATA,
		CLOSE_IN_END,
		CLOSE_IN_DRAIN,
		FINISH_IN_DATA
	} then;
};

static void on_data(void *arg, struct str bytes) {
	struct fixture *f = arg;
	buf_append_str(&f->got, bytes);
	if (f->then == CLOSE_IN_DATA) {
		stream_close(take_ptr(f->stream));
	}
}

static void on_end(void *arg, const struct err *err) {
	struct fixture *f = arg;
	if (err) {
		f->breaks++;
		f->err = *err;
	} else {
		f->ends++;
	}
	if (f->then == CLOSE_IN_END) {
		stream_close(take_ptr(f->stream));
	}
}

static void on_drain(void *arg) {
	struct fixture *f = arg;
	f->drains++;
	if (f->then == CLOSE_IN_DRAIN) {
		stream_close(take_ptr(f->stream));
	}
}

static void setup(struct fixture *f, size_t output_max) {
	int fds[2];
	struct err err = ERR_INIT;
	*f = (struct fixture){.got = BUF_INIT};
	fake_loop_init(&f->fake, 1);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	f->peer = fds[1];
	CHECK_INT(fcntl(f->peer, F_SETFL, O_NONBLOCK), 0);
	struct stream_handlers handlers = {on_data, on_end, on_drain, f};
	f->stream = stream_open(f->fake.loop, fds[0], &handlers, output_max, &err);
	CHECK(f->stream);
}

static void teardown(struct fixture *f) {
	stream_close(f->stream);
	if (f->peer >= 0) {
		close(f->peer);
	}
	buf_finish(&f->got);
	fake_loop_finish(&f->fake);
}

static void run(struct fixture *f) {
	for (int i = 0; i < 4; i++) {
		loop_step(f->fake.loop, 0);
	}
}

static void close_peer(struct fixture *f) {
	close(f->peer);
	f->peer = -1;
}

// Everything the peer can read now.
static size_t drain_peer(struct fixture *f, char *last, size_t *out_end) {
	static char bytes[65536];
	size_t total = 0;
	ssize_t n;
	while ((n = read(f->peer, bytes, sizeof(bytes))) > 0) {
		total += (size_t)n;
		*last = bytes[n - 1];
	}
	*out_end = n == 0;
	return total;
}

static void fill(struct fixture *f, size_t n) {
	char *bytes = xmalloc(n);
	memset(bytes, 'x', n);
	bytes[n - 1] = 'z';
	stream_write(f->stream, str_range(bytes, n));
	free(bytes);
}

TEST(bytes_arrive_and_answers_leave_at_once) {
	struct fixture f;
	char bytes[8];
	setup(&f, 0);

	CHECK_INT(write(f.peer, "hello", 5), 5);
	run(&f);
	stream_write(f.stream, STR("hi"));

	CHECK_STR(buf_str(&f.got), "hello");
	CHECK_INT(read(f.peer, bytes, sizeof(bytes)), 2);
	CHECK_INT(stream_pending(f.stream), 0);
	CHECK_INT(stream_sent(f.stream), 2);
	CHECK_INT(f.drains, 0);
	teardown(&f);
}

TEST(what_the_kernel_does_not_take_is_sent_later_and_in_order) {
	struct fixture f;
	char last = 0;
	size_t end, total = 0;
	setup(&f, 0);

	fill(&f, 3 * 1024 * 1024);
	CHECK(stream_pending(f.stream) > 0);
	while (stream_pending(f.stream)) {
		total += drain_peer(&f, &last, &end);
		run(&f);
	}
	total += drain_peer(&f, &last, &end);

	CHECK_INT(total, 3 * 1024 * 1024);
	CHECK_INT(last, 'z');
	CHECK_INT(f.drains, 1);
	teardown(&f);
}

TEST(a_peer_that_does_not_read_is_broken_off_from_the_loop) {
	struct fixture f;
	setup(&f, 100000);

	fill(&f, 1024 * 1024);
	CHECK_INT(f.breaks, 0);
	stream_write(f.stream, STR("more")); // goes nowhere
	run(&f);

	CHECK_INT(f.breaks, 1);
	CHECK_INT(f.err.code, ERR_LIMIT);
	CHECK_TEXT(f.err.message,
		"the peer reads too slowly: more than 100000 bytes would wait for it");
	teardown(&f);
}

TEST(the_end_of_the_peers_side_leaves_ours_open) {
	struct fixture f;
	char bytes[8];
	setup(&f, 0);

	CHECK_INT(write(f.peer, "last", 4), 4);
	CHECK_INT(shutdown(f.peer, SHUT_WR), 0);
	run(&f);
	CHECK_STR(buf_str(&f.got), "last");
	CHECK_INT(f.ends, 1);
	CHECK_INT(f.breaks, 0);
	stream_write(f.stream, STR("answer"));

	CHECK_INT(read(f.peer, bytes, sizeof(bytes)), 6);
	teardown(&f);
}

TEST(a_peer_that_goes_is_reported_after_what_it_said) {
	struct fixture f;
	setup(&f, 0);

	CHECK_INT(write(f.peer, "last", 4), 4);
	close_peer(&f);
	run(&f);

	CHECK_STR(buf_str(&f.got), "last");
	CHECK_INT(f.ends, 1);
	CHECK_INT(f.breaks, 1);
	CHECK_INT(f.err.code, ERR_CLOSED);
	teardown(&f);
}

TEST(writing_to_a_peer_that_is_gone_is_reported_once_and_from_the_loop) {
	struct fixture f;
	setup(&f, 0);
	close_peer(&f);

	stream_write(f.stream, STR("a"));
	stream_write(f.stream, STR("b"));
	CHECK_INT(f.breaks, 0);
	run(&f);

	CHECK_INT(f.breaks, 1);
	CHECK_INT(f.err.code, ERR_RESET);
	teardown(&f);
}

TEST(a_paused_stream_reads_nothing_but_notices_that_the_peer_is_gone) {
	struct fixture f;
	setup(&f, 0);
	stream_pause(f.stream, true);

	CHECK_INT(write(f.peer, "x", 1), 1);
	run(&f);
	CHECK_INT(f.got.len, 0);
	stream_pause(f.stream, false);
	run(&f);
	CHECK_INT(f.got.len, 1);
	stream_pause(f.stream, true);
	close_peer(&f);
	run(&f);

	CHECK_INT(f.breaks, 1);
	teardown(&f);
}

TEST(a_stream_may_be_closed_in_each_of_its_callbacks) {
	struct fixture f;
	char last;
	size_t end;
	setup(&f, 0);
	f.then = CLOSE_IN_DATA;
	CHECK_INT(write(f.peer, "x", 1), 1);
	close_peer(&f);
	run(&f);
	CHECK_INT(f.ends + f.breaks, 0);
	teardown(&f);

	setup(&f, 0);
	f.then = CLOSE_IN_END;
	close_peer(&f);
	run(&f);
	CHECK_INT(f.ends + f.breaks, 1);
	teardown(&f);

	setup(&f, 0);
	f.then = CLOSE_IN_DRAIN;
	fill(&f, 1024 * 1024);
	while (f.stream) {
		(void)drain_peer(&f, &last, &end);
		run(&f);
	}
	CHECK_INT(f.drains, 1);
	teardown(&f);
}

TEST(finishing_sends_what_is_buffered_then_closes) {
	struct fixture f;
	char last;
	size_t end = 0, total = 0;
	setup(&f, 0);

	fill(&f, 1024 * 1024);
	stream_finish(take_ptr(f.stream), NS_PER_SECOND);
	while (!end) {
		total += drain_peer(&f, &last, &end);
		run(&f);
	}

	CHECK_INT(total, 1024 * 1024);
	CHECK_INT(f.ends + f.breaks, 0);
	teardown(&f);
}

TEST(finishing_gives_up_at_its_deadline) {
	struct fixture f;
	char last;
	size_t end = 0;
	setup(&f, 0);

	fill(&f, 1024 * 1024);
	stream_finish(take_ptr(f.stream), NS_PER_SECOND);
	loop_advance(f.fake.loop, 2 * NS_PER_SECOND);

	CHECK(drain_peer(&f, &last, &end) < 1024 * 1024);
	CHECK(end);
	teardown(&f);
}

TEST(ending_sends_what_is_buffered_and_goes_on_reading) {
	struct fixture f;
	char last;
	size_t end = 0, total = 0;
	setup(&f, 0);

	fill(&f, 1024 * 1024);
	stream_end(f.stream);
	while (!end) {
		total += drain_peer(&f, &last, &end);
		run(&f);
	}
	CHECK_INT(write(f.peer, "late", 4), 4);
	run(&f);

	CHECK_INT(total, 1024 * 1024);
	CHECK_STR(buf_str(&f.got), "late");
	CHECK_INT(f.breaks, 0);
	teardown(&f);
}

int main(void) {
	return TESTS(RUN(bytes_arrive_and_answers_leave_at_once),
		RUN(what_the_kernel_does_not_take_is_sent_later_and_in_order),
		RUN(a_peer_that_does_not_read_is_broken_off_from_the_loop),
		RUN(the_end_of_the_peers_side_leaves_ours_open),
		RUN(a_peer_that_goes_is_reported_after_what_it_said),
		RUN(writing_to_a_peer_that_is_gone_is_reported_once_and_from_the_loop),
		RUN(a_paused_stream_reads_nothing_but_notices_that_the_peer_is_gone),
		RUN(a_stream_may_be_closed_in_each_of_its_callbacks),
		RUN(finishing_sends_what_is_buffered_then_closes),
		RUN(finishing_gives_up_at_its_deadline),
		RUN(ending_sends_what_is_buffered_and_goes_on_reading));
}
