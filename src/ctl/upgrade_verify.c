// SPDX-License-Identifier: Apache-2.0
// Whether the daemon that runs is the one wanted. It is the running process that is asked, over its
// socket; what the files on disk say of themselves is only what it is compared with.
#include "ctl/annad.h"
#include "ctl/fields.h"
#include "ctl/upgrade_parts.h"
#include "formats/json.h"

#define LOOK_AGAIN_MS 100
#define ASK_NS (2 * NS_PER_SECOND)
#define REPORT_NS (5 * NS_PER_SECOND)

// One try: NULL when nobody answers.
static const struct value *ask_status(struct upgrade *u, struct failure *failure) {
	struct client *client = &u->in->client;
	int64_t timeout_ns = client->timeout_ns;
	client->timeout_ns = ASK_NS;
	client->wants_no_retry = true;
	const struct value *status = client_ask(client, "status", u->arena, failure);
	client->timeout_ns = timeout_ns;
	client->wants_no_retry = false;
	if (!status) {
		connection_close(&client->connection); // the next try finds the new socket
	}
	return status;
}

// True when it is well; *err says what is not.
static bool judge(const struct value *status, const struct release *wanted, struct err *err) {
	struct str state = field_str(status, "state"), health = field_str(status, "health");
	struct str number = field_str(status, "version"), build = field_str(status, "build");
	if (!str_equal(number, wanted->number) || !str_equal(build, wanted->build)) {
		return err_set(err, ERR_UNAVAILABLE,
			"the daemon that answers is %" STR_FMT " (build %" STR_FMT
			"), not %" STR_FMT " (build %" STR_FMT ")",
			STR_ARG(number), STR_ARG(build), STR_ARG(wanted->number),
			STR_ARG(wanted->build));
	}
	if (!str_is(state, "running")) {
		return err_set(err, ERR_UNAVAILABLE, "the daemon is %" STR_FMT, STR_ARG(state));
	}
	if (str_is(health, "critical")) {
		return err_set(err, ERR_UNAVAILABLE, "the daemon's health is critical");
	}
	return true;
}

bool verify_running(
	struct upgrade *u, const struct release *wanted, int64_t wait_ns, struct err *err) {
	int64_t deadline_ns = clock_monotonic(u->in->clock) + wait_ns;
	for (;;) {
		struct failure failure = FAILURE_INIT;
		const struct value *status = ask_status(u, &failure);
		struct err now = ERR_INIT;
		if (status && judge(status, wanted, &now)) {
			u->is_audited = true;
			return true;
		}
		if (clock_monotonic(u->in->clock) >= deadline_ns) {
			*err = status ? now : failure.err;
			return false;
		}
		u->in->client.wait_ms(&u->in->client, LOOK_AGAIN_MS);
	}
}

static void print_verified(struct upgrade *u, const struct release *release) {
	struct output *output = &u->in->output;
	if (!output->is_json) {
		output_printf(output, "annad %" STR_FMT " (build %" STR_FMT ") runs and answers\n",
			STR_ARG(release->number), STR_ARG(release->build));
		return;
	}
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_bool(&w, "verified", true);
	json_member_str(&w, "version", release->number);
	json_member_str(&w, "build", release->build);
	json_end_object(&w);
	output_json_line(output, buf_str(&json));
	buf_finish(&json);
}

int verify_installed(struct upgrade *u) {
	struct failure failure = FAILURE_INIT;
	struct buf path = BUF_INIT;
	struct release installed = {0};
	struct err err = ERR_INIT;
	bool ok = annad_find(&path, &failure);
	if (ok &&
		!(release_ask(u, buf_text(&path), &installed, &err) &&
			verify_running(u, &installed, u->options->wait_ns, &err))) {
		ok = failure_from_err(&failure, &err);
		failure_set_next(
			&failure, "journalctl -u annad -n 50; then systemctl restart annad");
	}
	buf_finish(&path);
	if (!ok) {
		return invocation_fail(u->in, &failure);
	}
	print_verified(u, &installed);
	return 0;
}

void upgrade_report(struct upgrade *u, const char *phase, struct str reason) {
	struct buf params = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &params);
	json_begin_object(&w);
	json_member_text(&w, "phase", phase);
	json_member_str(&w, "from", u->from.package);
	json_member_str(&w, "to", u->to.package);
	if (reason.len) {
		json_member_str(&w, "reason", str_head(reason, 1000));
	}
	if (u->event > 0) {
		json_member_int(&w, "cause", u->event);
	}
	json_end_object(&w);
	struct request request = {.method = "upgrade.report", .params = buf_str(&params)};
	struct failure failure = FAILURE_INIT;
	int64_t timeout_ns = u->in->client.timeout_ns;
	u->in->client.timeout_ns = REPORT_NS;
	const struct value *result = client_call(&u->in->client, &request, u->arena, &failure);
	u->in->client.timeout_ns = timeout_ns;
	if (result && u->event == 0) {
		u->event = field_int(result, "id", 0);
	} else if (!result && !u->in->output.is_json) {
		output_printf(&u->in->output, "        not in the journal (%s): %s\n", phase,
			failure.err.message);
	}
	buf_finish(&params);
}

bool verify_journal(struct upgrade *u, struct err *err) {
	if (u->event == 0) {
		return true; // the daemon before could not keep it: nothing to look for
	}
	struct request request = {.method = "events",
		.params = str_from(arena_printf(
			u->arena, "{\"after\":%lld,\"limit\":1}", (long long)u->event - 1)),
		.is_repeatable = true};
	struct failure failure = FAILURE_INIT;
	const struct value *result = client_call(&u->in->client, &request, u->arena, &failure);
	if (!result) {
		*err = failure.err;
		return err_prefix(err, "the new daemon does not read the journal");
	}
	const struct value *events = value_get(result, STR("events"));
	int64_t id = field_int(field_item(events, 0), "id", 0);
	return id == u->event ||
		err_set(err, ERR_STORAGE,
			"the new daemon does not find event %lld, which the old one kept",
			(long long)u->event);
}
