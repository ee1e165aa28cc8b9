// SPDX-License-Identifier: Apache-2.0
// Connection tracking: how full its table is (/proc/sys/net/netfilter), and what became of entries
// (/proc/net/stat/nf_conntrack, a line a CPU in hexadecimal). Absent without the module.
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/host_hex.h"

#define COLUMNS_MAX 32

// Names of columns, in the order they are shown.
static const struct {
	const char *name, *help;
} stats[] = {
	{"drop", "Number of packets dropped due to conntrack failure."},
	{"early_drop",
		"Number of dropped conntrack entries to make room for new ones, if maximum table "
		"size was reached."},
	{"found", "Number of searched entries which were successful."},
	{"ignore", "Number of packets seen which are already connected to a conntrack entry."},
	{"insert", "Number of entries inserted into the list."},
	{"insert_failed", "Number of entries for which list insertion was attempted but failed."},
	{"invalid", "Number of packets seen which can not be tracked."},
	{"search_restart",
		"Number of conntrack table lookups which had to be restarted due to hashtable "
		"resizes."},
};
#define STATS (sizeof(stats) / sizeof(stats[0]))

struct host_conntrack {
	struct proc_file count_file, limit_file, stat_file;
	double count, limit; // NAN: not known
	double sums[STATS];  // over all CPUs; NAN: no such column
};

static double read_number(struct host_turn *turn, struct proc_file *file, const char *path) {
	uint64_t value;
	return turn_try(turn, file, path) && str_to_uint64(str_trim(buf_str(&turn->text)), &value)
		? (double)value
		: NAN;
}

static size_t find_stat(struct str name) {
	size_t i = 0;
	while (i < STATS && !str_is(name, stats[i].name)) {
		i++;
	}
	return i;
}

static void parse_stats(struct host_conntrack *conntrack, struct str text) {
	size_t stat_of[COLUMNS_MAX], n = 0;
	struct str line, word;
	uint64_t value;
	for (size_t i = 0; i < STATS; i++) {
		conntrack->sums[i] = NAN;
	}
	if (!str_split(&text, '\n', &line)) {
		return;
	}
	for (; n < COLUMNS_MAX && str_word(&line, &word); n++) {
		stat_of[n] = find_stat(word);
	}
	while (str_split(&text, '\n', &line)) {
		for (size_t i = 0; i < n && str_word(&line, &word); i++) {
			if (stat_of[i] < STATS && hex_parse(word, &value)) {
				double *sum = &conntrack->sums[stat_of[i]];
				*sum = (isnan(*sum) ? 0 : *sum) + (double)value;
			}
		}
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_conntrack *conntrack = arg;
	conntrack->count = read_number(
		turn, &conntrack->count_file, "/proc/sys/net/netfilter/nf_conntrack_count");
	conntrack->limit = read_number(
		turn, &conntrack->limit_file, "/proc/sys/net/netfilter/nf_conntrack_max");
	(void)turn_try(turn, &conntrack->stat_file, "/proc/net/stat/nf_conntrack");
	parse_stats(conntrack, buf_str(&turn->text));
}

static void write_gauge(struct exposition *out, const char *name, const char *help, double value) {
	if (!isnan(value)) {
		exposition_family(out, name, "gauge", help);
		exposition_sample(out, value, NULL);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_conntrack *conntrack = arg;
	char name[64];
	write_gauge(out, "node_nf_conntrack_entries",
		"Number of currently allocated flow entries for connection tracking.",
		conntrack->count);
	write_gauge(out, "node_nf_conntrack_entries_limit",
		"Maximum size of connection tracking table.", conntrack->limit);
	for (size_t i = 0; i < STATS; i++) {
		snprintf(name, sizeof(name), "node_nf_conntrack_stat_%s", stats[i].name);
		write_gauge(out, name, stats[i].help, conntrack->sums[i]);
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_conntrack *conntrack = arg;
	tell_figure(on_figure, on_figure_arg, "conntrack.used_percent", "", "percent",
		conntrack->limit > 0 ? 100 * conntrack->count / conntrack->limit : NAN);
}

static void finish(void *arg) {
	struct host_conntrack *conntrack = arg;
	proc_file_finish(&conntrack->count_file);
	proc_file_finish(&conntrack->limit_file);
	proc_file_finish(&conntrack->stat_file);
}

DEFINE_HOST_COLLECTOR(conntrack) = {
	.name = "conntrack",
	.summary = "Connection tracking: entries, their limit and what became of them.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_conntrack),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
