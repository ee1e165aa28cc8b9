// SPDX-License-Identifier: Apache-2.0
// The source `processes`: who uses CPU, memory and disks, seen every few seconds in jobs and shown
// as figures, culprits and the view `top`. While somebody asks for the view it looks every second.
// It never takes more than a twentieth of one CPU: with very many processes it looks less often.
#include "base/alloc.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "formats/exposition.h"
#include "formats/json.h"
#include "io/loop.h"
#include "io/worker.h"
#include "sources/processes.h"

#define FIRST_AGAIN_NS NS_PER_SECOND   // rates need two looks: the second comes soon
#define WATCHED_NS (5 * NS_PER_SECOND) // so long after a question somebody is watching
#define LIMIT_NS (3 * NS_PER_SECOND)   // a step takes milliseconds; then it hangs
#define COST_SHARE 20
#define STALE_GATHERS 3

struct processes_config {
	bool is_enabled, with_arguments;
	int64_t interval_ns, watched_interval_ns, top;
};

// What jobs work on. When the source is stopped or stops waiting, whoever has a job under way
// frees it when it comes back.
struct gather {
	struct processes *owner; // NULL: stopped
	struct walk walk;
	struct picture *picture; // made by the last step
	struct look *look;	 // of this gather; NULL: none came
	size_t top;
	bool with_arguments, is_done;
	char *sysroot;
};

struct look_run {
	struct processes *owner; // NULL: stopped
	struct look *look;
};

enum phase {
	PHASE_IDLE,
	PHASE_WALK, // a job has the walk
	PHASE_LOOK, // a job has the look; the limit is set
	PHASE_DRAW  // a job makes the picture
};

struct processes {
	const struct services *services;
	struct snapshot *snapshot;
	const struct processes_config *config;
	struct timer due, limit;
	struct meter meter;
	struct pin pins[11];
	size_t pin_count;
	struct gather *gather;
	struct gather *stuck;  // its walk hangs
	struct look_run *lost; // hangs
	struct look_run *run;  // under way
	enum phase phase;
	struct picture *picture; // NULL: none yet
	int64_t begun_ns, asked_ns;
	int64_t view_wall_ns;
	size_t gathers;
};

static void begin(void *arg);

static void gather_destroy(struct gather *gather) {
	walk_finish(&gather->walk);
	picture_destroy(gather->picture);
	look_destroy(gather->look);
	free(gather->sysroot);
	free(gather);
}

// --- when the next is due ---

static bool is_watched(const struct processes *self) {
	int64_t now_ns = loop_now(self->services->loop);
	return self->asked_ns && now_ns - self->asked_ns < WATCHED_NS;
}

static int64_t next_due_ns(const struct processes *self) {
	int64_t interval = self->config->interval_ns;
	int64_t least = self->picture ? self->picture->cost_ns * COST_SHARE : 0;
	if (is_watched(self) && self->config->watched_interval_ns < interval) {
		interval = self->config->watched_interval_ns;
	}
	if (self->gathers < 2 && interval > FIRST_AGAIN_NS) {
		interval = FIRST_AGAIN_NS;
	}
	return self->begun_ns + (interval > least ? interval : least);
}

static void plan(struct processes *self) {
	timer_start_at(&self->due, self->services->loop, next_due_ns(self), begin, self);
}

// --- the three steps ---

static struct gather *gather_create(struct processes *self) {
	const char *sysroot = self->services->sysroot ? self->services->sysroot : "";
	struct gather *gather = xcalloc(1, sizeof(*gather));
	gather->owner = self;
	gather->sysroot = xstrdup(sysroot);
	walk_init(&gather->walk, loop_clock(self->services->loop), sysroot);
	return gather;
}

static void give_up(struct processes *self) {
	// The pool is full: another part keeps it busy. The walk's begun step goes on next time.
	self->phase = PHASE_IDLE;
	self->begun_ns = loop_now(self->services->loop);
	plan(self);
}

static void run_draw(void *arg) {
	struct gather *gather = arg;
	int64_t from_ns = thread_cpu_ns();
	picture_destroy(gather->picture);
	gather->picture = picture_create(&gather->walk, gather->look, gather->top, gather->sysroot);
	gather->picture->cost_ns = gather->walk.cost_ns + thread_cpu_ns() - from_ns +
		(gather->look ? gather->look->cost_ns : 0);
}

static void on_drawn(void *arg) {
	struct gather *gather = arg;
	struct processes *self = gather->owner;
	if (!self) {
		gather_destroy(gather);
		return;
	}
	picture_destroy(self->picture);
	self->picture = take_ptr(gather->picture);
	look_destroy(take_ptr(gather->look));
	self->gathers++;
	self->phase = PHASE_IDLE;
	plan(self);
}

static void draw(struct processes *self) {
	self->phase = PHASE_DRAW;
	if (!jobs_run(self->services->jobs, run_draw, on_drawn, self->gather)) {
		look_destroy(take_ptr(self->gather->look));
		give_up(self);
	}
}

static void run_look(void *arg) {
	struct look_run *run = arg;
	int64_t from_ns = thread_cpu_ns();
	look_run(run->look);
	run->look->cost_ns = thread_cpu_ns() - from_ns;
}

static void on_looked(void *arg) {
	struct look_run *run = arg;
	struct processes *self = run->owner;
	bool is_awaited = self && self->run == run;
	if (is_awaited) {
		timer_stop(&self->limit);
		self->run = NULL;
		self->gather->look = take_ptr(run->look);
	} else if (self) {
		self->lost = NULL; // it came back after all: the next gather looks again
	}
	look_destroy(run->look);
	free(run);
	if (is_awaited) {
		draw(self);
	}
}

static void on_look_limit(void *arg) {
	struct processes *self = arg;
	self->lost = take_ptr(self->run);
	draw(self);
}

static void look(struct processes *self) {
	if (self->lost) {
		look_destroy(take_ptr(self->gather->look));
		draw(self);
		return;
	}
	struct look_run *run = xcalloc(1, sizeof(*run));
	run->owner = self;
	run->look = take_ptr(self->gather->look); // prepared by the walk's last step
	if (!run->look || !jobs_run(self->services->slow_jobs, run_look, on_looked, run)) {
		look_destroy(run->look);
		free(run);
		draw(self);
		return;
	}
	self->run = run;
	self->phase = PHASE_LOOK;
	timer_start(&self->limit, self->services->loop, LIMIT_NS, on_look_limit, self);
}

static void run_walk(void *arg) {
	struct gather *gather = arg;
	int64_t from_ns = thread_cpu_ns();
	gather->is_done = walk_step(&gather->walk);
	if (gather->is_done) {
		gather->look = look_create(&gather->walk, gather->top, gather->with_arguments);
	}
	gather->walk.cost_ns += thread_cpu_ns() - from_ns;
}

static void on_walked(void *arg);

// Another walk is begun without the one that does not let itself be read; a second one that hangs
// is waited for, so that no more threads are lost.
static void on_walk_limit(void *arg) {
	struct processes *self = arg;
	if (self->stuck) {
		return;
	}
	self->stuck = self->gather;
	self->gather = gather_create(self);
	self->gather->walk.skipped = atomic_load(&self->stuck->walk.reading);
	self->gathers = 0; // rates need two looks again
	begin(self);
}

static void walk(struct processes *self) {
	if (!jobs_run(self->services->slow_jobs, run_walk, on_walked, self->gather)) {
		give_up(self);
		return;
	}
	timer_start(&self->limit, self->services->loop, LIMIT_NS, on_walk_limit, self);
}

static void on_walked(void *arg) {
	struct gather *gather = arg;
	struct processes *self = gather->owner;
	if (!self) {
		gather_destroy(gather);
		return;
	}
	if (gather == self->stuck) {
		self->stuck = NULL; // it came back after all
		gather_destroy(gather);
		return;
	}
	timer_stop(&self->limit);
	if (gather->is_done) {
		look(self);
	} else {
		walk(self);
	}
}

static void begin(void *arg) {
	struct processes *self = arg;
	struct gather *gather = self->gather;
	gather->top = (size_t)self->config->top;
	gather->with_arguments = self->config->with_arguments;
	gather->walk.skipped = self->stuck ? gather->walk.skipped : 0;
	self->begun_ns = loop_now(self->services->loop);
	self->phase = PHASE_WALK;
	walk(self);
}

// --- what the others may ask ---

static void figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct processes *self = arg;
	if (self->picture && self->picture->processes) {
		picture_tell_figures(self->picture, on_figure, on_figure_arg);
	}
}

static bool find_culprit(void *arg, const struct figure *figure, struct culprit *out) {
	const struct processes *self = arg;
	const struct picture *picture = self->picture;
	int64_t now_ns = loop_now(self->services->loop);
	if (!picture ||
		now_ns > picture->monotonic_ns + STALE_GATHERS * self->config->interval_ns +
				picture->cost_ns * COST_SHARE) {
		return false; // nobody is accused by an old picture
	}
	return picture_find_culprit(picture, figure, out);
}

static void write_figure(void *arg, const struct figure *figure) {
	struct json_writer *w = arg;
	json_begin_object(w);
	json_member_text(w, "name", figure->name);
	if (figure->label[0]) {
		json_member_text(w, "label", figure->label);
	}
	json_member_text(w, "unit", figure->unit);
	json_member_double(w, "value", figure->value);
	json_end_object(w);
}

// The picture is an object already; what others know goes behind its last member.
static bool write_view(void *arg, struct json_writer *out, struct err *err) {
	struct processes *self = arg;
	struct board *board = self->services->board;
	self->asked_ns = loop_now(self->services->loop);
	if (timer_is_set(&self->due) && self->due.due_ns > next_due_ns(self)) {
		plan(self);
	}
	if (!self->picture) {
		return err_set(err, ERR_BUSY, "the first look at the processes is under way");
	}
	struct buf all = BUF_INIT;
	struct json_writer w;
	struct str picture = buf_str(&self->picture->json);
	buf_append_str(&all, str_head(picture, picture.len - 1));
	size_t len = all.len;
	buf_append_text(&all, ",\"containers\":");
	json_writer_init(&w, &all);
	if (!board_write_view(board, "containers", &w, NULL)) {
		all.len = len; // that part is switched off
	}
	buf_append_text(&all, ",\"figures\":");
	json_writer_init(&w, &all);
	json_begin_array(&w);
	board_each_figure(board, write_figure, &w);
	json_end_array(&w);
	buf_append_char(&all, '}');
	json_raw(out, buf_str(&all));
	buf_finish(&all);
	return true;
}

static void pin_all(struct processes *self) {
	static const char *const blamed[] = {"cpu", "load", "memory", "swap", "pressure", "disk",
		"oom", "processes", "temperature"};
	self->pins[0] = (struct pin){.name = "processes", .figures = figures, .arg = self};
	self->pins[1] = (struct pin){.name = "top", .view = write_view, .arg = self};
	self->pin_count = 2;
	for (size_t i = 0; i < sizeof(blamed) / sizeof(blamed[0]); i++) {
		self->pins[self->pin_count++] = (struct pin){
			.name = blamed[i], .culprit = find_culprit, .arg = self};
	}
	for (size_t i = 0; i < self->pin_count; i++) {
		board_pin(self->services->board, &self->pins[i]);
	}
}

static void collect(void *arg, struct exposition *out) {
	const struct processes *self = arg;
	if (self->picture && self->picture->processes) {
		picture_collect(self->picture, out);
	}
}

// --- the descriptor ---

static void take_config(struct processes *self, const struct capability_config *config) {
	struct snapshot *old = self->snapshot;
	self->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	self->config = config->config;
	if (old) {
		snapshot_unref(old);
	}
}

static bool is_enabled(const struct capability_config *config) {
	const struct processes_config *processes = config->config;
	return processes->is_enabled;
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	const char *sysroot = services->sysroot ? services->sysroot : "";
	if (loop_simulation(services->loop) && !sysroot[0]) {
		err_set(err, ERR_UNAVAILABLE, "a simulated machine has no processes to look at");
		return NULL;
	}
	struct processes *self = xcalloc(1, sizeof(*self));
	self->services = services;
	self->gather = gather_create(self);
	take_config(self, config);
	meters_add(services->meters, &self->meter, collect, self);
	pin_all(self);
	begin(self);
	return self;
}

static enum reconfigured reconfigure(void *arg, const struct capability_config *config) {
	struct processes *self = arg;
	take_config(self, config);
	if (self->phase == PHASE_IDLE) {
		plan(self);
	}
	return RECONFIGURE_ADAPTED;
}

static void stop(void *arg) {
	struct processes *self = arg;
	timer_stop(&self->due);
	timer_stop(&self->limit);
	meters_remove(&self->meter);
	for (size_t i = 0; i < self->pin_count; i++) {
		board_unpin(&self->pins[i]);
	}
	self->gather->owner = NULL; // whoever has it frees it
	if (self->phase == PHASE_IDLE || self->phase == PHASE_LOOK) {
		gather_destroy(self->gather);
	}
	if (self->stuck) {
		self->stuck->owner = NULL;
	}
	if (self->run) {
		self->run->owner = NULL;
	}
	if (self->lost) {
		self->lost->owner = NULL;
	}
	picture_destroy(self->picture);
	if (self->snapshot) {
		snapshot_unref(self->snapshot);
	}
	free(self);
}

static void health(void *arg, struct capability_health *out) {
	const struct processes *self = arg;
	const struct picture *picture = self->picture;
	out->state = CAPABILITY_DEGRADED;
	int left_out = self->stuck ? atomic_load(&self->stuck->walk.reading) : 0;
	int pid = self->lost ? atomic_load(&self->lost->look->pid) : 0;
	if (left_out) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"process %d does not let itself be read, and is left out until it does",
			left_out);
	} else if (pid) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"process %d does not let itself be read; I/O and commands are missing "
			"until it does",
			pid);
	} else if (self->stuck || self->lost) {
		(void)snprintf(out->reason, sizeof(out->reason), "%s",
			"I/O and commands are missing: all threads wait for files that do not "
			"answer");
	} else if (picture && picture->processes == 0) {
		(void)snprintf(
			out->reason, sizeof(out->reason), "no process is to be seen in /proc");
	} else if (picture && picture->is_hidden) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"/proc hides the processes of others (hidepid, or ProtectProc= of the "
			"unit)");
	} else if (picture && picture->left_out) {
		(void)snprintf(out->reason, sizeof(out->reason),
			"%zu processes beyond the first %d are not looked at", picture->left_out,
			PROCESSES_MAX);
	} else {
		*out = (struct capability_health){.state = CAPABILITY_ACTIVE};
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct processes_config, is_enabled), "true",
		.help = "Whether the processes are looked at; without, figures have no culprits."},
	{"interval", OPTION_DURATION, offsetof(struct processes_config, interval_ns), "5s",
		.min = 1.0 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often they are looked at."},
	{"watched_interval", OPTION_DURATION,
		offsetof(struct processes_config, watched_interval_ns), "1s",
		.min = 0.5 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often while somebody watches (annactl top)."},
	{"top", OPTION_INT, offsetof(struct processes_config, top), "10", .min = 1,
		.max = PICTURE_TOP_MAX,
		.help = "How many are kept by CPU, by memory and by I/O each."},
	{"arguments", OPTION_BOOL, offsetof(struct processes_config, with_arguments), "true",
		.help = "Show the arguments of commands, what looks like a secret masked; "
			"false: the program only."},
	{NULL},
};

DEFINE_SOURCE(processes) = {
	.name = "processes",
	.summary = "Who uses CPU, memory and disks: processes and their units.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "processes",
			.summary = "What is seen of the processes of this machine.",
			.rows = rows,
			.size = sizeof(struct processes_config),
			.example = "[processes]\ninterval = \"10s\"\narguments = false\n",
		},
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
