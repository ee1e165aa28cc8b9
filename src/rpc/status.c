// SPDX-License-Identifier: Apache-2.0
// status: what runs, since when, with which configuration, and how it is. Its fields are a contract
// (others build on them); `contract` counts up when one changes its meaning.
#include "rpc/method.h"

#include <unistd.h>

#include "build_id.h"
#include "io/loop.h"
#include "rpc/anna.h"

#define LAST_ERRORS 10

static void write_capabilities(struct json_writer *w, const struct anna *anna) {
	json_key(w, "capabilities");
	json_begin_array(w);
	for (size_t i = 0; i < anna_capability_count(anna); i++) {
		struct capability_status status;
		anna_get_capability(anna, i, &status);
		json_begin_object(w);
		json_member_text(w, "name", status.capability->name);
		json_member_text(w, "state", capability_state_name(status.state));
		json_member_text(w, "reason", status.reason[0] ? status.reason : NULL);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_mappings(struct json_writer *w, struct anna *anna) {
	size_t total = 0, assured = 0, reflex = 0, disabled = 0;
	struct snapshot *snapshot = anna_snapshot(anna);
	if (snapshot) {
		struct item_list list = snapshot_list(snapshot, anna_mappings(anna));
		const struct mapping *mappings = list.items;
		total = list.n;
		for (size_t i = 0; i < list.n; i++) {
			disabled += !mappings[i].enabled;
			assured += mappings[i].class == CLASS_ASSURED;
			reflex += mappings[i].class == CLASS_REFLEX;
		}
	}
	json_key(w, "mappings");
	json_begin_object(w);
	json_member_uint(w, "total", total);
	json_member_uint(w, "assured", assured);
	json_member_uint(w, "reflex", reflex);
	json_member_uint(w, "disabled", disabled);
	json_end_object(w);
}

static void write_last_errors(struct json_writer *w, const struct anna *anna) {
	struct last_error errors[LAST_ERRORS];
	size_t n = anna_last_errors(anna, errors, LAST_ERRORS);
	json_key(w, "last_errors");
	json_begin_array(w);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(w);
		json_member_time(w, "time", errors[i].time_ns);
		json_member_text(w, "part", errors[i].folder);
		json_member_text(w, "message", errors[i].message);
		json_end_object(w);
	}
	json_end_array(w);
}

static void handle(struct call *call) {
	struct anna *anna = call_anna(call);
	struct clock *clock = loop_clock(anna_services(anna)->loop);
	int64_t up_ns = clock_monotonic(clock) - anna_started_ns(anna);
	struct health_reason reasons[1];
	size_t reason_count;
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_int(w, "contract", 1);
	json_member_text(w, "state", anna_state_name(anna_get_state(anna)));
	json_member_text(w, "version", ANNA_VERSION);
	json_member_text(w, "build", ANNA_BUILD);
	json_member_int(w, "pid", getpid());
	json_member_int(w, "uptime_seconds", up_ns / NS_PER_SECOND);
	json_member_time(w, "started_at", clock_wall(clock) - up_ns);
	json_member_uint(w, "generation", anna_generation(anna));
	json_key(w, "confirm_by");
	if (anna_confirm_by_ns(anna)) {
		struct buf time = BUF_INIT;
		time_format(&time, anna_confirm_by_ns(anna));
		json_str(w, buf_str(&time));
		buf_finish(&time);
	} else {
		json_null(w);
	}
	json_member_text(w, "config_path", anna_config_path(anna));
	json_member_text(w, "socket", anna_socket(anna));
	json_member_text(w, "http", anna_http(anna));
	json_member_text(
		w, "health", anna_health_name(anna_get_health(anna, reasons, 1, &reason_count)));
	write_capabilities(w, anna);
	write_mappings(w, anna);
	json_member_uint(w, "reloads", anna_reload_count(anna));
	json_member_uint(w, "events_processed", anna_events_processed(anna));
	json_member_uint(w, "errors", anna_error_count(anna));
	write_last_errors(w, anna);
	json_end_object(w);
	call_reply(call);
}

DEFINE_METHOD(status) = {
	.name = "status",
	.summary = "What runs, since when, with which configuration, and how it is.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{contract, state, version, build, pid, uptime_seconds, started_at, generation, "
		  "config_path, socket, http, health, capabilities, mappings, reloads, "
		  "events_processed, errors, last_errors}",
	.handle = handle,
};
