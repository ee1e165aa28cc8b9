// SPDX-License-Identifier: Apache-2.0
// The picture of one gather: what the look found is added to the walk, the ones to blame are
// chosen, and all is written once, so that the loop only hands it out.
#include "sources/processes.h"

#include <math.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/exposition.h"
#include "sources/text.h"

#define IO_UNKNOWN_SHARE 20 // one in so many

// The rates of one process, and the sums of its unit and container.
static void add_io(struct name *name, const struct process *process) {
	if (name && process->read_rate >= 0) {
		name->read_rate += process->read_rate;
		name->write_rate += process->write_rate;
		name->has_io = true;
	}
}

static struct name *name_at(const struct names *names, uint16_t i) {
	return i > 0 && i < names->n ? &names->items[i] : NULL;
}

static size_t merge_look(struct walk *walk, const struct look *look) {
	size_t at = 0, unknown = 0;
	for (size_t i = 0; i < walk->n; i++) {
		struct process *process = &walk->processes[i];
		while (look && at < look->n && look->rows[at].pid < process->pid) {
			at++;
		}
		const struct look_row *row = look && at < look->n ? &look->rows[at] : NULL;
		if (row && row->pid == process->pid && row->start == process->start) {
			process->is_io_denied = row->is_denied;
			if (row->is_known) {
				process->read_bytes = row->read_bytes;
				process->written_bytes = row->written_bytes;
				process->io_ns = row->io_ns;
				process->read_rate = row->read_rate;
				process->write_rate = row->write_rate;
				add_io(name_at(&walk->units, process->unit), process);
				add_io(name_at(&walk->containers, process->container), process);
				continue;
			}
		}
		process->io_ns = 0; // what is measured next begins anew
		unknown += !process->is_kernel;
	}
	return unknown;
}

// --- who is to blame ---

static void blame(struct culprit *out, const struct walk *walk, const struct process *process,
	double value, const char *unit) {
	struct buf name = BUF_INIT;
	process_name_format(&name, process);
	*out = (struct culprit){.kind = "process", .pid = process->pid, .value = value};
	(void)snprintf(out->name, sizeof(out->name), "%s", buf_text(&name));
	(void)snprintf(out->unit, sizeof(out->unit), "%s", names_get(&walk->units, process->unit));
	(void)snprintf(out->value_unit, sizeof(out->value_unit), "%s", unit);
	buf_finish(&name);
}

static double swap_of(const struct process *process) {
	return process->has_swap ? (double)process->swap_bytes : UNKNOWN;
}

static double threads_of(const struct process *process) {
	return process->is_kernel ? UNKNOWN : process->threads;
}

// A process that waits for a disk, those with the most I/O first.
static double blocked_of(const struct process *process) {
	double io = process_io(process);
	return process->state == 'D' ? 1 + (io > 0 ? io : 0) : UNKNOWN;
}

static void blame_top(struct culprit *out, const struct walk *walk, process_key *key, double scale,
	const char *unit) {
	const struct process *top;
	if (walk_rank(walk, key, &top, 1) == 1) {
		blame(out, walk, top, key(top) * scale, unit);
	}
}

static const struct process *find_process(const struct walk *walk, int32_t pid) {
	size_t low = 0, high = walk->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (walk->processes[middle].pid < pid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < walk->n && walk->processes[low].pid == pid ? &walk->processes[low] : NULL;
}

static int compare_parents(const void *a, const void *b) {
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

// Zombies are the fault of the parent that does not take them: the one that has most.
static void blame_zombies(struct culprit *out, const struct walk *walk, size_t zombies) {
	int32_t *parents = xcalloc(zombies, sizeof(*parents));
	int32_t worst = 0;
	size_t n = 0, run = 0, most = 0;
	for (size_t i = 0; i < walk->n && n < zombies; i++) {
		if (walk->processes[i].state == 'Z') {
			parents[n++] = walk->processes[i].parent;
		}
	}
	qsort(parents, n, sizeof(*parents), compare_parents);
	for (size_t i = 0; i < n; i++) {
		run = i > 0 && parents[i] == parents[i - 1] ? run + 1 : 1;
		if (run > most) {
			most = run;
			worst = parents[i];
		}
	}
	const struct process *parent = find_process(walk, worst);
	if (parent) {
		blame(out, walk, parent, (double)most, "zombies");
	}
	free(parents);
}

// Who has the most of what the limits count: a unit, where there are units, for a fork bomb is
// many processes.
static void blame_count(struct culprit *out, const struct walk *walk) {
	const struct name *worst = NULL;
	for (size_t i = 1; i < walk->units.n; i++) {
		const struct name *name = &walk->units.items[i];
		if (name->text && (!worst || name->threads > worst->threads)) {
			worst = name;
		}
	}
	if (!worst) {
		blame_top(out, walk, threads_of, 1, "threads");
		return;
	}
	*out = (struct culprit){.kind = "unit", .value = worst->threads};
	(void)snprintf(out->name, sizeof(out->name), "%s", worst->text);
	(void)snprintf(out->unit, sizeof(out->unit), "%s", worst->text);
	(void)snprintf(out->value_unit, sizeof(out->value_unit), "threads");
}

// Whose I/O or existence is not seen cannot be accused, and then nobody else may be in its place:
// of I/O only when nearly everybody's is known, of a share of the machine only when it is most of
// it.
static void blame_all(struct picture *picture, const struct walk *walk) {
	struct culprit *culprits = picture->culprits;
	double cpus = walk->machine.cpus > 0 ? walk->machine.cpus : 1;
	const struct process *top;
	blame_top(&culprits[BLAME_CPU], walk, process_cpu, 1 / cpus, "percent");
	if (picture->is_hidden) {
		if (culprits[BLAME_CPU].value * 2 < picture->busy_percent) {
			culprits[BLAME_CPU] = (struct culprit){.kind = ""};
		}
		return;
	}
	blame_top(&culprits[BLAME_MEMORY], walk, process_memory, 1, "bytes");
	blame_top(&culprits[BLAME_SWAP], walk, swap_of, 1, "bytes");
	if (picture->io_unknown * IO_UNKNOWN_SHARE <= walk->n) {
		blame_top(&culprits[BLAME_IO], walk, process_io, 1, "bytes_per_second");
	}
	if (walk_rank(walk, blocked_of, &top, 1) == 1) {
		double io = process_io(top);
		blame(&culprits[BLAME_BLOCKED], walk, top, io > 0 ? io : (double)NAN,
			io > 0 ? "bytes_per_second" : "");
	}
	size_t zombies = picture_state(picture, 'Z');
	if (zombies) {
		blame_zombies(&culprits[BLAME_ZOMBIES], walk, zombies);
	}
	blame_count(&culprits[BLAME_COUNT], walk);
}

// --- the whole ---

static void count_states(struct picture *picture, const struct walk *walk) {
	double threads = 0;
	for (size_t i = 0; i < walk->n; i++) {
		char state = walk->processes[i].state;
		const char *at = state ? strchr(PROCESS_STATES, state) : NULL;
		if (at) {
			picture->states[at - PROCESS_STATES]++;
		}
		threads += walk->processes[i].threads;
	}
	picture->processes = walk->n;
	picture->threads = threads;
}

size_t picture_state(const struct picture *picture, char state) {
	const char *at = strchr(PROCESS_STATES, state);
	return at && state ? picture->states[at - PROCESS_STATES] : 0;
}

struct picture *picture_create(
	struct walk *walk, const struct look *look, size_t top, const char *sysroot) {
	struct picture *picture = xcalloc(1, sizeof(*picture));
	picture->monotonic_ns = walk->begun_ns;
	picture->busy_percent = walk_busy_percent(walk);
	picture->threads_max = walk->machine.threads_max;
	picture->pids_max = walk->machine.pids_max;
	picture->is_hidden = walk->is_hidden;
	picture->left_out = walk->left_out;
	picture->pids = walk->pid_count + walk->left_out;
	picture->io_unknown = merge_look(walk, look);
	count_states(picture, walk);
	size_t blocked = picture_state(picture, 'D'), running = picture_state(picture, 'R');
	picture->blocked_share = blocked + running ? (double)blocked / (double)(blocked + running)
						   : 0;
	// The kernel's own count knows what is hidden too.
	picture->used_ids = walk->machine.threads > picture->threads ? walk->machine.threads
								     : picture->threads;
	blame_all(picture, walk);
	picture_write(picture, walk, look, top, sysroot);
	return picture;
}

void picture_destroy(struct picture *picture) {
	if (picture) {
		buf_finish(&picture->json);
		free(picture);
	}
}

double picture_of_limit_percent(const struct picture *picture) {
	double limit = picture->pids_max;
	if (picture->threads_max > 0 && (limit <= 0 || picture->threads_max < limit)) {
		limit = picture->threads_max;
	}
	return limit > 0 ? picture->used_ids * 100 / limit : UNKNOWN;
}

// --- what thresholds ask ---

void picture_tell_figures(const struct picture *picture, figure_fn *on_figure, void *arg) {
	double of_limit = picture_of_limit_percent(picture);
	const struct figure rows[] = {{"processes.count", "", "", (double)picture->pids},
		{"processes.blocked", "", "", (double)picture_state(picture, 'D')},
		{"processes.zombies", "", "", (double)picture_state(picture, 'Z')},
		{"processes.of_limit_percent", "", "percent", of_limit}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].value >= 0) {
			on_figure(arg, &rows[i]);
		}
	}
}

static bool says(const struct figure *figure, const char *word) {
	return strstr(figure->name, word) || strstr(figure->label, word);
}

static enum blame blame_of(const struct figure *figure, const struct picture *picture) {
	struct str name = str_from(figure->name), resource;
	(void)str_split(&name, '.', &resource);
	if (str_is(resource, "memory") || str_is(resource, "oom")) {
		return says(figure, "swap") ? BLAME_SWAP : BLAME_MEMORY;
	}
	if (str_is(resource, "swap")) {
		return BLAME_SWAP;
	}
	if (str_is(resource, "disk")) {
		return BLAME_IO;
	}
	if (str_is(resource, "pressure")) {
		return says(figure, "memory") ? BLAME_MEMORY
			: says(figure, "io")  ? BLAME_IO
					      : BLAME_CPU;
	}
	if (str_is(resource, "processes")) {
		return says(figure, "blocked")	  ? BLAME_BLOCKED
			: says(figure, "zombies") ? BLAME_ZOMBIES
						  : BLAME_COUNT;
	}
	// The load counts those that wait for a disk as well.
	bool is_blocked = str_is(resource, "load") && picture->blocked_share > 0.5;
	return is_blocked ? BLAME_BLOCKED : BLAME_CPU; // load, cpu, temperature
}

bool picture_find_culprit(
	const struct picture *picture, const struct figure *figure, struct culprit *out) {
	enum blame blame = blame_of(figure, picture);
	const struct culprit *culprit = &picture->culprits[blame];
	if (!culprit->kind[0] && blame == BLAME_IO) {
		culprit = &picture->culprits[BLAME_BLOCKED]; // who waits for a disk is seen by all
	}
	if (!culprit->kind[0]) {
		return false;
	}
	*out = *culprit;
	return true;
}

// --- metrics ---

static void collect_one(struct exposition *out, double value, const char *name, const char *help) {
	if (value >= 0) {
		exposition_family(out, name, "gauge", help);
		exposition_sample(out, value, NULL);
	}
}

void picture_collect(const struct picture *picture, struct exposition *out) {
	collect_one(
		out, picture->pids_max, "node_processes_max_processes", "Number of max PIDs limit");
	collect_one(out, picture->threads_max, "node_processes_max_threads",
		"Limit of threads in the system");
	collect_one(out, (double)picture->pids, "node_processes_pids", "Number of PIDs");
	exposition_family(
		out, "node_processes_state", "gauge", "Number of processes in each state.");
	for (size_t i = 0; i < sizeof(PROCESS_STATES) - 1; i++) {
		const char state[2] = {PROCESS_STATES[i], '\0'};
		if (picture->states[i]) {
			exposition_sample(out, (double)picture->states[i], "state", state, NULL);
		}
	}
	collect_one(out, picture->threads, "node_processes_threads", "Allocated threads in system");
	collect_one(out, (double)picture->cost_ns / (double)NS_PER_SECOND,
		"anna_processes_gather_cpu_seconds", "CPU time of the last look at all processes.");
	collect_one(out, (double)picture->io_unknown, "anna_processes_io_unknown",
		"Processes whose I/O may not be read.");
	collect_one(out, (double)picture->left_out, "anna_processes_left_out",
		"Processes beyond the number that is looked at.");
}
