// SPDX-License-Identifier: Apache-2.0
// `annactl events`: what happened, page by page, and with --follow what happens. Following survives
// a restart of the daemon: it goes on after the last id it has seen, and says so on stderr.
#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/event_line.h"
#include "ctl/fields.h"
#include "formats/json.h"

struct events_options {
	bool follow;
	struct strings kind;
	struct str since;
	struct str subject;
	int64_t after;
	int64_t limit;
};

// A long poll is shorter than any idle time limit on the way.
#define WAIT_MS 20000
#define RECONNECT_MIN_MS 100
#define RECONNECT_MAX_MS 2000

struct reading {
	struct invocation *in;
	const struct events_options *asked;
	int64_t next;	 // `after` of the next page; -1: the first page, without one
	int64_t left;	 // to print; -1: no limit
	bool is_waiting; // everything there was has been shown
	bool is_lost;
	int reconnect_ms;
};

static void format_params(const struct reading *reading, struct buf *out) {
	const struct events_options *asked = reading->asked;
	struct json_writer w;
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_int(&w, "limit", reading->left < 0 ? 0 : reading->left);
	if (reading->next >= 0) {
		json_member_int(&w, "after", reading->next);
	} else if (asked->after >= 0) {
		json_member_int(&w, "after", asked->after);
	}
	if (reading->next < 0 && asked->since.len > 0) {
		json_member_str(&w, "since", asked->since);
	}
	if (asked->subject.len > 0) {
		json_member_str(&w, "subject", asked->subject);
	}
	if (asked->kind.n > 0) {
		json_key(&w, "kind");
		json_begin_array(&w);
		for (size_t i = 0; i < asked->kind.n; i++) {
			json_str(&w, asked->kind.items[i]);
		}
		json_end_array(&w);
	}
	if (reading->is_waiting) {
		json_member_int(&w, "wait_ms", WAIT_MS);
	}
	json_end_object(&w);
}

static void print_events(struct reading *reading, const struct value *events) {
	struct output *output = &reading->in->output;
	int64_t now_ns = clock_wall(reading->in->clock);
	for (size_t i = 0; i < field_count(events); i++) {
		const struct value *event = field_item(events, i);
		if (output->is_json) {
			struct buf json = BUF_INIT;
			json_format(&json, event);
			output_json_line(output, buf_str(&json));
			buf_finish(&json);
		} else {
			event_print_line(output, event, now_ns);
		}
	}
	if (reading->left > 0) {
		int64_t n = (int64_t)field_count(events);
		reading->left -= n < reading->left ? n : reading->left;
	}
	(void)output_flush(output); // the caller looks at output->broken
}

// A note beside the results; JSON on stderr stays JSON.
static void note(struct invocation *in, const char *text) {
	struct output errors;
	output_init_errors(&errors, &in->output);
	if (in->output.is_json) {
		struct buf json = BUF_INIT;
		struct json_writer w;
		json_writer_init(&w, &json);
		json_begin_object(&w);
		json_member_text(&w, "note", text);
		json_end_object(&w);
		output_json_line(&errors, buf_str(&json));
		buf_finish(&json);
	} else {
		output_style(&errors, STYLE_DIM, STR("annactl:"));
		output_wrapped(&errors, str_from(text), 9, 2);
	}
	(void)output_flush(&errors); // stderr is gone: nobody is left to tell
	output_finish(&errors);
}

// Whether a failure while following is a daemon that will come back.
static bool is_transient(const struct failure *failure) {
	return failure->is_unreachable || failure->err.code == ERR_UNAVAILABLE ||
		failure->err.code == ERR_BUSY;
}

static bool wait_for_daemon(struct reading *reading, const struct failure *failure) {
	if (!reading->is_lost) {
		char text[600];
		snprintf(text, sizeof(text), "%s; waiting for it to come back",
			failure->err.message);
		note(reading->in, text);
		reading->is_lost = true;
		reading->reconnect_ms = RECONNECT_MIN_MS;
	}
	(void)poll(NULL, 0, reading->reconnect_ms);
	if (reading->reconnect_ms < RECONNECT_MAX_MS) {
		reading->reconnect_ms *= 2;
	}
	return true;
}

static void note_return(struct reading *reading) {
	char text[100];
	if (reading->is_lost) {
		snprintf(text, sizeof(text), "the daemon is back; going on after event %" PRId64,
			reading->next);
		note(reading->in, text);
		reading->is_lost = false;
	}
}

// One page. False with *failure.
static bool read_page(struct reading *reading, bool *out_complete, struct failure *failure) {
	struct request request = {.method = "events",
		.is_repeatable = true,
		.long_poll_ns = reading->is_waiting ? WAIT_MS * NS_PER_MS : 0};
	struct arena *arena = arena_create();
	struct buf params = BUF_INIT;
	const struct value *page;
	format_params(reading, &params);
	request.params = buf_str(&params);
	page = client_call(&reading->in->client, &request, arena, failure);
	buf_finish(&params);
	if (page) {
		const struct value *complete = value_get(page, STR("complete"));
		note_return(reading);
		print_events(reading, value_get(page, STR("events")));
		reading->next = field_int(page, "next", reading->next);
		*out_complete = !complete || field_bool(page, "complete");
	}
	arena_destroy(arena);
	failure->problems = NULL; // it was in the arena
	return page != NULL;
}

static int read_all(struct reading *reading) {
	struct invocation *in = reading->in;
	struct failure failure = FAILURE_INIT;
	for (;;) {
		bool is_complete = false;
		int64_t before = reading->next;
		if (!read_page(reading, &is_complete, &failure)) {
			bool has_begun = reading->next >= 0;
			if (!reading->asked->follow || !has_begun || !is_transient(&failure)) {
				return invocation_fail(in, &failure);
			}
			wait_for_daemon(reading, &failure);
			continue;
		}
		if (in->output.broken) {
			return 1; // the reader is gone
		}
		if (!is_complete && reading->left != 0 && reading->next > before) {
			continue;
		}
		if (!reading->asked->follow) {
			return 0;
		}
		// The limit was for what is past; what comes is followed without one.
		reading->left = -1;
		reading->is_waiting = is_complete;
		in->client.wants_no_retry = true;
	}
}

static int run(struct invocation *in, const void *options) {
	const struct events_options *asked = options;
	struct reading reading = {.in = in, .asked = asked, .next = -1, .left = asked->limit};
	if (asked->limit == 0) {
		reading.left = -1;
	} else if (asked->limit < 0) { // not given: the last 50, or all that was asked for
		bool is_ranged = asked->after >= 0 || asked->since.len > 0;
		reading.left = is_ranged ? -1 : 50;
	}
	return read_all(&reading);
}

DEFINE_COMMAND(events) = {
	.name = "events",
	.summary = "What happened; with --follow also what happens.",
	.usage = "[--follow] [--kind GLOB]... [--since 5m|TIME] [--after ID] [--limit N]",
	.examples = (const char *const[]){"annactl events --follow",
		"annactl events --since 1h --kind 'host.*'",
		"annactl --json events --limit 0 | jq .kind", NULL},
	.options =
		(const struct option[]){
			{.key = "follow",
				.letter = 'f',
				.type = OPTION_BOOL,
				.offset = offsetof(struct events_options, follow),
				.help = "Go on with what happens, until Ctrl-C; outlives a "
					"restart."},
			{.key = "kind",
				.letter = 'k',
				.type = OPTION_STRINGS,
				.unit = "glob",
				.offset = offsetof(struct events_options, kind),
				.help = "Only kinds like this, say 'host.*'; may be given again."},
			{.key = "since",
				.type = OPTION_STRING,
				.unit = "time",
				.offset = offsetof(struct events_options, since),
				.help = "Only the last 5m, 2h, 1d, or since an RFC 3339 time."},
			{.key = "after",
				.type = OPTION_INT,
				.unit = "id",
				.fallback = "-1",
				.min = -1,
				.max = 9007199254740991,
				.offset = offsetof(struct events_options, after),
				.help = "Only events after this one."},
			{.key = "subject",
				.letter = 's',
				.type = OPTION_STRING,
				.unit = "glob",
				.offset = offsetof(struct events_options, subject),
				.help = "Only what is about this."},
			{.key = "limit",
				.letter = 'n',
				.type = OPTION_INT,
				.fallback = "-1",
				.min = -1,
				.max = 1e9,
				.offset = offsetof(struct events_options, limit),
				.help = "The newest N (with --after, the first N); 0 is all. "
					"Without "
					"a range, 50."},
			{0},
		},
	.options_size = sizeof(struct events_options),
	.run = run,
};
