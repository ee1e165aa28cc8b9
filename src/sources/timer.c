// SPDX-License-Identifier: Apache-2.0
// The source `timer`: events at intervals and at calendar times. One loop timer serves all; it
// also looks at the clocks every few seconds, because a machine that sleeps or whose wall clock
// is set makes the way to the next run longer or shorter. A run is fired or told as missed, once.
#include "base/alloc.h"
#include "base/map.h"
#include "flow/capability.h"
#include "formats/json.h"
#include "io/loop.h"
#include "sources/timer_schedule.h"
#include "sources/timer_state.h"

#define LOOK_EVERY (10 * NS_PER_SECOND)
#define RETRY_AFTER NS_PER_SECOND // when the bus refuses an event
#define CLOCK_JUMP NS_PER_SECOND  // less is the clock being steered

struct timer_config {
	struct str name;
	int64_t every_ns;
	struct str at;
	bool catch_up;
	struct calendar calendar; // of `at`, filled by check
};

struct item {
	struct str name;     // owned, as is the next
	struct str schedule; // text of every or at: what makes it another timer when it changes
	bool catch_up;
	bool is_listed;	   // in the config being taken
	bool is_uncertain; // runs up to uncertain_ns may have fired before a crash
	bool is_owed;	   // a run that catches up could not be published yet: `owed`
	struct verdict owed;
	struct schedule plan;
};

struct clocks {
	int64_t monotonic, boot, wall;
};

struct timers {
	const struct services *services;
	struct item **items; // in the order of the config
	size_t n;
	struct timer wake;
	struct clocks seen; // at the last look
	const char *reason; // of runs found missed now
	int64_t uncertain_ns;
	struct timer_state state;
};

static struct clocks read_clocks(struct timers *timers) {
	struct clock *clock = loop_clock(timers->services->loop);
	return (struct clocks){clock_monotonic(clock), clock_boot(clock), clock_wall(clock)};
}

static void set_time(struct event *event, const char *name, int64_t wall_ns) {
	struct buf text = BUF_INIT;
	time_format(&text, wall_ns);
	event_set_str(event, name, buf_str(&text));
	buf_finish(&text);
}

static bool publish_missed(
	struct timers *timers, struct item *item, const struct verdict *verdict) {
	struct event *event = event_create("timer.missed", "timer", item->name);
	event_set_str(event, "timer", item->name);
	set_time(event, "scheduled", verdict->missed_ns);
	event_set_int(event, "count", (int64_t)verdict->missed);
	event_set_text(event, "reason", timers->reason);
	event_set_bool(event, "certain", !item->is_uncertain);
	return bus_publish(timers->services->bus, event, NULL, NULL, NULL) != 0;
}

static bool publish_fired(struct timers *timers, struct item *item, const struct verdict *verdict) {
	struct event *event = event_create("timer.fired", "timer", item->name);
	event_set_str(event, "timer", item->name);
	set_time(event, "scheduled", verdict->due_ns);
	event_set_int(event, "late_ms", (timers->seen.wall - verdict->due_ns) / NS_PER_MS);
	if (!verdict->is_due) {
		event_set_int(event, "missed", (int64_t)verdict->missed);
	}
	return bus_publish(timers->services->bus, event, NULL, NULL, NULL) != 0;
}

// Catching up stands for all missed runs at once; a run that a crash may hide is not repeated.
static bool wants_catch_up(
	const struct timers *timers, const struct item *item, const struct verdict *verdict) {
	return item->catch_up && !verdict->is_due &&
		!(item->is_uncertain && verdict->missed_ns <= timers->uncertain_ns);
}

static bool pay_owed(struct timers *timers, struct item *item) {
	if (item->is_owed && publish_fired(timers, item, &item->owed)) {
		item->is_owed = false;
		item->plan.fired_boot_ns = timers->seen.boot;
	}
	return !item->is_owed;
}

// False when the bus refused: what it refused is not settled, so a later look tells it.
static bool tell(struct timers *timers, struct item *item) {
	struct verdict verdict;
	if (!pay_owed(timers, item)) {
		return false;
	}
	if (!schedule_judge(&item->plan, timers->seen.wall, &verdict)) {
		return true;
	}
	timer_state_touch(&timers->state);
	if (verdict.missed) {
		if (!publish_missed(timers, item, &verdict)) {
			return false;
		}
		schedule_settle(&item->plan, verdict.missed_ns);
		item->is_owed = wants_catch_up(timers, item, &verdict);
		item->owed = verdict;
		item->is_uncertain = false;
	}
	if (!verdict.is_due) {
		return pay_owed(timers, item);
	}
	if (!publish_fired(timers, item, &verdict)) {
		return false;
	}
	item->plan.fired_boot_ns = timers->seen.boot;
	schedule_settle(&item->plan, verdict.due_ns);
	return true;
}

static void on_wake(void *arg);

static void arm(struct timers *timers, bool is_refused) {
	int64_t delay = is_refused ? RETRY_AFTER : LOOK_EVERY;
	for (size_t i = 0; i < timers->n; i++) {
		int64_t left = timers->items[i]->plan.due_ns - timers->seen.wall;
		if (left < delay && !(is_refused && left <= 0)) {
			delay = left > 0 ? left : 0;
		}
	}
	if (timers->n) {
		timer_start(&timers->wake, timers->services->loop, delay, on_wake, timers);
	} else {
		timer_stop(&timers->wake);
	}
}

static void tell_all(struct timers *timers) {
	bool is_refused = false;
	for (size_t i = 0; i < timers->n; i++) {
		is_refused = !tell(timers, timers->items[i]) || is_refused;
	}
	arm(timers, is_refused);
}

// Why runs can have been missed since the last look, by which clocks went on.
static void look_at_clocks(struct timers *timers) {
	struct clocks before = timers->seen, now = read_clocks(timers);
	int64_t awake = now.monotonic - before.monotonic, passed = now.boot - before.boot;
	int64_t jump = now.wall - before.wall - passed;
	timers->seen = now;
	timers->reason = "busy";
	if (jump > CLOCK_JUMP || jump < -CLOCK_JUMP) {
		timers->reason = "clock";
		for (size_t i = 0; i < timers->n; i++) {
			schedule_clock_jumped(&timers->items[i]->plan, now.wall, now.boot);
		}
	}
	if (passed - awake > CLOCK_JUMP) {
		timers->reason = "sleep";
	}
}

static void on_wake(void *arg) {
	struct timers *timers = arg;
	look_at_clocks(timers);
	tell_all(timers);
}

static void item_free(struct item *item) {
	free((char *)(uintptr_t)item->name.at);
	free((char *)(uintptr_t)item->schedule.at);
	free(item);
}

static struct str copy_str(struct str text) {
	return str_range(xstrndup(text.at ? text.at : "", text.len), text.len);
}

static void format_schedule(const struct timer_config *config, struct buf *out) {
	if (config->every_ns) {
		buf_append_text(out, "every ");
		duration_format(out, config->every_ns);
	} else {
		buf_append_str(out, config->at);
	}
}

static struct item *item_create(const struct timers *timers, const struct timer_config *config,
	struct str schedule, const struct remembered *remembered) {
	struct item *item = xcalloc(1, sizeof(*item));
	int64_t last = timers->seen.wall;
	item->name = copy_str(config->name);
	item->schedule = copy_str(schedule);
	item->plan.every_ns = config->every_ns;
	item->plan.calendar = config->calendar;
	if (remembered && remembered_find(remembered, config->name, schedule, &last)) {
		item->is_uncertain = !remembered->is_clean;
	}
	schedule_init(&item->plan, last, timers->seen.wall);
	return item;
}

static struct item *find_item(
	const struct map *by_name, const struct timer_config *config, struct str schedule) {
	struct item *item = map_get(by_name, config->name);
	return item && str_equal(item->schedule, schedule) ? item : NULL;
}

// Timers whose schedule is the same go on as if nothing had been read.
static void take_config(struct timers *timers, const struct capability_config *config,
	const struct remembered *remembered) {
	const struct timer_config *configs = config->list.items;
	struct item **items = xcalloc(config->list.n + 1, sizeof(struct item *));
	struct map by_name = MAP_INIT;
	for (size_t i = 0; i < timers->n; i++) {
		timers->items[i]->is_listed = false;
		map_put(&by_name, timers->items[i]->name, timers->items[i]);
	}
	for (size_t i = 0; i < config->list.n; i++) {
		struct buf schedule = BUF_INIT;
		format_schedule(&configs[i], &schedule);
		struct item *item = find_item(&by_name, &configs[i], buf_str(&schedule));
		items[i] = item && !item->is_listed
			? item
			: item_create(timers, &configs[i], buf_str(&schedule), remembered);
		items[i]->is_listed = true;
		items[i]->catch_up = configs[i].catch_up;
		buf_finish(&schedule);
	}
	for (size_t i = 0; i < timers->n; i++) {
		if (!timers->items[i]->is_listed) {
			item_free(timers->items[i]);
		}
	}
	map_finish(&by_name);
	free(timers->items);
	timers->items = items;
	timers->n = config->list.n;
}

static void format_state(void *arg, struct json_writer *writer) {
	const struct timers *timers = arg;
	for (size_t i = 0; i < timers->n; i++) {
		const struct item *item = timers->items[i];
		timer_state_format_item(writer, item->name, item->schedule, item->plan.last_ns);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // a state file that cannot be read means that nothing is remembered
	struct timers *timers = xcalloc(1, sizeof(*timers));
	struct remembered remembered;
	timers->services = services;
	timers->seen = read_clocks(timers);
	timers->state = (struct timer_state){.loop = services->loop,
		.jobs = services->jobs,
		.fs = services->fs,
		.path = xasprintf("%s/timers.json", services->state_folder),
		.format = format_state,
		.arg = timers};
	timer_state_read(&timers->state, &remembered);
	timers->uncertain_ns = remembered.saved_wall_ns + STATE_PERIOD_NS;
	take_config(timers, config, &remembered);
	remembered_finish(&remembered);
	timers->reason = "stop";
	tell_all(timers);
	if (timers->n) {
		timer_state_touch(&timers->state); // from here on the stop is an unclean one
	}
	return timers;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct timers *timers = self;
	look_at_clocks(timers);
	take_config(timers, config, NULL);
	tell_all(timers);
	timer_state_touch(&timers->state);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct timers *timers = self;
	timer_stop(&timers->wake);
	timer_state_finish(&timers->state);
	for (size_t i = 0; i < timers->n; i++) {
		item_free(timers->items[i]);
	}
	free(timers->items);
	free(timers);
}

static void health(void *self, struct capability_health *out) {
	const struct timers *timers = self;
	out->state = timers->state.is_failing ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	out->reason[0] = '\0';
	if (timers->state.is_failing) {
		snprintf(out->reason, sizeof(out->reason),
			"what the timers have done cannot be kept: %.200s",
			timers->state.err.message);
	}
}

static void check(
	void *filled, struct place place, struct arena *arena, struct problems *problems) {
	struct timer_config *config = filled;
	struct err err = ERR_INIT;
	(void)arena;
	if (!config->every_ns == !config->at.len) {
		problems_add(problems, place, "a timer has either \"every\" or \"at\"");
	} else if (config->at.len && !calendar_parse(config->at, &config->calendar, &err)) {
		problems_add(problems, place, "\"at\": %s", err.message);
	}
}

static const struct option rows[] = {
	{"name", OPTION_STRING, offsetof(struct timer_config, name), .min = 1, .max = 100,
		.is_required = true, .help = "Its name, in events and conditions."},
	{"every", OPTION_DURATION, offsetof(struct timer_config, every_ns),
		.min = 0.1 * NS_PER_SECOND, .max = 366.0 * NS_PER_DAY,
		.help = "Runs at every multiple of this interval since 1970 UTC."},
	{"at", OPTION_STRING, offsetof(struct timer_config, at), .max = CALENDAR_TEXT_MAX,
		.help = "Runs at these local times: hourly [:MM], daily [HH:MM], "
			"weekly [DAY] [HH:MM], monthly [1-31] [HH:MM], DAYS HH:MM (mon-fri 09:00) "
			"or "
			"the five fields of cron. A time that clocks skip runs right after the "
			"gap, "
			"one that they repeat runs once."},
	{"catch_up", OPTION_BOOL, offsetof(struct timer_config, catch_up), "false",
		.help = "After a sleep or stop runs once for all the runs that were missed."},
	{NULL},
};

static const struct kind_attribute fired_attributes[] = {
	{"timer", "string", NULL, "its name"},
	{"scheduled", "string", NULL, "when it was to run"},
	{"late_ms", "integer", "ms", "how much later it ran"},
	{"missed", "integer", NULL, "how many missed runs this one stands for"},
	{NULL},
};

static const struct kind_attribute missed_attributes[] = {
	{"timer", "string", NULL, "its name"},
	{"scheduled", "string", NULL, "when the newest of them was to run"},
	{"count", "integer", NULL, "how many runs were missed"},
	{"reason", "string", NULL, "sleep, stop, clock (set forward) or busy"},
	{"certain", "boolean", NULL,
		"false after a crash, when some of them may have run unrecorded"},
	{NULL},
};

static const struct kind kinds[] = {
	{"timer.fired", STREAM_NORMAL, "A timer ran.", fired_attributes},
	{"timer.missed", STREAM_NORMAL, "Runs of a timer did not happen.", missed_attributes},
	{NULL},
};

DEFINE_SOURCE(timer) = {
	.name = "timers",
	.summary = "Events at intervals and at calendar times.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "timers",
			.summary = "When something is to happen by itself.",
			.is_list = true,
			.rows = rows,
			.size = sizeof(struct timer_config),
			.check = check,
			.example = "[[timers]]\nname = \"nightly\"\nat = \"daily 03:00\"\n"
				   "catch_up = true\n\n[[timers]]\nname = \"pulse\"\n"
				   "every = \"5m\"\n",
		},
	.kinds = kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
