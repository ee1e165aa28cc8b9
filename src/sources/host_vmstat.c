// SPDX-License-Identifier: Apache-2.0
// /proc/vmstat: paging, swapping, faults and kills by the OOM killer; node_exporter's default
// fields, ^(oom_kill|pgpg|pswp|pg.*fault).*.
#include "base/clock.h"
#include "formats/exposition.h"
#include "sources/host_collector.h"

#define FIELDS_MAX 64
#define KILLS_KEPT 62 // one a second for a minute, the one before, the youngest

struct field {
	char name[48];
	uint64_t value;
};

// A reading of oom_kill, kept for a minute.
struct kills {
	int64_t at_ns;
	uint64_t count;
};

struct host_vmstat {
	struct proc_file file;
	struct field fields[FIELDS_MAX];
	size_t n;
	struct pace pace;
	struct counter swapped_in;
	double swap_in_per_second;
	struct kills kills[KILLS_KEPT]; // the oldest first
	size_t kill_count;
};

static bool is_wanted(struct str name) {
	return str_starts(name, STR("oom_kill")) || str_starts(name, STR("pgpg")) ||
		str_starts(name, STR("pswp")) ||
		(str_starts(name, STR("pg")) && str_find(str_skip(name, 2), STR("fault")) >= 0);
}

static bool is_metric_name(struct str name) {
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_')) {
			return false;
		}
	}
	return true;
}

static const struct field *find_field(const struct host_vmstat *stat, const char *name) {
	for (size_t i = 0; i < stat->n; i++) {
		if (strcmp(stat->fields[i].name, name) == 0) {
			return &stat->fields[i];
		}
	}
	return NULL;
}

static void parse_line(struct host_vmstat *stat, struct str line) {
	struct field *field = &stat->fields[stat->n];
	struct str name, word;
	if (stat->n == FIELDS_MAX || !str_word(&line, &name) || !is_wanted(name) ||
		name.len >= sizeof(field->name) || !is_metric_name(name) ||
		!str_word(&line, &word) || !str_to_uint64(word, &field->value)) {
		return;
	}
	memcpy(field->name, name.at, name.len);
	field->name[name.len] = '\0';
	stat->n += !find_field(stat, field->name);
}

static void forget_kills(struct host_vmstat *stat, size_t n) {
	stat->kill_count -= n;
	memmove(stat->kills, stat->kills + n, stat->kill_count * sizeof(*stat->kills));
}

// Readings less than a second apart become one. The first one kept is the youngest that is at
// least a minute old.
static void keep_kills(struct host_vmstat *stat, const struct field *field, int64_t now_ns) {
	struct kills *last = stat->kill_count ? &stat->kills[stat->kill_count - 1] : NULL;
	if (!field || (last && field->value < last->count)) {
		stat->kill_count = 0; // the counter began anew
	}
	if (!field) {
		return;
	}
	bool is_close = stat->kill_count > 1 && now_ns - last->at_ns < NS_PER_SECOND &&
		last->at_ns - last[-1].at_ns < NS_PER_SECOND;
	if (!is_close && stat->kill_count == KILLS_KEPT) {
		forget_kills(stat, 1);
	}
	stat->kills[stat->kill_count - is_close] = (struct kills){now_ns, field->value};
	stat->kill_count += !is_close;
	size_t old = 0;
	while (old + 1 < stat->kill_count &&
		now_ns - stat->kills[old + 1].at_ns >= 60 * NS_PER_SECOND) {
		old++;
	}
	forget_kills(stat, old);
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_vmstat *stat = arg;
	(void)turn_try(turn, &stat->file, "/proc/vmstat");
	struct str line, text = buf_str(&turn->text);
	stat->n = 0;
	while (str_split(&text, '\n', &line)) {
		parse_line(stat, line);
	}
	double seconds = pace_step(&stat->pace, turn->now_ns);
	const struct field *swapped = find_field(stat, "pswpin");
	stat->swap_in_per_second = swapped
		? counter_step(&stat->swapped_in, swapped->value) / seconds
		: NAN;
	keep_kills(stat, find_field(stat, "oom_kill"), turn->now_ns);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_vmstat *stat = arg;
	char name[80], help[96];
	for (size_t i = 0; i < stat->n; i++) {
		snprintf(name, sizeof(name), "node_vmstat_%s", stat->fields[i].name);
		snprintf(help, sizeof(help), "/proc/vmstat information field %s.",
			stat->fields[i].name);
		exposition_family(out, name, "untyped", help);
		exposition_sample(out, (double)stat->fields[i].value, NULL);
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_vmstat *stat = arg;
	tell_figure(on_figure, on_figure_arg, "memory.swap_in_per_second", "", "pages_per_second",
		stat->swap_in_per_second);
	if (stat->kill_count > 1) {
		tell_figure(on_figure, on_figure_arg, "oom.kills_per_minute", "", "per_minute",
			(double)(stat->kills[stat->kill_count - 1].count - stat->kills[0].count));
	}
}

static void finish(void *arg) {
	struct host_vmstat *stat = arg;
	proc_file_finish(&stat->file);
}

DEFINE_HOST_COLLECTOR(vmstat) = {
	.name = "vmstat",
	.summary = "Paging, swapping, page faults and OOM kills.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_vmstat),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
