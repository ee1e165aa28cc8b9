// SPDX-License-Identifier: Apache-2.0
// /proc/net/dev (proc(5)): what each network device has sent and received.
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_rows.h"

#define COUNTERS 16

// In the order of the columns.
enum {
	RECEIVE_BYTES,
	RECEIVE_ERRORS = 2,
	RECEIVE_DROPS = 3,
	TRANSMIT_BYTES = 8,
	TRANSMIT_ERRORS = 10,
	TRANSMIT_DROPS = 11
};
static const char *const counter_names[COUNTERS] = {"receive_bytes", "receive_packets",
	"receive_errs", "receive_drop", "receive_fifo", "receive_frame", "receive_compressed",
	"receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop",
	"transmit_fifo", "transmit_colls", "transmit_carrier", "transmit_compressed"};

struct device {
	struct row row;
	uint64_t counters[COUNTERS];
	struct counter last[COUNTERS];
	double per_second[COUNTERS]; // NAN: not known
};

struct host_netdev {
	struct proc_file file;
	struct pace pace;
	struct rows devices;
};

static bool parse_counters(struct str text, uint64_t counters[COUNTERS]) {
	struct str word;
	size_t i = 0;
	while (i < COUNTERS && str_word(&text, &word) && str_to_uint64(word, &counters[i])) {
		i++;
	}
	return i == COUNTERS;
}

static void take_counters(
	struct device *device, const uint64_t counters[COUNTERS], double seconds) {
	for (size_t i = 0; i < COUNTERS; i++) {
		device->counters[i] = counters[i];
		device->per_second[i] = counter_step(&device->last[i], counters[i]) / seconds;
	}
}

// The last colon ends the name: an alias has one of its own ("eth0:1: 0 0 …").
static ptrdiff_t find_last_colon(struct str line) {
	const char *at = line.len ? memrchr(line.at, ':', line.len) : NULL;
	return at ? at - line.at : -1;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_netdev *network = arg;
	uint64_t counters[COUNTERS];
	(void)turn_read(turn, &network->file, "/proc/net/dev");
	double seconds = pace_step(&network->pace, turn->now_ns);
	struct str line, text = buf_str(&turn->text);
	network->devices.size = sizeof(struct device);
	rows_begin(&network->devices);
	while (str_split(&text, '\n', &line)) {
		ptrdiff_t colon = find_last_colon(line); // the heading has none
		struct str name = str_trim(str_head(line, colon > 0 ? (size_t)colon : 0));
		if (!name.len || is_among(&turn->config->ignored_devices, name) ||
			!parse_counters(str_skip(line, (size_t)(colon + 1)), counters)) {
			continue;
		}
		struct device *device = rows_find(&network->devices, name);
		if (device) {
			take_counters(device, counters, seconds);
		}
	}
	rows_end(&network->devices);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_netdev *network = arg;
	char name[64], help[80];
	for (size_t i = 0; i < COUNTERS && network->devices.n; i++) {
		snprintf(name, sizeof(name), "node_network_%s_total", counter_names[i]);
		snprintf(help, sizeof(help), "Network device statistic %s.", counter_names[i]);
		exposition_family(out, name, "counter", help);
		for (size_t j = 0; j < network->devices.n; j++) {
			const struct device *device = rows_get(&network->devices, j);
			exposition_sample(out, (double)device->counters[i], "device",
				device->row.label, NULL);
		}
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_netdev *network = arg;
	for (size_t i = 0; i < network->devices.n; i++) {
		const struct device *device = rows_get(&network->devices, i);
		const char *label = device->row.label;
		const double *rate = device->per_second;
		tell_figure(on_figure, on_figure_arg, "network.rx_bytes_per_second", label,
			"bytes_per_second", rate[RECEIVE_BYTES]);
		tell_figure(on_figure, on_figure_arg, "network.tx_bytes_per_second", label,
			"bytes_per_second", rate[TRANSMIT_BYTES]);
		tell_figure(on_figure, on_figure_arg, "network.errors_per_second", label,
			"per_second", rate[RECEIVE_ERRORS] + rate[TRANSMIT_ERRORS]);
		tell_figure(on_figure, on_figure_arg, "network.drops_per_second", label,
			"per_second", rate[RECEIVE_DROPS] + rate[TRANSMIT_DROPS]);
	}
}

static void finish(void *arg) {
	struct host_netdev *network = arg;
	rows_finish(&network->devices);
	proc_file_finish(&network->file);
}

DEFINE_HOST_COLLECTOR(netdev) = {
	.name = "netdev",
	.summary = "Traffic, errors and drops of each network device.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_netdev),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
