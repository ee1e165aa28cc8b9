// SPDX-License-Identifier: Apache-2.0
// The four states and the ways between them. Every transition happens here, is logged, told to
// systemd and journaled. Stopping is reached from every state; nothing leaves it.
//
//	starting  -> running (ready), stopping (a signal, or it could not start)
//	running   -> reloading, stopping
//	reloading -> running (done or refused: the configuration in force is a whole one), stopping
//	stopping  -> the process ends
#include <assert.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"

#define LOG_FOLDER "daemon"

static bool is_legal(enum anna_state from, enum anna_state to) {
	switch (from) {
	case ANNA_STARTING:
		return to == ANNA_RUNNING || to == ANNA_STOPPING;
	case ANNA_RUNNING:
		return to == ANNA_RELOADING || to == ANNA_STOPPING;
	case ANNA_RELOADING:
		return to == ANNA_RUNNING || to == ANNA_STOPPING;
	case ANNA_STOPPING:
		return false;
	}
	return false;
}

const char *anna_state_name(enum anna_state state) {
	static const char *const names[] = {"starting", "running", "reloading", "stopping"};
	return names[state];
}

static void tell_systemd(struct anna *anna, enum anna_state to) {
	switch (to) {
	case ANNA_RUNNING:
		notify_send("READY=1\nSTATUS=running, generation %llu",
			(unsigned long long)anna->generation);
		break;
	case ANNA_RELOADING:
		notify_send("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
			(long long)(clock_monotonic(anna->clock) / NS_PER_US));
		break;
	case ANNA_STOPPING:
		notify_send("STOPPING=1\nSTATUS=stopping");
		break;
	case ANNA_STARTING:
		break;
	}
}

void lifecycle_enter(struct anna *anna, enum anna_state to, const char *reason) {
	enum anna_state from = anna->state;
	assert(is_legal(from, to)); // callers ask only for ways that exist
	anna->state = to;
	log_info("%s -> %s: %s", anna_state_name(from), anna_state_name(to), reason);
	tell_systemd(anna, to);
	if (anna->rpc) {
		rpc_set_ready(anna->rpc, to == ANNA_RUNNING || to == ANNA_RELOADING);
	}
	struct event *event = event_create("daemon.state", "daemon", STR("annad"));
	event_set_text(event, "from", anna_state_name(from));
	event_set_text(event, "to", anna_state_name(to));
	event_set_text(event, "reason", reason);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("this transition is not in the journal: %s", err.message);
	}
}
