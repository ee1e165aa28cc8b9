// SPDX-License-Identifier: Apache-2.0
// /proc/loadavg (proc(5)): how many tasks want to run, averaged; and how many CPUs there are to
// run them, from /sys/devices/system/cpu/online ("0-3,5").
#include "formats/exposition.h"
#include "sources/host_collector.h"

struct host_loadavg {
	struct proc_file file, online;
	bool is_known;
	double load[3]; // over 1, 5 and 15 minutes
	double cpus;	// NAN: not known
};

static bool parse_load(struct host_loadavg *load, struct str text) {
	double values[3];
	struct str word;
	for (size_t i = 0; i < 3; i++) {
		if (!str_word(&text, &word) || !str_to_double(word, &values[i]) || values[i] < 0) {
			return false;
		}
	}
	memcpy(load->load, values, sizeof(values));
	return true;
}

static double count_cpus(struct str text) {
	struct str range, first;
	uint64_t from, to;
	double cpus = 0;
	text = str_trim(text);
	while (str_split(&text, ',', &range)) {
		bool is_range = str_split(&range, '-', &first);
		if (!is_range || !str_to_uint64(first, &from)) {
			return NAN;
		}
		to = from;
		if ((range.at && !str_to_uint64(range, &to)) || to < from || to > UINT32_MAX) {
			return NAN;
		}
		cpus += (double)(to - from + 1);
	}
	return cpus;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_loadavg *load = arg;
	load->is_known = turn_read(turn, &load->file, "/proc/loadavg") &&
		parse_load(load, buf_str(&turn->text));
	load->cpus = turn_try(turn, &load->online, "/sys/devices/system/cpu/online")
		? count_cpus(buf_str(&turn->text))
		: NAN;
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_loadavg *load = arg;
	if (!load->is_known) {
		return;
	}
	exposition_family(out, "node_load1", "gauge", "1m load average.");
	exposition_sample(out, load->load[0], NULL);
	exposition_family(out, "node_load15", "gauge", "15m load average.");
	exposition_sample(out, load->load[2], NULL);
	exposition_family(out, "node_load5", "gauge", "5m load average.");
	exposition_sample(out, load->load[1], NULL);
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_loadavg *load = arg;
	if (load->is_known) {
		tell_figure(on_figure, on_figure_arg, "load.per_cpu", "", "tasks",
			load->load[0] / load->cpus);
	}
}

static void finish(void *arg) {
	struct host_loadavg *load = arg;
	proc_file_finish(&load->file);
	proc_file_finish(&load->online);
}

DEFINE_HOST_COLLECTOR(loadavg) = {
	.name = "loadavg",
	.summary = "Load averages over 1, 5 and 15 minutes.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_loadavg),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
