// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/worker.h"
#include "tests/fakes/fake_loop.h"

struct echo {
	struct worker *worker;
	uintptr_t replies;
	uintptr_t last;
	bool in_order;
};

static void on_batch(void *self, void *const *messages, size_t n) {
	struct echo *echo = self;
	for (size_t i = 0; i < n; i++) {
		worker_reply(echo->worker, messages[i]);
	}
}

static void on_reply(void *arg, void *message) {
	struct echo *echo = arg;
	echo->in_order &= (uintptr_t)message == echo->last + 1;
	echo->last = (uintptr_t)message;
	echo->replies++;
}

static struct worker_spec echo_spec(struct echo *echo, size_t capacity) {
	return (struct worker_spec){"echo", capacity, on_batch, echo, on_reply, echo};
}

TEST(a_simulated_worker_answers_every_message_in_order) {
	struct fake_loop fake;
	struct echo echo = {.in_order = true};
	fake_loop_init(&fake, 3);
	struct worker_spec spec = echo_spec(&echo, 8);
	echo.worker = worker_start(fake.loop, &spec, NULL);

	for (uintptr_t i = 1; i <= 5; i++) {
		CHECK(worker_post(echo.worker, (void *)i));
	}
	CHECK_INT(echo.replies, 0);
	loop_advance(fake.loop, NS_PER_SECOND);

	CHECK_INT(echo.replies, 5);
	CHECK(echo.in_order);
	worker_stop(echo.worker);
	fake_loop_finish(&fake);
}

TEST(a_worker_refuses_more_than_it_has_reply_slots_for) {
	struct fake_loop fake;
	struct echo echo = {.in_order = true};
	fake_loop_init(&fake, 3);
	struct worker_spec spec = echo_spec(&echo, 2);
	echo.worker = worker_start(fake.loop, &spec, NULL);
	CHECK(worker_post(echo.worker, (void *)1));
	CHECK(worker_post(echo.worker, (void *)2));

	CHECK(!worker_post(echo.worker, (void *)3));

	loop_advance(fake.loop, NS_PER_SECOND);
	CHECK_INT(worker_depth(echo.worker), 0);
	CHECK(worker_post(echo.worker, (void *)3));
	worker_stop(echo.worker);
	CHECK_INT(echo.replies, 3);
	fake_loop_finish(&fake);
}

TEST(stopping_a_real_worker_finishes_what_was_posted) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct echo echo = {.in_order = true};
	struct worker_spec spec = echo_spec(&echo, 1000);
	echo.worker = worker_start(loop, &spec, &err);
	CHECK(echo.worker);

	for (uintptr_t i = 1; i <= 1000; i++) {
		CHECK(worker_post(echo.worker, (void *)i));
	}
	worker_stop(echo.worker);

	CHECK_INT(echo.replies, 1000);
	CHECK(echo.in_order);
	loop_destroy(loop);
}

static void post_another(void *arg, void *message) {
	struct echo *echo = arg;
	echo->replies++;
	if ((uintptr_t)message < 3) { // the bus tells a gap when a commit went well
		CHECK(worker_post(echo->worker, (void *)((uintptr_t)message + 1)));
	}
}

TEST(what_replies_lead_to_is_done_before_a_worker_has_stopped) {
	for (int is_real = 0; is_real < 2; is_real++) {
		struct fake_loop fake;
		struct echo echo = {.in_order = true};
		fake_loop_init(&fake, 3);
		struct loop *loop = is_real ? loop_create(clock_system(), NULL, NULL) : fake.loop;
		struct worker_spec spec = echo_spec(&echo, 8);
		spec.on_reply = post_another;
		echo.worker = worker_start(loop, &spec, NULL);
		CHECK(worker_post(echo.worker, (void *)1));

		worker_stop(echo.worker);

		CHECK_INT(echo.replies, 3);
		loop_step(fake.loop, 0); // no timer of it is left
		if (is_real) {
			loop_destroy(loop);
		}
		fake_loop_finish(&fake);
	}
}

TEST(a_real_worker_answers_on_the_loop) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct echo echo = {.in_order = true};
	struct worker_spec spec = echo_spec(&echo, 16);
	echo.worker = worker_start(loop, &spec, &err);
	int64_t deadline = clock_monotonic(clock_system()) + 10 * NS_PER_SECOND;

	for (uintptr_t i = 1; i <= 200;) {
		i += worker_post(echo.worker, (void *)i) ? 1 : 0;
		loop_step(loop, 0);
	}
	while (echo.replies < 200 && clock_monotonic(clock_system()) < deadline) {
		loop_step(loop, NS_PER_MS);
	}

	CHECK_INT(echo.replies, 200);
	CHECK(echo.in_order);
	worker_stop(echo.worker);
	loop_destroy(loop);
}

struct count {
	struct worker *worker;
	_Atomic int answered;
	int delivered;
};

static void count_batch(void *self, void *const *messages, size_t n) {
	struct count *count = self;
	for (size_t i = 0; i < n; i++) {
		worker_reply(count->worker, messages[i]);
		count->answered++;
	}
}

static void count_reply(void *arg, void *message) {
	(void)message;
	((struct count *)arg)->delivered++;
}

// Until another thread has come to it; what it waits for surely comes.
static void wait_until(const _Atomic int *number, int at_least) {
	int64_t deadline = clock_monotonic(clock_system()) + 10 * NS_PER_SECOND;
	while (*number < at_least && clock_monotonic(clock_system()) < deadline) {
		sched_yield();
	}
	CHECK(*number >= at_least);
}

TEST(many_replies_are_handed_over_in_several_rounds) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct count count = {0};
	struct worker_spec spec = {"count", 200, count_batch, &count, count_reply, &count};
	count.worker = worker_start(loop, &spec, &err);
	for (uintptr_t i = 1; i <= 200; i++) {
		CHECK(worker_post(count.worker, (void *)i));
	}
	loop_step(loop, 0); // wakes the worker at its end
	wait_until(&count.answered, 200);

	int before = count.delivered;
	CHECK(before <= 64);
	while (count.delivered < 200) {
		loop_step(loop, 0);
		CHECK(count.delivered > before && count.delivered - before <= 64);
		before = count.delivered;
	}

	worker_stop(count.worker);
	loop_destroy(loop);
}

TEST(many_simulated_replies_are_handed_over_in_several_rounds) {
	struct fake_loop fake;
	struct count count = {0};
	fake_loop_init(&fake, 3);
	struct worker_spec spec = {"count", 200, count_batch, &count, count_reply, &count};
	count.worker = worker_start(fake.loop, &spec, NULL);
	for (uintptr_t i = 1; i <= 200; i++) {
		CHECK(worker_post(count.worker, (void *)i));
	}

	int before = 0;
	for (int i = 0; i < 100 && count.delivered < 200; i++) {
		loop_step(fake.loop, NS_PER_MS);
		CHECK(count.delivered - before <= 64);
		before = count.delivered;
	}

	CHECK_INT(count.delivered, 200);
	worker_stop(count.worker);
	fake_loop_finish(&fake);
}

struct job {
	_Atomic int ran;
	int done;
};

static void run_job(void *arg) {
	((struct job *)arg)->ran++;
}

static void job_done(void *arg) {
	((struct job *)arg)->done++;
}

TEST(a_job_runs_and_its_result_comes_on_the_loop) {
	struct fake_loop fake;
	struct job job = {0};
	fake_loop_init(&fake, 3);
	struct jobs *jobs = jobs_create(fake.loop, 2, 4);

	CHECK(jobs_run(jobs, run_job, job_done, &job));
	CHECK_INT(job.done, 0);
	loop_advance(fake.loop, NS_PER_SECOND);

	CHECK_INT(job.ran, 1);
	CHECK_INT(job.done, 1);
	jobs_destroy(jobs);
	fake_loop_finish(&fake);
}

TEST(jobs_over_capacity_are_refused) {
	struct fake_loop fake;
	struct job job = {0};
	fake_loop_init(&fake, 3);
	struct jobs *jobs = jobs_create(fake.loop, 2, 1);
	CHECK(jobs_run(jobs, run_job, job_done, &job));

	CHECK(!jobs_run(jobs, run_job, job_done, &job));

	jobs_destroy(jobs);
	CHECK_INT(job.done, 1);
	fake_loop_finish(&fake);
}

TEST(the_last_quarter_of_a_pool_is_not_for_what_clients_ask) {
	struct fake_loop fake;
	struct job job = {0};
	struct jobs_stats stats;
	fake_loop_init(&fake, 3);
	struct jobs *jobs = jobs_create(fake.loop, 2, 4);
	int64_t began_ns = loop_now(fake.loop);
	for (int i = 0; i < 3; i++) {
		CHECK(jobs_run_asked(jobs, run_job, job_done, &job));
	}

	CHECK(!jobs_run_asked(jobs, run_job, job_done, &job));
	CHECK(jobs_run(jobs, run_job, job_done, &job));

	jobs_get_stats(jobs, &stats);
	CHECK_INT(stats.depth, 4);
	CHECK_INT(stats.waiting, 4);
	CHECK_INT(stats.posted, 4);
	CHECK_INT(stats.refused, 1);
	CHECK_INT(stats.oldest_ns, began_ns);
	loop_advance(fake.loop, NS_PER_SECOND);
	jobs_get_stats(jobs, &stats);
	CHECK_INT(stats.depth, 0);
	CHECK_INT(stats.deepest, 4);
	CHECK_INT(stats.oldest_ns, 0);
	CHECK_INT(job.done, 4);
	jobs_destroy(jobs);
	fake_loop_finish(&fake);
}

TEST(destroying_real_jobs_waits_for_them_and_reports_each) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct job job = {0};
	struct jobs *jobs = jobs_create(loop, 2, 64);

	for (int i = 0; i < 64; i++) {
		CHECK(jobs_run(jobs, run_job, job_done, &job));
	}
	jobs_destroy(jobs);

	CHECK_INT(job.ran, 64);
	CHECK_INT(job.done, 64);
	loop_destroy(loop);
}

TEST(many_jobs_are_reported_in_several_rounds) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct job job = {0};
	struct jobs *jobs = jobs_create(loop, 1, 130);
	for (int i = 0; i < 130; i++) {
		CHECK(jobs_run(jobs, run_job, job_done, &job));
	}
	wait_until(&job.ran, 129); // then 128 are in the box

	loop_step(loop, 0);
	CHECK_INT(job.done, 64);
	loop_step(loop, 0);
	CHECK_INT(job.done, 128);

	CHECK(jobs_destroy(jobs));
	CHECK_INT(job.done, 130);
	loop_destroy(loop);
}

// A path that does not answer: a pipe nobody writes to yet.
struct hung {
	int pipe[2];
	_Atomic int thread, woken;
	int done;
};

static void run_hung(void *arg) {
	struct hung *hung = arg;
	char byte;
	hung->thread = (int)gettid();
	(void)!read(hung->pipe[0], &byte, 1);
	hung->woken = 1;
}

static void hung_done(void *arg) {
	((struct hung *)arg)->done++;
}

// The path answers, and the thread goes on to its end.
static void hung_wake(struct hung *hung) {
	int64_t deadline = clock_monotonic(clock_system()) + 10 * NS_PER_SECOND;
	long rc;
	CHECK_INT(write(hung->pipe[1], "x", 1), 1);
	wait_until(&hung->woken, 1);
	while ((rc = syscall(SYS_tgkill, getpid(), hung->thread, 0)) == 0 &&
		clock_monotonic(clock_system()) < deadline) {
		sched_yield();
	}
	CHECK(rc < 0 && errno == ESRCH);
	close(hung->pipe[0]);
	close(hung->pipe[1]);
}

TEST(a_job_that_hangs_is_left_after_a_second_and_the_others_are_reported) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct hung hung = {0};
	struct job job = {0};
	struct jobs *jobs = jobs_create(loop, 2, 8);
	CHECK_INT(pipe(hung.pipe), 0);
	CHECK(jobs_run(jobs, run_hung, hung_done, &hung));
	wait_until(&hung.thread, 1);
	for (int i = 0; i < 4; i++) {
		CHECK(jobs_run(jobs, run_job, job_done, &job));
	}

	int64_t begun = clock_monotonic(clock_system());
	CHECK(!jobs_destroy(jobs));
	CHECK(clock_monotonic(clock_system()) - begun < 5 * NS_PER_SECOND);

	CHECK_INT(job.done, 4);
	loop_step(loop, 0);
	loop_destroy(loop);
	hung_wake(&hung);
	CHECK_INT(hung.done, 0);
}

TEST(a_late_thread_begins_nothing_that_waited) {
	struct err err = ERR_INIT;
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	struct hung hung = {0};
	struct job job = {0};
	struct jobs *jobs = jobs_create(loop, 1, 8);
	CHECK_INT(pipe(hung.pipe), 0);
	CHECK(jobs_run(jobs, run_hung, hung_done, &hung));
	CHECK(jobs_run(jobs, run_job, job_done, &job));
	wait_until(&hung.thread, 1);

	CHECK(!jobs_destroy(jobs));
	loop_destroy(loop);
	hung_wake(&hung);

	CHECK_INT(hung.done + job.ran + job.done, 0);
}

struct follower {
	struct jobs *jobs;
	struct job job;
	bool is_refused;
};

static void run_follower(void *arg) {
	(void)arg;
}

static void follow(void *arg) {
	struct follower *follower = arg;
	follower->is_refused = !jobs_run(follower->jobs, run_job, job_done, &follower->job);
}

TEST(a_job_that_ends_in_the_destruction_can_start_no_other) {
	for (int is_real = 0; is_real < 2; is_real++) {
		struct fake_loop fake;
		struct follower follower = {0};
		fake_loop_init(&fake, 3);
		struct loop *loop = is_real ? loop_create(clock_system(), NULL, NULL) : fake.loop;
		follower.jobs = jobs_create(loop, 2, 8);
		CHECK(jobs_run(follower.jobs, run_follower, follow, &follower));

		CHECK(jobs_destroy(follower.jobs));

		CHECK(follower.is_refused);
		CHECK_INT(follower.job.done, 0);
		if (is_real) {
			loop_destroy(loop);
		}
		fake_loop_finish(&fake);
	}
}

int main(void) {
	return TESTS(RUN(a_simulated_worker_answers_every_message_in_order),
		RUN(a_worker_refuses_more_than_it_has_reply_slots_for),
		RUN(stopping_a_real_worker_finishes_what_was_posted),
		RUN(what_replies_lead_to_is_done_before_a_worker_has_stopped),
		RUN(a_real_worker_answers_on_the_loop),
		RUN(a_job_runs_and_its_result_comes_on_the_loop),
		RUN(jobs_over_capacity_are_refused),
		RUN(the_last_quarter_of_a_pool_is_not_for_what_clients_ask),
		RUN(destroying_real_jobs_waits_for_them_and_reports_each),
		RUN(many_replies_are_handed_over_in_several_rounds),
		RUN(many_simulated_replies_are_handed_over_in_several_rounds),
		RUN(many_jobs_are_reported_in_several_rounds),
		RUN(a_job_that_hangs_is_left_after_a_second_and_the_others_are_reported),
		RUN(a_late_thread_begins_nothing_that_waited),
		RUN(a_job_that_ends_in_the_destruction_can_start_no_other));
}
