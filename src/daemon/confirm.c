// SPDX-License-Identifier: Apache-2.0
// A pending generation: confirmed in time, or undone, also when a crash came in between (its deadline
// is in its file, and a start looks at it).
#include "base/log.h"
#include "daemon/daemon.h"

#define LOG_FOLDER "config"

bool anna_confirm(struct anna *anna, struct err *err) {
	if (anna->reload) {
		return err_set(err, ERR_BUSY, "a reload is under way: try again");
	}
	const struct generation *active = generations_find(anna->generations, anna->generation);
	if (!active || active->verdict != VERDICT_PENDING) {
		return err_set(err, ERR_INVALID, "generation %llu does not wait for a confirmation",
			(unsigned long long)anna->generation);
	}
	if (!generations_set_verdict(anna->generations, anna->generation, VERDICT_ACTIVE, err)) {
		return false;
	}
	timer_stop(&anna->confirm);
	struct event *event = event_create("config.confirmed", "daemon", STR("config"));
	event_set_text(event, "author", "rpc");
	struct err why = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &why)) {
		log_warn("the confirmation is not in the journal: %s", why.message);
	}
	return true;
}

static void on_confirm_due(void *arg) {
	struct anna *anna = arg;
	struct err err = ERR_INIT;
	if (anna->reload) { // it watches anew when it is done
		return;
	}
	const struct generation *active = generations_find(anna->generations, anna->generation);
	if (!active || active->verdict != VERDICT_PENDING) {
		return;
	}
	log_warn("generation %llu was not confirmed in time: going back to %llu",
		(unsigned long long)active->number, (unsigned long long)active->previous);
	if (!anna_undo(anna, active->previous, "not confirmed", NULL, NULL, &err)) {
		log_error("cannot go back yet: %s; trying again in 1 s", err.message);
		timer_start(
			&anna->confirm, anna->services.loop, NS_PER_SECOND, on_confirm_due, anna);
	}
}

void reload_watch_confirm(struct anna *anna) {
	const struct generation *active = generations_find(anna->generations, anna->generation);
	timer_stop(&anna->confirm);
	if (active && active->verdict == VERDICT_PENDING) {
		int64_t left = active->confirm_by_ns - clock_wall(anna->clock);
		timer_start(&anna->confirm, anna->services.loop, left > 0 ? left : 0,
			on_confirm_due, anna);
	}
}

void reload_cancel(struct anna *anna) {
	timer_stop(&anna->confirm); // a job under way drops its result when it sees `stopping`
}
