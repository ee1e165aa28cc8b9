// SPDX-License-Identifier: Apache-2.0
// The source `profile`: what this machine is made of, for the view `host`. A job reads it at start; it is
// read again when somebody asks and it is older than ten minutes, or (view `host_fresh`) ten seconds. It
// publishes nothing and holds up nobody: the last one made is what is shown.
#include "base/alloc.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "io/worker.h"
#include "sources/profile.h"

#define STALE_AFTER (600 * NS_PER_SECOND)
#define FRESH_FOR (10 * NS_PER_SECOND)
#define PROFILE_MAX (1024 * 1024) // far above what the bounds of its parts allow

struct profile_config {
	bool is_enabled;
};

struct profiling {
	struct profile_source *owner; // NULL: it was stopped meanwhile
	char *sysroot;
	struct fs *fs;
	int64_t now_wall_ns;
	struct buf json;
};

struct profile_source {
	const struct services *services;
	struct profiling *job;
	struct buf json; // the last made; empty: none yet
	int64_t made_ns; // monotonic
	struct pin host, fresh;
};

static void job_free(struct profiling *job) {
	buf_finish(&job->json);
	free(job->sysroot);
	free(job);
}

static void job_run(void *arg) {
	struct profiling *job = arg;
	struct json_writer writer;
	struct arena *arena = arena_create();
	struct root root = {.fs = job->fs, .sysroot = job->sysroot, .arena = arena};
	json_writer_init(&writer, &job->json);
	profile_write(&root, job->now_wall_ns, &writer);
	arena_destroy(arena);
}

static void job_done(void *arg) {
	struct profiling *job = arg;
	struct profile_source *source = job->owner;
	if (source) {
		source->job = NULL;
		if (job->json.len <= PROFILE_MAX) {
			struct buf old = source->json;
			source->json = job->json;
			job->json = old;
			source->made_ns = loop_now(source->services->loop);
		}
	}
	job_free(job);
}

// In the pool that may lose its threads: a folder of /etc may lie on a mount that is dead.
static void begin(struct profile_source *source) {
	const struct services *services = source->services;
	bool is_recorded = services->sysroot && services->sysroot[0];
	if (source->job || (loop_simulation(services->loop) && !is_recorded)) {
		return; // the simulator has no hardware
	}
	struct profiling *job = xcalloc(1, sizeof(*job));
	job->owner = source;
	job->fs = services->fs;
	job->sysroot = xstrdup(services->sysroot ? services->sysroot : "");
	job->now_wall_ns = clock_wall(loop_clock(services->loop));
	if (jobs_run(services->slow_jobs, job_run, job_done, job)) {
		source->job = job;
	} else {
		job_free(job);
	}
}

static bool is_older(const struct profile_source *source, int64_t ns) {
	return !source->json.len || loop_now(source->services->loop) - source->made_ns > ns;
}

static bool write_last(struct profile_source *source, struct json_writer *out, struct err *err) {
	if (!source->json.len) {
		return err_set(err, ERR_BUSY, "the profile of this machine is being read");
	}
	json_raw(out, buf_str(&source->json));
	return true;
}

static bool view(void *arg, struct json_writer *out, struct err *err) {
	struct profile_source *source = arg;
	if (is_older(source, STALE_AFTER)) {
		begin(source); // for the next who asks
	}
	return write_last(source, out, err);
}

static bool view_fresh(void *arg, struct json_writer *out, struct err *err) {
	struct profile_source *source = arg;
	if (is_older(source, FRESH_FOR)) {
		begin(source);
		return err_set(err, ERR_BUSY, "the profile of this machine is being read again");
	}
	return write_last(source, out, err);
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)config, (void)err;
	struct profile_source *source = xcalloc(1, sizeof(*source));
	source->services = services;
	source->host = (struct pin){.name = "host", .view = view, .arg = source};
	source->fresh = (struct pin){.name = "host_fresh", .view = view_fresh, .arg = source};
	board_pin(services->board, &source->host);
	board_pin(services->board, &source->fresh);
	begin(source);
	return source;
}

static void stop(void *self) {
	struct profile_source *source = self;
	board_unpin(&source->host);
	board_unpin(&source->fresh);
	if (source->job) {
		source->job->owner = NULL; // freed when it returns
	}
	buf_finish(&source->json);
	free(source);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct profile_config *)config->config)->is_enabled;
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct profile_config, is_enabled), "true",
		.help = "Whether the hardware and system profile is read."},
	{NULL},
};

DEFINE_SOURCE(profile) = {
	.name = "profile",
	.summary = "What this machine is made of: hardware, system, firmware.",
	.maturity = MATURITY_EXPERIMENTAL,
	.section =
		&(const struct section){
			.name = "profile",
			.summary = "The profile of this machine (annactl host).",
			.rows = rows,
			.size = sizeof(struct profile_config),
		},
	.is_enabled = is_enabled,
	.start = start,
	.stop = stop,
};
