// SPDX-License-Identifier: Apache-2.0
// `annactl host`: what this machine is made of, in groups of labels and values. What could not be read is
// not shown as a value; with --notes the reasons are listed.
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/summary.h"

struct host_options {
	bool refresh;
	bool notes;
};

struct drawing {
	struct output *output;
	struct arena *arena;
	struct table *list;
	struct buf text;
	bool is_first_group;
};

static void begin_group(struct drawing *drawing) {
	drawing->list = list_create(drawing->arena);
}

static void end_group(struct drawing *drawing, const char *title) {
	if (table_is_empty(drawing->list)) {
		return;
	}
	output_text(drawing->output, drawing->is_first_group ? "" : "\n");
	output_style(drawing->output, STYLE_BOLD, str_from(title));
	output_text(drawing->output, "\n");
	table_print(drawing->list, drawing->output);
	drawing->is_first_group = false;
}

// The line when it says something.
static void end_row(struct drawing *drawing, const char *label) {
	if (drawing->text.len) {
		list_row(drawing->list, label, "%s", buf_text(&drawing->text));
	}
	buf_clear(&drawing->text);
}

// Parts of one line, with a separator between those that are there.
static void add(struct drawing *drawing, const char *separator, struct str part) {
	if (part.len) {
		buf_append_text(&drawing->text, drawing->text.len ? separator : "");
		buf_append_str(&drawing->text, part);
	}
}

static void add_bytes(struct drawing *drawing, const char *separator, int64_t bytes) {
	struct buf size = BUF_INIT;
	if (bytes >= 0) {
		text_bytes(&size, bytes);
		add(drawing, separator, buf_str(&size));
	}
	buf_finish(&size);
}

static void add_words(struct drawing *drawing, const struct value *words) {
	for (size_t i = 0; i < field_count(words); i++) {
		const struct value *word = field_item(words, i);
		if (word->type == VALUE_STRING) {
			add(drawing, " ", word->string);
		}
	}
}

static void row_of(
	struct drawing *drawing, const char *label, const struct value *table, const char *key) {
	add(drawing, "", field_str(table, key));
	end_row(drawing, label);
}

static void draw_system(struct drawing *drawing, const struct value *host) {
	const struct value *release = value_get(host, STR("system"));
	const struct value *board = value_get(host, STR("board"));
	const struct value *inside = value_get(host, STR("virtualisation"));
	int64_t cgroup = field_int(release, "cgroup_version", 0);
	begin_group(drawing);
	row_of(drawing, "name", release, "hostname");
	row_of(drawing, "system", value_get(release, STR("os")), "name");
	add(drawing, "", field_str(release, "kernel"));
	add(drawing, " ", field_str(release, "architecture"));
	end_row(drawing, "kernel");
	add(drawing, "", field_str(board, "vendor"));
	add(drawing, " ", field_str(board, "product"));
	add(drawing, " ", field_str(board, "product_version"));
	end_row(drawing, "machine");
	add(drawing, "", field_str(board, "board_vendor"));
	add(drawing, " ", field_str(board, "board"));
	end_row(drawing, "board");
	add(drawing, "", field_str(board, "bios_vendor"));
	add(drawing, " ", field_str(board, "bios_version"));
	add(drawing, ", ", field_str(board, "bios_date"));
	end_row(drawing, "firmware");
	add(drawing, "", field_str(inside, "kind"));
	add(drawing, " ", field_str(inside, "name"));
	if (!str_is(field_str(inside, "kind"), "none")) {
		add(drawing, ", by ", field_str(inside, "known_by"));
	}
	end_row(drawing, "virtual");
	row_of(drawing, "boot", release, "boot_mode");
	row_of(drawing, "init", release, "init");
	if (cgroup) {
		buf_appendf(&drawing->text, "version %lld", (long long)cgroup);
		end_row(drawing, "cgroups");
	}
	row_of(drawing, "time zone", release, "time_zone");
	add_words(drawing, value_get(release, STR("security_modules")));
	end_row(drawing, "security");
	end_group(drawing, "System");
}

static void draw_cpu(struct drawing *drawing, const struct value *host) {
	const struct value *cpu = value_get(host, STR("cpu"));
	const struct value *caches = value_get(cpu, STR("caches"));
	int64_t threads = field_int(cpu, "threads", 0), mhz = field_int(cpu, "max_mhz", 0);
	begin_group(drawing);
	row_of(drawing, "model", cpu, "model");
	if (threads) {
		buf_appendf(&drawing->text, "%lld socket%s, %lld core%s, %lld thread%s",
			(long long)field_int(cpu, "sockets", 0),
			field_int(cpu, "sockets", 0) == 1 ? "" : "s",
			(long long)field_int(cpu, "cores", 0),
			field_int(cpu, "cores", 0) == 1 ? "" : "s", (long long)threads,
			threads == 1 ? "" : "s");
	}
	end_row(drawing, "count");
	if (mhz) {
		buf_appendf(&drawing->text, "up to %lld MHz", (long long)mhz);
	}
	add(drawing, ", governor ", field_str(cpu, "governor"));
	end_row(drawing, "speed");
	for (size_t i = 0; i < field_count(caches); i++) {
		const struct value *cache = field_item(caches, i);
		struct str type = field_str(cache, "type");
		buf_appendf(&drawing->text, "%sL%lld%s ", drawing->text.len ? ", " : "",
			(long long)field_int(cache, "level", 0),
			str_is(type, "Data")		      ? " data"
				: str_is(type, "Instruction") ? " code"
							      : "");
		text_bytes(&drawing->text, field_int(cache, "size_bytes", 0));
	}
	end_row(drawing, "caches");
	add_words(drawing, value_get(cpu, STR("flags")));
	end_row(drawing, "flags");
	row_of(drawing, "microcode", cpu, "microcode");
	end_group(drawing, "Processor");
}

static void draw_memory(struct drawing *drawing, const struct value *host) {
	const struct value *memory = value_get(host, STR("memory"));
	const struct value *modules = value_get(memory, STR("modules"));
	begin_group(drawing);
	add_bytes(drawing, "", field_int(memory, "total_bytes", -1));
	end_row(drawing, "memory");
	add_bytes(drawing, "", field_int(memory, "swap_bytes", -1));
	end_row(drawing, "swap");
	for (size_t i = 0; i < field_count(modules); i++) {
		const struct value *module = field_item(modules, i);
		add_bytes(drawing, "", field_int(module, "size_bytes", -1));
		add(drawing, " ", field_str(module, "type"));
		if (field_int(module, "speed_mts", 0)) {
			buf_appendf(&drawing->text, " %lld MT/s",
				(long long)field_int(module, "speed_mts", 0));
		}
		add(drawing, ", ", field_str(module, "manufacturer"));
		add(drawing, " ", field_str(module, "part"));
		add(drawing, ", in ", field_str(module, "slot"));
		end_row(drawing, "module");
	}
	end_group(drawing, "Memory");
}

static void draw_storage(struct drawing *drawing, const struct value *host) {
	const struct value *disks = value_get(host, STR("storage"));
	begin_group(drawing);
	for (size_t i = 0; i < field_count(disks); i++) {
		const struct value *disk = field_item(disks, i);
		const struct value *mounts = value_get(disk, STR("mounts"));
		struct buf name = BUF_INIT;
		add_bytes(drawing, "", field_int(disk, "size_bytes", -1));
		add(drawing, " ", field_str(disk, "model"));
		if (value_get(disk, STR("rotational"))) {
			add(drawing, ", ",
				field_bool(disk, "rotational") ? STR("rotating")
							       : STR("no moving parts"));
		}
		add(drawing, ", scheduler ", field_str(disk, "scheduler"));
		text_sanitise(&name, field_str(disk, "name"));
		end_row(drawing, buf_text(&name));
		buf_finish(&name);
		for (size_t k = 0; k < field_count(mounts); k++) {
			const struct value *mount = field_item(mounts, k);
			add(drawing, "", field_str(mount, "mount"));
			add(drawing, " (", field_str(mount, "fstype"));
			add(drawing, " on ", field_str(mount, "device"));
			buf_append_text(&drawing->text, ")");
			end_row(drawing, "");
		}
	}
	end_group(drawing, "Storage");
}

static void draw_network(struct drawing *drawing, const struct value *host) {
	const struct value *list = value_get(host, STR("network"));
	begin_group(drawing);
	for (size_t i = 0; i < field_count(list); i++) {
		const struct value *one = field_item(list, i);
		struct buf name = BUF_INIT;
		add(drawing, "", field_str(one, "kind"));
		add(drawing, ", ", field_str(one, "state"));
		if (field_int(one, "speed_mbps", 0)) {
			buf_appendf(&drawing->text, ", %lld Mbit/s",
				(long long)field_int(one, "speed_mbps", 0));
		}
		add(drawing, ", driver ", field_str(one, "driver"));
		text_sanitise(&name, field_str(one, "name"));
		end_row(drawing, buf_text(&name));
		buf_finish(&name);
	}
	end_group(drawing, "Network");
}

// What the device tells of itself, or the table of ids, or the ids.
static void add_device(struct drawing *drawing, const struct value *one) {
	struct str vendor = field_str(one, "vendor"), device = field_str(one, "device");
	struct str product = field_str(one, "product");
	add(drawing, "", vendor.len ? vendor : field_str(one, "manufacturer"));
	add(drawing, " ", product.len ? product : device);
	if (!drawing->text.len) {
		add(drawing, "", field_str(one, "vendor_id"));
		add(drawing, ":", field_str(one, "device_id"));
	}
	add(drawing, ", driver ", field_str(one, "driver"));
}

static void draw_devices(struct drawing *drawing, const struct value *host) {
	const struct value *gpus = value_get(host, STR("gpus"));
	const struct value *usb = value_get(host, STR("usb"));
	const struct value *batteries = value_get(host, STR("batteries"));
	begin_group(drawing);
	for (size_t i = 0; i < field_count(gpus); i++) {
		add_device(drawing, field_item(gpus, i));
		end_row(drawing, "graphics");
	}
	for (size_t i = 0; i < field_count(usb); i++) {
		add_device(drawing, field_item(usb, i));
		end_row(drawing, "usb");
	}
	for (size_t i = 0; i < field_count(batteries); i++) {
		const struct value *one = field_item(batteries, i);
		add(drawing, "", field_str(one, "name"));
		add(drawing, " ", field_str(one, "model"));
		add(drawing, ", ", field_str(one, "technology"));
		if (value_get(one, STR("health_percent"))) {
			buf_appendf(&drawing->text, ", holds %.1f %% of what it was made for",
				field_double(one, "health_percent", 0));
		}
		if (field_int(one, "cycles", 0)) {
			buf_appendf(&drawing->text, ", %lld cycles",
				(long long)field_int(one, "cycles", 0));
		}
		end_row(drawing, "battery");
	}
	end_group(drawing, "Devices");
}

static void draw_notes(struct drawing *drawing, const struct value *host, bool is_listed) {
	const struct value *notes = value_get(host, STR("notes"));
	size_t n = field_count(notes);
	if (n && !is_listed) {
		output_printf(drawing->output,
			"\n%zu thing%s could not be read: annactl host --notes\n", n,
			n == 1 ? "" : "s");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		output_text(drawing->output, i ? "  " : "\nNot readable\n  ");
		output_wrapped(drawing->output, field_item(notes, i)->string, 2, 4);
	}
}

static int run(struct invocation *in, const void *options) {
	const struct host_options *asked = options;
	const struct request request = {.method = "host",
		.params = asked->refresh ? STR("{\"refresh\":true}") : (struct str){NULL, 0},
		.is_repeatable = true};
	const struct value *host = invocation_call(in, &request);
	if (!host) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, host);
		return 0;
	}
	struct drawing drawing = {
		.output = &in->output, .arena = in->arena, .is_first_group = true};
	draw_system(&drawing, host);
	draw_cpu(&drawing, host);
	draw_memory(&drawing, host);
	draw_storage(&drawing, host);
	draw_network(&drawing, host);
	draw_devices(&drawing, host);
	draw_notes(&drawing, host, asked->notes);
	buf_finish(&drawing.text);
	return 0;
}

DEFINE_COMMAND(host) = {
	.name = "host",
	.summary = "What this machine is made of: hardware, system, firmware.",
	.usage = "[--refresh] [--notes]",
	.examples = (const char *const[]){"annactl host", "annactl host --refresh --json", NULL},
	.options =
		(const struct option[]){
			{.key = "refresh",
				.type = OPTION_BOOL,
				.offset = offsetof(struct host_options, refresh),
				.help = "Reads it again unless it is younger than ten seconds."},
			{.key = "notes",
				.type = OPTION_BOOL,
				.offset = offsetof(struct host_options, notes),
				.help = "Lists what could not be read, and why."},
			{0},
		},
	.options_size = sizeof(struct host_options),
	.run = run,
};
