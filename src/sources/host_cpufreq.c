// SPDX-License-Identifier: Apache-2.0
// /sys/devices/system/cpu/cpuN: frequencies (Documentation/admin-guide/pm/cpufreq.rst), and how
// often cores and packages were throttled by heat.
#include "sources/host_collector.h"
#include "sources/host_readings.h"

#define FOLDER "/sys/devices/system/cpu"

static const struct {
	const char *file, *family, *help;
} frequencies[] = {
	{"cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current cpu thread frequency in hertz."},
	{"cpuinfo_max_freq", "node_cpu_frequency_max_hertz",
		"Maximum cpu thread frequency in hertz."},
	{"cpuinfo_min_freq", "node_cpu_frequency_min_hertz",
		"Minimum cpu thread frequency in hertz."},
	{"scaling_cur_freq", "node_cpu_scaling_frequency_hertz",
		"Current scaled CPU thread frequency in hertz."},
	{"scaling_max_freq", "node_cpu_scaling_frequency_max_hertz",
		"Maximum scaled CPU thread frequency in hertz."},
	{"scaling_min_freq", "node_cpu_scaling_frequency_min_hertz",
		"Minimum scaled CPU thread frequency in hertz."},
};

static void read_frequencies(struct readings *readings, struct host_turn *turn, const char *entry) {
	const char *cpu = readings_text(readings, str_from(entry + 3));
	uint64_t khz;
	for (size_t i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
		if (turn_peek_uint64(
			    turn, &khz, FOLDER "/%s/cpufreq/%s", entry, frequencies[i].file)) {
			(void)readings_add(readings, frequencies[i].family, "gauge",
				frequencies[i].help, (double)khz * 1000, "cpu", cpu, NULL);
		}
	}
}

// All threads of a core tell the same.
static void add_throttles(struct readings *readings, const char *family, const char *help,
	uint64_t count, const char *package, const char *core) {
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *known = readings->items[i];
		const char *known_package = core ? known->labels[3] : known->labels[1];
		if (strcmp(known->family, family) == 0 && strcmp(known_package, package) == 0 &&
			(!core || strcmp(known->labels[1], core) == 0)) {
			return;
		}
	}
	(void)readings_add(readings, family, "counter", help, (double)count,
		core ? "core" : "package", core ? core : package, core ? "package" : NULL, package,
		NULL);
}

static void read_throttles(struct readings *readings, struct host_turn *turn, const char *entry) {
	uint64_t core, package, count;
	if (!turn_peek_uint64(turn, &package, FOLDER "/%s/topology/physical_package_id", entry)) {
		return;
	}
	const char *package_label = readings_name(readings, "%ju", (uintmax_t)package);
	if (turn_peek_uint64(turn, &core, FOLDER "/%s/topology/core_id", entry) &&
		turn_peek_uint64(
			turn, &count, FOLDER "/%s/thermal_throttle/core_throttle_count", entry)) {
		add_throttles(readings, "node_cpu_core_throttles_total",
			"Number of times this CPU core has been throttled.", count, package_label,
			readings_name(readings, "%ju", (uintmax_t)core));
	}
	if (turn_peek_uint64(
		    turn, &count, FOLDER "/%s/thermal_throttle/package_throttle_count", entry)) {
		add_throttles(readings, "node_cpu_package_throttles_total",
			"Number of times this CPU package has been throttled.", count,
			package_label, NULL);
	}
}

static bool is_cpu(const char *entry) {
	uint64_t number;
	return str_starts(str_from(entry), STR("cpu")) &&
		str_to_uint64(str_from(entry + 3), &number);
}

static void gather(void *arg, struct host_turn *turn) {
	struct readings *readings = arg;
	readings_clear(readings);
	struct names entries = turn_list(turn, FOLDER);
	for (size_t i = 0; i < entries.n; i++) {
		if (is_cpu(entries.items[i])) {
			read_frequencies(readings, turn, entries.items[i]);
			read_throttles(readings, turn, entries.items[i]);
		}
	}
}

static void collect(const void *arg, struct exposition *out) {
	readings_collect(arg, out);
}

static void finish(void *arg) {
	readings_finish(arg);
}

DEFINE_HOST_COLLECTOR(cpufreq) = {
	.name = "cpufreq",
	.summary = "Frequency of each CPU, and throttling by heat.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(5000000000),
	.size = sizeof(struct readings),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
