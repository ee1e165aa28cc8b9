// SPDX-License-Identifier: Apache-2.0
// The schedule of collectors; see host_schedule.h. Invariant: a collection's state is its own or
// lent to exactly one job.
#include "sources/host_schedule.h"

#include "base/alloc.h"
#include "flow/capability.h"
#include "formats/exposition.h"
#include "sources/host_config.h"
#include "sources/host_job.h"
#include "sources/text.h"

#define TICK_SHARE (100 * NS_PER_US) // of one round; a callback has 200 µs
#define LOOP_LIMIT (200 * NS_PER_US) // who needs more, thrice in a row, goes to a job
#define TOO_SLOW_TIMES 3

static struct clock *clock_of(const struct schedule *schedule) {
	return loop_clock(schedule->world->services->loop);
}

static void drop_report(struct collection *collection) {
	report_destroy(collection->report);
	collection->report = NULL;
}

static void finish_self(struct collection *collection) {
	if (collection->self && collection->what->finish) {
		collection->what->finish(collection->self);
	}
	free(collection->self);
	collection->self = NULL;
}

// Its state from now on; the job's is its own until it comes back.
static void create_self(struct schedule *schedule, struct collection *collection) {
	collection->self = xcalloc(1, collection->what->size);
	if (collection->what->init) {
		collection->what->init(collection->self, schedule->world);
	}
}

// --- jobs ---
static void forget_hung(struct schedule *schedule) {
	schedule->hung = NULL;
	free(schedule->hung_place);
	schedule->hung_place = NULL;
}

static struct collection *find_by_job(struct schedule *schedule, const struct host_job *job) {
	for (size_t i = 0; i < host_collector_count; i++) {
		if (schedule->collections[i].job == job) {
			return &schedule->collections[i];
		}
	}
	return NULL;
}

static void on_job_done(struct host_job *job) {
	struct schedule *schedule = job->owner;
	struct collection *collection = schedule ? find_by_job(schedule, job) : NULL;
	if (schedule && schedule->hung == job) {
		forget_hung(schedule);
	}
	if (collection) {
		drop_report(collection);
		collection->job = NULL;
		collection->self = take_ptr(job->self);
		collection->report = take_ptr(job->report);
		collection->complaint = job->turn.complaint;
		collection->took_ns = job->took_ns;
		collection->is_done = true;
	}
	host_job_destroy(job);
}

// The folder the hung file stands in: a chip, a device, a CPU.
static char *copy_folder(const char *place) {
	const char *end = strrchr(place, '/');
	return end ? xstrndup(place, (size_t)(end - place)) : xstrdup("");
}

static void post_job(struct schedule *schedule, struct collection *collection) {
	const struct host_world *world = schedule->world;
	_cleanup_(freep) char *avoided = schedule->hung_place ? copy_folder(schedule->hung_place)
							      : NULL;
	struct host_job spec = {.on_done = on_job_done,
		.owner = schedule,
		.what = collection->what,
		.self = collection->self,
		.snapshot = schedule->snapshot,
		.clock = clock_of(schedule),
		.posted_ns = schedule->tick_ns,
		.avoided = avoided};
	spec.turn.sysroot = world->sysroot;
	spec.turn.config = world->config;
	collection->job = host_job_post(world->services->slow_jobs, &spec);
	schedule->is_refused = !collection->job;
	if (collection->job) {
		collection->self = NULL;
	}
}

static bool is_late(const struct schedule *schedule, const struct collection *collection) {
	return collection->job &&
		schedule->tick_ns - collection->job->posted_ns >
		schedule->world->config->sensor_limit_ns;
}

// Too late to be known. The first that hangs is given up, and its collector starts anew without
// the folder; one that waits for a thread, or a second that hangs, is waited for.
static void check_job(struct schedule *schedule, struct collection *collection) {
	if (!is_late(schedule, collection)) {
		return;
	}
	const char *place = host_job_place(collection->job);
	drop_report(collection);
	if (schedule->hung || !place || place[0] != '/') {
		return;
	}
	schedule->hung = take_ptr(collection->job);
	schedule->hung_place = xstrdup(place);
	create_self(schedule, collection);
	post_job(schedule, collection);
}

// --- turns ---
static int64_t cpu_time(const struct schedule *schedule) {
	struct timespec now;
	if (loop_simulation(schedule->world->services->loop) ||
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) {
		return 0; // a seed fixes everything: nothing depends on how fast this machine is
	}
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void judge_speed(struct collection *collection, int64_t took_ns) {
	collection->too_slow = took_ns > LOOP_LIMIT ? collection->too_slow + 1 : 0;
	if (collection->too_slow >= TOO_SLOW_TIMES && collection->what->place == COLLECTOR_LOOP) {
		collection->is_job = true;
		collection->report = report_create(collection->what, collection->self);
	}
}

static void gather(struct schedule *schedule, struct collection *collection) {
	struct host_turn *turn = &schedule->turn;
	int64_t begun = clock_monotonic(clock_of(schedule)), cpu_begun = cpu_time(schedule);
	turn->sysroot = schedule->world->sysroot;
	turn->config = schedule->world->config;
	turn->now_ns = begun;
	turn->avoided = "";
	turn->complaint = (struct err)ERR_INIT;
	arena_clear(turn->memory);
	collection->what->gather(collection->self, turn);
	collection->complaint = turn->complaint;
	collection->took_ns = clock_monotonic(clock_of(schedule)) - begun;
	collection->is_done = true;
	judge_speed(collection, cpu_time(schedule) - cpu_begun);
}

// Phases differ by one interval from row to row.
static int64_t find_due(const struct schedule *schedule, const struct collection *collection) {
	int64_t interval = schedule->world->config->interval_ns, period = collection->period_ns;
	int64_t phase = (collection - schedule->collections) * interval % period;
	return period <= interval ? 0 : ((schedule->tick_ns - phase) / period + 1) * period + phase;
}

static void take_turn(struct schedule *schedule, struct collection *collection) {
	if (!collection->is_enabled) {
		return;
	}
	check_job(schedule, collection);
	if (collection->job || collection->due_ns > schedule->tick_ns) {
		return;
	}
	if (collection->is_job) {
		post_job(schedule, collection);
		if (!collection->job) {
			drop_report(collection);
			return; // the next tick tries again
		}
	} else {
		gather(schedule, collection);
	}
	collection->due_ns = find_due(schedule, collection);
}

// Ticks stand on multiples of the interval, so a late one does not push the others.
static void on_tick(void *arg) {
	struct schedule *schedule = arg;
	struct loop *loop = schedule->world->services->loop;
	int64_t interval = schedule->world->config->interval_ns;
	int64_t begun = clock_monotonic(clock_of(schedule));
	if (schedule->next == 0) {
		schedule->tick_ns = loop_now(loop);
	}
	while (schedule->next < host_collector_count) {
		take_turn(schedule, &schedule->collections[schedule->next++]);
		if (clock_monotonic(clock_of(schedule)) - begun > TICK_SHARE) {
			timer_start(&schedule->tick, loop, 0, on_tick, schedule);
			return;
		}
	}
	schedule->next = 0;
	timer_start_at(&schedule->tick, loop, (loop_now(loop) / interval + 1) * interval, on_tick,
		schedule);
}

// --- what is on ---
static void set_enabled(struct schedule *schedule, struct collection *collection, bool is_enabled) {
	if (is_enabled == collection->is_enabled) {
		return;
	}
	collection->is_enabled = is_enabled;
	collection->is_job = collection->what->place == COLLECTOR_JOB;
	collection->is_done = false;
	collection->too_slow = 0;
	collection->due_ns = 0;
	collection->complaint = (struct err)ERR_INIT;
	drop_report(collection);
	finish_self(collection);
	if (collection->job) {
		collection->job->owner = NULL; // it ends by itself
		collection->job = NULL;
	}
	if (is_enabled) {
		create_self(schedule, collection);
	}
}

void schedule_change(struct schedule *schedule) {
	const struct host_config *config = schedule->world->config;
	const struct collector_choice *choices = config->choices.items;
	for (size_t i = 0; i < host_collector_count; i++) {
		struct collection *collection = &schedule->collections[i];
		int64_t period = 0;
		bool is_enabled = true;
		for (size_t j = 0; j < config->choices.n; j++) {
			if (choices[j].collector == (int)i) {
				is_enabled = choices[j].is_enabled;
				period = choices[j].period_ns;
			}
		}
		period = period ? period : collection->what->period_ns;
		collection->period_ns = period > config->interval_ns ? period : config->interval_ns;
		set_enabled(schedule, collection, is_enabled);
		collection->due_ns = collection->is_done ? find_due(schedule, collection) : 0;
	}
	if (schedule->next == 0) {
		int64_t interval = config->interval_ns;
		struct loop *loop = schedule->world->services->loop;
		timer_start_at(&schedule->tick, loop, (loop_now(loop) / interval + 1) * interval,
			on_tick, schedule);
	}
}

void schedule_start(struct schedule *schedule, const struct host_world *world) {
	*schedule = (struct schedule){.world = world, .snapshot = schedule->snapshot};
	schedule->turn.memory = arena_create();
	schedule->collections = xcalloc(host_collector_count, sizeof(*schedule->collections));
	schedule->tick_ns = loop_now(world->services->loop);
	for (size_t i = 0; i < host_collector_count; i++) {
		schedule->collections[i].what = host_collectors[i];
	}
	schedule_change(schedule);
	on_tick(schedule);
}

// --- what it shows ---
static void collect_about(const struct schedule *schedule, struct exposition *out) {
	exposition_family(out, "node_scrape_collector_duration_seconds", "gauge",
		"node_exporter: Duration of a collector scrape.");
	for (size_t i = 0; i < host_collector_count; i++) {
		const struct collection *collection = &schedule->collections[i];
		if (collection->is_enabled && collection->is_done) {
			exposition_sample(out, (double)collection->took_ns / 1e9, "collector",
				collection->what->name, NULL);
		}
	}
	exposition_family(out, "node_scrape_collector_success", "gauge",
		"node_exporter: Whether a collector succeeded.");
	for (size_t i = 0; i < host_collector_count; i++) {
		const struct collection *collection = &schedule->collections[i];
		bool is_known = !collection->is_job || collection->report;
		if (collection->is_enabled) {
			exposition_sample(out,
				is_known && collection->is_done &&
					collection->complaint.code == ERR_NONE,
				"collector", collection->what->name, NULL);
		}
	}
}

void schedule_collect(const struct schedule *schedule, struct exposition *out) {
	for (size_t i = 0; i < host_collector_count; i++) {
		const struct collection *collection = &schedule->collections[i];
		if (collection->report) {
			buf_append_str(out->out, buf_str(&collection->report->metrics));
		} else if (!collection->is_job && collection->self) {
			collection->what->collect(collection->self, out);
		}
	}
	collect_about(schedule, out);
}

void schedule_figures(const struct schedule *schedule, figure_fn *on_figure, void *arg) {
	for (size_t i = 0; i < host_collector_count; i++) {
		const struct collection *collection = &schedule->collections[i];
		const struct report *report = collection->report;
		for (size_t j = 0; report && j < report->n; j++) {
			on_figure(arg, &report->figures[j]);
		}
		if (!collection->is_job && collection->self && collection->what->figures) {
			collection->what->figures(collection->self, on_figure, arg);
		}
	}
}

static void describe_jobs(const struct schedule *schedule, struct buf *out) {
	if (schedule->hung) {
		clean_text(out, str_head(str_from(schedule->hung_place), 120));
		buf_append_text(out, " does not answer; its folder is left out until it does");
		return;
	}
	for (size_t i = 0; i < host_collector_count && !out->len; i++) {
		const struct collection *collection = &schedule->collections[i];
		if (is_late(schedule, collection)) {
			buf_appendf(out,
				"%s is not measured: too many wait for files that do not "
				"answer",
				collection->what->name);
		}
	}
	if (!out->len && schedule->is_refused) {
		buf_append_text(
			out, "sensors are not read: too many wait for paths that do not answer");
	}
}

void schedule_describe(const struct schedule *schedule, struct buf *out) {
	for (size_t i = 0; i < host_collector_count && !out->len; i++) {
		const struct collection *collection = &schedule->collections[i];
		if (!collection->is_job && collection->self && collection->what->describe) {
			collection->what->describe(collection->self, out);
		}
	}
	for (size_t i = 0; i < host_collector_count && !out->len; i++) {
		if (schedule->collections[i].complaint.code != ERR_NONE) {
			buf_append_text(out, schedule->collections[i].complaint.message);
		}
	}
	if (!out->len) {
		describe_jobs(schedule, out);
	}
}

void schedule_finish(struct schedule *schedule) {
	timer_stop(&schedule->tick);
	for (size_t i = 0; i < host_collector_count; i++) {
		struct collection *collection = &schedule->collections[i];
		if (collection->job) {
			collection->job->owner = NULL;
		}
		drop_report(collection);
		finish_self(collection);
	}
	if (schedule->hung) {
		schedule->hung->owner = NULL;
		forget_hung(schedule);
	}
	free(schedule->collections);
	buf_finish(&schedule->turn.text);
	arena_destroy(schedule->turn.memory);
}
