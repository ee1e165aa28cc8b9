// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fakes/fake_loop.h"

struct note {
	char text[64];
	size_t n;
	struct loop *loop;
	struct timer timer;
	struct timer other;
	struct task task;
	struct task last;
	struct watch *doomed;
};

static void append(struct note *note, char c) {
	note->text[note->n++] = c;
	note->text[note->n] = '\0';
}

static void on_a(void *arg) {
	append(arg, 'a');
}

static void on_b(void *arg) {
	append(arg, 'b');
}

static void on_c(void *arg) {
	append(arg, 'c');
}

TEST(timers_fire_in_order_of_due_time) {
	struct fake_loop fake;
	struct note note = {0};
	struct timer a = {0}, b = {0}, c = {0};
	fake_loop_init(&fake, 1);

	timer_start(&c, fake.loop, 30, on_c, &note);
	timer_start(&a, fake.loop, 10, on_a, &note);
	timer_start(&b, fake.loop, 20, on_b, &note);
	loop_advance(fake.loop, 100);

	CHECK_TEXT(note.text, "abc");
	fake_loop_finish(&fake);
}

TEST(timers_due_at_the_same_time_fire_in_the_order_they_were_set) {
	struct fake_loop fake;
	struct note note = {0};
	struct timer a = {0}, b = {0}, c = {0};
	fake_loop_init(&fake, 1);

	timer_start(&b, fake.loop, 10, on_b, &note);
	timer_start(&c, fake.loop, 10, on_c, &note);
	timer_start(&a, fake.loop, 10, on_a, &note);
	loop_advance(fake.loop, 10);

	CHECK_TEXT(note.text, "bca");
	fake_loop_finish(&fake);
}

TEST(a_stopped_timer_does_not_fire) {
	struct fake_loop fake;
	struct note note = {0};
	struct timer a = {0}, b = {0};
	fake_loop_init(&fake, 1);

	timer_start(&a, fake.loop, 10, on_a, &note);
	timer_start(&b, fake.loop, 20, on_b, &note);
	timer_stop(&a);
	loop_advance(fake.loop, 100);

	CHECK_TEXT(note.text, "b");
	CHECK(!timer_is_set(&a));
	fake_loop_finish(&fake);
}

static void again(void *arg) {
	struct note *note = arg;
	append(note, 'a');
	if (note->n < 5) {
		timer_start(&note->timer, note->loop, 0, again, note);
	}
}

TEST(a_timer_that_sets_itself_to_now_does_not_starve_others) {
	struct fake_loop fake;
	struct note note = {0};
	fake_loop_init(&fake, 1);
	note.loop = fake.loop;

	timer_start(&note.timer, fake.loop, 0, again, &note);
	timer_start(&note.other, fake.loop, 0, on_b, &note);
	loop_step(fake.loop, 0);

	CHECK_TEXT(note.text, "ab");
	fake_loop_finish(&fake);
}

struct dues {
	struct fake_loop *fake;
	int64_t last_ns;
	int fired;
	bool in_order;
};

static void note_due(void *arg) {
	struct dues *dues = arg;
	int64_t now = loop_now(dues->fake->loop);
	dues->in_order &= now >= dues->last_ns;
	dues->last_ns = now;
	dues->fired++;
}

TEST(a_heap_of_many_timers_stays_in_order) {
	enum {
		N = 500
	};
	static struct timer timers[N];
	struct fake_loop fake;
	fake_loop_init(&fake, 7);
	struct dues dues = {.fake = &fake, .in_order = true};

	for (int i = 0; i < N; i++) {
		int64_t delay = (int64_t)random_below(&fake.random, 1000);
		timer_start(&timers[i], fake.loop, delay, note_due, &dues);
	}
	for (int i = 0; i < N; i += 2) {
		timer_stop(&timers[i]);
	}
	loop_advance(fake.loop, 1000);

	CHECK_INT(dues.fired, N / 2);
	CHECK(dues.in_order);
	fake_loop_finish(&fake);
}

static void post_task(void *arg) {
	struct note *note = arg;
	append(note, 'a');
	task_post(&note->task, note->loop, on_b, note);
	append(note, 'c');
}

TEST(a_task_runs_after_the_callback_that_posted_it) {
	struct fake_loop fake;
	struct note note = {0};
	fake_loop_init(&fake, 1);
	note.loop = fake.loop;

	timer_start(&note.timer, fake.loop, 0, post_task, &note);
	loop_advance(fake.loop, 1);

	CHECK_TEXT(note.text, "acb");
	fake_loop_finish(&fake);
}

static void post_both(void *arg) {
	struct note *note = arg;
	task_post_last(&note->last, note->loop, on_b, note);
	task_post(&note->task, note->loop, on_a, note);
}

TEST(a_last_task_runs_after_all_else_of_the_round) {
	struct fake_loop fake;
	struct note note = {0};
	fake_loop_init(&fake, 1);
	note.loop = fake.loop;

	timer_start(&note.timer, fake.loop, 0, post_both, &note);
	timer_start(&note.other, fake.loop, 0, on_a, &note);
	loop_advance(fake.loop, 1);
	CHECK_TEXT(note.text, "aab");

	task_post_last(&note.last, fake.loop, on_b, &note); // outside of a round: in the next one
	loop_advance(fake.loop, 1);
	CHECK_TEXT(note.text, "aabb");
	fake_loop_finish(&fake);
}

TEST(a_cancelled_task_does_not_run) {
	struct fake_loop fake;
	struct note note = {0};
	fake_loop_init(&fake, 1);

	task_post(&note.task, fake.loop, on_a, &note);
	task_cancel(&note.task);
	loop_advance(fake.loop, 1);

	CHECK_TEXT(note.text, "");
	fake_loop_finish(&fake);
}

static void on_readable(void *arg, uint32_t events) {
	struct note *note = arg;
	CHECK(events & LOOP_READABLE);
	append(note, 'r');
	if (note->doomed) {
		watch_stop(note->doomed);
	}
}

TEST(a_watch_stopped_by_another_in_the_same_round_is_not_called) {
	struct fake_loop fake;
	struct note note = {0};
	struct watch first = {0}, second = {0};
	int a[2], b[2];
	fake_loop_init(&fake, 1);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	CHECK(watch_start(&first, fake.loop, a[0], LOOP_READABLE, on_readable, &note, NULL));
	CHECK(watch_start(&second, fake.loop, b[0], LOOP_READABLE, on_readable, &note, NULL));
	note.doomed = &second;
	CHECK_INT(write(a[1], "x", 1), 1);
	CHECK_INT(write(b[1], "x", 1), 1);

	loop_step(fake.loop, 0);

	CHECK(note.n == 1 || (note.n == 2 && !second.loop)); // the kernel chooses which is first
	watch_stop(&first);
	watch_stop(&second);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	fake_loop_finish(&fake);
}

TEST(a_hang_up_is_reported_as_readable) {
	struct fake_loop fake;
	struct note note = {0};
	struct watch watch = {0};
	int fds[2];
	fake_loop_init(&fake, 1);
	CHECK_INT(pipe(fds), 0);
	CHECK(watch_start(&watch, fake.loop, fds[0], LOOP_READABLE, on_readable, &note, NULL));
	close(fds[1]);

	loop_step(fake.loop, 0);

	CHECK_TEXT(note.text, "r");
	watch_stop(&watch);
	close(fds[0]);
	fake_loop_finish(&fake);
}

static void on_ready_once(void *arg, uint32_t events) {
	struct note *note = arg;
	(void)events;
	append(note, 'r');
	watch_stop(note->doomed);
}

static void stop_loop(void *arg) {
	loop_stop(arg);
}

TEST(the_real_loop_waits_for_a_timer_and_stops) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct timer timer = {0};
	int64_t before = clock_monotonic(clock_system());

	timer_start(&timer, loop, 2 * NS_PER_MS, stop_loop, loop);
	loop_run(loop);

	CHECK(clock_monotonic(clock_system()) - before >= 2 * NS_PER_MS);
	CHECK(loop_rounds(loop) >= 1);
	loop_destroy(loop);
}

// On a kernel that does not know epoll_pwait2.
static void be_old(void) {
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		_exit(77);
	}
}

// 0: it waited for the timer without spinning, and saw a descriptor meanwhile.
static int run_on_an_old_kernel(void) {
	struct err err = ERR_INIT;
	struct note note = {0};
	struct watch watch = {0};
	int fds[2];
	be_old();
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	int64_t before = clock_monotonic(clock_system());
	if (!loop || pipe(fds) < 0 || write(fds[1], "x", 1) != 1 ||
		!watch_start(&watch, loop, fds[0], LOOP_READABLE, on_ready_once, &note, &err)) {
		return 1;
	}
	note.doomed = &watch;
	timer_start(&note.timer, loop, 20 * NS_PER_MS + 1, stop_loop, loop);
	loop_run(loop);
	if (clock_monotonic(clock_system()) - before < 20 * NS_PER_MS) {
		return 2;
	}
	return strcmp(note.text, "r") == 0 && loop_rounds(loop) <= 5 ? 0 : 3;
}

TEST(without_epoll_pwait2_the_loop_waits_all_the_same) {
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		_exit(run_on_an_old_kernel());
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		skip(); // no seccomp here
	}
	CHECK_INT(WEXITSTATUS(status), 0);
}

static void on_long(void *arg) {
	fake_clock_advance(arg, 5 * NS_PER_MS);
}

TEST(the_callback_that_took_longest_is_named_and_forgotten_after_twenty_minutes) {
	struct fake_loop fake;
	struct loop_worst worst;
	struct timer timer = {0};
	struct task task = {0};
	struct window_summary lag;
	fake_loop_init(&fake, 1);
	loop_get_worst(fake.loop, &worst);
	CHECK(!worst.what);
	timer_start(&timer, fake.loop, NS_PER_SECOND, on_long, &fake.clock);

	loop_advance(fake.loop, 2 * NS_PER_SECOND);
	loop_get_worst(fake.loop, &worst);
	CHECK_TEXT(worst.what, "timer");
	CHECK_INT(worst.took_ns, 5 * NS_PER_MS);
	CHECK(worst.function == (const void *)(uintptr_t)on_long);
	windows_read(loop_windows(fake.loop), loop_now(fake.loop), WINDOW_1M, &lag);
	CHECK_INT(lag.max, 5 * NS_PER_MS);

	for (int i = 0; i < 3; i++) { // each ends ten minutes
		loop_advance(fake.loop, 601 * NS_PER_SECOND);
		task_post(&task, fake.loop, on_a, &(struct note){0});
		loop_step(fake.loop, 0);
	}
	loop_get_worst(fake.loop, &worst);
	CHECK(worst.took_ns < 5 * NS_PER_MS);
	fake_loop_finish(&fake);
}

int main(void) {
	return TESTS(RUN(timers_fire_in_order_of_due_time),
		RUN(timers_due_at_the_same_time_fire_in_the_order_they_were_set),
		RUN(a_stopped_timer_does_not_fire),
		RUN(a_timer_that_sets_itself_to_now_does_not_starve_others),
		RUN(a_heap_of_many_timers_stays_in_order),
		RUN(a_task_runs_after_the_callback_that_posted_it),
		RUN(a_last_task_runs_after_all_else_of_the_round),
		RUN(a_cancelled_task_does_not_run),
		RUN(a_watch_stopped_by_another_in_the_same_round_is_not_called),
		RUN(a_hang_up_is_reported_as_readable),
		RUN(the_real_loop_waits_for_a_timer_and_stops),
		RUN(without_epoll_pwait2_the_loop_waits_all_the_same),
		RUN(the_callback_that_took_longest_is_named_and_forgotten_after_twenty_minutes));
}
