// SPDX-License-Identifier: Apache-2.0
// /sys/class/net (Documentation/ABI/testing/sysfs-class-net): what each network device is and how
// it stands. Some drivers ask their hardware for speed and carrier, so this runs in a job.
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_hex.h"
#include "sources/host_readings.h"

#define FOLDER "/sys/class/net"
#define BYTES_PER_MEGABIT 125000.0

static const struct {
	const char *file, *name, *type;
	double unit;
} attributes[] = {
	{"addr_assign_type", "address_assign_type", "gauge", 1},
	{"carrier", "carrier", "gauge", 1},
	{"carrier_changes", "carrier_changes_total", "counter", 1},
	{"carrier_down_count", "carrier_down_changes_total", "counter", 1},
	{"carrier_up_count", "carrier_up_changes_total", "counter", 1},
	{"dev_id", "device_id", "gauge", 1},
	{"dormant", "dormant", "gauge", 1},
	{"flags", "flags", "gauge", 1},
	{"ifindex", "iface_id", "gauge", 1},
	{"iflink", "iface_link", "gauge", 1},
	{"link_mode", "iface_link_mode", "gauge", 1},
	{"mtu", "mtu_bytes", "gauge", 1},
	{"name_assign_type", "name_assign_type", "gauge", 1},
	{"netdev_group", "net_dev_group", "gauge", 1},
	{"type", "protocol_type", "gauge", 1},
	{"speed", "speed_bytes", "gauge", BYTES_PER_MEGABIT},
	{"tx_queue_len", "transmit_queue_length", "gauge", 1},
};

// "1500", "-1", "0x1003"
static bool parse_number(struct str text, double *out) {
	uint64_t value;
	if (!str_starts(text, STR("0x"))) {
		return str_to_double(text, out);
	}
	bool is_hex = hex_parse(str_skip(text, 2), &value);
	*out = is_hex ? (double)value : 0;
	return is_hex;
}

static void read_numbers(
	struct readings *readings, struct host_turn *turn, const char *entry, const char *label) {
	struct str text;
	double value;
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const char *name = attributes[i].name;
		if (turn_peek(turn, &text, FOLDER "/%s/%s", entry, attributes[i].file) &&
			parse_number(text, &value)) {
			(void)readings_add(readings,
				readings_name(readings, "node_network_%s", name),
				attributes[i].type,
				readings_name(readings, "Network device property: %s", name),
				value * attributes[i].unit, "device", label, NULL);
		}
	}
	if (turn_peek(turn, &text, FOLDER "/%s/statistics/rx_nohandler", entry) &&
		str_to_double(text, &value)) {
		(void)readings_add(readings, "node_network_receive_nohandler_total", "counter",
			"Network device statistic receive_nohandler.", value, "device", label,
			NULL);
	}
}

static const char *read_text(
	struct readings *readings, struct host_turn *turn, const char *entry, const char *file) {
	struct str text;
	return turn_peek(turn, &text, FOLDER "/%s/%s", entry, file) ? readings_text(readings, text)
								    : "";
}

static void read_device(struct readings *readings, struct host_turn *turn, const char *entry) {
	const char *label = readings_text(readings, str_from(entry));
	const char *state = read_text(readings, turn, entry, "operstate");
	if (!state[0]) {
		return; // no device: bonding_masters is a file among them
	}
	read_numbers(readings, turn, entry, label);
	(void)readings_add(readings, "node_network_info", "gauge",
		"Non-numeric data from /sys/class/net/<iface>, value is always 1.", 1, "address",
		read_text(readings, turn, entry, "address"), "broadcast",
		read_text(readings, turn, entry, "broadcast"), "device", label, "duplex",
		read_text(readings, turn, entry, "duplex"), "ifalias",
		read_text(readings, turn, entry, "ifalias"), "operstate", state, NULL);
	(void)readings_add(readings, "node_network_up", "gauge",
		"Value is 1 if operstate is 'up', 0 otherwise.", strcmp(state, "up") == 0, "device",
		label, NULL);
}

static void gather(void *arg, struct host_turn *turn) {
	struct readings *readings = arg;
	readings_clear(readings);
	struct names entries = turn_list(turn, FOLDER);
	for (size_t i = 0; i < entries.n; i++) {
		if (!is_among(&turn->config->ignored_devices, str_from(entries.items[i]))) {
			read_device(readings, turn, entries.items[i]);
		}
	}
}

static void collect(const void *arg, struct exposition *out) {
	readings_collect(arg, out);
}

static void finish(void *arg) {
	readings_finish(arg);
}

DEFINE_HOST_COLLECTOR(netclass) = {
	.name = "netclass",
	.summary = "State, speed, carrier and addresses of each network device.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(10000000000),
	.size = sizeof(struct readings),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
