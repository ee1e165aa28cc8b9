// SPDX-License-Identifier: Apache-2.0
// A ring of events in front of the bus; see outbox.h. Invariant: while any wait, new ones go
// behind them, so the order in which things happened is kept.
#include "sources/outbox.h"

#include "base/alloc.h"
#include "sources/text.h"

#define SEND_AT_ONCE 16 // then others have their turn
#define RETRY_AFTER (200 * NS_PER_MS)
#define GAP_EVERY NS_PER_SECOND

static int64_t wall(const struct outbox *outbox) {
	return clock_wall(loop_clock(outbox->services->loop));
}

void outbox_init(struct outbox *outbox, const struct services *services, const char *source) {
	*outbox = (struct outbox){.services = services, .source = source};
}

void outbox_finish(struct outbox *outbox) {
	if (!outbox->services) {
		return;
	}
	timer_stop(&outbox->retry);
	for (size_t i = 0; i < outbox->n; i++) {
		event_unref(outbox->waiting[(outbox->first + i) % OUTBOX_MAX]);
	}
	free(outbox->waiting);
	*outbox = (struct outbox){0};
}

static bool publish_gap(struct outbox *outbox) {
	struct event *event = event_create("source.gap", outbox->source, str_from(outbox->source));
	event_set_text(event, "source", outbox->source);
	event_set_text(event, "reason", outbox->gap_reason);
	event_set_int(event, "from", outbox->gap_from);
	event_set_int(event, "to", outbox->gap_to);
	if (outbox->gap_count) {
		event_set_int(event, "count", outbox->gap_count);
	}
	return bus_publish_reserved(outbox->services->bus, event, NULL) != 0;
}

static void on_retry(void *arg);

// Gaps that follow each other closely become one. False: the bus refuses it.
static bool tell_gap(struct outbox *outbox) {
	int64_t now = loop_now(outbox->services->loop);
	bool is_due = !outbox->gap_told_ns || now - outbox->gap_told_ns >= GAP_EVERY;
	if (!outbox->gap_reason || !is_due) {
		return true;
	}
	if (!publish_gap(outbox)) {
		return false;
	}
	outbox->gap_reason = NULL;
	outbox->gap_count = 0;
	outbox->gap_told_ns = now;
	return true;
}

static void flush(struct outbox *outbox) {
	bool is_refused = !tell_gap(outbox);
	while (outbox->n && !is_refused && outbox->sent < SEND_AT_ONCE) {
		struct event *event = outbox->waiting[outbox->first];
		struct err err = ERR_INIT;
		bool is_taken = bus_publish(outbox->services->bus, event_ref(event), NULL, NULL,
					&err) != 0;
		// What can never be published (too large) must not hold up the others.
		is_refused = !is_taken && err.code != ERR_LIMIT && err.code != ERR_INVALID;
		if (!is_refused) {
			event_unref(event);
			outbox->first = (outbox->first + 1) % OUTBOX_MAX;
			outbox->n--;
			outbox->sent++;
		}
	}
	struct loop *loop = outbox->services->loop;
	if (is_refused) {
		timer_start(&outbox->retry, loop, RETRY_AFTER, on_retry, outbox);
	} else if (outbox->n || outbox->sent) { // sent: begins a new turn
		timer_start(&outbox->retry, loop, 0, on_retry, outbox);
	} else if (outbox->gap_reason) {
		timer_start_at(
			&outbox->retry, loop, outbox->gap_told_ns + GAP_EVERY, on_retry, outbox);
	}
}

static void on_retry(void *arg) {
	struct outbox *outbox = arg;
	outbox->sent = 0;
	flush(outbox);
}

void outbox_gap(struct outbox *outbox, const char *reason, int64_t from_ns, int64_t count) {
	bool is_first = !outbox->gap_reason;
	outbox->gap_count = is_first	     ? count
		: outbox->gap_count && count ? outbox->gap_count + count
					     : 0;
	outbox->gap_from = is_first || from_ns < outbox->gap_from ? from_ns : outbox->gap_from;
	outbox->gap_reason = reason;
	outbox->gap_to = wall(outbox);
	flush(outbox);
}

void outbox_send(struct outbox *outbox, struct event *event) {
	if (!event->time_ns) {
		event->time_ns = wall(outbox); // when it happened, not when there was room
	}
	if (outbox->n == OUTBOX_MAX) {
		event_unref(event);
		outbox_gap(outbox, "busy", wall(outbox), 1);
		return;
	}
	if (!outbox->waiting) {
		outbox->waiting = xcalloc(OUTBOX_MAX, sizeof(*outbox->waiting));
	}
	outbox->waiting[(outbox->first + outbox->n++) % OUTBOX_MAX] = event;
	if (outbox->n == 1 && outbox->sent < SEND_AT_ONCE) {
		flush(outbox);
	}
}

void outbox_set_clean(struct event *event, const char *name, struct str bytes) {
	if (bytes.len) {
		struct buf text = BUF_INIT;
		clean_text(&text, bytes);
		event_set_str(event, name, buf_str(&text));
		buf_finish(&text);
	}
}
