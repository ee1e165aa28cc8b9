// SPDX-License-Identifier: Apache-2.0
// Emitting into a real journal, in simulated time.
#include "rpc/emitter.h"

#include <errno.h>

#include "io/fs.h"
#include "tests/check.h"
#include "tests/fakes/fake_engine.h"

struct answer {
	int count;
	uint64_t id;
	struct err err;
};

static void on_done(void *arg, uint64_t id, const struct err *err) {
	struct answer *answer = arg;
	answer->count++;
	answer->id = id;
	answer->err = err ? *err : (struct err)ERR_INIT;
}

static void emit(struct emitter *emitter, const char *key, uint64_t cause, struct answer *answer) {
	struct event *event = event_create("test.emitted", "emit", STR(""));
	event->key = arena_copy_str(event->arena, str_from(key));
	*answer = (struct answer){0};
	emitter_emit(emitter, event, cause, on_done, answer);
}

static struct emitter *start(struct fake_engine *fake) {
	fake_engine_start(fake, "", false);
	return emitter_create(&fake->services, fake->journal_folder);
}

TEST(an_emit_is_answered_once_its_event_is_durable) {
	struct fake_engine fake;
	struct answer answer;
	struct bus_stats stats;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);

	emit(emitter, "", 0, &answer);
	CHECK_INT(answer.count, 0);
	fake_engine_settle(&fake);

	bus_get_stats(fake.bus, &stats);
	CHECK_INT(answer.count, 1);
	CHECK(answer.id > 0 && answer.id <= stats.durable_id);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

TEST(one_key_is_one_event_also_while_it_is_under_way) {
	struct fake_engine fake;
	struct answer first, second, third, other;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);

	emit(emitter, "7/a", 0, &first);
	emit(emitter, "7/a", 0, &second);
	emit(emitter, "8/a", 0, &other);
	fake_engine_settle(&fake);
	emit(emitter, "7/a", 0, &third);

	CHECK_INT(first.count + second.count + third.count + other.count, 4);
	CHECK(first.id > 0);
	CHECK_INT(second.id, first.id);
	CHECK_INT(third.id, first.id);
	CHECK(other.id != first.id);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

TEST(a_key_is_forgotten_after_ten_minutes) {
	struct fake_engine fake;
	struct answer first, second;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);

	emit(emitter, "7/a", 0, &first);
	fake_engine_settle(&fake);
	loop_advance(fake.loop.loop, 601 * NS_PER_SECOND);
	emit(emitter, "7/a", 0, &second);
	fake_engine_settle(&fake);

	CHECK(second.id > first.id);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

TEST(a_key_is_known_after_a_crash) {
	struct fake_engine fake;
	struct answer first, second, third;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);
	emit(emitter, "7/a", 0, &first);
	fake_engine_settle(&fake);
	emitter_destroy(emitter);
	fake_engine_crash(&fake);

	emitter = start(&fake);
	emit(emitter, "7/a", 0, &second);
	emit(emitter, "7/b", 0, &third);
	fake_engine_settle(&fake);

	CHECK_INT(second.count, 1);
	CHECK_INT(second.id, first.id);
	CHECK(third.id > first.id);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

static bool is_broken;

static int open_or_fail(struct fs *fs, const char *path, int flags, int mode) {
	(void)fs;
	return is_broken ? -EIO : fs_system()->open(fs_system(), path, flags, mode);
}

TEST(as_long_as_earlier_keys_cannot_be_read_a_key_is_refused) {
	struct fake_engine fake;
	struct answer first, second, third;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);
	emit(emitter, "7/a", 0, &first);
	fake_engine_settle(&fake);
	emitter_destroy(emitter);
	fake_engine_crash(&fake);
	fake_engine_start(&fake, "", false);
	struct fs disk = *fs_system();
	disk.open = open_or_fail;
	struct services services = fake.services;
	services.fs = &disk;
	is_broken = true;
	emitter = emitter_create(&services, fake.journal_folder);

	emit(emitter, "7/a", 0, &second);
	fake_engine_settle(&fake);
	is_broken = false;
	emit(emitter, "7/a", 0, &third);
	fake_engine_settle(&fake);

	CHECK_INT(second.count, 1);
	CHECK_INT(second.err.code, ERR_UNAVAILABLE);
	CHECK_INT(third.id, first.id);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

struct seen {
	struct subscription subscription;
	uint64_t id, cause;
	uint32_t depth;
	struct trace trace;
};

static void on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct seen *seen = arg;
	if (phase == PHASE_ACCEPTED) {
		seen->id = event->id;
		seen->cause = event->cause;
		seen->depth = event->depth;
		seen->trace = event->trace;
	}
}

TEST(a_cause_gives_its_trace_and_depth_also_from_before_a_crash) {
	struct fake_engine fake;
	struct answer root, near, far;
	struct seen seen = {0};
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);
	bus_subscribe(fake.bus, &seen.subscription, on_event, &seen);
	emit(emitter, "", 0, &root);
	fake_engine_settle(&fake);
	struct trace trace = seen.trace;

	emit(emitter, "", root.id, &near); // remembered
	fake_engine_settle(&fake);
	CHECK_INT(seen.cause, root.id);
	CHECK_INT(seen.depth, 1);
	CHECK_INT(memcmp(seen.trace.trace_id, trace.trace_id, sizeof(trace.trace_id)), 0);
	bus_unsubscribe(&seen.subscription);
	emitter_destroy(emitter);
	fake_engine_crash(&fake);
	emitter = start(&fake);
	bus_subscribe(fake.bus, &seen.subscription, on_event, &seen);
	emit(emitter, "", near.id, &far); // looked up
	fake_engine_settle(&fake);

	CHECK_INT(far.id, seen.id);
	CHECK_INT(seen.cause, near.id);
	CHECK_INT(seen.depth, 2);
	CHECK_INT(memcmp(seen.trace.trace_id, trace.trace_id, sizeof(trace.trace_id)), 0);
	bus_unsubscribe(&seen.subscription);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

TEST(a_cause_that_does_not_exist_is_refused_and_its_key_stays_free) {
	struct fake_engine fake;
	struct answer wrong, waiting, right;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);

	emit(emitter, "7/a", 123456, &wrong);
	emit(emitter, "7/a", 0, &waiting);
	fake_engine_settle(&fake);
	CHECK_INT(wrong.err.code, ERR_INVALID);
	CHECK_INT(waiting.err.code, ERR_INVALID);
	emit(emitter, "7/a", 0, &right);
	fake_engine_settle(&fake);

	CHECK(right.id > 0);
	emitter_destroy(emitter);
	fake_engine_finish(&fake);
}

TEST(what_waits_when_anna_stops_is_answered) {
	struct fake_engine fake;
	struct answer keyed, looked_up;
	fake_engine_init(&fake, 1);
	struct emitter *emitter = start(&fake);

	emit(emitter, "7/a", 0, &keyed);       // its keys are being read
	emit(emitter, "", 123456, &looked_up); // its cause is being looked up
	emitter_destroy(emitter);
	fake_engine_settle(&fake);

	CHECK_INT(keyed.count, 1);
	CHECK_INT(keyed.err.code, ERR_UNAVAILABLE);
	CHECK_INT(looked_up.count, 1);
	fake_engine_finish(&fake);
}

int main(void) {
	return TESTS(RUN(an_emit_is_answered_once_its_event_is_durable),
		RUN(one_key_is_one_event_also_while_it_is_under_way),
		RUN(a_key_is_forgotten_after_ten_minutes), RUN(a_key_is_known_after_a_crash),
		RUN(as_long_as_earlier_keys_cannot_be_read_a_key_is_refused),
		RUN(a_cause_gives_its_trace_and_depth_also_from_before_a_crash),
		RUN(a_cause_that_does_not_exist_is_refused_and_its_key_stays_free),
		RUN(what_waits_when_anna_stops_is_answered));
}
