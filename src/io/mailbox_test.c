// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <poll.h>
#include <pthread.h>

#include "io/mailbox.h"

static bool is_readable(int fd) {
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	return poll(&poll_fd, 1, 0) == 1;
}

TEST(messages_come_out_in_the_order_they_went_in) {
	struct mailbox *box = mailbox_create(4);
	int a, b;
	void *out[4];

	CHECK(mailbox_post(box, &a));
	CHECK(mailbox_post(box, &b));

	CHECK_INT(mailbox_take(box, out, 4), 2);
	CHECK(out[0] == &a && out[1] == &b);
	mailbox_destroy(box);
}

TEST(a_full_box_refuses_and_keeps_what_it_has) {
	struct mailbox *box = mailbox_create(2);
	int a, b, c;
	void *out[2];
	CHECK(mailbox_post(box, &a));
	CHECK(mailbox_post(box, &b));

	CHECK(!mailbox_post(box, &c));

	CHECK_INT(mailbox_depth(box), 2);
	CHECK_INT(mailbox_take(box, out, 2), 2);
	CHECK(out[1] == &b);
	mailbox_destroy(box);
}

TEST(the_descriptor_is_readable_until_the_reader_rests) {
	struct mailbox *box = mailbox_create(2);
	int a;
	CHECK(!is_readable(mailbox_fd(box)));

	CHECK(mailbox_post(box, &a));
	CHECK(is_readable(mailbox_fd(box)));
	mailbox_rest(box);

	CHECK(!is_readable(mailbox_fd(box)));
	CHECK_INT(mailbox_depth(box), 1);
	mailbox_destroy(box);
}

TEST(a_message_after_a_rest_rings_again) {
	struct mailbox *box = mailbox_create(2);
	int a, b;
	CHECK(mailbox_post(box, &a));
	mailbox_rest(box);

	CHECK(mailbox_post(box, &b));

	CHECK(is_readable(mailbox_fd(box)));
	mailbox_destroy(box);
}

enum {
	MANY = 100000
};

static void *post_many(void *arg) {
	struct mailbox *box = arg;
	for (uintptr_t i = 1; i <= MANY;) {
		if (mailbox_post(box, (void *)i)) {
			i++;
		}
	}
	return NULL;
}

TEST(no_message_and_no_wake_up_is_lost_between_two_threads) {
	struct mailbox *box = mailbox_create(64);
	pthread_t thread;
	uintptr_t expected = 1;
	void *out[16];
	CHECK_INT(pthread_create(&thread, NULL, post_many, box), 0);

	while (expected <= MANY) {
		mailbox_wait(box, 10000);
		size_t n = mailbox_take(box, out, 16);
		for (size_t i = 0; i < n; i++) {
			CHECK_INT((uintptr_t)out[i], expected++);
		}
	}

	pthread_join(thread, NULL);
	CHECK(mailbox_deepest(box) <= 64);
	mailbox_destroy(box);
}

TEST(what_went_in_and_what_found_no_room_is_counted) {
	struct mailbox *box = mailbox_create(2);
	struct mailbox_stats stats;
	void *out[2];
	CHECK(mailbox_post(box, box));
	CHECK(mailbox_post(box, box));
	CHECK(!mailbox_post(box, box));
	CHECK_INT(mailbox_take(box, out, 1), 1);

	mailbox_get_stats(box, &stats);

	CHECK_INT(stats.depth, 1);
	CHECK_INT(stats.deepest, 2);
	CHECK_INT(stats.capacity, 2);
	CHECK_INT(stats.posted, 2);
	CHECK_INT(stats.refused, 1);
	CHECK_INT(mailbox_take(box, out, 2), 1);
	mailbox_destroy(box);
}

int main(void) {
	return TESTS(RUN(messages_come_out_in_the_order_they_went_in),
		RUN(a_full_box_refuses_and_keeps_what_it_has),
		RUN(the_descriptor_is_readable_until_the_reader_rests),
		RUN(a_message_after_a_rest_rings_again),
		RUN(no_message_and_no_wake_up_is_lost_between_two_threads),
		RUN(what_went_in_and_what_found_no_room_is_counted));
}
