// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <pthread.h>
#include <stdatomic.h>

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

int main(void) {
	return TESTS(RUN(a_simulated_worker_answers_every_message_in_order),
		RUN(a_worker_refuses_more_than_it_has_reply_slots_for),
		RUN(stopping_a_real_worker_finishes_what_was_posted),
		RUN(a_real_worker_answers_on_the_loop),
		RUN(a_job_runs_and_its_result_comes_on_the_loop),
		RUN(jobs_over_capacity_are_refused),
		RUN(destroying_real_jobs_waits_for_them_and_reports_each));
}
