// SPDX-License-Identifier: Apache-2.0
// What a gather keeps: names that many processes share, with their sums, and the ranking. Nothing
// here reads a file.
#include "sources/processes.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "sources/text.h"

int64_t thread_cpu_ns(void) {
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

// --- names ---

uint16_t names_add(struct names *names, struct str text) {
	uint64_t hash = str_hash(text);
	size_t free_slot = 0;
	if (text.len == 0) {
		return 0;
	}
	for (size_t i = 1; i < names->n; i++) {
		const struct name *name = &names->items[i];
		if (!name->text) {
			free_slot = i;
		} else if (name->hash == hash && str_is(text, name->text)) {
			return (uint16_t)i;
		}
	}
	if (!names->items) {
		names->items = xcalloc(NAMES_MAX, sizeof(*names->items));
		names->n = 1;
	}
	if (!free_slot && names->n < NAMES_MAX) {
		free_slot = names->n++;
	}
	if (free_slot) {
		names->items[free_slot] = (struct name){
			.text = xstrndup(text.at, text.len), .hash = hash};
	}
	return (uint16_t)free_slot;
}

const char *names_get(const struct names *names, uint16_t i) {
	return i > 0 && i < names->n && names->items[i].text ? names->items[i].text : "";
}

void names_begin(struct names *names) {
	for (size_t i = 0; i < names->n; i++) {
		struct name *name = &names->items[i];
		*name = (struct name){.text = name->text, .hash = name->hash};
	}
}

void names_sweep(struct names *names) {
	for (size_t i = 1; i < names->n; i++) {
		struct name *name = &names->items[i];
		if (name->text && name->processes == 0) {
			free(name->text);
			*name = (struct name){.text = NULL};
		}
	}
}

void names_finish(struct names *names) {
	for (size_t i = 1; i < names->n; i++) {
		free(names->items[i].text);
	}
	free(names->items);
	*names = (struct names){NULL, 0};
}

// --- ranking ---

double process_cpu(const struct process *process) {
	return process->cpu_percent;
}

double process_memory(const struct process *process) {
	return (double)process->rss_bytes;
}

double process_io(const struct process *process) {
	return process->read_rate >= 0 && process->write_rate >= 0
		? process->read_rate + process->write_rate
		: UNKNOWN;
}

size_t walk_rank(
	const struct walk *walk, process_key *key, const struct process **out, size_t max) {
	size_t n = 0;
	for (size_t i = 0; i < walk->n; i++) {
		const struct process *process = &walk->processes[i];
		double value = key(process);
		if (value <= 0 || (n == max && (max == 0 || value <= key(out[n - 1])))) {
			continue;
		}
		size_t at = n < max ? n++ : n - 1;
		while (at > 0 && key(out[at - 1]) < value) {
			out[at] = out[at - 1];
			at--;
		}
		out[at] = process;
	}
	return n;
}

void process_name_format(struct buf *out, const struct process *process) {
	struct str name = str_range(process->name, strnlen(process->name, sizeof(process->name)));
	buf_append_text(out, process->is_kernel ? "[" : "");
	clean_text(out, name);
	buf_append_text(out, process->is_kernel ? "]" : "");
}

// --- the machine ---

double walk_interval_s(const struct walk *walk) {
	int64_t ns = walk->begun_ns - walk->begun_before_ns;
	return walk->begun_before_ns && ns > 0 ? (double)ns / (double)NS_PER_SECOND : UNKNOWN;
}

double walk_busy_percent(const struct walk *walk) {
	const double *now = walk->machine.cpu_ticks, *before = walk->machine_before.cpu_ticks;
	double all = 0, idle = (now[3] - before[3]) + (now[4] - before[4]);
	if (walk_interval_s(walk) < 0 || now[0] < 0 || before[0] < 0) {
		return UNKNOWN;
	}
	for (size_t i = 0; i < 8; i++) {
		all += now[i] - before[i];
	}
	if (all <= 0) {
		return UNKNOWN;
	}
	double busy = (all - idle) * 100 / all;
	return busy < 0 ? 0 : busy > 100 ? 100 : busy;
}
