// SPDX-License-Identifier: Apache-2.0
// A pending generation: confirmed in time, or undone, also when a crash came in between (its deadline
// is in its file, and a start looks at it).
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "io/worker.h"

#define LOG_FOLDER "config"

struct confirmation {
	struct anna *anna;
	char *author;
	void (*on_done)(void *arg, const struct err *err);
	void *arg;
	struct err err;
	bool ok;
};

static void run_confirmation(void *arg) {
	struct confirmation *confirmation = arg;
	struct anna *anna = confirmation->anna;
	confirmation->ok = generations_set_verdict(
		anna->generations, anna->generation, VERDICT_ACTIVE, &confirmation->err);
}

static void publish_confirmed(const struct confirmation *confirmation) {
	struct event *event = event_create("config.confirmed", "daemon", STR("config"));
	struct err err = ERR_INIT;
	event_set_text(event, "author", confirmation->author);
	if (!bus_publish_reserved(confirmation->anna->services.bus, event, &err)) {
		log_warn("the confirmation is not in the journal: %s", err.message);
	}
}

static void on_confirmed(void *arg) {
	struct confirmation *confirmation = arg;
	struct anna *anna = confirmation->anna;
	anna->generations_are_lent = false;
	if (anna->state != ANNA_STOPPING) {
		if (confirmation->ok) {
			publish_confirmed(confirmation);
		}
		reload_watch_confirm(anna);
		if (anna->reload_is_wanted) { // SIGHUP came meanwhile
			anna->reload_is_wanted = false;
			daemon_reload(anna, "SIGHUP");
		}
	}
	confirmation->on_done(confirmation->arg, confirmation->ok ? NULL : &confirmation->err);
	free(confirmation->author);
	free(confirmation);
}

bool anna_confirm(struct anna *anna, const char *author,
	void (*on_done)(void *arg, const struct err *err), void *arg, struct err *err) {
	if (anna->generations_are_lent) {
		return err_set(err, ERR_BUSY, "a reload is under way: try again");
	}
	const struct generation *active = generations_find(anna->generations, anna->generation);
	if (!active || active->verdict != VERDICT_PENDING) {
		return err_set(err, ERR_INVALID, "generation %llu does not wait for a confirmation",
			(unsigned long long)anna->generation);
	}
	struct confirmation *confirmation = xcalloc(1, sizeof(*confirmation));
	*confirmation = (struct confirmation){
		.anna = anna, .author = xstrdup(author), .on_done = on_done, .arg = arg};
	if (!jobs_run(anna->services.jobs, run_confirmation, on_confirmed, confirmation)) {
		free(confirmation->author);
		free(confirmation);
		return err_set(err, ERR_BUSY, "all job threads are busy: try again");
	}
	anna->generations_are_lent = true;
	timer_stop(&anna->confirm); // it is set again if this fails
	return true;
}

static void on_confirm_due(void *arg) {
	struct anna *anna = arg;
	struct err err = ERR_INIT;
	if (anna->generations_are_lent) { // whoever has them watches anew when it is done
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
	anna->confirm_by_ns = 0;
	if (active && active->verdict == VERDICT_PENDING) {
		anna->confirm_by_ns = active->confirm_by_ns;
		int64_t left = active->confirm_by_ns - clock_wall(anna->clock);
		timer_start(&anna->confirm, anna->services.loop, left > 0 ? left : 0,
			on_confirm_due, anna);
	}
}

void reload_cancel(struct anna *anna) {
	timer_stop(&anna->confirm); // a job under way drops its result when it sees `stopping`
}
