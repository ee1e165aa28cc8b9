// SPDX-License-Identifier: Apache-2.0
// /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power): batteries, chargers, USB.
#include "base/alloc.h"
#include "sources/host_collector.h"
#include "sources/host_readings.h"

#define FOLDER "/sys/class/power_supply"

struct battery {
	const char *label;
	double percent;
};

struct host_power {
	struct readings readings;
	struct battery *batteries;
	size_t n, cap;
};

// The file, what it is called, and by how much it is divided (µV, µA, µWh; tenths of a degree).
static const struct {
	const char *file, *name;
	double divisor;
} attributes[] = {
	{"authentic", "authentic", 1},
	{"calibrate", "calibrate", 1},
	{"capacity", "capacity", 1},
	{"capacity_alert_max", "capacity_alert_max", 1},
	{"capacity_alert_min", "capacity_alert_min", 1},
	{"charge_control_limit", "charge_control_limit", 1e6},
	{"charge_control_limit_max", "charge_control_limit_max", 1e6},
	{"charge_counter", "charge_counter", 1e6},
	{"charge_empty", "charge_empty", 1e6},
	{"charge_empty_design", "charge_empty_design", 1e6},
	{"charge_full", "charge_full", 1e6},
	{"charge_full_design", "charge_full_design", 1e6},
	{"charge_now", "charge_ampere", 1e6},
	{"charge_term_current", "charge_term_current", 1e6},
	{"constant_charge_current", "constant_charge_current", 1e6},
	{"constant_charge_current_max", "constant_charge_current_max", 1e6},
	{"constant_charge_voltage", "constant_charge_voltage", 1e6},
	{"constant_charge_voltage_max", "constant_charge_voltage_max", 1e6},
	{"current_boot", "current_boot", 1e6},
	{"current_max", "current_max", 1e6},
	{"current_now", "current_ampere", 1e6},
	{"cycle_count", "cyclecount", 1},
	{"energy_empty", "energy_empty", 1e6},
	{"energy_empty_design", "energy_empty_design", 1e6},
	{"energy_full", "energy_full", 1e6},
	{"energy_full_design", "energy_full_design", 1e6},
	{"energy_now", "energy_watthour", 1e6},
	{"input_current_limit", "input_current_limit", 1e6},
	{"online", "online", 1},
	{"power_now", "power_watt", 1e6},
	{"precharge_current", "precharge_current", 1e6},
	{"present", "present", 1},
	{"temp", "temp_celsius", 10},
	{"temp_alert_max", "temp_alert_max_celsius", 10},
	{"temp_alert_min", "temp_alert_min_celsius", 10},
	{"temp_ambient", "temp_ambient_celsius", 10},
	{"temp_ambient_max", "temp_ambient_max_celsius", 10},
	{"temp_ambient_min", "temp_ambient_min_celsius", 10},
	{"temp_max", "temp_max_celsius", 10},
	{"temp_min", "temp_min_celsius", 10},
	{"time_to_empty_now", "time_to_empty_seconds", 1},
	{"time_to_full_now", "time_to_full_seconds", 1},
	{"voltage_boot", "voltage_boot", 1e6},
	{"voltage_max", "voltage_max", 1e6},
	{"voltage_max_design", "voltage_max_design", 1e6},
	{"voltage_min", "voltage_min", 1e6},
	{"voltage_min_design", "voltage_min_design", 1e6},
	{"voltage_now", "voltage_volt", 1e6},
	{"voltage_ocv", "voltage_ocv", 1e6},
};

// Texts of node_power_supply_info; one that is not there is no label. The rows stand in the order
// of the labels.
static const char *const texts[] = {"capacity_level", "charge_type", "health", "manufacturer",
	"model_name", "scope", "serial_number", "status", "technology", "type", "usb_type"};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static void read_texts(
	struct readings *readings, struct host_turn *turn, const char *entry, const char *label) {
	struct reading *reading = readings_add(readings, "node_power_supply_info", "gauge",
		"info of /sys/class/power_supply/<power_supply>.", 1, "power_supply", label, NULL);
	struct str text;
	size_t n = 2;
	for (size_t i = 0; i < TEXTS && reading; i++) {
		if (turn_peek(turn, &text, FOLDER "/%s/%s", entry, texts[i]) && text.len) {
			reading->labels[n++] = texts[i];
			reading->labels[n++] = readings_text(readings, text);
		}
	}
}

// False when it is not there or says no number.
static bool peek_number(struct host_turn *turn, const char *entry, const char *file, double *out) {
	struct str text;
	return turn_peek(turn, &text, FOLDER "/%s/%s", entry, file) && str_to_double(text, out);
}

static void keep_battery(
	struct host_power *power, struct host_turn *turn, const char *entry, const char *label) {
	struct str type, scope;
	double percent, now, full, present = 1;
	bool is_battery = turn_peek(turn, &type, FOLDER "/%s/type", entry) &&
		str_is(type, "Battery");
	// Scope Device: the battery of a mouse or a headset, which does not feed the machine.
	bool is_foreign = turn_peek(turn, &scope, FOLDER "/%s/scope", entry) &&
		str_is(scope, "Device");
	(void)peek_number(turn, entry, "present", &present);
	if (!is_battery || is_foreign || present == 0) {
		return;
	}
	if (!peek_number(turn, entry, "capacity", &percent)) {
		bool has_energy = peek_number(turn, entry, "energy_now", &now) &&
			peek_number(turn, entry, "energy_full", &full);
		bool has_charge = has_energy ||
			(peek_number(turn, entry, "charge_now", &now) &&
				peek_number(turn, entry, "charge_full", &full));
		percent = has_charge && full > 0 ? 100 * now / full : NAN;
	}
	if (power->n == power->cap) {
		power->cap = power->cap ? power->cap * 2 : 4;
		power->batteries = xreallocarray(
			power->batteries, power->cap, sizeof(*power->batteries));
	}
	power->batteries[power->n++] = (struct battery){label, percent};
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_power *power = arg;
	struct readings *readings = &power->readings;
	double value;
	readings_clear(readings);
	power->n = 0;
	struct names entries = turn_list(turn, FOLDER);
	for (size_t i = 0; i < entries.n; i++) {
		const char *entry = entries.items[i];
		const char *label = readings_text(readings, str_from(entry));
		for (size_t j = 0; j < sizeof(attributes) / sizeof(attributes[0]); j++) {
			const char *name = attributes[j].name;
			if (peek_number(turn, entry, attributes[j].file, &value)) {
				(void)readings_add(readings,
					readings_name(readings, "node_power_supply_%s", name),
					"gauge",
					readings_name(readings,
						"%s value of "
						"/sys/class/power_supply/<power_supply>.",
						name),
					value / attributes[j].divisor, "power_supply", label, NULL);
			}
		}
		read_texts(readings, turn, entry, label);
		keep_battery(power, turn, entry, label);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_power *power = arg;
	readings_collect(&power->readings, out);
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_power *power = arg;
	for (size_t i = 0; i < power->n; i++) {
		tell_figure(on_figure, on_figure_arg, "battery.percent", power->batteries[i].label,
			"percent", power->batteries[i].percent);
	}
}

static void finish(void *arg) {
	struct host_power *power = arg;
	readings_finish(&power->readings);
	free(power->batteries);
}

DEFINE_HOST_COLLECTOR(powersupplyclass) = {
	.name = "powersupplyclass",
	.summary = "Batteries, chargers and other supplies of power.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(10000000000),
	.size = sizeof(struct host_power),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
