// SPDX-License-Identifier: Apache-2.0
// What the daemon says of herself, each answer with its own time limit and all of them with one
// together. When asking fails, the rest is not asked any more, and every fact says why it is missing.
#include "build_id.h"
#include "ctl/doctor_examine.h"
#include "ctl/fields.h"

#define PINGS 10
#define CALL_NS NS_PER_SECOND
#define ALL_NS (2200 * NS_PER_MS)

struct asking {
	struct invocation *in;
	struct patient *patient;
	int64_t deadline_ns;
	struct failure failure; // the one that ended it
	bool has_failed;
};

const struct value *examination_parse(struct arena *arena, const struct buf *json) {
	return json_parse(arena, arena_copy_str(arena, buf_str(json)), JSON_DEPTH, NULL);
}

static const struct value *ask(struct asking *asking, const char *method, struct failure *failure) {
	struct client *client = &asking->in->client;
	struct request request = {.method = method, .is_repeatable = true};
	int64_t left = asking->deadline_ns - clock_monotonic(asking->in->clock);
	int64_t usual_ns = client->timeout_ns;
	const struct value *answer;
	left = left < CALL_NS ? left : CALL_NS;
	client->timeout_ns = usual_ns < left ? usual_ns : left;
	client->wants_no_retry = true;
	answer = client_call(client, &request, asking->in->arena, failure);
	client->timeout_ns = usual_ns;
	client->wants_no_retry = false;
	return answer;
}

static void sort(int64_t *values, size_t n) {
	for (size_t i = 1; i < n; i++) {
		int64_t moved = values[i];
		size_t at = i;
		while (at > 0 && values[at - 1] > moved) {
			values[at] = values[at - 1];
			at--;
		}
		values[at] = moved;
	}
}

// The fact `rpc`: how asking goes, with the time a ping takes.
static void ask_pings(struct asking *asking) {
	int64_t took[PINGS];
	size_t n = 0;
	struct buf json = BUF_INIT;
	struct json_writer w;
	const struct connection *connection = &asking->in->client.connection;
	while (n < PINGS && !asking->has_failed) {
		int64_t start_ns = clock_monotonic(asking->in->clock);
		asking->has_failed = !ask(asking, "ping", &asking->failure);
		took[n] = (clock_monotonic(asking->in->clock) - start_ns) / NS_PER_US;
		n += !asking->has_failed;
	}
	sort(took, n);
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_bool(&w, "ok", !asking->has_failed);
	if (asking->has_failed) {
		json_member_text(&w, "error", failure_name(&asking->failure));
		json_member_text(&w, "message", asking->failure.err.message);
	}
	json_member_int(&w, "peer_pid", connection->peer_pid);
	json_member_uint(&w, "pings", n);
	if (n > 0) { // by nearest rank
		json_member_int(&w, "ping_p50_us", took[(n - 1) / 2]);
		json_member_int(&w, "ping_p95_us", took[(n * 95 + 99) / 100 - 1]);
	}
	json_end_object(&w);
	patient_add(asking->patient, "rpc", examination_parse(asking->in->arena, &json));
	buf_finish(&json);
}

static void ask_fact(struct asking *asking, const char *name, const char *method) {
	struct failure failure = FAILURE_INIT;
	const struct value *answer;
	if (asking->has_failed) {
		patient_add_missing(asking->patient, name,
			arena_copy(asking->in->arena, str_from(asking->failure.err.message)),
			false);
		return;
	}
	answer = ask(asking, method, &failure);
	if (answer) {
		patient_add(asking->patient, name, answer);
		return;
	}
	patient_add_missing(asking->patient, name,
		arena_copy(asking->in->arena, str_from(failure.err.message)), false);
	if (failure.is_unreachable) { // nor will it answer the others
		asking->failure = failure;
		asking->has_failed = true;
	}
}

static void add_client(struct asking *asking) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_text(&w, "version", ANNA_VERSION);
	json_member_text(&w, "build", ANNA_BUILD);
	json_member_int(&w, "contract", CONTRACT_KNOWN);
	json_member_uint(&w, "uid", geteuid());
	json_end_object(&w);
	patient_add(asking->patient, "client", examination_parse(asking->in->arena, &json));
	buf_finish(&json);
}

void examination_ask(struct invocation *in, struct patient *patient, int *out_pid) {
	struct asking asking = {.in = in,
		.patient = patient,
		.deadline_ns = clock_monotonic(in->clock) + ALL_NS,
		.failure = FAILURE_INIT};
	add_client(&asking);
	ask_pings(&asking);
	*out_pid = (int)patient_int(patient, "rpc.peer_pid", 0);
	ask_fact(&asking, "status", "status");
	ask_fact(&asking, "diagnosis", "diagnosis");
	ask_fact(&asking, "health", "health");
	ask_fact(&asking, "capabilities", "capabilities");
	ask_fact(&asking, "history", "config.history");
	ask_fact(&asking, "drift", "config.diff");
}
