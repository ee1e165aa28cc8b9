// SPDX-License-Identifier: Apache-2.0
// Health and capabilities of a whole daemon in simulated time, with two parts that are as the test
// says.
#include "tests/check.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "tests/fakes/fake_loop.h"
#include "tests/fakes/sim_fs.h"

static struct {
	bool refuses; // to start
	bool is_degraded;
	int starts; // tried
} script[2];

static void *start(size_t i, struct err *err) {
	script[i].starts++;
	if (script[i].refuses) {
		err_set(err, ERR_BUSY, "its port is taken");
		return NULL;
	}
	return &script[i];
}

static void *start_first(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)services;
	(void)config;
	return start(0, err);
}

static void *start_second(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)services;
	(void)config;
	return start(1, err);
}

static void health(size_t i, struct capability_health *out) {
	if (script[i].is_degraded) {
		out->state = CAPABILITY_DEGRADED;
		(void)snprintf(out->reason, sizeof(out->reason), "it limps");
		(void)snprintf(out->next_step, sizeof(out->next_step), "give it a stick");
	}
}

static void health_first(void *self, struct capability_health *out) {
	(void)self;
	health(0, out);
}

static void health_second(void *self, struct capability_health *out) {
	(void)self;
	health(1, out);
}

static void stop(void *self) {
	(void)self;
}

static const struct capability first = {
	.name = "first", .summary = "", .start = start_first, .stop = stop, .health = health_first};
static const struct capability second = {.name = "second",
	.summary = "",
	.start = start_second,
	.stop = stop,
	.health = health_second};

struct fixture {
	struct fake_loop fake;
	struct sim_fs *disk;
	struct arguments arguments;
	struct anna *anna;
	struct subscription subscription;
	int changes; // health.changed
	char to[16];
};

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct fixture *f = arg;
	if (phase == PHASE_ACCEPTED && str_is(event->kind, "health.changed")) {
		const struct value *to = event_attribute(event, STR("to"));
		f->changes++;
		(void)snprintf(f->to, sizeof(f->to), "%.*s", STR_ARG(to->string));
	}
}

static void set_up(struct fixture *f) {
	static char state_folder[] = "/var/lib/anna", nothing[] = "";
	static const struct capability *const parts[] = {&first, &second};
	struct problems problems = PROBLEMS_INIT;
	struct err err = ERR_INIT;
	*f = (struct fixture){0};
	fake_loop_init(&f->fake, 11);
	f->disk = sim_fs_create(11);
	f->arguments = (struct arguments){.state_folder = state_folder,
		.sysroot = nothing,
		.socket_path = nothing,
		.has_log_level = true,
		.log_level = LOG_ERROR + 1};
	struct daemon_seam seam = {.loop = f->fake.loop,
		.fs = sim_fs(f->disk),
		.random = &f->fake.random,
		.job_threads = 1,
		.capabilities = parts,
		.capability_count = 2};
	f->anna = daemon_create(&seam, &f->arguments, &problems, &err);
	CHECK(f->anna != NULL);
	bus_subscribe(f->anna->services.bus, &f->subscription, on_event, f);
	CHECK(daemon_start(f->anna, &err));
	loop_advance(f->fake.loop, NS_PER_SECOND / 10);
	problems_finish(&problems);
}

static void tear_down(struct fixture *f) {
	bus_unsubscribe(&f->subscription);
	daemon_destroy(f->anna);
	fake_loop_finish(&f->fake);
	sim_fs_destroy(f->disk);
	memset(script, 0, sizeof(script));
}

static void advance(struct fixture *f, int64_t seconds) {
	loop_advance(f->fake.loop, seconds * NS_PER_SECOND);
}

TEST(a_change_of_the_level_is_told_at_once_and_a_good_start_is_no_change) {
	struct fixture f;
	set_up(&f);
	advance(&f, 5);
	CHECK_INT(f.changes, 0);
	CHECK_INT(f.anna->health, HEALTH_OK);

	script[0].is_degraded = true;
	advance(&f, 2);

	CHECK_INT(f.changes, 1);
	CHECK_TEXT(f.to, "degraded");
	CHECK_TEXT(f.anna->reasons[0].next_step, "give it a stick");
	tear_down(&f);
}

TEST(other_reasons_at_the_same_level_are_told_once_a_minute_at_most) {
	struct fixture f;
	set_up(&f);
	script[0].is_degraded = true;
	advance(&f, 2);
	CHECK_INT(f.changes, 1);

	script[1].is_degraded = true;
	advance(&f, 30);
	CHECK_INT(f.changes, 1);
	advance(&f, 40);
	CHECK_INT(f.changes, 2);
	advance(&f, 600);
	CHECK_INT(f.changes, 2); // the same reasons are not told again

	for (int i = 0; i < 300; i++) { // one that comes and goes every second
		script[1].is_degraded = !script[1].is_degraded;
		advance(&f, 1);
	}
	CHECK(f.changes <= 2 + 6);
	tear_down(&f);
}

TEST(what_did_not_start_is_tried_ever_less_often_and_then_works) {
	struct fixture f;
	struct capability_status status;
	script[1].refuses = true;
	set_up(&f);
	anna_get_capability(f.anna, 1, &status);
	CHECK_INT(status.state, CAPABILITY_FAILED);
	CHECK(status.retry_ns > 0);
	CHECK(status.next_step[0]);

	advance(&f, 64);
	CHECK(script[1].starts >= 6 && script[1].starts <= 8); // after 1, 2, 4, 8, 16 and 32 s
	int tried = script[1].starts;
	advance(&f, 3600);
	CHECK(script[1].starts - tried <= 16); // every five minutes
	anna_get_capability(f.anna, 1, &status);
	CHECK_INT(status.failures, script[1].starts);
	CHECK(status.failures_hour <= 17);

	script[1].refuses = false;
	advance(&f, 302);
	anna_get_capability(f.anna, 1, &status);
	CHECK_INT(status.state, CAPABILITY_ACTIVE);
	CHECK_INT(status.retry_ns, 0);
	CHECK_INT(status.starts, 1);
	advance(&f, 3700);
	anna_get_capability(f.anna, 1, &status);
	CHECK_INT(status.failures_hour, 0);
	CHECK_INT(f.anna->health, HEALTH_OK);
	tear_down(&f);
}

int main(void) {
	return TESTS(RUN(a_change_of_the_level_is_told_at_once_and_a_good_start_is_no_change),
		RUN(other_reasons_at_the_same_level_are_told_once_a_minute_at_most),
		RUN(what_did_not_start_is_tried_ever_less_often_and_then_works));
}
