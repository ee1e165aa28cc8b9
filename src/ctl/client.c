// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 as a caller (jsonrpc.org/specification); see client.h.
#include "ctl/client.h"

#include <poll.h>

#include "formats/json.h"

#define TRIES_MAX 4
#define RETRY_AFTER_MAX_MS 1000

static void wait_really(struct client *client, int ms) {
	(void)client;
	(void)poll(NULL, 0, ms); // an interrupted wait only retries sooner
}

void client_init(struct client *client, const char *path, int64_t timeout_ns, struct clock *clock) {
	*client = (struct client){.timeout_ns = timeout_ns, .next_id = 1, .wait_ms = wait_really};
	connection_init(&client->connection, path, clock);
	random_init_system(&client->random);
}

void client_finish(struct client *client) {
	connection_finish(&client->connection);
}

int client_backoff_ms(struct random *random, int attempt, int retry_after_ms) {
	int base = 100 << (attempt - 1);
	if (attempt >= TRIES_MAX) {
		return 0;
	}
	base = base - base / 10 + (int)random_below(random, (uint64_t)base / 5 + 1);
	retry_after_ms = retry_after_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : retry_after_ms;
	return retry_after_ms > base ? retry_after_ms : base;
}

static void format_request(struct buf *out, const struct request *request, uint64_t id) {
	struct json_writer w;
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_text(&w, "jsonrpc", "2.0");
	json_member_uint(&w, "id", id);
	json_member_text(&w, "method", request->method);
	if (request->params.len > 0) {
		json_key(&w, "params");
		json_raw(&w, request->params);
	}
	json_end_object(&w);
	buf_append_char(out, '\n');
}

static const struct value *fail_answer(
	struct client *client, struct failure *failure, const char *what) {
	failure_set(failure, ERR_INTERNAL, "the daemon's answer is not valid: %s", what);
	snprintf(failure->name, sizeof(failure->name), "InvalidAnswer");
	snprintf(failure->where, sizeof(failure->where), "socket %s", client->connection.path);
	failure_set_next(failure,
		"see who listens on that socket, and whether annactl and annad "
		"match: annactl version");
	connection_close(&client->connection);
	return NULL;
}

static const struct value *fail_method(const struct request *request, struct failure *failure) {
	failure_set(failure, ERR_METHOD,
		"the running daemon does not know %s: it is older than "
		"this annactl, or there is no such method",
		request->method);
	failure->exit_status = 1;
	failure_set_next(failure,
		"annactl version compares the two; restart annad to run the "
		"installed one");
	return NULL;
}

// One answer line: the result, or NULL with *failure.
static const struct value *read_answer(struct client *client, const struct request *request,
	struct str line, uint64_t id, struct arena *arena, struct failure *failure) {
	struct err err = ERR_INIT;
	struct str kept = arena_copy_str(arena, line); // strings borrow from it
	const struct value *answer = json_parse(arena, kept, JSON_DEPTH, &err);
	const struct value *result, *error, *answered;
	if (!answer) {
		return fail_answer(client, failure, err.message);
	}
	result = value_get(answer, STR("result"));
	error = value_get(answer, STR("error"));
	answered = value_get(answer, STR("id"));
	if (answer->type != VALUE_TABLE || (!result && (!error || error->type != VALUE_TABLE))) {
		return fail_answer(client, failure, "it has neither a result nor an error");
	}
	// An error before the request was read (too many connections) has the id null.
	if (!answered ||
		!(answered->type == VALUE_INT ? answered->integer == (int64_t)id
					      : error && answered->type == VALUE_NULL)) {
		return fail_answer(client, failure, "it answers another request");
	}
	if (!error) {
		return result;
	}
	if (answered->type == VALUE_NULL) {
		connection_close(&client->connection); // whoever says so closes it: no second word
	}
	failure_from_answer(failure, error);
	if (failure->err.code == ERR_METHOD) {
		return fail_method(request, failure);
	}
	return NULL;
}

// One try. *out_sent says whether the daemon may have acted on it.
static const struct value *try_once(struct client *client, const struct request *request,
	int64_t deadline_ns, bool *out_sent, struct arena *arena, struct failure *failure) {
	struct buf line = BUF_INIT;
	struct str answer;
	uint64_t id = client->next_id++;
	bool ok;

	*out_sent = false;
	if (!connection_is_open(&client->connection) &&
		!connection_open(&client->connection, deadline_ns, failure)) {
		return NULL;
	}
	*out_sent = true;
	format_request(&line, request, id);
	ok = connection_send(&client->connection, buf_str(&line), deadline_ns, failure) &&
		connection_receive(&client->connection, deadline_ns, &answer, failure);
	buf_finish(&line);
	return ok ? read_answer(client, request, answer, id, arena, failure) : NULL;
}

const struct value *client_call(struct client *client, const struct request *request,
	struct arena *arena, struct failure *failure) {
	struct clock *clock = client->connection.clock;
	int64_t deadline_ns = clock_monotonic(clock) + client->timeout_ns + request->long_poll_ns;
	for (int attempt = 1;; attempt++) {
		bool was_sent;
		const struct value *result = try_once(
			client, request, deadline_ns, &was_sent, arena, failure);
		int wait;
		if (result) {
			return result;
		}
		if (client->wants_no_retry || !failure->is_retryable ||
			(was_sent && !request->is_repeatable)) {
			return NULL;
		}
		wait = client_backoff_ms(&client->random, attempt, failure->retry_after_ms);
		if (wait == 0 || clock_monotonic(clock) + wait * NS_PER_MS >= deadline_ns) {
			return NULL;
		}
		client->wait_ms(client, wait);
	}
}

const struct value *client_ask(
	struct client *client, const char *method, struct arena *arena, struct failure *failure) {
	struct request request = {.method = method, .is_repeatable = true};
	return client_call(client, &request, arena, failure);
}
