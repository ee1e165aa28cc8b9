// SPDX-License-Identifier: Apache-2.0
// The source `host`: what the kernel says about this machine, gathered by the collectors of
// host_collectors.def and kept for /metrics under node_exporter's names and for the board's
// figures; and the event `host.filesystem`. Nothing here waits for a disk, a sensor or a network.
#include "base/alloc.h"
#include "flow/capability.h"
#include "formats/exposition.h"
#include "io/loop.h"
#include "sources/host_config.h"
#include "sources/host_filesystem.h"
#include "sources/host_schedule.h"

struct host {
	struct host_world world;
	struct snapshot *snapshot;
	struct meter meter;
	struct pin pin;
	struct schedule schedule;
	bool is_blind; // on a simulated loop without a recorded machine: the real one is not read
};

static void collect(void *arg, struct exposition *out) {
	const struct host *host = arg;
	struct clock *clock = loop_clock(host->world.services->loop);
	if (!host->is_blind) {
		schedule_collect(&host->schedule, out);
	}
	exposition_family(
		out, "node_time_seconds", "gauge", "System time in seconds since epoch (1970).");
	exposition_sample(out, (double)clock_wall(clock) / (double)NS_PER_SECOND, NULL);
}

static void tell_figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host *host = arg;
	if (!host->is_blind) {
		schedule_figures(&host->schedule, on_figure, on_figure_arg);
	}
}

// Where the label of a figure is the culprit itself.
static bool find_culprit(void *arg, const struct figure *figure, struct culprit *out) {
	static const struct {
		const char *resource, *kind;
	} rows[] = {{"disk.", "device"}, {"filesystem.", "mount"}, {"network.", "interface"},
		{"temperature.", "device"}, {"battery.", "device"}};
	(void)arg;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (figure->label[0] &&
			str_starts(str_from(figure->name), str_from(rows[i].resource))) {
			*out = (struct culprit){.value = figure->value};
			snprintf(out->kind, sizeof(out->kind), "%s", rows[i].kind);
			snprintf(out->name, sizeof(out->name), "%s", figure->label);
			snprintf(out->value_unit, sizeof(out->value_unit), "%s", figure->unit);
			return true;
		}
	}
	return false;
}

static void take_config(struct host *host, const struct capability_config *config) {
	host->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	host->schedule.snapshot = host->snapshot;
	host->world.config = config->config;
	host->world.config_number++;
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be read is a degraded host, not a failed one
	struct host *host = xcalloc(1, sizeof(*host));
	host->world.services = services;
	host->world.sysroot = services->sysroot ? services->sysroot : "";
	host->is_blind = loop_simulation(services->loop) && !host->world.sysroot[0];
	take_config(host, config);
	if (!host->is_blind) {
		schedule_start(&host->schedule, &host->world);
	}
	meters_add(services->meters, &host->meter, collect, host);
	host->pin = (struct pin){.figures = tell_figures, .culprit = find_culprit, .arg = host};
	board_pin(services->board, &host->pin);
	return host;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct host *host = self;
	struct snapshot *old = host->snapshot;
	take_config(host, config);
	if (!host->is_blind) {
		schedule_change(&host->schedule);
	}
	if (old) {
		snapshot_unref(old);
	}
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct host *host = self;
	meters_remove(&host->meter);
	board_unpin(&host->pin);
	if (!host->is_blind) {
		schedule_finish(&host->schedule);
	}
	if (host->snapshot) {
		snapshot_unref(host->snapshot);
	}
	free(host);
}

static void health(void *self, struct capability_health *out) {
	const struct host *host = self;
	struct buf reason = BUF_INIT;
	if (!host->is_blind) {
		schedule_describe(&host->schedule, &reason);
	}
	out->state = reason.len ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	snprintf(out->reason, sizeof(out->reason), "%s", buf_text(&reason));
	buf_finish(&reason);
}

DEFINE_SOURCE(host) = {
	.name = "host",
	.summary = "CPU, load, memory, disks, file systems, network and sensors of this machine.",
	.maturity = MATURITY_STABLE,
	.section = &host_section,
	.kinds = host_kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
