// SPDX-License-Identifier: Apache-2.0
// What stands in the file of the configuration, and what must be in force because of it.
#include "base/alloc.h"
#include "tests/sim/sim.h"

static void add_mapping(struct sim *sim, struct buf *out, unsigned number) {
	static const char *const kinds[] = {"test.a", "test.b", "test.c", "test.*", "sim.tick",
		"timer.fired", "test.b", "test.c"};
	static const char *const actions[] = {"{ type = \"log\", message = \"{id} {level}\" }",
		"{ type = \"exec\", argv = [\"/bin/work\", \"{level}\"], timeout = \"2s\" }",
		"{ type = \"exec\", shell = \"exec work\", timeout = \"1s\" }"};
	bool is_reflex = sim_below(sim, 3) == 0;
	buf_appendf(out, "[[mappings]]\nname = \"m%u\"\n", number);
	if (sim_below(sim, 8) == 0) {
		buf_appendf(out,
			"on = \"action.finished\"\nwhere = { mapping = \"m%u\", ok = false }\n",
			(unsigned)sim_below(sim, SIM_NAMES));
	} else {
		buf_appendf(out, "on = \"%s\"\n", kinds[sim_below(sim, 8)]);
		if (sim_below(sim, 2)) {
			buf_appendf(out, "where = { level = { gt = %u } }\n",
				(unsigned)sim_below(sim, 9));
		}
	}
	buf_appendf(out, "class = \"%s\"\n", is_reflex ? "reflex" : "assured");
	buf_appendf(out, "action = %s\n", actions[sim_below(sim, 3)]);
	buf_appendf(out, "concurrency = %u\n", 1 + (unsigned)sim_below(sim, 6));
	if (sim_below(sim, 4) == 0) {
		buf_appendf(out, "budget = %u\n", 5 + (unsigned)sim_below(sim, 50));
	}
	if (sim_below(sim, 10) == 0) {
		buf_append_text(out, "max_depth = 0\n");
	}
	if (sim_below(sim, 12) == 0) {
		buf_append_text(out, SIM_STOP);
	}
	buf_append_char(out, '\n');
}

static void add_head(struct sim *sim, struct buf *out) {
	buf_appendf(out, "# %zu\n[daemon]\nstop_timeout = \"%ums\"\n\n", sim->version_count,
		(unsigned)(100 + sim_below(sim, 2000)));
	buf_appendf(out,
		"[journal]\nqueue = %d\nnormal_size = \"8MiB\"\naudit_size = \"8MiB\"\n"
		"telemetry_size = \"8MiB\"\nstate_size = \"8MiB\"\n\n",
		SIM_QUEUE);
	buf_appendf(out, "[scripted]\nevery = \"%us\"\n\n", 5 + (unsigned)sim_below(sim, 20));
	for (unsigned i = 0; i < sim_below(sim, 3); i++) {
		buf_appendf(out, "[[timers]]\nname = \"t%u\"\nevery = \"%us\"\ncatch_up = %s\n\n",
			i, 20 + (unsigned)sim_below(sim, 200),
			sim_below(sim, 2) ? "true" : "false");
	}
	if (sim_below(sim, 2)) {
		buf_appendf(out, "[[timers]]\nname = \"hour\"\nat = \"hourly :%02u\"\n\n",
			(unsigned)sim_below(sim, 60));
	}
}

static void add_mistake(struct sim *sim, struct buf *out) {
	static const char *const mistakes[] = {"[[mappings]]\nname = 3\n", "[mapings]\nx = 1\n",
		"[daemon]\nlog_level = \"loud\"\n", "[[mappings]\n",
		"[[mappings]]\nname = \"x\"\non = \"test.a\"\naction = { type = \"exec\" }\n",
		"[[timers]]\nname = \"t\"\n", "\xff\xfe"};
	buf_append_text(out, mistakes[sim_below(sim, 7)]);
}

size_t config_find(const struct sim *sim, const char *hash) {
	for (size_t i = sim->version_count; i > 0; i--) {
		if (strcmp(sim->versions[i - 1].hash, hash) == 0) {
			return i - 1;
		}
	}
	return SIZE_MAX;
}

const struct sim_version *config_of(const struct sim *sim, uint64_t generation) {
	for (size_t i = sim->generation_count; i > 0; i--) {
		if (sim->generations[i - 1].number == generation) {
			return &sim->versions[sim->generations[i - 1].version];
		}
	}
	return NULL;
}

static void put(struct sim *sim, size_t version) {
	struct str text = buf_str(&sim->versions[version].text);
	sim_fs_put(sim->platter, SIM_CONFIG, text.at, text.len);
	sim->file = version;
	sim->edits++;
}

// Reads it as the daemon will, once, for its hash and for what it means.
static void read_back(struct sim *sim, struct sim_version *version) {
	struct config_files files;
	struct problems problems = PROBLEMS_INIT;
	struct err err = ERR_INIT;
	struct sim_fs_faults none = {0};
	sim_fs_set_faults(sim->platter, &none);
	if (!config_files_read(sim_fs(sim->platter), SIM_CONFIG, true, &files, &err)) {
		sim_violate(sim, "simulator", "its own file cannot be read: %s", err.message);
		return;
	}
	memcpy(version->hash, files.hash, sizeof(version->hash));
	version->snapshot = snapshot_create(&sim->shadow.schema, &files, &problems);
	config_files_finish(&files);
	problems_finish(&problems);
}

void config_write(struct sim *sim, bool is_valid) {
	if (sim->version_count == sim->version_cap) {
		sim->version_cap = sim->version_cap ? sim->version_cap * 2 : 64;
		sim->versions = xreallocarray(
			sim->versions, sim->version_cap, sizeof(*sim->versions));
	}
	size_t n = sim->version_count;
	struct sim_version *version = &sim->versions[n];
	*version = (struct sim_version){.hash = ""};
	add_head(sim, &version->text);
	// Mostly the mappings of before, so that most runs live through a reload.
	for (unsigned i = 0; i < SIM_NAMES; i++) {
		struct buf *text = &version->mappings[i];
		bool is_kept = n > 0 && sim_below(sim, 4) != 0;
		if (is_kept) {
			buf_append_str(text, buf_str(&sim->versions[sim->file].mappings[i]));
		} else if (sim_below(sim, 2)) {
			add_mapping(sim, text, i);
		}
		buf_append_str(&version->text, buf_str(text));
	}
	if (!is_valid) {
		add_mistake(sim, &version->text);
	}
	sim->version_count++;
	put(sim, n);
	read_back(sim, version);
	if (is_valid && !version->snapshot) {
		sim_violate(sim, "simulator", "a valid configuration is refused:\n%s",
			buf_text(&version->text));
	}
	sim_say(sim, "the file holds version %zu%s", n,
		version->snapshot ? "" : ", which is invalid");
}

void config_write_again(struct sim *sim) {
	put(sim, (size_t)sim_below(sim, sim->version_count));
	sim_say(sim, "the file holds version %zu again", sim->file);
}

void config_finish(struct sim *sim) {
	for (size_t i = 0; i < sim->version_count; i++) {
		struct sim_version *version = &sim->versions[i];
		buf_finish(&version->text);
		snapshot_unref(version->snapshot);
		for (size_t k = 0; k < SIM_NAMES; k++) {
			buf_finish(&version->mappings[k]);
		}
	}
	snapshot_unref(sim->snapshot_before);
	free(sim->versions);
	free(sim->generations);
}

// --- what must be in force after a start ---

bool config_is_changing(const struct anna *anna) {
	return anna &&
		(anna->reload || anna->generations_are_lent ||
			(anna->generations && generations_in_doubt(anna->generations)));
}

void config_keep(struct sim *sim) {
	const struct generations *generations = sim->anna ? sim->anna->generations : NULL;
	sim->kept_count = 0;
	for (size_t i = 0; generations && i < generations_count(generations) && i < 256; i++) {
		const struct generation *generation = generations_get(generations, i);
		struct sim_kept *kept = &sim->kept[sim->kept_count++];
		*kept = (struct sim_kept){.number = generation->number,
			.previous = generation->previous,
			.verdict = generation->verdict,
			.confirm_by_ns = generation->confirm_by_ns};
		memcpy(kept->hash, generation->hash, sizeof(kept->hash));
	}
}

static const struct sim_kept *find_kept(const struct sim *sim, uint64_t number) {
	for (size_t i = sim->kept_count; i > 0; i--) {
		if (sim->kept[i - 1].number == number) {
			return &sim->kept[i - 1];
		}
	}
	return NULL;
}

static bool is_expired(const struct sim_kept *kept, int64_t wall_ns) {
	return kept->verdict == VERDICT_PENDING && wall_ns >= kept->confirm_by_ns;
}

// The one in force by what was kept alone; NULL: none, or not sure.
static const struct sim_kept *kept_in_force(const struct sim *sim, int64_t wall_ns) {
	for (size_t i = sim->kept_count; i > 0; i--) {
		const struct sim_kept *kept = &sim->kept[i - 1];
		if (kept->verdict == VERDICT_ACTIVE ||
			(kept->verdict == VERDICT_PENDING && !is_expired(kept, wall_ns))) {
			return kept;
		}
		if (is_expired(kept, wall_ns)) {
			const struct sim_kept *before = find_kept(sim, kept->previous);
			bool is_good = before && before->verdict == VERDICT_GOOD;
			return is_good ? before : NULL;
		}
	}
	return NULL;
}

static const struct sim_kept *kept_by_hash(const struct sim *sim, const char *hash) {
	for (size_t i = sim->kept_count; i > 0; i--) {
		if (strcmp(sim->kept[i - 1].hash, hash) == 0) {
			return &sim->kept[i - 1];
		}
	}
	return NULL;
}

static void check_verdicts(struct sim *sim) {
	for (size_t i = 0; i < sim->kept_count; i++) {
		const struct sim_kept *kept = &sim->kept[i];
		const struct generation *now = generations_find(
			sim->anna->generations, kept->number);
		bool is_distrusted = kept->verdict == VERDICT_UNDONE ||
			kept->verdict == VERDICT_REJECTED;
		if (!now && sim->kept_count < 90) {
			sim_violate(sim, "Acked means durable",
				"generation %llu (%s) is gone after a restart",
				(unsigned long long)kept->number, verdict_name(kept->verdict));
		} else if (now &&
			(strcmp(now->hash, kept->hash) != 0 ||
				(is_distrusted && now->verdict != kept->verdict))) {
			sim_violate(sim, "Acked means durable",
				"generation %llu was %s and is %s after a restart",
				(unsigned long long)kept->number, verdict_name(kept->verdict),
				verdict_name(now->verdict));
		}
	}
}

void config_check_start(struct sim *sim) {
	int64_t wall_ns = clock_wall(&sim->fake.clock.clock);
	const char *hash = snapshot_hash(sim->anna->snapshot);
	const struct generation *active = generations_find(
		sim->anna->generations, sim->anna->generation);
	size_t version = config_find(sim, hash);
	if (version == SIZE_MAX || !sim->versions[version].snapshot) {
		sim_violate(sim, "Undoable", "what is in force was never a valid file (%s)", hash);
		return;
	}
	if (!active || strcmp(active->hash, hash) != 0 || active->verdict == VERDICT_UNDONE ||
		active->verdict == VERDICT_REJECTED) {
		sim_violate(sim, "Undoable", "generation %llu is in force, and %s",
			(unsigned long long)sim->anna->generation,
			active ? verdict_name(active->verdict) : "does not exist");
		return;
	}
	if (sim->was_uncertain || sim->has_fault || !sim->kept_count) {
		return;
	}
	check_verdicts(sim);
	const struct sim_version *file = &sim->versions[sim->file];
	const struct sim_kept *known = kept_by_hash(sim, file->hash);
	const struct sim_kept *last = kept_in_force(sim, wall_ns);
	bool is_distrusted = known &&
		(known->verdict == VERDICT_UNDONE || known->verdict == VERDICT_REJECTED ||
			is_expired(known, wall_ns));
	bool takes_file = file->snapshot && !is_distrusted && sim->is_calm_start;
	if (takes_file ? strcmp(hash, file->hash) != 0
		       : last && sim->is_calm_start && strcmp(hash, last->hash) != 0) {
		sim_violate(sim, "Acked means durable",
			"after a restart version %zu is in force (generation %llu); the file holds "
			"version %zu (%s, %s), last in force was generation %llu",
			version, (unsigned long long)sim->anna->generation, sim->file,
			file->snapshot ? "valid" : "invalid",
			known ? verdict_name(known->verdict) : "new",
			(unsigned long long)(last ? last->number : 0));
	}
}
