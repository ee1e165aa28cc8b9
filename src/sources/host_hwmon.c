// SPDX-License-Identifier: Apache-2.0
// /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst): temperatures, fans, voltages,
// currents, power, named as node_exporter names them. Reading one sensor may mean a slow bus, so
// this runs in a job; a chip that hangs is left out by its folder.
#include "base/alloc.h"
#include "sources/host_collector.h"
#include "sources/host_readings.h"

struct temperature {
	const char *label;	  // chip and sensor
	double celsius, critical; // NAN: not known
};

struct host_hwmon {
	struct readings readings;
	struct temperature *temperatures;
	size_t n, cap;
};

// One chip during a turn.
struct chip {
	struct host_hwmon *hwmon;
	struct host_turn *turn;
	const char *folder; // "/sys/class/hwmon/hwmon0"
	const char *name;   // the label `chip`: what it hangs at
};

// "temp1_crit": type, number, element.
struct attribute {
	struct str type, number, element; // number "0" where it has none; element "" is input
};

// What a type is called and in which unit it counts: shown = read / divisor.
struct family {
	const char *type, *suffix;
	double divisor;
	const char *help;
};

static const struct family families[] = {
	{"temp", "_celsius", 1e3, "Hardware monitor for temperature"},
	{"in", "_volts", 1e3, "Hardware monitor for voltage"},
	{"cpu", "_volts", 1e3, "Hardware monitor for voltage"},
	{"curr", "_amps", 1e3, "Hardware monitor for current"},
	{"power", "_watt", 1e6, "Hardware monitor for power usage in watts"},
	{"energy", "_joule_total", 1e6, "Hardware monitor for joules used so far"},
	// The kernel counts in 0.001 %; node_exporter 1.5 divides by ten times too much.
	{"humidity", "", 1e5,
		"Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the "
		"humidity as a percentage)"},
	{"fan", NULL, 1, "Hardware monitor fan element"},
	{"pwm", NULL, 1, "Hardware monitor pwm element"},
	{"intrusion", NULL, 1, NULL},
};

// Those that stand alone: one number, one name.
static const struct {
	const char *type, *family, *help;
	double divisor;
} single_families[] = {
	{"vrm", "node_hwmon_voltage_regulator_version", "Hardware voltage regulator", 1},
	{"beep_enable", "node_hwmon_beep_enabled", "Hardware beep enabled", 1},
	{"update_interval", "node_hwmon_update_interval_seconds",
		"Hardware monitor update interval", 1e3},
};

static bool is_alphanumeric(char c) {
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Lower case, and '_' for what is neither letter, digit nor ':'; none at the ends.
static const char *clean_name(struct readings *readings, struct str text) {
	struct buf name = BUF_INIT;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		buf_append_char(&name, is_alphanumeric(c) || c == ':' || c == '_' ? c : '_');
	}
	struct str clean = buf_str(&name);
	while (clean.len && clean.at[0] == '_') {
		clean = str_skip(clean, 1);
	}
	while (clean.len && clean.at[clean.len - 1] == '_') {
		clean.len--;
	}
	const char *copy = readings_text(readings, clean);
	buf_finish(&name);
	return copy;
}

static bool parse_attribute(const char *file, struct attribute *out) {
	struct str name = str_from(file);
	for (size_t i = 0; i < sizeof(single_families) / sizeof(single_families[0]); i++) {
		if (str_is(name, single_families[i].type)) {
			*out = (struct attribute){name, STR("0"), STR("")};
			return true;
		}
	}
	size_t letters = 0, digits = 0;
	while (letters < name.len && name.at[letters] >= 'a' && name.at[letters] <= 'z') {
		letters++;
	}
	while (letters + digits < name.len && name.at[letters + digits] >= '0' &&
		name.at[letters + digits] <= '9') {
		digits++;
	}
	struct str rest = str_skip(name, letters + digits);
	if (!letters || !digits || (rest.len && rest.at[0] != '_')) {
		return false;
	}
	*out = (struct attribute){
		str_head(name, letters), str_range(name.at + letters, digits), str_skip(rest, 1)};
	return true;
}

static const struct family *find_family(struct str type) {
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (str_is(type, families[i].type)) {
			return &families[i];
		}
	}
	return NULL;
}

static void add(const struct chip *chip, const char *family, const char *type, const char *help,
	double value, const char *sensor) {
	(void)readings_add(&chip->hwmon->readings, family, type, help, value, "chip", chip->name,
		"sensor", sensor, NULL);
}

static void add_single(const struct chip *chip, const struct attribute *attribute, double value,
	const char *sensor) {
	for (size_t i = 0; i < sizeof(single_families) / sizeof(single_families[0]); i++) {
		if (str_is(attribute->type, single_families[i].type)) {
			add(chip, single_families[i].family, "gauge", single_families[i].help,
				value / single_families[i].divisor, sensor);
		}
	}
}

// alarm, fault and beep are the same for all types. False: it is none of these.
static bool add_state(const struct chip *chip, const struct attribute *attribute, double value,
	const char *sensor) {
	struct readings *readings = &chip->hwmon->readings;
	struct str type = attribute->type, element = attribute->element;
	if (str_is(element, "alarm") || str_is(element, "fault")) {
		add(chip,
			readings_name(readings, "node_hwmon_%" STR_FMT "_%" STR_FMT, STR_ARG(type),
				STR_ARG(element)),
			"gauge",
			readings_name(readings,
				"Hardware sensor %" STR_FMT " status (%" STR_FMT ")",
				STR_ARG(element), STR_ARG(type)),
			value, sensor);
		return true;
	}
	if (str_is(element, "beep")) {
		add(chip,
			readings_name(
				readings, "node_hwmon_%" STR_FMT "_beep_enabled", STR_ARG(type)),
			"gauge", "Hardware monitor sensor has beeping enabled", value, sensor);
		return true;
	}
	return false;
}

// "_max" in front of the unit; nothing for the measured value itself.
static const char *make_middle(struct readings *readings, struct str element) {
	return !element.len || str_is(element, "input")
		? ""
		: readings_name(readings, "_%" STR_FMT, STR_ARG(element));
}

static bool is_speed(struct str element) {
	return str_is(element, "input") || str_is(element, "min") || str_is(element, "max") ||
		str_is(element, "target");
}

// Fans and PWM: a speed has a unit, everything else is shown as it is.
static void add_raw(const struct chip *chip, const struct family *family, struct str element,
	double value, const char *sensor) {
	struct readings *readings = &chip->hwmon->readings;
	bool is_rpm = strcmp(family->type, "fan") == 0 && is_speed(element);
	const char *name = readings_name(readings, "node_hwmon_%s%s%s", family->type,
		make_middle(readings, element), is_rpm ? "_rpm" : "");
	add(chip, name, "gauge",
		is_rpm ? readings_name(readings,
				 "Hardware monitor for fan revolutions per minute (%" STR_FMT ")",
				 STR_ARG(element))
		       : readings_name(readings, "%s %" STR_FMT, family->help, STR_ARG(element)),
		value, sensor);
}

// The elements of a type that are in another unit than its values. False: it is none.
static bool add_exception(const struct chip *chip, const struct attribute *attribute, double value,
	const char *sensor) {
	struct readings *readings = &chip->hwmon->readings;
	struct str element = attribute->element;
	if (str_is(attribute->type, "temp") && str_is(element, "type")) {
		add(chip, "node_hwmon_temp_type", "gauge", "Hardware monitor temp element type",
			value, sensor);
		return true;
	}
	if (!str_is(attribute->type, "power")) {
		return false;
	}
	if (str_is(element, "accuracy")) {
		add(chip, "node_hwmon_power_accuracy", "gauge",
			"Hardware monitor power meter accuracy, as a ratio", value / 1e6, sensor);
		return true;
	}
	if (str_starts(element, STR("average_interval"))) {
		add(chip,
			readings_name(readings, "node_hwmon_power_%" STR_FMT "_seconds",
				STR_ARG(element)),
			"gauge",
			readings_name(readings,
				"Hardware monitor power usage update interval (%" STR_FMT ")",
				STR_ARG(element)),
			value / 1e3, sensor);
		return true;
	}
	return false;
}

static void add_value(const struct chip *chip, const struct attribute *attribute, double value,
	const char *sensor) {
	struct readings *readings = &chip->hwmon->readings;
	const struct family *family = find_family(attribute->type);
	struct str element = attribute->element;
	if (!family) {
		add_single(chip, attribute, value, sensor);
	} else if (!add_state(chip, attribute, value, sensor) &&
		!add_exception(chip, attribute, value, sensor)) {
		if (!family->suffix && family->help) {
			add_raw(chip, family, element, value, sensor);
		} else if (family->suffix) {
			add(chip,
				readings_name(readings, "node_hwmon_%s%s%s", family->type,
					make_middle(readings, element), family->suffix),
				strcmp(family->type, "energy") == 0 ? "counter" : "gauge",
				readings_name(readings, "%s (%" STR_FMT ")", family->help,
					STR_ARG(element.len ? element : STR("input"))),
				value / family->divisor, sensor);
		}
	}
}

// --- temperatures as figures ---
static struct temperature *find_temperature(struct host_hwmon *hwmon, const char *sensor) {
	for (size_t i = 0; i < hwmon->n; i++) {
		if (strcmp(hwmon->temperatures[i].label, sensor) == 0) {
			return &hwmon->temperatures[i];
		}
	}
	if (hwmon->n == hwmon->cap) {
		hwmon->cap = hwmon->cap ? hwmon->cap * 2 : 16;
		hwmon->temperatures = xreallocarray(
			hwmon->temperatures, hwmon->cap, sizeof(*hwmon->temperatures));
	}
	struct temperature *new = &hwmon->temperatures[hwmon->n++];
	*new = (struct temperature){sensor, NAN, NAN};
	return new;
}

static void keep_temperature(
	const struct chip *chip, const struct attribute *attribute, double value) {
	bool is_value = str_is(attribute->element, "input") || !attribute->element.len;
	if (!str_is(attribute->type, "temp") || !(is_value || str_is(attribute->element, "crit"))) {
		return;
	}
	struct str label;
	struct readings *readings = &chip->hwmon->readings;
	bool has_label = turn_peek(chip->turn, &label, "%s/temp%" STR_FMT "_label", chip->folder,
				 STR_ARG(attribute->number)) &&
		label.len;
	const char *sensor = has_label
		? readings_name(readings, "%s %s", chip->name, readings_text(readings, label))
		: readings_name(
			  readings, "%s temp%" STR_FMT, chip->name, STR_ARG(attribute->number));
	struct temperature *temperature = find_temperature(chip->hwmon, sensor);
	*(is_value ? &temperature->celsius : &temperature->critical) = value / 1000;
}

// --- chips ---
static void read_attribute(const struct chip *chip, const char *file) {
	struct readings *readings = &chip->hwmon->readings;
	struct attribute attribute;
	struct str text;
	double value;
	if (!parse_attribute(file, &attribute) ||
		!turn_peek(chip->turn, &text, "%s/%s", chip->folder, file)) {
		return;
	}
	const char *sensor = readings_name(readings, "%" STR_FMT "%" STR_FMT,
		STR_ARG(attribute.type), STR_ARG(attribute.number));
	if (str_is(attribute.element, "label")) {
		if (find_family(attribute.type)) {
			(void)readings_add(readings, "node_hwmon_sensor_label", "gauge",
				"Label for given chip and sensor", 1, "chip", chip->name, "label",
				readings_text(readings, text), "sensor", sensor, NULL);
		}
	} else if (str_to_double(text, &value)) {
		add_value(chip, &attribute, value, sensor);
		keep_temperature(chip, &attribute, value);
	}
}

static struct str last_part(struct str path) {
	const char *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;
	return slash ? str_skip(path, (size_t)(slash - path.at + 1)) : path;
}

static bool is_taken(const struct host_hwmon *hwmon, const char *name) {
	for (size_t i = 0; i < hwmon->readings.n; i++) {
		if (strcmp(hwmon->readings.items[i]->labels[1], name) == 0) {
			return true;
		}
	}
	return false;
}

// By the device it hangs at ("platform_coretemp_0"), else by its own name, else by its number.
static const char *name_chip(const struct chip *chip, const char *entry, struct str own_name) {
	struct readings *readings = &chip->hwmon->readings;
	const char *device = turn_resolve(chip->turn, "%s/device", chip->folder);
	const char *name = "";
	if (device) {
		struct str path = str_from(device), leaf = last_part(path);
		struct str parent = last_part(str_head(path, path.len - leaf.len - 1));
		const char *where = clean_name(readings, parent);
		const char *what = clean_name(readings, leaf);
		name = where[0] && what[0] ? readings_name(readings, "%s_%s", where, what) : what;
	}
	if (!name[0]) {
		name = clean_name(readings, own_name);
	}
	if (!name[0]) {
		name = clean_name(readings, str_from(entry));
	}
	return is_taken(chip->hwmon, name) ? readings_name(readings, "%s_%s", name, entry) : name;
}

static void read_chip(struct host_hwmon *hwmon, struct host_turn *turn, const char *entry) {
	struct readings *readings = &hwmon->readings;
	struct str own_name = STR("");
	struct chip chip = {.hwmon = hwmon,
		.turn = turn,
		.folder = readings_name(readings, "/sys/class/hwmon/%s", entry)};
	// Drivers of before 2012 keep their attributes with the device.
	bool has_name = turn_peek(turn, &own_name, "%s/name", chip.folder);
	if (!has_name) {
		const char *old = readings_name(readings, "%s/device", chip.folder);
		has_name = turn_peek(turn, &own_name, "%s/name", old);
		chip.name = name_chip(&chip, entry, own_name);
		chip.folder = has_name ? old : chip.folder;
	} else {
		chip.name = name_chip(&chip, entry, own_name);
	}
	struct names files = turn_list(turn, "%s", chip.folder);
	if (has_name) {
		(void)readings_add(readings, "node_hwmon_chip_names", "gauge",
			"Annotation metric for human-readable chip names", 1, "chip", chip.name,
			"chip_name", clean_name(readings, own_name), NULL);
	}
	for (size_t i = 0; i < files.n; i++) {
		read_attribute(&chip, files.items[i]);
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_hwmon *hwmon = arg;
	readings_clear(&hwmon->readings);
	hwmon->n = 0;
	struct names chips = turn_list(turn, "/sys/class/hwmon");
	for (size_t i = 0; i < chips.n; i++) {
		read_chip(hwmon, turn, chips.items[i]);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_hwmon *hwmon = arg;
	readings_collect(&hwmon->readings, out);
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_hwmon *hwmon = arg;
	for (size_t i = 0; i < hwmon->n; i++) {
		const struct temperature *temperature = &hwmon->temperatures[i];
		bool has_critical = temperature->critical > 0; // 0: the driver has none
		tell_figure(on_figure, on_figure_arg, "temperature.celsius", temperature->label,
			"celsius", temperature->celsius);
		tell_figure(on_figure, on_figure_arg, "temperature.of_critical_percent",
			temperature->label, "percent",
			has_critical ? 100 * temperature->celsius / temperature->critical : NAN);
	}
}

static void finish(void *arg) {
	struct host_hwmon *hwmon = arg;
	readings_finish(&hwmon->readings);
	free(hwmon->temperatures);
}

DEFINE_HOST_COLLECTOR(hwmon) = {
	.name = "hwmon",
	.summary = "Temperatures, fans, voltages, currents and power.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(10000000000),
	.size = sizeof(struct host_hwmon),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
