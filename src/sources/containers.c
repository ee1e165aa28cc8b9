// SPDX-License-Identifier: Apache-2.0
// The source `containers`: what docker, podman, containerd, cri-o, lxc and systemd-nspawn run here,
// seen from their cgroups alone, without asking a daemon of theirs. A job reads; the loop shows
// what it made.
#include "base/alloc.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "formats/exposition.h"
#include "formats/json.h"
#include "io/loop.h"
#include "io/worker.h"
#include "sources/containers.h"

struct containers_config {
	bool is_enabled;
	int64_t interval_ns;
};

struct container_figures {
	char name[128];
	double memory_percent, cpu_percent, oom_kills; // below 0: not known
};

// What one gather made; the loop's.
struct container_picture {
	struct buf json, metrics;
	struct container_figures *figures;
	size_t n;
	bool is_cut, is_readable;
};

// A job's while it runs; outlives its owner until the job is back.
struct container_gather {
	struct containers *owner; // NULL: stopped
	struct container_set set;
	struct clock *clock;
	struct container_picture *picture;
};

struct containers {
	const struct services *services;
	struct snapshot *snapshot;
	const struct containers_config *config;
	struct timer due;
	struct meter meter;
	struct pin figures, view;
	struct container_gather *gather;
	struct container_picture *picture; // NULL: none yet
	bool is_gathering;
};

static void begin(void *arg);

static void picture_destroy(struct container_picture *picture) {
	if (picture) {
		buf_finish(&picture->json);
		buf_finish(&picture->metrics);
		free(picture->figures);
		free(picture);
	}
}

static void gather_destroy(struct container_gather *gather) {
	container_set_finish(&gather->set);
	picture_destroy(gather->picture);
	free(gather);
}

static struct container_picture *picture_create(const struct container_set *set) {
	struct container_picture *picture = xcalloc(1, sizeof(*picture));
	struct json_writer w;
	struct exposition exposition;
	json_writer_init(&w, &picture->json);
	container_set_write(set, &w);
	exposition_init(&exposition, &picture->metrics);
	container_set_collect(set, &exposition);
	picture->figures = xcalloc(set->n, sizeof(*picture->figures));
	picture->n = set->n;
	picture->is_cut = set->is_cut;
	picture->is_readable = set->is_readable;
	for (size_t i = 0; i < set->n; i++) {
		const struct container *container = set->items[i];
		struct container_figures *figures = &picture->figures[i];
		(void)snprintf(figures->name, sizeof(figures->name), "%s", container->name);
		figures->memory_percent = container_memory_percent(container);
		figures->cpu_percent = container->cpu_percent;
		figures->oom_kills = container_oom_per_minute(container, set->now_ns);
	}
	return picture;
}

static void run(void *arg) {
	struct container_gather *gather = arg;
	container_set_gather(&gather->set, clock_monotonic(gather->clock));
	gather->picture = picture_create(&gather->set);
}

static void plan(struct containers *self) {
	timer_start(&self->due, self->services->loop, self->config->interval_ns, begin, self);
}

static void on_done(void *arg) {
	struct container_gather *gather = arg;
	struct containers *self = gather->owner;
	if (!self) {
		gather_destroy(gather);
		return;
	}
	picture_destroy(self->picture);
	self->picture = take_ptr(gather->picture);
	self->is_gathering = false;
	plan(self);
}

static void begin(void *arg) {
	struct containers *self = arg;
	self->is_gathering = jobs_run(self->services->jobs, run, on_done, self->gather);
	if (!self->is_gathering) {
		plan(self); // the pool is full: the next time
	}
}

// --- what the others may ask ---

static void show_figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct containers *self = arg;
	for (size_t i = 0; self->picture && i < self->picture->n; i++) {
		const struct container_figures *own = &self->picture->figures[i];
		const struct figure rows[] = {
			{"container.memory_percent", own->name, "percent", own->memory_percent},
			{"container.cpu_percent", own->name, "percent", own->cpu_percent},
			{"container.oom_kills_per_minute", own->name, "per_minute", own->oom_kills},
		};
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			if (rows[j].value >= 0) {
				on_figure(on_figure_arg, &rows[j]);
			}
		}
	}
}

static bool write_view(void *arg, struct json_writer *out, struct err *err) {
	const struct containers *self = arg;
	if (!self->picture) {
		return err_set(err, ERR_BUSY, "the first look at the containers is under way");
	}
	json_raw(out, buf_str(&self->picture->json));
	return true;
}

static void collect(void *arg, struct exposition *out) {
	const struct containers *self = arg;
	if (self->picture) {
		buf_append_str(out->out, buf_str(&self->picture->metrics));
	}
}

// --- the descriptor ---

static void take_config(struct containers *self, const struct capability_config *config) {
	struct snapshot *old = self->snapshot;
	self->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	self->config = config->config;
	if (old) {
		snapshot_unref(old);
	}
}

static bool is_enabled(const struct capability_config *config) {
	const struct containers_config *containers = config->config;
	return containers->is_enabled;
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	const char *sysroot = services->sysroot ? services->sysroot : "";
	if (loop_simulation(services->loop) && !sysroot[0]) {
		err_set(err, ERR_UNAVAILABLE, "a simulated machine has no containers");
		return NULL;
	}
	struct containers *self = xcalloc(1, sizeof(*self));
	self->services = services;
	self->gather = xcalloc(1, sizeof(*self->gather));
	self->gather->owner = self;
	self->gather->clock = loop_clock(services->loop);
	container_set_init(&self->gather->set, sysroot);
	take_config(self, config);
	meters_add(services->meters, &self->meter, collect, self);
	self->figures = (struct pin){.name = "container", .figures = show_figures, .arg = self};
	self->view = (struct pin){.name = "containers", .view = write_view, .arg = self};
	board_pin(services->board, &self->figures);
	board_pin(services->board, &self->view);
	begin(self);
	return self;
}

static enum reconfigured reconfigure(void *arg, const struct capability_config *config) {
	struct containers *self = arg;
	take_config(self, config);
	if (!self->is_gathering) {
		plan(self);
	}
	return RECONFIGURE_ADAPTED;
}

static void stop(void *arg) {
	struct containers *self = arg;
	timer_stop(&self->due);
	meters_remove(&self->meter);
	board_unpin(&self->figures);
	board_unpin(&self->view);
	self->gather->owner = NULL;
	if (!self->is_gathering) {
		gather_destroy(self->gather); // else the job does when it is back
	}
	picture_destroy(self->picture);
	if (self->snapshot) {
		snapshot_unref(self->snapshot);
	}
	free(self);
}

static void health(void *arg, struct capability_health *out) {
	const struct containers *self = arg;
	*out = (struct capability_health){.state = CAPABILITY_DEGRADED};
	if (self->picture && !self->picture->is_readable) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"there is no cgroup tree below /sys/fs/cgroup");
	} else if (self->picture && self->picture->is_cut) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"more than %d containers or %d cgroups; the rest is left out",
			CONTAINERS_MAX, CONTAINER_FOLDERS_MAX);
	} else {
		out->state = CAPABILITY_ACTIVE;
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct containers_config, is_enabled), "true",
		.help = "Whether containers are looked for."},
	{"interval", OPTION_DURATION, offsetof(struct containers_config, interval_ns), "5s",
		.min = 1.0 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often they are looked at."},
	{NULL},
};

DEFINE_SOURCE(containers) = {
	.name = "containers",
	.summary = "CPU, memory, restarts and OOM kills of containers, by their cgroups.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "containers",
			.summary = "What is seen of containers.",
			.rows = rows,
			.size = sizeof(struct containers_config),
			.example = "[containers]\ninterval = \"10s\"\n",
		},
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
