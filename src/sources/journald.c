// SPDX-License-Identifier: Apache-2.0
// The source `journald`: lines of systemd's journal by pattern. A child `journalctl --follow` reads
// it, so neither its format nor its library is Anna's; it runs only while patterns are configured.
// The cursor of the last line is kept: a child that ends is started again where it was.
#include <signal.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "formats/json.h"
#include "io/child.h"
#include "io/loop.h"
#include "sources/line_pattern.h"

#define LINE_MAX_BYTES (64 * 1024) // of one entry as JSON; longer ones are left out
#define LINE_SHOWN 1000
// Of lines that may match. More are let pass unread, and told as a gap: the loop has other work.
#define LINES_A_SECOND 2000
#define BACKOFF_FIRST NS_PER_SECOND
#define BACKOFF_MOST (60 * NS_PER_SECOND)
#define WELL_AFTER (30 * NS_PER_SECOND) // a child that lived so long begins with the first back-off
#define CURSOR_MAX 500

struct journal_pattern {
	struct line_pattern line;
	struct str unit;
	int priority;
};

struct journald {
	const struct services *services;
	struct snapshot *snapshot;
	struct item_list patterns;
	struct line_limit *limits; // as patterns
	struct outbox outbox;
	struct child *child;
	struct timer restart;
	int64_t since_ns; // wall: when the source began
	int64_t started_ns, backoff_ns;
	struct buf line;   // the beginning of one, until its end comes
	bool is_overlong;  // skips to the end of this line
	int64_t second_ns; // monotonic: since when it counts
	size_t lines;	   // in this second
	char cursor[CURSOR_MAX + 1];
	char reason[200]; // why it does not run; empty: it does
	char said[160];	  // the last line that was no entry: what journalctl complained of
};

static const char *const priorities[] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL};

static void start_child(struct journald *journald);

static struct str text_of(const struct value *entry, const char *name) {
	const struct value *value = value_get(entry, str_from(name));
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

// MESSAGE is text, or a list of its bytes when it is not clean text (systemd.journal-fields(7),
// journalctl(1) -o json).
static struct str message_of(struct arena *arena, const struct value *entry) {
	const struct value *value = value_get(entry, STR("MESSAGE"));
	if (!value || value->type != VALUE_ARRAY) {
		return text_of(entry, "MESSAGE");
	}
	char *bytes = arena_alloc(arena, value->array.n + 1);
	for (size_t i = 0; i < value->array.n; i++) {
		const struct value *item = &value->array.items[i];
		bytes[i] = item->type == VALUE_INT ? (char)item->integer : '?';
	}
	return str_range(bytes, value->array.n);
}

static void publish(struct journald *journald, const struct journal_pattern *pattern,
	const struct value *entry, struct str message, int64_t held) {
	int64_t number;
	struct event *event = event_create("journal.line", "journald", pattern->line.name);
	event_set_str(event, "pattern", pattern->line.name);
	outbox_set_clean(event, "line", str_head(message, LINE_SHOWN));
	outbox_set_clean(event, "unit", str_head(text_of(entry, "_SYSTEMD_UNIT"), 256));
	outbox_set_clean(event, "identifier", str_head(text_of(entry, "SYSLOG_IDENTIFIER"), 256));
	if (str_to_int64(text_of(entry, "_PID"), &number)) {
		event_set_int(event, "pid", number);
	}
	if (str_to_int64(text_of(entry, "PRIORITY"), &number) && number >= 0 && number <= 7) {
		event_set_text(event, "priority", priorities[number]);
	}
	if (held) {
		event_set_int(event, "held_back", held);
	}
	outbox_send(&journald->outbox, event);
}

static bool matches(
	const struct journal_pattern *pattern, const struct value *entry, struct str message) {
	int64_t priority;
	if (pattern->unit.len && !str_glob(pattern->unit, text_of(entry, "_SYSTEMD_UNIT"))) {
		return false;
	}
	// A line without a priority is one of a program that does not say.
	if (str_to_int64(text_of(entry, "PRIORITY"), &priority) && priority > pattern->priority) {
		return false;
	}
	return line_pattern_matches(&pattern->line, message);
}

static void set_cursor(struct journald *journald, struct str cursor) {
	if (cursor.len && cursor.len <= CURSOR_MAX) {
		memcpy(journald->cursor, cursor.at, cursor.len);
		journald->cursor[cursor.len] = '\0';
	}
}

static void take_entry(struct journald *journald, struct arena *arena, const struct value *entry) {
	const struct journal_pattern *patterns = journald->patterns.items;
	struct str cursor = text_of(entry, "__CURSOR");
	struct str message = message_of(arena, entry);
	int64_t held, now = loop_now(journald->services->loop);
	set_cursor(journald, cursor);
	for (size_t i = 0; i < journald->patterns.n; i++) {
		if (matches(&patterns[i], entry, message) &&
			line_limit_allows(
				&journald->limits[i], patterns[i].line.limit, now, &held)) {
			publish(journald, &patterns[i], entry, message, held);
		}
	}
}

// Lines a second are bounded: what a flood brings more is a gap.
static bool is_flood(struct journald *journald) {
	int64_t now = loop_now(journald->services->loop);
	if (now - journald->second_ns >= NS_PER_SECOND) {
		journald->second_ns = now;
		journald->lines = 0;
	}
	if (journald->lines++ < LINES_A_SECOND) {
		return false;
	}
	outbox_gap(
		&journald->outbox, "overflow", clock_wall(loop_clock(journald->services->loop)), 1);
	return true;
}

// The longest text of a pattern that stands in the JSON of a matching entry as it is: what needs no
// escape there. Empty: any entry may match.
static struct str needle_of(const struct line_pattern *pattern) {
	struct str best = {NULL, 0};
	size_t from = 0;
	for (size_t i = 0; i <= pattern->match.len; i++) {
		char c = i < pattern->match.len ? pattern->match.at[i] : '*';
		if (c >= ' ' && c <= '~' && !strchr("*?\"\\/", c)) {
			continue;
		}
		if (i - from > best.len) {
			best = str_range(pattern->match.at + from, i - from);
		}
		from = i + 1;
	}
	return best;
}

// Most lines match nothing; finding that out must not cost a parse. A message that is a list of bytes
// is always parsed.
static bool may_match(const struct journald *journald, struct str line) {
	const struct journal_pattern *patterns = journald->patterns.items;
	bool may = str_find(line, STR("\"MESSAGE\":[")) >= 0;
	for (size_t i = 0; i < journald->patterns.n && !may; i++) {
		may = str_find(line, needle_of(&patterns[i].line)) >= 0;
	}
	return may;
}

// The cursor of an entry that is not parsed. Inside of values quotes are escaped, so this is the key.
static void pass_line(struct journald *journald, struct str line) {
	static const struct str key = STR_INIT("\"__CURSOR\":\"");
	ptrdiff_t at = str_find(line, key);
	struct str rest = at < 0 ? STR("") : str_skip(line, (size_t)at + key.len);
	ptrdiff_t end = str_find_char(rest, '"');
	set_cursor(journald, end > 0 ? str_head(rest, (size_t)end) : STR(""));
}

static void take_line(struct journald *journald, struct str line) {
	bool is_entry = str_starts(line, STR("{"));
	if (is_entry && !may_match(journald, line)) {
		pass_line(journald, line);
		journald->reason[0] = '\0';
		return;
	}
	if (!line.len || is_flood(journald)) {
		return;
	}
	struct arena *arena = arena_create();
	const struct value *entry = json_parse(arena, line, 8, NULL);
	if (entry && entry->type == VALUE_TABLE) {
		take_entry(journald, arena, entry);
		journald->reason[0] = '\0';
	} else {
		struct str shown = str_head(line, sizeof(journald->said) - 1);
		snprintf(journald->said, sizeof(journald->said), "%" STR_FMT, STR_ARG(shown));
	}
	arena_destroy(arena);
}

static void on_output(void *arg, struct str bytes) {
	struct journald *journald = arg;
	while (bytes.len) {
		ptrdiff_t end = str_find_char(bytes, '\n');
		struct str part = end < 0 ? bytes : str_head(bytes, (size_t)end);
		bytes = str_skip(bytes, part.len + (end >= 0));
		if (journald->line.len + part.len > LINE_MAX_BYTES) {
			journald->is_overlong = true;
		}
		if (!journald->is_overlong) {
			buf_append_str(&journald->line, part);
		}
		if (end >= 0) {
			if (journald->is_overlong) {
				outbox_gap(&journald->outbox, "a line that is too long",
					clock_wall(loop_clock(journald->services->loop)), 1);
			} else {
				take_line(journald, buf_str(&journald->line));
			}
			journald->is_overlong = false;
			buf_clear(&journald->line);
		}
	}
}

static void on_restart(void *arg) {
	start_child(arg);
}

static void try_later(struct journald *journald) {
	int64_t backoff = journald->backoff_ns ? journald->backoff_ns : BACKOFF_FIRST;
	timer_start(&journald->restart, journald->services->loop, backoff, on_restart, journald);
	journald->backoff_ns = backoff * 2 < BACKOFF_MOST ? backoff * 2 : BACKOFF_MOST;
}

static void on_exit_of(void *arg, const struct child_result *result) {
	struct journald *journald = arg;
	int64_t lived = loop_now(journald->services->loop) - journald->started_ns;
	journald->services->children->release(journald->child);
	journald->child = NULL;
	if (lived > WELL_AFTER) {
		journald->backoff_ns = 0;
	}
	snprintf(journald->reason, sizeof(journald->reason),
		"journalctl ended (%s %d)%s%.120s; it is started again",
		result->was_signalled ? "signal" : "status",
		result->was_signalled ? result->signal : result->exit_status,
		journald->said[0] ? ": " : "", journald->said);
	buf_clear(&journald->line);
	journald->is_overlong = false;
	try_later(journald);
}

// Before the first line there is no cursor: a child started again begins where the first one did.
// Nothing of Anna's environment but PATH; --quiet leaves out the hint that other users' lines are hidden.
static void start_child(struct journald *journald) {
	const char *own_path = getenv("PATH");
	_cleanup_(freep) char *path = xasprintf("PATH=%s", own_path ? own_path : "/usr/bin:/bin");
	const char *const environment[] = {"LC_ALL=C", path, NULL};
	struct err err = ERR_INIT;
	_cleanup_(freep) char *from = journald->cursor[0]
		? xasprintf("--after-cursor=%s", journald->cursor)
		: xasprintf("--since=@%lld", (long long)(journald->since_ns / NS_PER_SECOND));
	const char *const argv[] = {"journalctl", "--follow", "--output=json", "--no-pager",
		"--quiet", "--all",
		"--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_PID", from,
		"--lines=all", NULL};
	const struct child_spec spec = {.argv = argv,
		.environment = environment,
		.on_output = on_output,
		.on_exit = on_exit_of,
		.arg = journald};
	journald->started_ns = loop_now(journald->services->loop);
	journald->said[0] = '\0';
	journald->child = journald->services->children->spawn(
		journald->services->children, &spec, &err);
	if (!journald->child) {
		snprintf(journald->reason, sizeof(journald->reason), "%.190s", err.message);
		try_later(journald);
	}
}

static void stop_child(struct journald *journald) {
	timer_stop(&journald->restart);
	if (journald->child) {
		journald->services->children->release(journald->child); // killed and reaped
		journald->child = NULL;
	}
}

static void take_config(struct journald *journald, const struct capability_config *config) {
	struct snapshot *old = journald->snapshot;
	journald->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	journald->patterns = config->list;
	free(journald->limits);
	journald->limits = xcalloc(config->list.n + 1, sizeof(*journald->limits));
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // a journal that cannot be read degrades
	struct journald *journald = xcalloc(1, sizeof(*journald));
	journald->services = services;
	journald->since_ns = clock_wall(loop_clock(services->loop));
	outbox_init(&journald->outbox, services, "journald");
	take_config(journald, config);
	start_child(journald);
	return journald;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	take_config(self, config); // the child reads on: patterns are matched here
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct journald *journald = self;
	stop_child(journald);
	outbox_finish(&journald->outbox);
	buf_finish(&journald->line);
	free(journald->limits);
	if (journald->snapshot) {
		snapshot_unref(journald->snapshot);
	}
	free(journald);
}

static bool is_enabled(const struct capability_config *config) {
	return config->list.n > 0;
}

static void health(void *self, struct capability_health *out) {
	const struct journald *journald = self;
	bool is_well = journald->child && !journald->reason[0];
	// A child that has just been started again has nothing to say yet: well when it stays.
	is_well = is_well ||
		(journald->child &&
			loop_now(journald->services->loop) - journald->started_ns >
				NS_PER_SECOND * 5);
	out->state = is_well ? CAPABILITY_ACTIVE : CAPABILITY_DEGRADED;
	snprintf(out->reason, sizeof(out->reason), "%s", is_well ? "" : journald->reason);
}

static const struct option rows[] = {
	{"name", OPTION_STRING, offsetof(struct journal_pattern, line.name), .min = 1, .max = 100,
		.is_required = true, .help = "Its name, as `pattern` in its events."},
	{"match", OPTION_STRING, offsetof(struct journal_pattern, line.match), .min = 1,
		.max = 1000, .is_required = true,
		.help = "Lines it is about: text that stands anywhere in them, or with * and ? a "
			"glob over all of the line."},
	{"unit", OPTION_STRING, offsetof(struct journal_pattern, unit), .max = 256,
		.help = "Only lines of these units (a glob); none given: of all, and of none."},
	{"priority", OPTION_CHOICE, offsetof(struct journal_pattern, priority), "debug",
		.choices = priorities, .help = "Only lines of this priority or a graver one."},
	{"limit", OPTION_INT, offsetof(struct journal_pattern, line.limit), "10", .min = 1,
		.max = 6000, .unit = "events per minute",
		.help = "More are counted, and told with the next that is let through."},
	{NULL},
};

static const struct kind_attribute attributes[] = {
	{"pattern", "string", NULL, "the pattern's name"},
	{"line", "string", NULL, "the message, at most 1,000 bytes of it"},
	{"unit", "string", NULL, "the unit that wrote it"},
	{"identifier", "string", NULL, "what it calls itself"},
	{"pid", "integer", NULL, "the process that wrote it"},
	{"priority", "string", NULL, "emerg, alert, crit, err, warning, notice, info or debug"},
	{"held_back", "integer", NULL, "events of this pattern that the limit held back before"},
	{NULL},
};

static const struct kind kinds[] = {
	{"journal.line", STREAM_NORMAL, "A line of systemd's journal matched a pattern.",
		attributes},
	{NULL},
};

DEFINE_SOURCE(journald) = {
	.name = "journald",
	.summary = "Lines of systemd's journal by pattern.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "journald",
			.summary =
				"Patterns of lines in systemd's journal; with none it is not read.",
			.is_list = true,
			.rows = rows,
			.size = sizeof(struct journal_pattern),
			.example = "[[journald]]\nname = \"backup-failed\"\n"
				   "match = \"*backup* failed*\"\nunit = \"backup*.service\"\n"
				   "priority = \"err\"\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
