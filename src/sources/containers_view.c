// SPDX-License-Identifier: Apache-2.0
// Containers as JSON and as metrics. What the kernel does not count, or not for us, is left out.
#include "formats/exposition.h"
#include "formats/json.h"
#include "base/clock.h"
#include "sources/containers.h"
#include "sources/text.h"

static void member_known(struct json_writer *w, const char *key, uint64_t value) {
	if (value != NOT_KNOWN) {
		json_member_uint(w, key, value);
	}
}

static void member_tenth(struct json_writer *w, const char *key, double value) {
	if (value >= 0) {
		json_member_double(w, key, (double)(int64_t)(value * 10 + 0.5) / 10);
	}
}

static void write_container(const struct container *container, struct json_writer *w) {
	const struct container_counters *counters = &container->counters;
	struct buf id = BUF_INIT;
	clean_text(&id, container_short_id(&container->id));
	json_begin_object(w);
	json_member_text(w, "name", container->name);
	json_member_text(w, "name_source", container->name_source);
	json_member_text(w, "runtime", container->id.runtime);
	json_member_str(w, "id", buf_str(&id));
	member_tenth(w, "cpu_percent", container->cpu_percent);
	member_known(w, "memory_bytes", counters->memory_bytes);
	member_known(w, "working_set_bytes", container_working_set(container));
	member_known(w, "memory_limit_bytes", counters->limit_bytes);
	member_tenth(w, "memory_percent", container_memory_percent(container));
	member_known(w, "pids", counters->pids);
	if (counters->oom_kills != NOT_KNOWN) {
		json_member_uint(w, "oom_kills", container->oom_kills);
	}
	json_member_uint(w, "restarts", container->restarts);
	json_end_object(w);
	buf_finish(&id);
}

void container_set_write(const struct container_set *set, struct json_writer *w) {
	json_begin_array(w);
	for (size_t i = 0; i < set->n; i++) {
		write_container(set->items[i], w);
	}
	json_end_array(w);
}

typedef uint64_t counter_fn(const struct container *container);

static uint64_t memory_of(const struct container *container) {
	return container->counters.memory_bytes;
}
static uint64_t limit_of(const struct container *container) {
	return container->counters.limit_bytes;
}
static uint64_t pids_of(const struct container *container) {
	return container->counters.pids;
}
static uint64_t cpu_of(const struct container *container) {
	return container->counters.cpu_ns;
}
static uint64_t oom_of(const struct container *container) {
	return container->counters.oom_kills == NOT_KNOWN ? NOT_KNOWN : container->oom_kills;
}
static uint64_t restarts_of(const struct container *container) {
	return container->restarts;
}

void container_set_collect(const struct container_set *set, struct exposition *out) {
	static const struct {
		const char *name, *type, *help;
		counter_fn *value;
		double scale;
	} rows[] = {
		{"anna_container_cpu_seconds_total", "counter", "CPU time used by a container.",
			cpu_of, 1e-9},
		{"anna_container_memory_bytes", "gauge", "Memory charged to a container.",
			memory_of, 1},
		{"anna_container_memory_working_set_bytes", "gauge",
			"The same without what the kernel can drop at once.", container_working_set,
			1},
		{"anna_container_memory_limit_bytes", "gauge", "Its limit; absent without one.",
			limit_of, 1},
		{"anna_container_oom_kills_total", "counter",
			"Processes of it killed for want of memory, since it was first seen.",
			oom_of, 1},
		{"anna_container_pids", "gauge", "Processes and threads in it.", pids_of, 1},
		{"anna_container_restarts_total", "counter", "Restarts of it that were seen.",
			restarts_of, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && set->n; i++) {
		bool has_family = false;
		for (size_t j = 0; j < set->n; j++) {
			const struct container *container = set->items[j];
			uint64_t value = rows[i].value(container);
			if (value == NOT_KNOWN) {
				continue;
			}
			if (!has_family) {
				exposition_family(out, rows[i].name, rows[i].type, rows[i].help);
				has_family = true;
			}
			exposition_sample(out, (double)value * rows[i].scale, "name",
				container->name, "runtime", container->id.runtime, NULL);
		}
	}
}
