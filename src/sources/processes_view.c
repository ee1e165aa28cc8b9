// SPDX-License-Identifier: Apache-2.0
// The view `top` as JSON, written in a job: the members of one object without its braces. What is
// not known is left out. Names of users are those of /etc/passwd: a directory service is not asked,
// for it may not answer.
#include "sources/processes.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/json.h"
#include "sources/text.h"

#define PASSWD_MAX (1024 * 1024)

struct view {
	struct json_writer w;
	const struct walk *walk;
	const struct look *look;
	char *passwd;
	struct str users;
};

static void member_known(struct json_writer *w, const char *key, double value) {
	if (value >= 0) {
		json_member_double(w, key, value);
	}
}

static void member_bytes(struct json_writer *w, const char *key, double value) {
	if (value >= 0) {
		json_member_uint(w, key, (uint64_t)value);
	}
}

// To a tenth: more digits would be noise of a clock that ticks a hundred times a second.
static double tenth(double value) {
	return value < 0 ? value : (double)(int64_t)(value * 10 + 0.5) / 10;
}

static double whole(double value) {
	return value < 0 ? value : (double)(int64_t)(value + 0.5);
}

static void read_users(struct view *view, const char *sysroot) {
	_cleanup_(freep) char *path = xasprintf("%s/etc/passwd", sysroot);
	view->passwd = xmalloc(PASSWD_MAX);
	view->users = proc_read(AT_FDCWD, path, view->passwd, PASSWD_MAX);
}

// passwd(5): name:password:uid:…
static void member_user(struct view *view, uint32_t uid) {
	struct str rest = view->users, line;
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", uid);
	while (rest.at && str_split(&rest, '\n', &line)) {
		struct str name, password, id;
		if (str_split(&line, ':', &name) && line.at && str_split(&line, ':', &password) &&
			line.at && str_split(&line, ':', &id) && str_is(id, number)) {
			struct buf clean = BUF_INIT;
			clean_text(&clean, str_head(name, 64));
			json_member_str(&view->w, "user", buf_str(&clean));
			buf_finish(&clean);
			return;
		}
	}
	json_member_text(&view->w, "user", number);
}

static const struct detail *find_detail(const struct look *look, const struct process *process) {
	for (size_t i = 0; look && i < look->detail_count; i++) {
		const struct detail *detail = &look->details[i];
		if (detail->pid == process->pid && detail->start == process->start) {
			return detail;
		}
	}
	return NULL;
}

static void write_numbers(struct view *view, const struct process *process) {
	struct json_writer *w = &view->w;
	const struct machine *machine = &view->walk->machine;
	double cpus = machine->cpus > 0 ? machine->cpus : 1;
	double age = machine->uptime_s - (double)process->start / TICKS_PER_SECOND;
	if (process->cpu_percent >= 0) {
		json_member_double(w, "cpu_percent", tenth(process->cpu_percent));
		json_member_double(w, "cpu_percent_of_machine", tenth(process->cpu_percent / cpus));
	}
	if (!process->is_kernel) {
		json_member_uint(w, "memory_bytes", process->rss_bytes);
	}
	if (process->has_swap) {
		json_member_uint(w, "swap_bytes", process->swap_bytes);
	}
	member_known(w, "read_bytes_per_second", whole(process->read_rate));
	member_known(w, "write_bytes_per_second", whole(process->write_rate));
	json_member_uint(w, "threads", process->threads);
	if (machine->uptime_s >= 0) {
		member_known(w, "age_s", tenth(age > 0 ? age : 0));
	}
}

static void write_process(struct view *view, const struct process *process) {
	struct json_writer *w = &view->w;
	const struct detail *detail = find_detail(view->look, process);
	const char *unit = names_get(&view->walk->units, process->unit);
	const char *container = names_get(&view->walk->containers, process->container);
	const char state[2] = {process->state, '\0'};
	struct buf name = BUF_INIT;
	process_name_format(&name, process);
	json_begin_object(w);
	json_member_int(w, "pid", process->pid);
	json_member_str(w, "name", buf_str(&name));
	buf_finish(&name);
	if (detail && detail->command) {
		json_member_text(w, "command", detail->command);
	}
	if (process->has_uid) {
		member_user(view, process->uid);
	}
	if (unit[0]) {
		json_member_text(w, "unit", unit);
	}
	if (container[0]) {
		json_member_text(w, "container", strchr(container, ':') + 1);
	}
	write_numbers(view, process);
	if (detail && detail->fds >= 0) {
		json_member_int(w, "fds", detail->fds);
	}
	json_member_text(w, "state", state);
	json_end_object(w);
}

static void write_ranked(struct view *view, const char *key, process_key *rank, size_t top) {
	const struct process *ranked[PICTURE_TOP_MAX];
	size_t n = walk_rank(view->walk, rank, ranked, top);
	json_key(&view->w, key);
	json_begin_array(&view->w);
	for (size_t i = 0; i < n; i++) {
		write_process(view, ranked[i]);
	}
	json_end_array(&view->w);
}

// --- units ---

static int compare_cpu(const void *a, const void *b) {
	const struct name *x = *(const struct name *const *)a, *y = *(const struct name *const *)b;
	return (x->cpu_percent < y->cpu_percent) - (x->cpu_percent > y->cpu_percent);
}

static int compare_memory(const void *a, const void *b) {
	const struct name *x = *(const struct name *const *)a, *y = *(const struct name *const *)b;
	return (x->rss_bytes < y->rss_bytes) - (x->rss_bytes > y->rss_bytes);
}

static void write_unit(struct json_writer *w, const struct name *unit) {
	json_begin_object(w);
	json_member_text(w, "unit", unit->text);
	json_member_uint(w, "processes", unit->processes);
	json_member_uint(w, "threads", unit->threads);
	if (unit->has_cpu) {
		json_member_double(w, "cpu_percent", tenth(unit->cpu_percent));
	}
	json_member_uint(w, "memory_bytes", unit->rss_bytes);
	if (unit->has_io) {
		json_member_double(w, "read_bytes_per_second", whole(unit->read_rate));
		json_member_double(w, "write_bytes_per_second", whole(unit->write_rate));
	}
	json_end_object(w);
}

// The first by CPU, and behind them those among the first by memory that are not there yet; all
// in the order of CPU.
static void write_units(struct view *view, size_t top) {
	const struct names *units = &view->walk->units;
	const struct name *sorted[NAMES_MAX];
	size_t n = 0, kept;
	for (size_t i = 1; i < units->n; i++) {
		if (units->items[i].text && units->items[i].processes) {
			sorted[n++] = &units->items[i];
		}
	}
	qsort(sorted, n, sizeof(*sorted), compare_cpu);
	kept = n < top ? n : top;
	qsort(sorted + kept, n - kept, sizeof(*sorted), compare_memory);
	n = n < 2 * top ? n : 2 * top;
	qsort(sorted, n, sizeof(*sorted), compare_cpu);
	json_key(&view->w, "units");
	json_begin_array(&view->w);
	for (size_t i = 0; i < n; i++) {
		write_unit(&view->w, sorted[i]);
	}
	json_end_array(&view->w);
}

// --- the machine ---

static void write_cpu(struct json_writer *w, const struct walk *walk, double busy) {
	const double *now = walk->machine.cpu_ticks, *before = walk->machine_before.cpu_ticks;
	json_key(w, "cpu");
	json_begin_object(w);
	if (walk->machine.cpus > 0) {
		json_member_uint(w, "cpus", (uint64_t)walk->machine.cpus);
	}
	if (busy >= 0) {
		double all = 0;
		for (size_t i = 0; i < 8; i++) {
			all += now[i] - before[i];
		}
		json_member_double(w, "busy_percent", tenth(busy));
		member_known(w, "iowait_percent", tenth((now[4] - before[4]) * 100 / all));
		member_known(w, "steal_percent", tenth((now[7] - before[7]) * 100 / all));
	}
	member_known(w, "load1", walk->machine.load1);
	json_end_object(w);
}

void machine_write(struct json_writer *w, const struct walk *walk, double busy_percent) {
	static const char *const names[] = {"cpu", "memory", "io"};
	const struct machine *machine = &walk->machine;
	write_cpu(w, walk, busy_percent);
	json_key(w, "memory");
	json_begin_object(w);
	member_bytes(w, "total_bytes", machine->memory_bytes);
	member_bytes(w, "available_bytes", machine->available_bytes);
	member_bytes(w, "swap_total_bytes", machine->swap_bytes);
	if (machine->swap_bytes >= 0 && machine->swap_free_bytes >= 0) {
		member_bytes(w, "swap_used_bytes", machine->swap_bytes - machine->swap_free_bytes);
	}
	json_end_object(w);
	json_key(w, "pressure"); // empty where the kernel does not measure it
	json_begin_object(w);
	for (size_t i = 0; i < 3; i++) {
		member_known(w, names[i], machine->pressure[i]);
	}
	json_end_object(w);
}

static void write_counts(struct json_writer *w, const struct picture *picture) {
	static const struct {
		const char *key;
		char state;
	} rows[] = {{"running", 'R'}, {"sleeping", 'S'}, {"blocked", 'D'}, {"idle", 'I'},
		{"stopped", 'T'}, {"traced", 't'}, {"zombies", 'Z'}};
	double of_limit = picture_of_limit_percent(picture);
	json_key(w, "counts");
	json_begin_object(w);
	json_member_uint(w, "processes", picture->pids);
	json_member_uint(w, "threads", (uint64_t)picture->used_ids);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_member_uint(w, rows[i].key, picture_state(picture, rows[i].state));
	}
	member_known(w, "of_limit_percent", tenth(of_limit));
	json_member_uint(w, "io_unknown", picture->io_unknown);
	if (picture->left_out) {
		json_member_uint(w, "left_out", picture->left_out);
	}
	json_member_bool(w, "others_are_hidden", picture->is_hidden);
	json_end_object(w);
}

void picture_write(struct picture *picture, const struct walk *walk, const struct look *look,
	size_t top, const char *sysroot) {
	struct view view = {.walk = walk, .look = look};
	struct json_writer *w = &view.w;
	json_writer_init(w, &picture->json);
	read_users(&view, sysroot);
	json_begin_object(w);
	json_member_time(w, "time", walk->wall_ns);
	member_known(w, "interval_s", walk_interval_s(walk));
	machine_write(w, walk, picture->busy_percent);
	write_ranked(&view, "by_cpu", process_cpu, top);
	write_ranked(&view, "by_memory", process_memory, top);
	write_ranked(&view, "by_io", process_io, top);
	write_units(&view, top);
	write_counts(w, picture);
	json_end_object(w);
	free(view.passwd);
}
