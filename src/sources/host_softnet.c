// SPDX-License-Identifier: Apache-2.0
// /proc/net/softnet_stat: packets each CPU took off the network devices. Hexadecimal columns: 0
// processed, 1 dropped, 2 times squeezed; 12 is the CPU's number since Linux 5.14, before that a
// line's number is it.
#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/host_hex.h"

#define CPUS_MAX 8192
#define COLUMN_CPU 12

struct line {
	uint64_t cpu, columns[3];
};

struct host_softnet {
	struct proc_file file;
	struct line *lines;
	size_t n, cap;
};

static bool parse_line(struct str text, size_t number, struct line *out) {
	struct str word;
	size_t n = 0;
	uint64_t value;
	for (; n <= COLUMN_CPU && str_word(&text, &word) && hex_parse(word, &value); n++) {
		if (n < 3) {
			out->columns[n] = value;
		} else if (n == COLUMN_CPU) {
			out->cpu = value;
		}
	}
	if (n <= COLUMN_CPU) {
		out->cpu = number;
	}
	return n >= 3;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_softnet *stat = arg;
	(void)turn_try(turn, &stat->file, "/proc/net/softnet_stat");
	struct str line, text = buf_str(&turn->text);
	stat->n = 0;
	for (size_t i = 0; str_split(&text, '\n', &line) && stat->n < CPUS_MAX; i++) {
		if (stat->n == stat->cap) {
			stat->cap = stat->cap ? stat->cap * 2 : 4;
			stat->lines = xreallocarray(stat->lines, stat->cap, sizeof(*stat->lines));
		}
		stat->n += parse_line(line, i, &stat->lines[stat->n]);
	}
}

static void collect(const void *arg, struct exposition *out) {
	static const struct {
		size_t column;
		const char *name, *help;
	} rows[] = {
		{1, "node_softnet_dropped_total", "Number of dropped packets"},
		{0, "node_softnet_processed_total", "Number of processed packets"},
		{2, "node_softnet_times_squeezed_total",
			"Number of times processing packets ran out of quota"},
	};
	const struct host_softnet *stat = arg;
	char cpu[24];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && stat->n; i++) {
		exposition_family(out, rows[i].name, "counter", rows[i].help);
		for (size_t j = 0; j < stat->n; j++) {
			const struct line *line = &stat->lines[j];
			snprintf(cpu, sizeof(cpu), "%ju", (uintmax_t)line->cpu);
			exposition_sample(
				out, (double)line->columns[rows[i].column], "cpu", cpu, NULL);
		}
	}
}

static void finish(void *arg) {
	struct host_softnet *stat = arg;
	free(stat->lines);
	proc_file_finish(&stat->file);
}

DEFINE_HOST_COLLECTOR(softnet) = {
	.name = "softnet",
	.summary = "Packets each CPU processed and dropped.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_softnet),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
