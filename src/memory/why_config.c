// SPDX-License-Identifier: Apache-2.0
// Old configurations for why; see why_config.h.
#include "memory/why_config.h"

static struct snapshot *make_snapshot(const struct why_sources *sources,
	const struct config_files *files, char *problem, size_t n) {
	struct problems problems = PROBLEMS_INIT;
	struct snapshot *snapshot = snapshot_create(sources->schema, files, &problems);
	if (!snapshot) {
		(void)snprintf(problem, n, "this version of Anna does not accept it: %.200s",
			problems.n ? problems.items[0].message : "");
	}
	problems_finish(&problems);
	return snapshot;
}

static void read_generation(const struct why_sources *sources, struct generations *generations,
	uint64_t number, struct why_config *out) {
	struct err err = ERR_INIT;
	struct config_files files = {0};
	const struct generation *generation = number
		? generations_find(generations, number)
		: generations_active(generations, INT64_MIN); // a pending one counts
	if (!generation) {
		(void)snprintf(out->problem, sizeof(out->problem), "%s",
			number ? "it is no longer kept" : "no configuration was ever in force");
		return;
	}
	out->generation = generation->number;
	if (!generations_read(generations, generation->number, &files, &err)) {
		(void)snprintf(out->problem, sizeof(out->problem), "%.250s", err.message);
		return;
	}
	out->snapshot = make_snapshot(sources, &files, out->problem, sizeof(out->problem));
	config_files_finish(&files);
}

void why_config_read(const struct why_sources *sources, uint64_t number, struct why_config *out) {
	struct err err = ERR_INIT;
	if (out->generation && out->generation == number) {
		return;
	}
	why_config_finish(out);
	struct generations *generations = generations_look(
		sources->fs, sources->state_folder, NULL, &err);
	if (!generations) {
		(void)snprintf(out->problem, sizeof(out->problem), "%.250s", err.message);
		return;
	}
	read_generation(sources, generations, number, out);
	generations_close(generations);
}

void why_config_finish(struct why_config *config) {
	snapshot_unref(config->snapshot);
	*config = (struct why_config){0};
}

struct item_list why_config_mappings(
	const struct why_sources *sources, const struct why_config *config) {
	if (!config->snapshot) {
		return (struct item_list){NULL, 0};
	}
	return snapshot_list(config->snapshot, sources->mappings);
}
