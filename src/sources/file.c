// SPDX-License-Identifier: Apache-2.0
// The source `file`: what happens to files and folders. The loop only waits: looking is done in
// slow jobs, one at a time for each watch, and while one runs or the bus is full the watch's descriptor
// is left alone. Then the kernel's queue fills, and an overflow is found, told and repaired.
#include <errno.h>
#include <limits.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "io/loop.h"
#include "io/worker.h"
#include "sources/file_tree.h"
#include "sources/text.h"

#define HINTS_MAX (1024 * 1024)		  // taken at a time
#define EVENTS_A_ROUND 32		  // published before others have their turn
#define VERIFY_AFTER (60 * NS_PER_SECOND) // a folder above was moved, or a limit raised
#define HALF_MOVE_WAIT (20 * NS_PER_MS)
#define BUSY_WAIT (100 * NS_PER_MS)
#define STUCK_AFTER (60 * NS_PER_SECOND)
#define FLOOD_WAIT NS_PER_SECOND // between two rescans after overflows

struct file_config {
	struct str name;
	struct str path;
	bool is_recursive;
	struct strings events;
	struct strings ignored;
	int64_t debounce_ns;
	int64_t max_files;
	bool wants[CHANGE_KINDS]; // of `events`, filled by check
};

static const char *const change_names[CHANGE_KINDS] = {
	"created", "modified", "removed", "moved", "attributes"};

// What the timer of an item is for.
enum next {
	NEXT_HINTS,
	NEXT_VERIFY,
	NEXT_SEND,
	NEXT_WATCH
};

struct files {
	const struct services *services;
	struct snapshot *snapshot;
	struct item **items; // in the order of the config
	size_t n;
};

struct item {
	struct files *source;
	const struct file_config *config;
	struct file_tree *tree; // NULL while a job has it, or none could be made
	struct look *look;	// the job, or NULL
	int64_t look_since_ns;	// monotonic; when it was posted
	struct watch watch;
	struct timer timer;
	enum next next;
	struct file_changes unsent;
	size_t sent;
	bool owes_gap;
	int64_t looked_ns, flooded_ns; // wall: when it was all known; when it was again
	struct buf trouble;	       // a sentence; empty: well
	bool wants_more;
	bool is_flooded;
	bool is_listed; // in the config being taken
};

// One job. Owns the tree while it runs.
struct look {
	struct item *item; // NULL: nobody waits for it
	struct file_tree *tree;
	enum file_tree_work work;
	struct buf hints;
	struct file_changes changes;
	struct file_tree_result result;
	struct buf trouble;
};

static void look_free(struct look *look) {
	file_tree_destroy(look->tree);
	buf_finish(&look->hints);
	buf_finish(&look->trouble);
	file_changes_finish(&look->changes);
	free(look);
}

// --- on a thread of the pool ---

static void look_run(void *arg) {
	struct look *look = arg;
	while (look->hints.len < HINTS_MAX) {
		char *to = buf_reserve(&look->hints, 65536);
		ssize_t n = read(file_tree_fd(look->tree), to, 65536);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			break; // EAGAIN: that was all
		}
		look->hints.len += (size_t)n;
	}
	file_tree_work(
		look->tree, look->work, buf_str(&look->hints), &look->changes, &look->result);
	(void)file_tree_is_well(look->tree, &look->trouble);
}

// --- telling ---

static void set_path(
	struct event *event, const char *name, const char *bytes_name, const char *path) {
	struct buf text = BUF_INIT;
	bool is_clean = clean_text(&text, str_from(path));
	event_set_str(event, name, buf_str(&text));
	if (!is_clean) {
		buf_clear(&text);
		hex_text(&text, str_from(path));
		event_set_str(event, bytes_name, buf_str(&text));
	}
	buf_finish(&text);
}

static bool publish_change(struct item *item, const struct file_change *change) {
	char kind[32];
	struct buf subject = BUF_INIT;
	snprintf(kind, sizeof(kind), "file.%s", change_names[change->kind]);
	clean_text(&subject, str_from(change->path));
	struct event *event = event_create(kind, "file", buf_str(&subject));
	buf_finish(&subject);
	set_path(event, "path", "path_bytes", change->path);
	if (change->from) {
		set_path(event, "from", "from_bytes", change->from);
	}
	event_set_str(event, "watch", item->config->name);
	event_set_bool(event, "is_folder", change->is_folder);
	if (change->is_there) {
		event_set_int(event, "size", change->size);
		event_set_int(event, "uid", change->uid);
	}
	return bus_publish(item->source->services->bus, event, NULL, NULL, NULL) != 0;
}

static bool publish_gap(struct item *item) {
	struct event *event = event_create("source.gap", "file", item->config->name);
	event_set_text(event, "source", "file");
	event_set_text(event, "reason", "overflow");
	event_set_str(event, "watch", item->config->name);
	event_set_int(event, "from", item->looked_ns);
	event_set_int(event, "to", item->flooded_ns);
	return bus_publish_reserved(item->source->services->bus, event, NULL) != 0;
}

// --- on the loop ---

static void on_timer(void *arg);

static void plan(struct item *item, enum next next, int64_t delay_ns) {
	item->next = next;
	timer_start(&item->timer, item->source->services->loop, delay_ns, on_timer, item);
}

static void on_ready(void *arg, uint32_t events) {
	struct item *item = arg;
	(void)events;
	watch_stop(&item->watch); // until they were looked at
	plan(item, NEXT_HINTS, item->config->debounce_ns);
}

static void wait_for_hints(struct item *item) {
	struct err err = ERR_INIT;
	struct loop *loop = item->source->services->loop;
	if (!watch_start(&item->watch, loop, file_tree_fd(item->tree), LOOP_READABLE, on_ready,
		    item, &err)) {
		buf_clear(&item->trouble);
		buf_append_text(&item->trouble, err.message);
	}
	plan(item, NEXT_VERIFY, VERIFY_AFTER);
}

// Publishes some, then lets others have their turn. What the bus refuses waits, and with it the
// descriptor.
static void send_some(struct item *item) {
	bool is_refused = item->owes_gap && !publish_gap(item);
	item->owes_gap = item->owes_gap && is_refused;
	for (size_t i = 0; i < EVENTS_A_ROUND && item->sent < item->unsent.n && !is_refused;) {
		const struct file_change *change = &item->unsent.items[item->sent];
		bool is_wanted = item->config->wants[change->kind];
		is_refused = is_wanted && !publish_change(item, change);
		item->sent += !is_refused;
		i += is_wanted;
	}
	if (is_refused || item->sent < item->unsent.n) {
		plan(item, NEXT_SEND, is_refused ? BUSY_WAIT : 0);
		return;
	}
	file_changes_finish(&item->unsent);
	item->sent = 0;
	if (item->wants_more) {
		plan(item, NEXT_HINTS, HALF_MOVE_WAIT);
	} else if (item->is_flooded) {
		plan(item, NEXT_WATCH, FLOOD_WAIT);
	} else {
		wait_for_hints(item);
	}
}

static void look_done(void *arg) {
	struct look *look = arg;
	struct item *item = look->item;
	if (!item) {
		look_free(look);
		return;
	}
	int64_t now = clock_wall(loop_clock(item->source->services->loop));
	item->look = NULL;
	item->tree = look->tree;
	look->tree = NULL;
	item->unsent = look->changes;
	look->changes = (struct file_changes){0};
	buf_finish(&item->trouble);
	item->trouble = look->trouble;
	look->trouble = (struct buf)BUF_INIT;
	item->wants_more = look->result.wants_more;
	item->is_flooded = look->result.has_overflowed;
	if (item->is_flooded) {
		item->owes_gap = true;
		item->flooded_ns = now;
	}
	look_free(look);
	send_some(item);
	if (!item->owes_gap) {
		item->looked_ns = now;
	}
}

static void look_at(struct item *item, enum file_tree_work work) {
	struct look *look = xcalloc(1, sizeof(*look));
	watch_stop(&item->watch);
	timer_stop(&item->timer);
	look->item = item;
	look->tree = item->tree;
	look->work = work;
	if (jobs_run(item->source->services->slow_jobs, look_run, look_done, look)) {
		item->look = look;
		item->look_since_ns = loop_now(item->source->services->loop);
		item->tree = NULL;
		return;
	}
	look->tree = NULL;
	look_free(look);
	buf_clear(&item->trouble); // until a look tells how it is
	buf_append_text(
		&item->trouble, "not looked at: too many wait for paths that do not answer");
	plan(item, work == WORK_HINTS ? NEXT_HINTS : NEXT_VERIFY, BUSY_WAIT);
}

static void item_start(struct item *item) {
	const struct file_config *config = item->config;
	struct err err = ERR_INIT;
	const struct file_tree_spec spec = {.path = config->path,
		.is_recursive = config->is_recursive,
		.ignored = config->ignored.items,
		.ignored_count = config->ignored.n,
		.max_files = (size_t)config->max_files};
	item->tree = file_tree_create(&spec, &err);
	if (item->tree) {
		look_at(item, WORK_SCAN);
		return;
	}
	buf_clear(&item->trouble);
	buf_append_text(&item->trouble, err.message);
	plan(item, NEXT_VERIFY, VERIFY_AFTER);
}

static void on_timer(void *arg) {
	struct item *item = arg;
	if (item->next == NEXT_SEND) {
		send_some(item);
	} else if (!item->tree) {
		item_start(item);
	} else if (item->next == NEXT_WATCH) {
		wait_for_hints(item);
	} else {
		look_at(item, item->next == NEXT_HINTS ? WORK_HINTS : WORK_VERIFY);
	}
}

static void item_stop(struct item *item) {
	watch_stop(&item->watch);
	timer_stop(&item->timer);
	if (item->look) {
		item->look->item = NULL; // it frees the tree when it returns
	}
	file_tree_destroy(item->tree);
	file_changes_finish(&item->unsent);
	buf_finish(&item->trouble);
	free(item);
}

// --- config ---

static bool is_same_tree(const struct file_config *a, const struct file_config *b) {
	bool is_same = str_equal(a->name, b->name) && str_equal(a->path, b->path) &&
		a->is_recursive == b->is_recursive && a->max_files == b->max_files &&
		a->ignored.n == b->ignored.n;
	for (size_t i = 0; is_same && i < a->ignored.n; i++) {
		is_same = str_equal(a->ignored.items[i], b->ignored.items[i]);
	}
	return is_same;
}

static struct item *find_item(const struct files *files, const struct file_config *config) {
	for (size_t i = 0; i < files->n; i++) {
		if (!files->items[i]->is_listed && is_same_tree(files->items[i]->config, config)) {
			return files->items[i];
		}
	}
	return NULL;
}

// A watch on the same tree goes on with what it remembers; what it tells may be another choice.
static void take_config(struct files *files, const struct capability_config *config) {
	const struct file_config *configs = config->list.items;
	struct item **items = xcalloc(config->list.n + 1, sizeof(struct item *));
	for (size_t i = 0; i < files->n; i++) {
		files->items[i]->is_listed = false;
	}
	for (size_t i = 0; i < config->list.n; i++) {
		items[i] = find_item(files, &configs[i]);
		if (items[i]) {
			items[i]->is_listed = true;
		}
	}
	for (size_t i = 0; i < files->n; i++) {
		if (!files->items[i]->is_listed) {
			item_stop(files->items[i]);
		}
	}
	free(files->items);
	files->items = items;
	files->n = config->list.n;
	for (size_t i = 0; i < files->n; i++) {
		bool is_new = !items[i];
		items[i] = is_new ? xcalloc(1, sizeof(struct item)) : items[i];
		items[i]->source = files;
		items[i]->config = &configs[i];
		if (is_new) {
			items[i]->watch.fd = -1;
			items[i]->looked_ns = clock_wall(loop_clock(files->services->loop));
			item_start(items[i]);
		}
	}
	struct snapshot *old = files->snapshot;
	files->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // what cannot be watched degrades
	struct files *files = xcalloc(1, sizeof(*files));
	files->services = services;
	take_config(files, config);
	return files;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	take_config(self, config);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct files *files = self;
	for (size_t i = 0; i < files->n; i++) {
		item_stop(files->items[i]);
	}
	free(files->items);
	if (files->snapshot) {
		snapshot_unref(files->snapshot);
	}
	free(files);
}

// A look that is not over hangs in the kernel, or waits behind others that do.
static bool is_stuck(const struct item *item) {
	return item->look &&
		loop_now(item->source->services->loop) - item->look_since_ns > STUCK_AFTER;
}

static void health(void *self, struct capability_health *out) {
	const struct files *files = self;
	size_t ill = 0;
	out->state = CAPABILITY_ACTIVE;
	out->reason[0] = '\0';
	for (size_t i = 0; i < files->n; i++) {
		const struct item *item = files->items[i];
		if (is_stuck(item) && !ill++) {
			out->state = CAPABILITY_DEGRADED;
			(void)snprintf(out->reason, sizeof(out->reason),
				"%.60s: not looked at for a minute: its path, or that of another "
				"watch, does not answer",
				item->config->name.at);
			continue;
		}
		if (!item->trouble.len || ill++) {
			continue;
		}
		struct buf reason = BUF_INIT;
		buf_appendf(&reason, "%" STR_FMT ": ", STR_ARG(item->config->name));
		clean_text(&reason, buf_str(&item->trouble));
		out->state = CAPABILITY_DEGRADED;
		snprintf(out->reason, sizeof(out->reason), "%s", buf_text(&reason));
		buf_finish(&reason);
	}
}

static void check(
	void *filled, struct place place, struct arena *arena, struct problems *problems) {
	struct file_config *config = filled;
	(void)arena;
	if (config->path.len &&
		(config->path.at[0] != '/' || memchr(config->path.at, '\0', config->path.len))) {
		problems_add(problems, place, "\"path\" is an absolute path");
	}
	for (size_t i = 0; i < config->events.n; i++) {
		struct str name = config->events.items[i];
		size_t kind = 0;
		while (kind < CHANGE_KINDS && !str_is(name, change_names[kind])) {
			kind++;
		}
		if (kind < CHANGE_KINDS) {
			config->wants[kind] = true;
		} else {
			const char *nearest = option_nearest(name, change_names, CHANGE_KINDS);
			name = str_head(name, 40);
			problems_add(problems, place,
				"\"events\" are created, modified, removed, moved and attributes, "
				"not \"%" STR_FMT "\"%s%s%s",
				STR_ARG(name), nearest ? "; did you mean \"" : "",
				nearest ? nearest : "", nearest ? "\"?" : "");
		}
	}
}

static const struct option rows[] = {
	{"name", OPTION_STRING, offsetof(struct file_config, name), .min = 1, .max = 100,
		.is_required = true, .help = "Its name, as `watch` in its events."},
	{"path", OPTION_STRING, offsetof(struct file_config, path), .min = 1, .max = PATH_MAX - 1,
		.is_required = true,
		.help = "A file or folder, absolute; it need not exist yet. Links are followed."},
	{"recursive", OPTION_BOOL, offsetof(struct file_config, is_recursive), "false",
		.help = "Watches the folders below too."},
	{"events", OPTION_STRINGS, offsetof(struct file_config, events),
		"[\"created\", \"modified\", \"removed\", \"moved\"]", .min = 1, .max = 5,
		.help = "What is told: created, modified (a writer has closed it), removed, moved, "
			"attributes (owner or mode)."},
	{"ignore", OPTION_STRINGS, offsetof(struct file_config, ignored), .min = 0, .max = 1000,
		.help = "Names, or paths below the folder, to leave out (globs)."},
	{"debounce", OPTION_DURATION, offsetof(struct file_config, debounce_ns), "100ms",
		.max = 60.0 * NS_PER_SECOND,
		.help = "How long changes are gathered, so that many become one."},
	{"max_files", OPTION_INT, offsetof(struct file_config, max_files), "10000", .min = 1,
		.max = 1000000,
		.help = "How many files are remembered; it bounds memory and watches."},
	{NULL},
};

static const struct kind_attribute file_attributes[] = {
	{"path", "string", NULL, "which; bytes that are no clean text are shown as U+FFFD"},
	{"path_bytes", "string", NULL, "then all its bytes, in hexadecimal"},
	{"from", "string", NULL, "its path before, when it was moved"},
	{"from_bytes", "string", NULL, "as path_bytes"},
	{"watch", "string", NULL, "name of the watch"},
	{"is_folder", "boolean", NULL, "it is, or was, a folder"},
	{"size", "integer", "bytes", "of the file"},
	{"uid", "integer", NULL, "its owner"},
	{NULL},
};

static const struct kind kinds[] = {
	{"file.created", STREAM_NORMAL, "A watched file is new.", file_attributes},
	{"file.modified", STREAM_NORMAL, "A watched file has other content.", file_attributes},
	{"file.removed", STREAM_NORMAL, "A watched file is gone.", file_attributes},
	{"file.moved", STREAM_NORMAL, "A watched file has another path.", file_attributes},
	{"file.attributes", STREAM_NORMAL, "A watched file has another owner or mode.",
		file_attributes},
	{NULL},
};

DEFINE_SOURCE(file) = {
	.name = "files",
	.summary = "What happens to files and folders.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "files",
			.summary = "Files and folders to watch.",
			.is_list = true,
			.rows = rows,
			.size = sizeof(struct file_config),
			.check = check,
			.example = "[[files]]\nname = \"config\"\npath = \"/etc/nginx\"\n"
				   "recursive = true\nignore = [\"*.swp\", \"*~\"]\n",
		},
	.kinds = kinds,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
