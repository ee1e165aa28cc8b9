// SPDX-License-Identifier: Apache-2.0
// /proc/meminfo (proc(5)). Every line becomes one metric, so that a new kernel's fields are there
// without a new Anna: "Active(anon): 1 kB" is node_memory_Active_anon_bytes 1024.
#include "formats/exposition.h"
#include "sources/host_collector.h"

#define MEMORY_FIELDS 128 // kernels have about 60

struct memory_field {
	char name[47]; // "Active_anon_bytes"
	uint64_t value;
};

struct host_meminfo {
	struct proc_file file;
	struct memory_field fields[MEMORY_FIELDS];
	size_t n;
};

static bool is_name_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

// "Active(anon)" to "Active_anon", the unit behind it; false for what cannot be part of a metric's
// name.
static bool make_name(struct str key, struct str unit, char *out, size_t size) {
	size_t n = 0;
	if (!key.len || key.len + unit.len >= size) {
		return false;
	}
	for (size_t i = 0; i < key.len; i++) {
		if (key.at[i] == '(') {
			out[n++] = '_';
		} else if (is_name_char(key.at[i])) {
			out[n++] = key.at[i];
		} else if (key.at[i] != ')' || i + 1 != key.len) {
			return false;
		}
	}
	memcpy(out + n, unit.at, unit.len);
	out[n + unit.len] = '\0';
	return true;
}

static const struct memory_field *find_field(const struct host_meminfo *memory, const char *name) {
	for (size_t i = 0; i < memory->n; i++) {
		if (strcmp(memory->fields[i].name, name) == 0) {
			return &memory->fields[i];
		}
	}
	return NULL;
}

static void parse_line(struct host_meminfo *memory, struct str line) {
	ptrdiff_t colon = str_find_char(line, ':');
	struct str value, unit, rest = str_skip(line, (size_t)(colon + 1));
	uint64_t number;
	if (colon <= 0 || memory->n == MEMORY_FIELDS || !str_word(&rest, &value) ||
		!str_to_uint64(value, &number)) {
		return;
	}
	struct memory_field *field = &memory->fields[memory->n];
	bool is_kib = str_word(&rest, &unit) && str_is(unit, "kB");
	if (is_kib && number > UINT64_MAX / 1024) {
		return;
	}
	if (make_name(str_head(line, (size_t)colon), is_kib ? STR("_bytes") : STR(""), field->name,
		    sizeof(field->name)) &&
		!find_field(memory, field->name)) {
		field->value = is_kib ? number * 1024 : number;
		memory->n++;
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_meminfo *memory = arg;
	(void)turn_read(turn, &memory->file, "/proc/meminfo");
	struct str line, text = buf_str(&turn->text);
	memory->n = 0;
	while (str_split(&text, '\n', &line)) {
		parse_line(memory, line);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_meminfo *memory = arg;
	char name[80], help[96];
	for (size_t i = 0; i < memory->n; i++) {
		const struct memory_field *field = &memory->fields[i];
		snprintf(name, sizeof(name), "node_memory_%s", field->name);
		snprintf(help, sizeof(help), "Memory information field %s.", field->name);
		exposition_family(out, name, "gauge", help);
		exposition_sample(out, (double)field->value, NULL);
	}
}

static double get_value(const struct host_meminfo *memory, const char *name) {
	const struct memory_field *field = find_field(memory, name);
	return field ? (double)field->value : NAN;
}

// NAN where there is no whole, and where the part is larger than it.
static double used_percent(double whole, double left) {
	return whole > 0 && left <= whole ? 100 * (1 - left / whole) : NAN;
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_meminfo *memory = arg;
	double available = get_value(memory, "MemAvailable_bytes");
	tell_figure(on_figure, on_figure_arg, "memory.used_percent", "", "percent",
		used_percent(get_value(memory, "MemTotal_bytes"), available));
	tell_figure(on_figure, on_figure_arg, "memory.available_bytes", "", "bytes", available);
	tell_figure(on_figure, on_figure_arg, "swap.used_percent", "", "percent",
		used_percent(
			get_value(memory, "SwapTotal_bytes"), get_value(memory, "SwapFree_bytes")));
}

static void finish(void *arg) {
	struct host_meminfo *memory = arg;
	proc_file_finish(&memory->file);
}

DEFINE_HOST_COLLECTOR(meminfo) = {
	.name = "meminfo",
	.summary = "Memory and swap, every field the kernel tells.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_meminfo),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
