// SPDX-License-Identifier: Apache-2.0
// A source that counts: sim.tick {n} at random intervals, and as many at once as asked. What the
// bus refuses is counted as lost and told, as every source has to.
#include "base/alloc.h"
#include "tests/sim/sim.h"

struct scripted_config {
	int64_t every_ns;
};

struct scripted {
	const struct services *services;
	int64_t every_ns;
	uint64_t n;
	uint64_t lost;
	struct timer timer;
};

// There is one machine at a time in a process, and one such source on it.
static struct scripted *running;

static bool publish(struct scripted *scripted, struct event *event) {
	return bus_publish(scripted->services->bus, event, NULL, NULL, NULL) != 0;
}

static void tick(struct scripted *scripted) {
	if (scripted->lost) {
		struct event *gap = event_create("source.gap", "scripted", STR("scripted"));
		event_set_text(gap, "source", "scripted");
		event_set_text(gap, "reason", "refused");
		event_set_int(gap, "count", (int64_t)scripted->lost);
		if (publish(scripted, gap)) {
			scripted->lost = 0;
		}
	}
	struct event *event = event_create("sim.tick", "scripted", STR("tick"));
	event_set_int(event, "n", (int64_t)++scripted->n);
	event_set_int(event, "level", (int64_t)(scripted->n % 10));
	scripted->lost += !publish(scripted, event);
}

static void on_due(void *arg) {
	struct scripted *scripted = arg;
	struct random *random = scripted->services->random;
	tick(scripted);
	timer_start(&scripted->timer, scripted->services->loop,
		(int64_t)random_below(random, 2 * (uint64_t)scripted->every_ns), on_due, scripted);
}

void scripted_burst(struct sim *sim, unsigned n) {
	(void)sim;
	for (unsigned i = 0; running && i < n; i++) {
		tick(running);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	const struct scripted_config *options = config->config;
	struct scripted *scripted = xcalloc(1, sizeof(*scripted));
	(void)err; // nothing can fail
	scripted->services = services;
	scripted->every_ns = options->every_ns;
	running = scripted;
	timer_start(&scripted->timer, services->loop, scripted->every_ns, on_due, scripted);
	return scripted;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	const struct scripted_config *options = config->config;
	((struct scripted *)self)->every_ns = options->every_ns;
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct scripted *scripted = self;
	timer_stop(&scripted->timer);
	running = NULL;
	free(scripted);
}

static const struct option rows[] = {
	{"every", OPTION_DURATION, offsetof(struct scripted_config, every_ns), "3s",
		.min = (double)NS_PER_MS, .max = 366.0 * (double)NS_PER_DAY,
		.help = "How often on average."},
	{NULL},
};

static const struct kind kinds[] = {
	{"sim.tick", STREAM_TELEMETRY, "The scripted source counts.", NULL},
	{NULL},
};

DEFINE_SOURCE(scripted) = {
	.name = "scripted",
	.summary = "counts",
	.section =
		&(const struct section){
			.name = "scripted",
			.summary = "A source that counts.",
			.rows = rows,
			.size = sizeof(struct scripted_config),
		},
	.kinds = kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
};
