// SPDX-License-Identifier: Apache-2.0
// For the tests of sources: a real bus on a simulated loop, before a journal that accepts all.
// Events are kept in the order published; fixture_init, then hand fixture.services to a source.
#pragma once

#include <sys/stat.h>

#include "base/alloc.h"
#include "config/schema.h"
#include "flow/capability.h"
#include "io/child.h"
#include "io/fs.h"
#include "io/worker.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

#define FIXTURE_EVENTS 256

struct fixture {
	struct fake_loop fake;
	struct kinds *kinds;
	struct bus *bus;
	struct jobs *jobs;
	struct meters *meters;
	struct subscription subscription;
	struct event *events[FIXTURE_EVENTS];
	size_t n;
	struct services services;
	char folder[64]; // a temporary one, emptied and removed at the end
};

// The journal of these tests: it takes everything.
bool writer_append(struct writer *writer, const char *stream, uint64_t sequence, uint64_t cause,
	int64_t time_ns, enum record_type type, struct buf *payload) {
	(void)writer, (void)stream, (void)sequence, (void)cause, (void)time_ns, (void)type;
	buf_finish(payload);
	return true;
}

static inline void fixture_on_event(void *arg, enum bus_phase phase, struct event *event) {
	struct fixture *fixture = arg;
	if (phase == PHASE_ACCEPTED && fixture->n < FIXTURE_EVENTS) {
		fixture->events[fixture->n++] = event_ref(event);
	}
}

// The journal is there (again), or not: then the bus refuses.
static inline void fixture_set_journal(struct fixture *fixture, bool is_open) {
	static char journal;
	bus_set_writer(fixture->bus, is_open ? (struct writer *)(void *)&journal : NULL);
}

// loop NULL: the simulated one.
static inline void fixture_init(
	struct fixture *fixture, struct loop *loop, const struct capability *capability) {
	memset(fixture, 0, sizeof(*fixture));
	fake_loop_init(&fixture->fake, 1);
	loop = loop ? loop : fixture->fake.loop;
	fixture->kinds = kinds_create();
	kinds_add(fixture->kinds, core_kinds);
	kinds_add(fixture->kinds, capability->kinds);
	fixture->bus = bus_create(&(struct bus_options){.loop = loop,
		.random = &fixture->fake.random,
		.kinds = fixture->kinds,
		.next_id = 1,
		.capacity = 1024,
		.reserve = 16});
	fixture_set_journal(fixture, true);
	bus_subscribe(fixture->bus, &fixture->subscription, fixture_on_event, fixture);
	fixture->jobs = jobs_create(loop, 2, 16);
	fixture->meters = meters_create();
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/anna-source-XXXXXX");
	CHECK(mkdtemp(fixture->folder) != NULL);
	fixture->services = (struct services){.loop = loop,
		.jobs = fixture->jobs,
		.fs = fs_system(),
		.random = &fixture->fake.random,
		.bus = fixture->bus,
		.meters = fixture->meters,
		.state_folder = fixture->folder,
		.sysroot = ""};
}

static inline void fixture_forget_events(struct fixture *fixture) {
	for (size_t i = 0; i < fixture->n; i++) {
		event_unref(fixture->events[i]);
	}
	fixture->n = 0;
}

static inline void fixture_remove_below(const char *folder);

static inline void fixture_remove_name(void *folder, const char *name) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", (const char *)folder, name);
	struct stat entry;
	if (lstat(path, &entry) == 0 && S_ISDIR(entry.st_mode)) {
		fixture_remove_below(path);
		(void)rmdir(path);
	} else {
		(void)unlink(path);
	}
}

static inline void fixture_remove_below(const char *folder) {
	struct fs *fs = fs_system();
	(void)fs->list(fs, folder, fixture_remove_name, (void *)(uintptr_t)folder);
}

static inline void fixture_finish(struct fixture *fixture) {
	jobs_destroy(fixture->jobs);
	fixture_forget_events(fixture);
	bus_destroy(fixture->bus);
	meters_destroy(fixture->meters);
	kinds_destroy(fixture->kinds);
	fake_loop_finish(&fixture->fake);
	fixture_remove_below(fixture->folder);
	(void)rmdir(fixture->folder);
}

// Writes a file below the fixture's folder, with the folders on the way.
static inline void fixture_write(struct fixture *fixture, const char *name, const char *text) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", fixture->folder, name);
	for (char *at = path + strlen(fixture->folder) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(path, 0700);
		*at = '/';
	}
	FILE *file = fopen(path, "we");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

// An attribute of the event's as text; "" when it is absent.
static inline const char *fixture_text(const struct event *event, const char *name) {
	static struct buf text = BUF_INIT;
	buf_clear(&text);
	(void)event_lookup_text((void *)(uintptr_t)event, str_from(name), &text);
	return buf_text(&text);
}
