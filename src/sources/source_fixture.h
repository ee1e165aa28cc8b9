// SPDX-License-Identifier: Apache-2.0
// For the tests of sources: a real bus on a simulated loop, before a journal that accepts all.
// Events are kept in the order published; fixture_init, then hand fixture.services to a source.
#pragma once

#include <sys/stat.h>

#include "base/alloc.h"
#include "config/schema.h"
#include "formats/json.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "io/child.h"
#include "io/fs.h"
#include "io/worker.h"
#include "tests/check.h"
#include "tests/fakes/fake_loop.h"

#define FIXTURE_EVENTS 256
#define FIXTURE_SLOW_JOBS 16

struct fixture {
	struct fake_loop fake;
	struct kinds *kinds;
	struct bus *bus;
	struct jobs *jobs, *slow_jobs;
	struct meters *meters;
	struct board *board;
	struct subscription subscription;
	struct event *events[FIXTURE_EVENTS];
	size_t n;
	struct services services;
	const struct capability *capability;
	struct arena *arena; // of the configs
	struct capability_config config;
	void *source;
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

static inline bool fixture_fill(struct option_reader *reader, const struct section *section,
	const struct value *table, void *out) {
	bool is_filled = option_fill(reader, section->rows, table, (struct place){0}, out);
	if (section->check) {
		section->check(out, (struct place){0}, reader->arena, reader->problems);
	}
	return is_filled && !problems_has_errors(reader->problems);
}

// Fills the config of the source from JSON (an array for a list section); false with the problems
// in *out_problems when it is refused.
static inline bool fixture_configure(
	struct fixture *fixture, const char *json, struct buf *out_problems) {
	const struct section *section = fixture->capability->section;
	struct problems problems = PROBLEMS_INIT;
	struct option_reader reader = {.arena = fixture->arena, .problems = &problems};
	const struct value *value = json_parse(fixture->arena, str_from(json), 16, NULL);
	CHECK(value != NULL);
	bool is_list = value->type == VALUE_ARRAY, is_filled = true;
	size_t n = is_list ? value->array.n : 1;
	char *items = arena_array(fixture->arena, n + 1, section->size);
	for (size_t i = 0; i < n; i++) {
		is_filled = fixture_fill(&reader, section, is_list ? &value->array.items[i] : value,
				    items + i * section->size) &&
			is_filled;
	}
	if (out_problems) {
		problems_format(&problems, out_problems);
	}
	problems_finish(&problems);
	fixture->config = (struct capability_config){.config = items, .list = {items, n}};
	return is_filled;
}

// loop NULL: the simulated one.
static inline void fixture_init(
	struct fixture *fixture, struct loop *loop, const struct capability *capability) {
	memset(fixture, 0, sizeof(*fixture));
	fixture->capability = capability;
	fixture->arena = arena_create();
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
	fixture->slow_jobs = jobs_create(loop, 2, FIXTURE_SLOW_JOBS);
	fixture->meters = meters_create();
	fixture->board = board_create();
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/anna-source-XXXXXX");
	CHECK(mkdtemp(fixture->folder) != NULL);
	fixture->services = (struct services){.loop = loop,
		.jobs = fixture->jobs,
		.slow_jobs = fixture->slow_jobs,
		.fs = fs_system(),
		.random = &fixture->fake.random,
		.bus = fixture->bus,
		.meters = fixture->meters,
		.board = fixture->board,
		.state_folder = fixture->folder,
		.sysroot = ""};
}

static inline void fixture_start(struct fixture *fixture, const char *json) {
	CHECK(fixture_configure(fixture, json, NULL));
	fixture->source = fixture->capability->start(&fixture->services, &fixture->config, NULL);
	CHECK(fixture->source != NULL);
}

static inline void fixture_reconfigure(struct fixture *fixture, const char *json) {
	CHECK(fixture_configure(fixture, json, NULL));
	CHECK_INT(fixture->capability->reconfigure(fixture->source, &fixture->config),
		RECONFIGURE_ADAPTED);
}

static inline void fixture_stop(struct fixture *fixture) {
	fixture->capability->stop(fixture->source);
	fixture->source = NULL;
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
	if (fixture->source) {
		fixture_stop(fixture);
	}
	CHECK(jobs_destroy(fixture->slow_jobs));
	CHECK(jobs_destroy(fixture->jobs));
	fixture_forget_events(fixture);
	bus_destroy(fixture->bus);
	meters_destroy(fixture->meters);
	board_destroy(fixture->board);
	kinds_destroy(fixture->kinds);
	fake_loop_finish(&fixture->fake);
	arena_destroy(fixture->arena);
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
