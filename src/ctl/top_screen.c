// SPDX-License-Identifier: Apache-2.0
// Drawing one sample of `top`; see top_screen.h. What the daemon left out is not known, and drawn
// as "-".
#include "ctl/top_screen.h"

#include "base/arena.h"
#include "base/clock.h"
#include "ctl/fields.h"
#include "ctl/table.h"

#define IDLE_PERCENT 5	    // below this nobody is to blame
#define LINES_AROUND 2	    // the empty line and the hint below every screen
#define PROCESSES_SHARE 0.6 // of the lines for lists
#define PLAIN_ROWS 10	    // of a list where there is no terminal
#define WIDE 110	    // columns from which on there is room for the user
#define UNIT_COLUMNS 20
#define LIST_LINES 2 // an empty line and the titles

void top_format_bytes(struct buf *out, double bytes) {
	static const char units[] = "BKMGTP";
	size_t unit = 0;
	while (bytes >= 999.5 && unit < 5) {
		bytes /= 1024;
		unit++;
	}
	buf_appendf(out, unit > 0 && bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, units[unit]);
}

static void cell_bytes(struct table *table, const struct value *row, const char *key) {
	double bytes = field_double(row, key, -1);
	struct buf text = BUF_INIT;
	if (bytes >= 0) {
		top_format_bytes(&text, bytes);
	} else {
		buf_append_char(&text, '-');
	}
	table_cell(table, STYLE_PLAIN, buf_str(&text));
	buf_finish(&text);
}

static void cell_percent(struct table *table, const struct value *row, const char *key) {
	double percent = field_double(row, key, -1);
	enum style style = percent >= 80 ? STYLE_BAD : percent >= 40 ? STYLE_WARN : STYLE_PLAIN;
	if (percent < 0) {
		table_cellf(table, STYLE_PLAIN, "-");
	} else {
		table_cellf(table, style, "%.1f", percent);
	}
}

static struct str base_name(struct str path) {
	ptrdiff_t slash;
	while ((slash = str_find_char(path, '/')) >= 0) {
		path = str_skip(path, (size_t)slash + 1);
	}
	return path;
}

void top_format_command(struct buf *out, const struct value *process) {
	struct str command = field_str(process, "command"), first;
	if (command.len == 0 || command.at[0] != '/') {
		buf_append_str(out, command.len ? command : field_str(process, "name"));
		return;
	}
	struct str rest = command;
	(void)str_split(&rest, ' ', &first);
	struct str base = base_name(first);
	buf_append_str(out, base.len ? base : first);
	buf_append_str(out, str_skip(command, first.len));
}

// --- in words ---

static void append_who(struct buf *out, struct str name, struct str place, double share) {
	buf_append_str(out, name);
	buf_append_text(out, " (");
	buf_append_str(out, place);
	buf_appendf(out, "%s%.0f %%)", place.len ? ", " : "", share);
}

void top_format_headline(struct buf *out, const struct value *now, bool is_utf8) {
	const struct value *cpu = value_get(now, STR("cpu"));
	const struct value *top = field_item(value_get(now, STR("by_cpu")), 0);
	const struct value *unit = field_item(value_get(now, STR("units")), 0);
	double busy = field_double(cpu, "busy_percent", -1);
	double cpus = field_double(cpu, "cpus", 1);
	double share = field_double(top, "cpu_percent_of_machine", 0);
	double unit_share = field_double(unit, "cpu_percent", 0) / (cpus > 0 ? cpus : 1);
	if (busy < 0) {
		buf_append_text(out, "cpu: being measured");
		return;
	}
	buf_appendf(out, "cpu %.0f %% %s ", busy, is_utf8 ? "–" : "-");
	if (busy < IDLE_PERCENT || !top) {
		buf_append_text(out, busy < IDLE_PERCENT ? "idle" : "nobody in particular");
	} else if (share * 2 >= busy || unit_share * 2 < busy) {
		buf_append_text(out, share * 2 >= busy ? "mostly " : "led by ");
		append_who(out, field_str(top, "name"), field_str(top, "unit"), share);
	} else {
		char processes[40];
		(void)snprintf(processes, sizeof(processes), "%lld processes",
			(long long)field_int(unit, "processes", 0));
		buf_append_text(out, "mostly ");
		append_who(out, field_str(unit, "unit"), str_from(processes), unit_share);
	}
}

static void draw_headline(struct output *output, const struct value *now) {
	double busy = field_double(value_get(now, STR("cpu")), "busy_percent", -1);
	struct buf text = BUF_INIT;
	struct buf line = BUF_INIT;
	top_format_headline(&text, now, output->is_utf8);
	text_fit(&line, buf_str(&text), output->columns ? output->columns : text.len + 1,
		output->is_utf8);
	output_style(output,
		busy >= 90	     ? STYLE_BAD
			: busy >= 70 ? STYLE_WARN
				     : STYLE_BOLD,
		buf_str(&line));
	output_text(output, "\n");
	buf_finish(&text);
	buf_finish(&line);
}

// --- the machine ---

static void label(struct output *output, const char *name) {
	output_style(output, STYLE_DIM, str_from(name));
	output_pad(output, 11 - strlen(name));
}

// Ends the line begun with a label, cut to the width.
static void end_line(struct output *output, struct buf *text) {
	struct buf clean = BUF_INIT, line = BUF_INIT;
	text_sanitise(&clean, buf_str(text));
	text_fit(&line, buf_str(&clean), output->columns ? output->columns - 11 : clean.len + 1,
		output->is_utf8);
	output_text(output, buf_text(&line));
	output_text(output, "\n");
	buf_clear(text);
	buf_finish(&clean);
	buf_finish(&line);
}

static void draw_pressure(struct output *output, const struct value *now, struct buf *text) {
	static const char *const names[] = {"cpu", "memory", "io"};
	const struct value *pressure = value_get(now, STR("pressure"));
	double iowait = field_double(value_get(now, STR("cpu")), "iowait_percent", -1);
	double load = field_double(value_get(now, STR("cpu")), "load1", -1);
	for (size_t i = 0; i < 3; i++) {
		double percent = field_double(pressure, names[i], -1);
		if (percent >= 0) {
			buf_appendf(text, "%s%s %.0f %%", text->len ? ", " : "", names[i], percent);
		}
	}
	if (!text->len) {
		buf_append_text(text, "not measured by this kernel");
	}
	if (load >= 0) {
		buf_appendf(text, "; load %.2f", load);
	}
	if (iowait >= 0.5) {
		buf_appendf(text, "; waiting for disks %.0f %%", iowait);
	}
	label(output, "pressure");
	end_line(output, text);
}

static void append_used(struct buf *out, double used, double total, const char *what) {
	buf_append_text(out, what);
	top_format_bytes(out, used > 0 ? used : 0);
	buf_append_text(out, " of ");
	top_format_bytes(out, total);
	if (total > 0) {
		buf_appendf(out, " (%.0f %%)", used * 100 / total);
	}
}

static void draw_memory(struct output *output, const struct value *now, struct buf *text) {
	const struct value *memory = value_get(now, STR("memory"));
	double total = field_double(memory, "total_bytes", -1);
	double available = field_double(memory, "available_bytes", -1);
	double swap = field_double(memory, "swap_total_bytes", -1);
	if (total < 0 || available < 0) {
		return;
	}
	append_used(text, total - available, total, "");
	if (swap > 0) {
		append_used(text, field_double(memory, "swap_used_bytes", 0), swap, ", swap ");
	} else if (swap == 0) {
		buf_append_text(text, ", no swap");
	}
	label(output, "memory");
	end_line(output, text);
}

// From the figures that other parts pinned, those that are not at rest.
static void draw_disks(struct output *output, const struct value *now, struct buf *text) {
	const struct value *figures = value_get(now, STR("figures"));
	bool is_known = false;
	for (size_t i = 0; i < field_count(figures); i++) {
		const struct value *figure = field_item(figures, i);
		double value = field_double(figure, "value", 0);
		if (!str_is(field_str(figure, "name"), "disk.busy_percent")) {
			continue;
		}
		is_known = true;
		if (value >= 0.5) {
			buf_append_text(text, text->len ? ", " : "");
			buf_append_str(text, field_str(figure, "label"));
			buf_appendf(text, " %.0f %% busy", value);
		}
	}
	if (is_known) {
		buf_append_text(text, text->len ? "" : "at rest");
		label(output, "disks");
		end_line(output, text);
	}
}

static void draw_counts(
	struct output *output, const struct value *now, struct buf *text, bool is_paused) {
	static const char *const states[] = {"running", "blocked", "zombies"};
	const struct value *counts = value_get(now, STR("counts"));
	double interval = field_double(now, "interval_s", -1);
	text_grouped(text, field_int(counts, "processes", 0));
	for (size_t i = 0; i < 3; i++) {
		int64_t n = field_int(counts, states[i], 0);
		if (i < 2 || n > 0) {
			buf_appendf(text, ", %lld %s", (long long)n, states[i]);
		}
	}
	buf_appendf(text, "; %lld threads", (long long)field_int(counts, "threads", 0));
	if (is_paused) {
		buf_append_text(text, "; paused");
	} else if (interval >= 0) {
		buf_appendf(text, "; over %.1f s", interval);
	}
	label(output, "processes");
	end_line(output, text);
}

// What cannot be seen, and so is missing below.
static void draw_blind(struct output *output, const struct value *now, struct buf *text) {
	const struct value *counts = value_get(now, STR("counts"));
	int64_t all = field_int(counts, "processes", 0) - field_int(counts, "idle", 0);
	int64_t unknown = field_int(counts, "io_unknown", 0);
	if (field_bool(counts, "others_are_hidden")) {
		buf_append_text(text, "the processes of other users are hidden from annad");
	} else if (unknown * 10 > all && all > 0) {
		buf_appendf(text, "the I/O of %lld processes (annad has no CAP_SYS_PTRACE)",
			(long long)unknown);
	}
	if (text->len) {
		label(output, "not seen");
		end_line(output, text);
	}
}

// --- lists ---

static const struct table_column narrow_columns[] = {{"PID", true, false}, {"CPU %", true, false},
	{"MEM", true, false}, {"READ/s", true, false}, {"WRITE/s", true, false},
	{"UNIT", false, false}, {"COMMAND", false, true}};
static const struct table_column wide_columns[] = {{"PID", true, false}, {"USER", false, false},
	{"CPU %", true, false}, {"MEM", true, false}, {"READ/s", true, false},
	{"WRITE/s", true, false}, {"UNIT", false, false}, {"COMMAND", false, true}};

static void cell_fitted(
	struct table *table, struct output *output, struct str text, size_t columns) {
	struct buf clean = BUF_INIT, fitted = BUF_INIT;
	text_sanitise(&clean, text);
	text_fit(&fitted, buf_str(&clean), output->columns ? columns : clean.len + 1,
		output->is_utf8);
	table_cell(table, STYLE_PLAIN, buf_str(&fitted));
	buf_finish(&clean);
	buf_finish(&fitted);
}

// The unit, or the name of the container where there is one.
static struct str place_of(const struct value *now, const struct value *process) {
	const struct value *containers = value_get(now, STR("containers"));
	struct str id = field_str(process, "container");
	for (size_t i = 0; id.len && i < field_count(containers); i++) {
		const struct value *container = field_item(containers, i);
		if (str_equal(field_str(container, "id"), id)) {
			return field_str(container, "name");
		}
	}
	struct str unit = field_str(process, "unit");
	return unit.len || !id.len ? unit : id;
}

static void draw_processes(struct output *output, const struct value *now, enum top_order order,
	size_t rows, struct arena *arena) {
	static const char *const keys[] = {"by_cpu", "by_memory", "by_io"};
	const struct value *list = value_get(now, str_from(keys[order]));
	if (rows == 0) {
		return; // there is no room
	}
	bool is_wide = output->columns == 0 || output->columns >= WIDE;
	struct table *table = is_wide ? table_create(arena, wide_columns, 8, 0)
				      : table_create(arena, narrow_columns, 7, 0);
	for (size_t i = 0; i < field_count(list) && i < rows; i++) {
		const struct value *process = field_item(list, i);
		struct buf command = BUF_INIT;
		table_cellf(table, STYLE_PLAIN, "%lld", (long long)field_int(process, "pid", 0));
		if (is_wide) {
			cell_fitted(table, output, field_str(process, "user"), 12);
		}
		cell_percent(table, process, "cpu_percent");
		cell_bytes(table, process, "memory_bytes");
		cell_bytes(table, process, "read_bytes_per_second");
		cell_bytes(table, process, "write_bytes_per_second");
		cell_fitted(table, output, place_of(now, process), UNIT_COLUMNS);
		top_format_command(&command, process);
		table_cell(table, STYLE_PLAIN, buf_str(&command));
		table_end_row(table);
		buf_finish(&command);
	}
	output_text(output, "\n");
	if (table_is_empty(table)) {
		output_text(output,
			order == TOP_BY_IO ? "no process reads or writes\n"
				: field_double(now, "interval_s", -1) < 0
				? "rates come with the next look\n"
				: "no process is busy\n");
	} else {
		table_print(table, output);
	}
}

static void draw_units(
	struct output *output, const struct value *now, size_t rows, struct arena *arena) {
	static const struct table_column columns[] = {{"UNIT", false, true},
		{"PROCESSES", true, false}, {"CPU %", true, false}, {"MEM", true, false},
		{"READ/s", true, false}, {"WRITE/s", true, false}};
	const struct value *units = value_get(now, STR("units"));
	struct table *table = table_create(arena, columns, 6, 0);
	for (size_t i = 0; i < field_count(units) && i < rows; i++) {
		const struct value *unit = field_item(units, i);
		table_cell(table, STYLE_PLAIN, field_str(unit, "unit"));
		table_cellf(table, STYLE_PLAIN, "%lld", (long long)field_int(unit, "processes", 0));
		cell_percent(table, unit, "cpu_percent");
		cell_bytes(table, unit, "memory_bytes");
		cell_bytes(table, unit, "read_bytes_per_second");
		cell_bytes(table, unit, "write_bytes_per_second");
		table_end_row(table);
	}
	if (!table_is_empty(table)) {
		output_text(output, "\n");
		table_print(table, output);
	}
}

static void draw_containers(
	struct output *output, const struct value *now, size_t rows, struct arena *arena) {
	static const struct table_column columns[] = {{"CONTAINER", false, true},
		{"RUNTIME", false, false}, {"CPU %", true, false}, {"MEM", true, false},
		{"LIMIT", true, false}, {"RESTARTS", true, false}, {"OOM KILLS", true, false}};
	const struct value *containers = value_get(now, STR("containers"));
	struct table *table = table_create(arena, columns, 7, 0);
	for (size_t i = 0; i < field_count(containers) && i < rows; i++) {
		const struct value *container = field_item(containers, i);
		table_cell(table, STYLE_PLAIN, field_str(container, "name"));
		table_cell(table, STYLE_DIM, field_str(container, "runtime"));
		cell_percent(table, container, "cpu_percent");
		cell_bytes(table, container, "working_set_bytes");
		cell_bytes(table, container, "memory_limit_bytes");
		table_cellf(
			table, STYLE_PLAIN, "%lld", (long long)field_int(container, "restarts", 0));
		table_cellf(table, STYLE_PLAIN, "%lld",
			(long long)field_int(container, "oom_kills", 0));
		table_end_row(table);
	}
	if (!table_is_empty(table)) {
		output_text(output, "\n");
		table_print(table, output);
	}
}

// --- the whole ---

static size_t count_lines(const struct output *output) {
	size_t n = 0;
	for (size_t i = 0; i < output->buf.len; i++) {
		n += output->buf.at[i] == '\n';
	}
	return n;
}

static size_t least(size_t a, size_t b) {
	return a < b ? a : b;
}

void top_draw(const struct top_screen *screen, struct output *output, const struct value *now) {
	size_t units = field_count(value_get(now, STR("units")));
	size_t containers = field_count(value_get(now, STR("containers")));
	struct arena *arena = arena_create();
	struct buf text = BUF_INIT;
	draw_headline(output, now);
	draw_pressure(output, now, &text);
	draw_memory(output, now, &text);
	draw_disks(output, now, &text);
	draw_counts(output, now, &text, screen->is_paused);
	draw_blind(output, now, &text);
	size_t processes = PLAIN_ROWS;
	if (output->rows) {
		size_t used = count_lines(output) + LINES_AROUND + LIST_LINES;
		size_t left = output->rows > used ? output->rows - used : 0;
		size_t lists = left > 3 * LIST_LINES ? left : 0; // too small: processes only
		size_t others = lists ? (size_t)((1 - PROCESSES_SHARE) * (double)lists) : 0;
		containers = others > 2 * LIST_LINES + 2 && containers
			? least(containers, (others - 2 * LIST_LINES) / 2)
			: 0;
		others -= containers ? containers + LIST_LINES : 0;
		units = others > LIST_LINES ? least(units, others - LIST_LINES) : 0;
		processes = left - (units ? units + LIST_LINES : 0) -
			(containers ? containers + LIST_LINES : 0);
	} else {
		units = least(units, PLAIN_ROWS);
	}
	draw_processes(output, now, screen->order, processes, arena);
	draw_units(output, now, units, arena);
	draw_containers(output, now, containers, arena);
	buf_finish(&text);
	arena_destroy(arena);
}
