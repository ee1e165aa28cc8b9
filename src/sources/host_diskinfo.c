// SPDX-License-Identifier: Apache-2.0
// What each disk is: its number from /proc/diskstats, model and serial number from udev's database
// (/run/udev/data/bMAJOR:MINOR, lines "E:KEY=VALUE"). Empty labels without udev.
#include "base/map.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_disk_name.h"
#include "sources/host_readings.h"
#include "sources/host_rows.h"

// In the order of the labels.
static const char *const keys[] = {
	"ID_MODEL", "ID_PATH", "ID_REVISION", "ID_SERIAL_SHORT", "ID_WWN"};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

struct host_diskinfo {
	struct proc_file file;
	struct readings readings;
};

static void read_properties(struct readings *readings, struct host_turn *turn, const char *number,
	const char *values[KEYS]) {
	struct str text, line, key;
	for (size_t i = 0; i < KEYS; i++) {
		values[i] = "";
	}
	if (!turn_peek(turn, &text, "/run/udev/data/b%s", number)) {
		return;
	}
	while (str_split(&text, '\n', &line)) {
		if (!str_starts(line, STR("E:"))) {
			continue;
		}
		line = str_skip(line, 2);
		bool has_value = str_split(&line, '=', &key) && line.at;
		for (size_t i = 0; i < KEYS && has_value; i++) {
			if (str_is(key, keys[i])) {
				values[i] = readings_text(readings, str_trim(line));
			}
		}
	}
}

static void read_disk(
	struct readings *readings, struct host_turn *turn, struct str line, struct map *seen) {
	struct str words[3];
	uint64_t major, minor;
	const char *v[KEYS];
	for (size_t i = 0; i < 3; i++) {
		if (!str_word(&line, &words[i])) {
			return;
		}
	}
	if (!str_to_uint64(words[0], &major) || !str_to_uint64(words[1], &minor) ||
		!is_disk_counted(turn->config, words[2]) || map_get(seen, words[2])) {
		return;
	}
	read_properties(readings, turn,
		readings_name(readings, "%ju:%ju", (uintmax_t)major, (uintmax_t)minor), v);
	struct reading *reading = readings_add(readings, "node_disk_info", "gauge",
		"Info of /sys/block/<block_device>.", 1, "device",
		readings_text(readings, words[2]), "major",
		readings_name(readings, "%ju", (uintmax_t)major), "minor",
		readings_name(readings, "%ju", (uintmax_t)minor), "model", v[0], "path", v[1],
		"revision", v[2], "serial", v[3], "wwn", v[4], NULL);
	if (reading) {
		map_put(seen, words[2], reading);
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_diskinfo *disks = arg;
	struct map seen = MAP_INIT; // keys: names in the text
	struct str line;
	readings_clear(&disks->readings);
	(void)turn_try(turn, &disks->file, "/proc/diskstats");
	struct str text = buf_str(&turn->text);
	while (str_split(&text, '\n', &line) && disks->readings.n < ROWS_MAX) {
		read_disk(&disks->readings, turn, line, &seen);
	}
	map_finish(&seen);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_diskinfo *disks = arg;
	readings_collect(&disks->readings, out);
}

static void finish(void *arg) {
	struct host_diskinfo *disks = arg;
	readings_finish(&disks->readings);
	proc_file_finish(&disks->file);
}

DEFINE_HOST_COLLECTOR(diskinfo) = {
	.name = "diskinfo",
	.summary = "Model, path and serial number of each disk.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(60000000000),
	.size = sizeof(struct host_diskinfo),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
