// SPDX-License-Identifier: Apache-2.0
// /proc/pressure (Documentation/accounting/psi.rst): how long tasks wait for CPU, memory and I/O.
// A kernel without PSI has no such files, one with psi=0 refuses to read them: then all is absent.
#include "formats/exposition.h"
#include "sources/host_collector.h"

enum resource {
	PRESSURE_CPU,
	PRESSURE_IO,
	PRESSURE_MEMORY,
	RESOURCES
};
enum share {
	SOME, // at least one task waits
	FULL, // all that could do something wait
	SHARES
};

struct stall {
	bool is_known;
	double percent; // of the last 10 s
	uint64_t total_us;
};

struct host_pressure {
	struct proc_file files[RESOURCES];
	struct stall stalls[RESOURCES][SHARES];
};

static const char *const paths[RESOURCES] = {
	"/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory"};

// "some avg10=1.50 avg60=2.25 avg300=3.00 total=4000000"
static void parse_line(struct str line, struct stall stalls[SHARES]) {
	struct str word;
	bool has_average = false, has_total = false;
	struct stall stall = {.is_known = false};
	if (!str_word(&line, &word) || !(str_is(word, "some") || str_is(word, "full"))) {
		return;
	}
	enum share share = str_is(word, "full") ? FULL : SOME;
	while (str_word(&line, &word)) {
		if (str_starts(word, STR("avg10="))) {
			has_average = str_to_double(str_skip(word, 6), &stall.percent);
		} else if (str_starts(word, STR("total="))) {
			has_total = str_to_uint64(str_skip(word, 6), &stall.total_us);
		}
	}
	stall.is_known = has_average && has_total && stall.percent >= 0;
	stalls[share] = stall;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_pressure *pressure = arg;
	struct str line;
	memset(pressure->stalls, 0, sizeof(pressure->stalls));
	for (size_t i = 0; i < RESOURCES; i++) {
		(void)turn_try(turn, &pressure->files[i], paths[i]);
		struct str text = buf_str(&turn->text);
		while (str_split(&text, '\n', &line)) {
			parse_line(line, pressure->stalls[i]);
		}
	}
}

static void collect(const void *arg, struct exposition *out) {
	static const struct {
		enum resource resource;
		enum share share;
		const char *name, *help;
	} rows[] = {
		{PRESSURE_CPU, SOME, "node_pressure_cpu_waiting_seconds_total",
			"Total time in seconds that processes have waited for CPU time"},
		{PRESSURE_IO, FULL, "node_pressure_io_stalled_seconds_total",
			"Total time in seconds no process could make progress due to IO "
			"congestion"},
		{PRESSURE_IO, SOME, "node_pressure_io_waiting_seconds_total",
			"Total time in seconds that processes have waited due to IO congestion"},
		{PRESSURE_MEMORY, FULL, "node_pressure_memory_stalled_seconds_total",
			"Total time in seconds no process could make progress due to memory "
			"congestion"},
		{PRESSURE_MEMORY, SOME, "node_pressure_memory_waiting_seconds_total",
			"Total time in seconds that processes have waited for memory"},
	};
	const struct host_pressure *pressure = arg;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stall *stall = &pressure->stalls[rows[i].resource][rows[i].share];
		if (stall->is_known) {
			exposition_family(out, rows[i].name, "counter", rows[i].help);
			exposition_sample(out, (double)stall->total_us / 1e6, NULL);
		}
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	static const char *const names[RESOURCES][SHARES] = {
		[PRESSURE_CPU] = {"pressure.cpu_some_percent", NULL}, // full has no meaning here
		[PRESSURE_IO] = {"pressure.io_some_percent", "pressure.io_full_percent"},
		[PRESSURE_MEMORY] = {"pressure.memory_some_percent",
			"pressure.memory_full_percent"},
	};
	const struct host_pressure *pressure = arg;
	for (size_t i = 0; i < RESOURCES; i++) {
		for (size_t j = 0; j < SHARES; j++) {
			const struct stall *stall = &pressure->stalls[i][j];
			if (names[i][j] && stall->is_known) {
				tell_figure(on_figure, on_figure_arg, names[i][j], "", "percent",
					stall->percent);
			}
		}
	}
}

static void finish(void *arg) {
	struct host_pressure *pressure = arg;
	for (size_t i = 0; i < RESOURCES; i++) {
		proc_file_finish(&pressure->files[i]);
	}
}

DEFINE_HOST_COLLECTOR(pressure) = {
	.name = "pressure",
	.summary = "How long tasks wait for CPU, memory and I/O (PSI).",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_pressure),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
