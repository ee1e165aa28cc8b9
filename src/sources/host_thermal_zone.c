// SPDX-License-Identifier: Apache-2.0
// /sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst): zones and cooling devices.
#include "sources/host_collector.h"
#include "sources/host_readings.h"

#define FOLDER "/sys/class/thermal"

static void read_zone(
	struct readings *readings, struct host_turn *turn, const char *entry, struct str number) {
	struct str type, text;
	double millidegrees;
	if (turn_peek(turn, &type, FOLDER "/%s/type", entry) &&
		turn_peek(turn, &text, FOLDER "/%s/temp", entry) &&
		str_to_double(text, &millidegrees)) {
		(void)readings_add(readings, "node_thermal_zone_temp", "gauge",
			"Zone temperature in Celsius", millidegrees / 1000, "type",
			readings_text(readings, type), "zone", readings_text(readings, number),
			NULL);
	}
}

static void read_device(
	struct readings *readings, struct host_turn *turn, const char *entry, struct str number) {
	static const struct {
		const char *file, *family, *help;
	} rows[] = {
		{"cur_state", "node_cooling_device_cur_state",
			"Current throttle state of the cooling device"},
		{"max_state", "node_cooling_device_max_state",
			"Maximum throttle state of the cooling device"},
	};
	struct str type, text;
	double state;
	if (!turn_peek(turn, &type, FOLDER "/%s/type", entry)) {
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (turn_peek(turn, &text, FOLDER "/%s/%s", entry, rows[i].file) &&
			str_to_double(text, &state)) {
			(void)readings_add(readings, rows[i].family, "gauge", rows[i].help, state,
				"name", readings_text(readings, number), "type",
				readings_text(readings, type), NULL);
		}
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct readings *readings = arg;
	const struct str zone = STR("thermal_zone"), device = STR("cooling_device");
	readings_clear(readings);
	struct names entries = turn_list(turn, FOLDER);
	for (size_t i = 0; i < entries.n; i++) {
		struct str entry = str_from(entries.items[i]);
		if (str_starts(entry, zone)) {
			read_zone(readings, turn, entries.items[i], str_skip(entry, zone.len));
		} else if (str_starts(entry, device)) {
			read_device(readings, turn, entries.items[i], str_skip(entry, device.len));
		}
	}
}

static void collect(const void *arg, struct exposition *out) {
	readings_collect(arg, out);
}

static void finish(void *arg) {
	readings_finish(arg);
}

DEFINE_HOST_COLLECTOR(thermal_zone) = {
	.name = "thermal_zone",
	.summary = "Thermal zones and cooling devices.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(10000000000),
	.size = sizeof(struct readings),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
