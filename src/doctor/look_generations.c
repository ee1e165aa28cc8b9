// SPDX-License-Identifier: Apache-2.0
// The generations of the configuration: the newest, and which files are damaged.
#include <errno.h>
#include <sys/stat.h>

#include "config/generations.h"
#include "doctor/look.h"

static void write_damaged(const struct problems *damaged, struct json_writer *w) {
	json_key(w, "damaged");
	json_begin_array(w);
	for (size_t i = 0; i < damaged->n && i < 20; i++) {
		json_begin_object(w);
		json_member_text(w, "file", damaged->items[i].file);
		json_member_text(w, "text", damaged->items[i].message);
		json_end_object(w);
	}
	json_end_array(w);
}

static void gather(const struct places *places, struct look_report *out) {
	struct problems damaged = PROBLEMS_INIT;
	struct err err = ERR_INIT;
	struct json_writer *w = &out->w;
	struct generations *generations = NULL;
	char folder[4096];
	(void)snprintf(folder, sizeof(folder), "%s/generations", places->state_folder);
	if (access(folder, R_OK | X_OK) < 0) {
		look_report_missing(out, "%s: %s", folder, strerror(errno));
		return;
	}
	generations = generations_look(fs_system(), places->state_folder, &damaged, &err);
	if (!generations) {
		look_report_missing(out, "%s", err.message);
	} else {
		size_t n = generations_count(generations);
		const struct generation *newest = n ? generations_get(generations, n - 1) : NULL;
		const struct generation *active = generations_active(generations, places->now_ns);
		json_member_text(w, "path", folder);
		json_member_uint(w, "count", n);
		json_member_uint(w, "newest", newest ? newest->number : 0);
		json_member_text(
			w, "newest_verdict", newest ? verdict_name(newest->verdict) : NULL);
		json_member_uint(w, "active", active ? active->number : 0);
		write_damaged(&damaged, w);
	}
	generations_close(generations);
	problems_finish(&damaged);
}

DEFINE_LOOK(generations) = {.name = "generations", .gather = gather};
