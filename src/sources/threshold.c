// SPDX-License-Identifier: Apache-2.0
// The source `thresholds`: judges the figures on the board once a second and publishes
// `host.threshold` when one has been over its limit for long enough, when it is back, and when it
// can no longer be measured. It reads the board and nothing else: whoever measures pins figures.
#include <math.h>

#include "base/alloc.h"
#include "base/map.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "sources/text.h"
#include "sources/threshold_presets.h"
#include "sources/threshold_state.h"

#define LOOK_EVERY NS_PER_SECOND
// Those who measure do it at full seconds; a little later their figures are this second's.
#define LOOK_OFFSET (50 * NS_PER_MS)
#define EVENTS_A_LOOK 32 // more wait for the next look, which then comes soon
#define SOON (10 * NS_PER_MS)
#define TRACKED_MAX 1024 // figures followed by all thresholds together: time and memory of a look
#define LABEL_MAX 255

struct threshold_config {
	struct str name;
	struct str figure;
	const struct value *above, *below;
	double hysteresis;
	int64_t for_ns;
	int64_t every_ns;
	struct strings labels;
	int severity;
	bool is_enabled;
	double limit; // of above or below, filled by check
	bool is_below;
};

static const char *const severities[] = {"warning", "critical", NULL};

struct tracked {
	char *label; // "" when there is one only
	char unit[24];
	uint64_t config; // number of the config in which the label was last found wanted
	struct threshold_state state;
};

struct threshold {
	struct list node;
	char *name, *figure;
	struct threshold_rule rule;
	const char *severity;
	const struct strings *labels; // of the snapshot; NULL when leaving
	struct map tracked;	      // by label
	struct threshold *next_same;  // judges the same figure
	bool is_leaving; // not in the config any more; goes when all it has raised is cleared
};

struct thresholds {
	const struct services *services;
	struct snapshot *snapshot;
	struct list list; // in the order of the config, leaving ones last
	struct map by_figure;
	uint64_t config;   // counts up with every one taken
	const char *named; // the figures that come one after the other mostly have one name
	struct threshold *named_first;
	size_t tracked;
	size_t untracked; // figures that found no room in the last look
	size_t published; // in this look
	bool is_cut;	  // there was more to publish
	struct timer wake;
	struct meter meter;
};

// --- telling ---

static void set_clean(struct event *event, const char *name, const char *bytes) {
	struct buf text = BUF_INIT;
	clean_text(&text, str_from(bytes));
	event_set_str(event, name, buf_str(&text));
	buf_finish(&text);
}

static void set_culprit(struct event *event, struct board *board, const struct figure *figure) {
	struct culprit culprit;
	if (!board || !board_find_culprit(board, figure, &culprit)) {
		return;
	}
	set_clean(event, "culprit", culprit.name);
	set_clean(event, "culprit_kind", culprit.kind);
	if (culprit.pid > 0) {
		event_set_int(event, "culprit_pid", culprit.pid);
	}
	if (culprit.unit[0]) {
		set_clean(event, "culprit_unit", culprit.unit);
	}
	if (isfinite(culprit.value)) {
		event_set_double(event, "culprit_value", culprit.value);
		set_clean(event, "culprit_value_unit", culprit.value_unit);
	}
}

// "above" and "below" name the side of the limit on which the value is now.
static const char *state_name(const struct threshold *threshold, enum threshold_news news) {
	if (news == NEWS_UNKNOWN) {
		return "unknown";
	}
	bool is_raised = news == NEWS_RAISED || news == NEWS_REPEATED;
	return is_raised == threshold->rule.is_below ? "below" : "above";
}

static void set_since(
	struct thresholds *thresholds, struct event *event, const struct threshold_state *state) {
	struct loop *loop = thresholds->services->loop;
	struct buf text = BUF_INIT;
	int64_t passed = loop_now(loop) - state->since_ns;
	time_format(&text, clock_wall(loop_clock(loop)) - passed);
	event_set_int(event, "for_s", passed / NS_PER_SECOND);
	event_set_str(event, "since", buf_str(&text));
	buf_finish(&text);
}

// False when the bus refuses, or when this look has published enough.
static bool publish(struct thresholds *thresholds, const struct threshold *threshold,
	const struct tracked *tracked, enum threshold_news news) {
	if (thresholds->published >= EVENTS_A_LOOK) {
		thresholds->is_cut = true;
		return false;
	}
	const struct threshold_state *state = &tracked->state;
	bool is_raised = news == NEWS_RAISED || news == NEWS_REPEATED;
	struct event *event = event_create(
		"host.threshold", "thresholds", str_from(threshold->name));
	event_set_str(event, "threshold", str_from(threshold->name));
	event_set_text(event, "state", state_name(threshold, news));
	event_set_bool(event, "raised", is_raised);
	event_set_text(event, "severity", threshold->severity);
	event_set_str(event, "figure", str_from(threshold->figure));
	set_clean(event, "label", tracked->label);
	if (news != NEWS_UNKNOWN) {
		event_set_double(event, "value", state->value);
	}
	event_set_double(event, "limit", threshold->rule.limit);
	event_set_text(event, "unit", tracked->unit);
	set_since(thresholds, event, state);
	if (news == NEWS_REPEATED) {
		event_set_int(event, "repeat", (int64_t)state->repeats + 1);
	}
	if (is_raised) {
		const struct figure figure = {
			threshold->figure, tracked->label, tracked->unit, state->value};
		set_culprit(event, thresholds->services->board, &figure);
	}
	thresholds->published++;
	return bus_publish(thresholds->services->bus, event, NULL, NULL, NULL) != 0;
}

// --- judging ---

static void tracked_remove(
	struct thresholds *thresholds, struct threshold *threshold, struct tracked *tracked) {
	map_remove(&threshold->tracked, str_from(tracked->label));
	free(tracked->label);
	free(tracked);
	thresholds->tracked--;
}

static void tell(struct thresholds *thresholds, struct threshold *threshold,
	struct tracked *tracked, enum threshold_news news) {
	if (news == NEWS_NONE ||
		(news != NEWS_FORGOTTEN && !publish(thresholds, threshold, tracked, news))) {
		return;
	}
	threshold_state_settle(&tracked->state, news, loop_now(thresholds->services->loop));
	if (news == NEWS_UNKNOWN || news == NEWS_FORGOTTEN) {
		tracked_remove(thresholds, threshold, tracked);
	}
}

// A pattern that begins with '!' leaves labels out; where only such are given, all others count.
static bool is_wanted(const struct strings *labels, struct str label) {
	bool has_positive = false, is_named = false;
	for (size_t i = 0; i < labels->n; i++) {
		struct str pattern = labels->items[i];
		if (str_starts(pattern, STR("!"))) {
			if (str_glob(str_skip(pattern, 1), label)) {
				return false;
			}
		} else {
			has_positive = true;
			is_named = is_named || str_glob(pattern, label);
		}
	}
	return is_named || !has_positive;
}

static struct tracked *find_tracked(
	struct thresholds *thresholds, struct threshold *threshold, const struct figure *figure) {
	struct str label = str_head(str_from(figure->label), LABEL_MAX);
	struct tracked *tracked = map_get(&threshold->tracked, label);
	if (tracked && tracked->config == thresholds->config) {
		return tracked;
	}
	if (!is_wanted(threshold->labels, label)) {
		return NULL;
	}
	if (tracked) {
		tracked->config = thresholds->config;
		return tracked;
	}
	if (thresholds->tracked >= TRACKED_MAX) {
		thresholds->untracked++;
		return NULL;
	}
	tracked = xcalloc(1, sizeof(*tracked));
	tracked->label = xstrndup(label.at ? label.at : "", label.len);
	tracked->config = thresholds->config;
	map_put(&threshold->tracked, str_from(tracked->label), tracked);
	thresholds->tracked++;
	return tracked;
}

static void set_unit(struct tracked *tracked, const char *unit) {
	if (strcmp(tracked->unit, unit) != 0) {
		snprintf(tracked->unit, sizeof(tracked->unit), "%s", unit);
	}
}

static void on_figure(void *arg, const struct figure *figure) {
	struct thresholds *thresholds = arg;
	if (!isfinite(figure->value)) {
		return; // not a number is not a measurement
	}
	int64_t now = loop_now(thresholds->services->loop);
	if (!thresholds->named || strcmp(thresholds->named, figure->name) != 0) {
		thresholds->named_first = map_get(&thresholds->by_figure, str_from(figure->name));
		thresholds->named = thresholds->named_first ? thresholds->named_first->figure
							    : NULL;
	}
	struct threshold *threshold = thresholds->named_first;
	for (; threshold; threshold = threshold->next_same) {
		struct tracked *tracked = find_tracked(thresholds, threshold, figure);
		if (tracked) {
			set_unit(tracked, figure->unit ? figure->unit : "");
			tell(thresholds, threshold, tracked,
				threshold_state_judge(
					&threshold->rule, &tracked->state, figure->value, now));
		}
	}
}

static void judge_absent(struct thresholds *thresholds, struct threshold *threshold) {
	int64_t now = loop_now(thresholds->services->loop);
	size_t cursor = 0;
	struct map_entry *entry;
	while ((entry = map_next(&threshold->tracked, &cursor))) {
		struct tracked *tracked = entry->value;
		if (threshold->is_leaving) {
			bool is_raised = tracked->state.level == LEVEL_RAISED;
			tell(thresholds, threshold, tracked,
				is_raised ? NEWS_UNKNOWN : NEWS_FORGOTTEN);
		} else if (tracked->state.seen_ns != now) {
			tell(thresholds, threshold, tracked,
				threshold_state_judge_absent(&tracked->state, now));
		}
	}
}

static void threshold_free(struct thresholds *thresholds, struct threshold *threshold) {
	size_t cursor = 0;
	struct map_entry *entry;
	while ((entry = map_next(&threshold->tracked, &cursor))) {
		tracked_remove(thresholds, threshold, entry->value);
	}
	map_finish(&threshold->tracked);
	list_remove(&threshold->node);
	free(threshold->name);
	free(threshold->figure);
	free(threshold);
}

static void look(struct thresholds *thresholds) {
	thresholds->published = thresholds->untracked = 0;
	thresholds->is_cut = false;
	if (thresholds->services->board) {
		board_each_figure(thresholds->services->board, on_figure, thresholds);
	}
	list_for_each (node, &thresholds->list) {
		struct threshold *threshold = list_item(node, struct threshold, node);
		judge_absent(thresholds, threshold);
		if (threshold->is_leaving && !map_count(&threshold->tracked)) {
			threshold_free(thresholds, threshold);
		}
	}
}

static void on_wake(void *arg) {
	struct thresholds *thresholds = arg;
	struct loop *loop = thresholds->services->loop;
	look(thresholds);
	int64_t now = loop_now(loop);
	int64_t next = (now / LOOK_EVERY + 1) * LOOK_EVERY + LOOK_OFFSET;
	timer_start_at(&thresholds->wake, loop, thresholds->is_cut ? now + SOON : next, on_wake,
		thresholds);
}

static void collect(void *arg, struct exposition *out) {
	const struct thresholds *thresholds = arg;
	exposition_family(out, "anna_threshold_state", "gauge",
		"What a threshold says of a figure: 0 within, 1 over its limit but not for long "
		"enough yet, 2 raised.");
	list_for_each (node, &thresholds->list) {
		const struct threshold *threshold = list_item(node, struct threshold, node);
		size_t cursor = 0;
		struct map_entry *entry;
		while (!threshold->is_leaving && (entry = map_next(&threshold->tracked, &cursor))) {
			const struct tracked *tracked = entry->value;
			exposition_sample(out, (double)tracked->state.level, "threshold",
				threshold->name, "label", tracked->label, NULL);
		}
	}
}

// --- config ---

static struct threshold *find_threshold(
	struct thresholds *thresholds, const struct threshold_config *config) {
	list_for_each (node, &thresholds->list) {
		struct threshold *threshold = list_item(node, struct threshold, node);
		if (str_is(config->name, threshold->name) &&
			str_is(config->figure, threshold->figure) &&
			config->is_below == threshold->rule.is_below) {
			return threshold;
		}
	}
	return NULL;
}

static struct threshold *threshold_create(
	struct thresholds *thresholds, const struct threshold_config *config) {
	struct threshold *threshold = xcalloc(1, sizeof(*threshold));
	threshold->name = xstrndup(config->name.at, config->name.len);
	threshold->figure = xstrndup(config->figure.at, config->figure.len);
	list_add_last(&thresholds->list, &threshold->node);
	return threshold;
}

static void listen_to(struct thresholds *thresholds, struct threshold *threshold) {
	struct str figure = str_from(threshold->figure);
	threshold->next_same = map_get(&thresholds->by_figure, figure);
	map_put(&thresholds->by_figure, figure, threshold);
}

// A threshold that judges the same figure on the same side goes on with what it knows; its new
// limit and `for` count from the next look on.
static void take_config(struct thresholds *thresholds, const struct capability_config *config) {
	const struct threshold_config *configs = config->list.items;
	struct snapshot *old = thresholds->snapshot;
	thresholds->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	map_finish(&thresholds->by_figure);
	thresholds->by_figure = (struct map)MAP_INIT;
	thresholds->named = NULL;
	thresholds->config++;
	list_for_each (node, &thresholds->list) {
		struct threshold *threshold = list_item(node, struct threshold, node);
		threshold->is_leaving = true;
		threshold->labels = NULL;
	}
	for (size_t i = 0; i < config->list.n; i++) {
		if (!configs[i].is_enabled) {
			continue;
		}
		struct threshold *threshold = find_threshold(thresholds, &configs[i]);
		threshold = threshold ? threshold : threshold_create(thresholds, &configs[i]);
		threshold->is_leaving = false;
		threshold->labels = &configs[i].labels;
		threshold->severity = severities[configs[i].severity];
		threshold->rule = (struct threshold_rule){configs[i].is_below, configs[i].limit,
			configs[i].hysteresis, configs[i].for_ns, configs[i].every_ns};
		listen_to(thresholds, threshold);
	}
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // nothing here can fail
	struct thresholds *thresholds = xcalloc(1, sizeof(*thresholds));
	thresholds->services = services;
	list_init(&thresholds->list);
	take_config(thresholds, config);
	meters_add(services->meters, &thresholds->meter, collect, thresholds);
	timer_start(&thresholds->wake, services->loop, LOOK_EVERY, on_wake, thresholds);
	return thresholds;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	take_config(self, config);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct thresholds *thresholds = self;
	timer_stop(&thresholds->wake);
	meters_remove(&thresholds->meter);
	list_for_each (node, &thresholds->list) {
		threshold_free(thresholds, list_item(node, struct threshold, node));
	}
	map_finish(&thresholds->by_figure);
	if (thresholds->snapshot) {
		snapshot_unref(thresholds->snapshot);
	}
	free(thresholds);
}

static void health(void *self, struct capability_health *out) {
	const struct thresholds *thresholds = self;
	out->state = thresholds->untracked ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	out->reason[0] = '\0';
	if (thresholds->untracked) {
		snprintf(out->reason, sizeof(out->reason),
			"%zu figures are not judged: %d are followed at most; name the ones that "
			"count with `labels`",
			thresholds->untracked, TRACKED_MAX);
	}
}

static bool check_limit(const char *key, const struct value *value, double *out, struct place place,
	struct problems *problems) {
	if (!value_to_double(value, out) || !isfinite(*out)) {
		problems_add(problems, value->place.line ? value->place : place,
			"\"%s\" must be a number, not %s", key,
			value->type == VALUE_DOUBLE ? "NaN or infinite"
						    : value_type_name(value->type));
		return false;
	}
	return true;
}

static bool is_figure_name(struct str figure) {
	for (size_t i = 0; i < figure.len; i++) {
		char c = figure.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
			return false;
		}
	}
	return str_find_char(figure, '.') > 0;
}

static void check(
	void *filled, struct place place, struct arena *arena, struct problems *problems) {
	struct threshold_config *config = filled;
	(void)arena;
	if (config->figure.len && !is_figure_name(config->figure)) {
		problems_add(problems, place,
			"\"figure\" is a resource, a dot and what of it, like memory.used_percent");
	}
	if (!config->above == !config->below) {
		problems_add(problems, place, "a threshold has either \"above\" or \"below\"");
		return;
	}
	config->is_below = config->below != NULL;
	(void)check_limit(config->is_below ? "below" : "above",
		config->is_below ? config->below : config->above, &config->limit, place, problems);
}

static const struct option rows[] = {
	{"name", OPTION_STRING, offsetof(struct threshold_config, name), .min = 1, .max = 100,
		.is_required = true,
		.help = "Its name; a built-in one of the same name is changed by the keys given."},
	{"figure", OPTION_STRING, offsetof(struct threshold_config, figure), .min = 3, .max = 100,
		.is_required = true, .help = "What it judges: memory.used_percent, units.failed …"},
	{"above", OPTION_VALUE, offsetof(struct threshold_config, above),
		.help = "A number: raised by values above it."},
	{"below", OPTION_VALUE, offsetof(struct threshold_config, below),
		.help = "A number: raised by values below it. Either this or above."},
	{"hysteresis", OPTION_NUMBER, offsetof(struct threshold_config, hysteresis), "0", .min = 0,
		.max = 1e18, .help = "How far back on the other side of the limit clears it."},
	{"for", OPTION_DURATION, offsetof(struct threshold_config, for_ns), "0s",
		.max = 366.0 * NS_PER_DAY,
		.help = "How long without a break it must be over the limit to be raised."},
	{"labels", OPTION_STRINGS, offsetof(struct threshold_config, labels), .min = 0, .max = 100,
		.help = "Which ones, of a figure that has several (globs; !glob leaves out); none "
			"given: all."},
	{"every", OPTION_DURATION, offsetof(struct threshold_config, every_ns), "0s",
		.max = 366.0 * NS_PER_DAY,
		.help = "Told again so often while it is raised; 0: once."},
	{"severity", OPTION_CHOICE, offsetof(struct threshold_config, severity), "warning",
		.choices = severities, .help = "An attribute of its events, for mappings."},
	{"enabled", OPTION_BOOL, offsetof(struct threshold_config, is_enabled), "true",
		.help = "False: it is not judged."},
	{NULL},
};

static const struct kind_attribute threshold_attributes[] = {
	{"threshold", "string", NULL, "its name"},
	{"state", "string", NULL, "above or below the limit, or unknown: not measured any more"},
	{"raised", "boolean", NULL, "true: something is wrong; false: no longer, or unknown"},
	{"severity", "string", NULL, "warning or critical"},
	{"figure", "string", NULL, "what is judged"},
	{"label", "string", NULL, "which one: a disk, a mount; empty when there is one only"},
	{"value", "number", NULL, "the figure; absent when unknown"},
	{"limit", "number", NULL, "the limit in force"},
	{"unit", "string", NULL, "of value and limit"},
	{"for_s", "integer", "seconds", "how long it has been over, or was"},
	{"since", "string", NULL, "when it went over"},
	{"repeat", "integer", NULL, "how often it was told again"},
	{"culprit", "string", NULL, "who is behind it; absent when nobody knows"},
	{"culprit_kind", "string", NULL, "process, unit, mount, interface or device"},
	{"culprit_pid", "integer", NULL, "of a process"},
	{"culprit_unit", "string", NULL, "the unit it belongs to"},
	{"culprit_value", "number", NULL, "its share"},
	{"culprit_value_unit", "string", NULL, "unit of its share"},
	{NULL},
};

static const struct kind kinds[] = {
	{"host.threshold", STREAM_NORMAL,
		"A figure of this machine crossed a threshold, is back, or is not measured any "
		"more.",
		threshold_attributes},
	{NULL},
};

DEFINE_SOURCE(threshold) = {
	.name = "thresholds",
	.summary = "Events when figures of this machine cross their limits.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "thresholds",
			.summary = "From when on a figure is an event. Built-in thresholds are "
				   "there without being given; see docs/guide/thresholds.md.",
			.is_list = true,
			.rows = rows,
			.size = sizeof(struct threshold_config),
			.check = check,
			.presets = threshold_presets,
			.example = "[[thresholds]] # changes two keys of a built-in one\n"
				   "name = \"memory\"\nabove = 90\nfor = \"10m\"\n\n"
				   "[[thresholds]]\nname = \"busy-data-disk\"\n"
				   "figure = \"disk.busy_percent\"\nlabels = [\"sdb\"]\n"
				   "above = 95\nhysteresis = 10\nfor = \"15m\"\n",
		},
	.kinds = kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
