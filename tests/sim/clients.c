// SPDX-License-Identifier: Apache-2.0
// Clients: sessions fed by hand. They emit, ask, break off in the middle, repeat what they got no
// answer to, do not read, and talk nonsense. What they are told is written down.
#include "base/alloc.h"
#include "tests/sim/sim.h"

#define ANSWER_NS (120 * NS_PER_SECOND)	  // what is not answered by then never is
#define KEY_SAFE_NS (570 * NS_PER_SECOND) // of the 10 minutes that a key is kept

// --- what is written down ---

static uint32_t add_request(struct sim_client *client, enum sim_call call, uint32_t emit) {
	struct sim *sim = client->sim;
	if (sim->request_count == sim->request_cap) {
		sim->request_cap = sim->request_cap ? sim->request_cap * 2 : 1024;
		sim->requests = xreallocarray(
			sim->requests, sim->request_cap, sizeof(*sim->requests));
	}
	sim->requests[sim->request_count] = (struct sim_request){.call = (uint8_t)call,
		.client = (uint8_t)(client - sim->clients),
		.is_open = true,
		.emit = emit,
		.sent_ns = sim_now(sim),
		.edits = sim->edits};
	return (uint32_t)sim->request_count++;
}

static uint32_t add_emit(struct sim_client *client, bool is_keyed, bool has_cause) {
	struct sim *sim = client->sim;
	if (sim->emit_count == sim->emit_cap) {
		sim->emit_cap = sim->emit_cap ? sim->emit_cap * 2 : 1024;
		sim->emits = xreallocarray(sim->emits, sim->emit_cap, sizeof(*sim->emits));
	}
	sim->emits[sim->emit_count] = (struct sim_emit){.client = (uint8_t)(client - sim->clients),
		.state = EMIT_SENT,
		.level = (uint8_t)sim_below(sim, 10),
		.kind = (char)('a' + sim_below(sim, 4)),
		.is_keyed = is_keyed,
		.is_plain = !is_keyed && !has_cause,
		.first_ns = sim_now(sim),
		.wall_offset = sim->wall_offset};
	return (uint32_t)sim->emit_count++;
}

// --- answers ---

static void take_emit(struct sim *sim, struct sim_emit *emit, const struct value *result) {
	const struct value *id = value_get(result, STR("id"));
	if (!result) {
		emit->state = emit->is_keyed ? emit->state : EMIT_FAILED;
		return;
	}
	if (!id || id->type != VALUE_INT || id->integer <= 0) {
		sim_violate(sim, "Acked means durable", "an emit was answered without an id");
		return;
	}
	if (emit->state == EMIT_ACKED && emit->id != (uint64_t)id->integer && !emit->is_doubtful) {
		sim_violate(sim, "Acked means durable",
			"the key of emit %zu was answered with id %llu, and now with %lld",
			(size_t)(emit - sim->emits), (unsigned long long)emit->id,
			(long long)id->integer);
	}
	emit->state = EMIT_ACKED;
	emit->id = (uint64_t)id->integer;
	sim->result->acks++;
}

// What the answer says is in force must be, and must be what was asked for.
static void check_force(struct sim *sim, const struct sim_request *request, uint64_t number) {
	const struct anna *anna = sim->anna;
	const char *hash = snapshot_hash(anna->snapshot);
	const struct generation *generation = generations_find(anna->generations, number);
	if (anna->generation != number || !generation || strcmp(generation->hash, hash) != 0) {
		sim_violate(sim, "Undoable",
			"acked: generation %llu is in force; in truth it is %llu, hash %s",
			(unsigned long long)number, (unsigned long long)anna->generation, hash);
		return;
	}
	if (request->call == CALL_RELOAD && request->edits == sim->edits &&
		strcmp(hash, sim->versions[sim->file].hash) != 0) {
		sim_violate(sim, "Acked means durable",
			"a reload of version %zu was acked, and version %zd is in force", sim->file,
			(ssize_t)config_find(sim, hash));
	}
	watch_force(sim, number);
}

// The generation gone back to is, byte for byte, the one that was.
static void check_undone(struct sim *sim, uint64_t number) {
	struct config_files files;
	struct err err = ERR_INIT;
	struct sim_fs_faults none = {0};
	const struct sim_version *version = config_of(sim, number);
	if (sim->has_fault) {
		return; // the disk may refuse to read it to us
	}
	sim_fs_set_faults(sim->platter, &none);
	if (!generations_read(sim->anna->generations, number, &files, &err)) {
		sim_violate(sim, "Undoable", "undone to %llu, which cannot be read: %s",
			(unsigned long long)number, err.message);
		return;
	}
	bool is_same = files.n == 1 && version &&
		str_equal(files.items[0].text, buf_str(&version->text));
	config_files_finish(&files);
	if (!is_same) {
		sim_violate(sim, "Undoable", "generation %llu is not as it was",
			(unsigned long long)number);
	}
}

static void check_events(struct sim *sim, const struct value *result) {
	const struct value *events = value_get(result, STR("events"));
	uint64_t last = 0;
	for (size_t i = 0; events && i < events->array.n; i++) {
		const struct value *id = value_get(&events->array.items[i], STR("id"));
		if (!id) {
			continue; // a gap
		}
		uint64_t number = (uint64_t)id->integer;
		if (number <= last) {
			sim_violate(sim, "Gapless", "events showed %llu after %llu",
				(unsigned long long)number, (unsigned long long)last);
		} else if (!(watch_id(sim, number)->flags & (ID_DURABLE | ID_FOUND)) &&
			!sim->had_fault) { // a failing disk may show again what was taken back
			sim_violate(sim, "Acked means durable",
				"events showed %llu, which is not durable",
				(unsigned long long)number);
		}
		last = number;
	}
}

static void take_answer(struct sim_client *client, const struct value *answer) {
	struct sim *sim = client->sim;
	const struct value *id = value_get(answer, STR("id"));
	const struct value *result = value_get(answer, STR("result"));
	if (!id || id->type == VALUE_NULL) {
		return; // to something that was no request
	}
	if (id->type != VALUE_INT || (uint64_t)id->integer >= sim->request_count) {
		sim_violate(sim, "protocol", "an answer to a request that was never sent");
		return;
	}
	struct sim_request *request = &sim->requests[id->integer];
	if (!request->is_open || request->client != client - sim->clients) {
		sim_violate(sim, "protocol", "request %lld was answered twice, or to another",
			(long long)id->integer);
		return;
	}
	request->is_open = false;
	const struct value *number = value_get(result, STR("generation"));
	switch (request->call) {
	case CALL_EMIT:
		take_emit(sim, &sim->emits[request->emit], result);
		break;
	case CALL_RELOAD:
		sim->result->reloads += result != NULL;
		break;
	case CALL_UNDO:
		sim->result->undos += result != NULL;
		break;
	case CALL_WAIT:
		check_events(sim, result);
		break;
	default:
		break;
	}
	if (number && request->call != CALL_OTHER && request->call != CALL_WAIT) {
		check_force(sim, request, (uint64_t)number->integer);
		if (request->call == CALL_UNDO) {
			check_undone(sim, (uint64_t)number->integer);
		}
	}
}

static void on_send(void *arg, struct str bytes) {
	struct sim_client *client = arg;
	struct sim *sim = client->sim;
	struct str line;
	if (sim->is_dead) {
		return; // nobody hears it any more
	}
	while (bytes.len && str_split(&bytes, '\n', &line)) {
		if (!line.len) {
			continue;
		}
		struct err err = ERR_INIT;
		arena_clear(sim->scratch);
		const struct value *answer = json_parse(sim->scratch, line, JSON_DEPTH, &err);
		if (!answer) {
			sim_violate(sim, "protocol", "an answer is not JSON (%s): %.*s",
				err.message, STR_ARG(str_head(line, 300)));
			return;
		}
		if (answer->type != VALUE_ARRAY) {
			take_answer(client, answer);
			continue;
		}
		for (size_t i = 0; i < answer->array.n; i++) {
			take_answer(client, &answer->array.items[i]);
		}
	}
}

static void on_pause(void *arg, bool is_paused) {
	((struct sim_client *)arg)->is_paused = is_paused;
}

static void on_end(void *arg) {
	((struct sim_client *)arg)->has_ended = true;
}

// --- coming and going ---

static void leave(struct sim_client *client) {
	struct sim *sim = client->sim;
	if (!client->session) {
		return;
	}
	session_close(client->session);
	client->session = NULL;
	buf_finish(&client->half);
	for (size_t i = client->first_request; i < sim->request_count; i++) {
		struct sim_request *request = &sim->requests[i];
		if (request->client == client - sim->clients && request->is_open) {
			request->is_open = false;
			struct sim_emit *emit = &sim->emits[request->emit];
			if (request->call == CALL_EMIT && emit->state == EMIT_SENT) {
				emit->state = EMIT_UNKNOWN;
			}
		}
	}
}

static bool come(struct sim_client *client) {
	struct sim *sim = client->sim;
	struct err err = ERR_INIT;
	if (client->session && client->has_ended) {
		leave(client);
	}
	if (client->session) {
		return true;
	}
	struct session_peer peer = {.caller = {.role = ROLE_ADMIN, .uid = 1000, .pid = 77},
		.send = on_send,
		.pause = on_pause,
		.end = on_end,
		.arg = client};
	client->has_ended = client->is_congested = client->is_paused = false;
	client->first_request = (uint32_t)sim->request_count;
	client->session = session_open(sim->anna->rpc, &peer, &err);
	if (!client->session) {
		sim_violate(sim, "Bounded", "a client is refused although few are there: %s",
			err.message);
	}
	return client->session != NULL;
}

void clients_leave(struct sim *sim) {
	for (size_t i = 0; i < SIM_CLIENTS; i++) {
		leave(&sim->clients[i]);
	}
}

// --- messages ---

static void append_emit(struct sim_client *client, uint32_t emit, uint64_t cause, struct buf *out) {
	struct sim *sim = client->sim;
	const struct sim_emit *told = &sim->emits[emit];
	buf_appendf(out,
		"{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"events.emit\",\"params\":{\"kind\":"
		"\"test.%c\",\"attributes\":{\"u\":%u,\"level\":%u,\"c\":%u}",
		add_request(client, CALL_EMIT, emit), told->kind, emit, told->level, told->client);
	if (told->is_keyed) {
		buf_appendf(out, ",\"key\":\"k%u\"", emit);
	}
	if (cause) {
		buf_appendf(out, ",\"cause\":%llu", (unsigned long long)cause);
	}
	buf_append_text(out, "}}");
}

static void append_call(struct sim_client *client, enum sim_call call, const char *method,
	const char *params, struct buf *out) {
	buf_appendf(out, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":%s}\n",
		add_request(client, call, 0), method, params);
}

static void feed(struct sim_client *client, struct buf *text) {
	if (client->half.len) { // what was begun comes first
		buf_append_str(&client->half, buf_str(text));
		buf_clear(text);
		buf_append_str(text, buf_str(&client->half));
		buf_finish(&client->half);
		client->held_ns = sim_now(client->sim);
	}
	if (client->session && !client->has_ended) {
		session_feed(client->session, buf_str(text));
	}
	buf_finish(text);
}

// In two portions, the second perhaps much later, or never.
static void feed_half(struct sim_client *client, struct buf *text) {
	size_t cut = 1 + (size_t)sim_below(client->sim, text->len - 1);
	struct buf rest = BUF_INIT;
	if (client->half.len) {
		feed(client, text);
		return;
	}
	buf_append_str(&rest, str_skip(buf_str(text), cut));
	text->len = cut;
	feed(client, text);
	client->half = rest;
}

// A key may be used again while Anna must still know it.
static void repeat(struct sim_client *client, struct buf *out) {
	struct sim *sim = client->sim;
	size_t n = sim->emit_count < 60 ? sim->emit_count : 60;
	for (int i = 0; n && i < 20; i++) {
		uint32_t emit = (uint32_t)(sim->emit_count - 1 - sim_below(sim, n));
		struct sim_emit *told = &sim->emits[emit];
		if (told->is_keyed && sim_now(sim) - told->first_ns < KEY_SAFE_NS) {
			told->is_doubtful = told->is_doubtful ||
				told->wall_offset != sim->wall_offset;
			append_emit(client, emit, 0, out);
			buf_append_char(out, '\n');
			return;
		}
	}
}

static uint64_t some_cause(struct sim *sim) {
	for (int i = 0; sim->emit_count && i < 20; i++) {
		const struct sim_emit *emit = &sim->emits[sim_below(sim, sim->emit_count)];
		if (emit->state == EMIT_ACKED && !emit->is_doubtful) {
			return emit->id;
		}
	}
	return 0;
}

static void append_nonsense(struct sim *sim, struct buf *out) {
	static const char *const texts[] = {"nonsense\n", "[]\n", "{}\n", "[1,2,3]\n", "\n\n\n",
		"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\n", "\xff\xff\xff\n",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"no.such\"}\n",
		"{\"jsonrpc\":\"1.0\",\"id\":null,\"method\":\"ping\"}\n",
		"{\"jsonrpc\":\"2.0\",\"method\":\"events.emit\",\"params\":{\"kind\":\"daemon."
		"state\"}}\n",
		"{\"jsonrpc\":\"2.0\",\"method\":\"events.emit\",\"params\":{\"kind\":\"test.a\","
		"\"cause\":99999999}}\n"};
	if (sim_below(sim, 30) == 0) {
		for (int i = 0; i < 200; i++) {
			buf_append_char(out, '[');
		}
		buf_append_char(out, '\n');
		return;
	}
	buf_append_text(out, texts[sim_below(sim, 11)]);
}

static void append_emits(struct sim_client *client, unsigned n, bool is_batch, struct buf *out) {
	for (unsigned i = 0; i < n; i++) {
		buf_append_text(out, !is_batch ? "" : i ? "," : "[");
		append_emit(
			client, add_emit(client, sim_below(client->sim, 8) == 0, false), 0, out);
		buf_append_text(out, is_batch ? "" : "\n");
	}
	buf_append_text(out, is_batch ? "]\n" : "");
}

static void ask_something(struct sim_client *client, struct buf *out) {
	struct sim *sim = client->sim;
	char params[96] = "{}";
	uint64_t newest = sim->last_id;
	switch (sim_below(sim, 8)) {
	case 0:
		append_call(client, CALL_OTHER, "ping", params, out);
		break;
	case 1:
		append_call(client, CALL_OTHER, "status", params, out);
		break;
	case 2:
		(void)snprintf(
			params, sizeof(params), "{\"limit\":%u}", (unsigned)sim_below(sim, 40));
		append_call(client, CALL_WAIT, "events", params, out);
		break;
	case 3:
		(void)snprintf(params, sizeof(params),
			"{\"after\":%llu,\"limit\":50,\"wait_ms\":%u}",
			(unsigned long long)(newest > 30 ? newest - sim_below(sim, 30) : 0),
			(unsigned)sim_below(sim, 20000));
		append_call(client, CALL_WAIT, "events", params, out);
		break;
	case 4:
		(void)snprintf(params, sizeof(params), "{\"id\":%llu}",
			(unsigned long long)(1 + sim_below(sim, newest + 1)));
		append_call(client, CALL_OTHER, "why", params, out);
		break;
	case 5:
		append_call(client, CALL_OTHER, "config.history", params, out);
		break;
	case 6:
		append_call(client, CALL_OTHER, "health", params, out);
		break;
	default:
		append_call(client, CALL_OTHER, "capabilities", params, out);
		break;
	}
}

static struct sim_client *some_client(struct sim *sim) {
	struct sim_client *client = &sim->clients[sim_below(sim, SIM_CLIENTS)];
	return come(client) && !client->is_paused && !client->has_ended ? client : NULL;
}

void clients_act(struct sim *sim) {
	struct sim_client *client = some_client(sim);
	struct buf text = BUF_INIT;
	if (!client) {
		return;
	}
	uint64_t what = sim_below(sim, 100);
	if (client->is_congested && what < 50) { // it reads again
		client->is_congested = false;
		client->held_ns = sim_now(sim);
		session_set_congested(client->session, false);
		return;
	}
	if (what < 45) {
		append_emits(client, 1, false, &text);
	} else if (what < 55) {
		append_emit(client, add_emit(client, true, false), 0, &text);
		buf_append_char(&text, '\n');
	} else if (what < 62) {
		repeat(client, &text);
	} else if (what < 67) {
		append_emit(client, add_emit(client, false, true), some_cause(sim), &text);
		buf_append_char(&text, '\n');
	} else if (what < 71) {
		append_emits(client, 1 + (unsigned)sim_below(sim, 12), true, &text);
	} else if (what < 86) {
		ask_something(client, &text);
	} else if (what < 90) {
		append_nonsense(sim, &text);
	} else if (what < 95) {
		append_emits(client, 1 + (unsigned)sim_below(sim, 2), false, &text);
		feed_half(client, &text);
		return;
	} else if (what < 97) {
		client->is_congested = true;
		session_set_congested(client->session, true);
	} else {
		leave(client);
		return;
	}
	feed(client, &text);
}

void clients_burst(struct sim *sim) {
	struct sim_client *client = some_client(sim);
	struct buf text = BUF_INIT;
	if (client) {
		append_emits(client, 20 + (unsigned)sim_below(sim, 120), false, &text);
		feed(client, &text);
	}
}

void clients_ask(struct sim *sim, enum sim_call call) {
	struct sim_client *client = some_client(sim);
	struct buf text = BUF_INIT;
	char params[64] = "{}";
	if (!client) {
		return;
	}
	if (call == CALL_RELOAD && sim_below(sim, 4) == 0) {
		(void)snprintf(params, sizeof(params), "{\"confirm\":\"%us\"}",
			1 + (unsigned)sim_below(sim, 120));
	}
	if (call == CALL_UNDO && sim->generation_count && sim_below(sim, 3) == 0) {
		(void)snprintf(params, sizeof(params), "{\"generation\":%llu}",
			(unsigned long long)sim->generations[sim_below(sim, sim->generation_count)]
				.number);
	}
	append_call(client, call,
		call == CALL_RELOAD	    ? "reload"
			: call == CALL_UNDO ? "undo"
					    : "reload.confirm",
		params, &text);
	feed(client, &text);
}

// More connections than there may be, for a moment.
void clients_flood(struct sim *sim) {
	struct session *sessions[200];
	struct session_peer peer = {.caller = {.role = ROLE_READ, .uid = 2000},
		.send = on_send,
		.pause = on_pause,
		.end = on_end,
		.arg = &sim->clients[0]};
	size_t n = 0, before = 0;
	struct rpc_stats stats;
	rpc_get_stats(sim->anna->rpc, &stats);
	before = stats.sessions;
	for (size_t i = 0; i < 200; i++) {
		sessions[n] = session_open(sim->anna->rpc, &peer, NULL);
		n += sessions[n] != NULL;
	}
	if (before + n != 128) {
		sim_violate(
			sim, "Bounded", "%zu connections are open at once, not 128", before + n);
	}
	while (n > 0) {
		session_close(sessions[--n]);
	}
}

void clients_check(struct sim *sim) {
	for (size_t k = 0; k < SIM_CLIENTS; k++) {
		const struct sim_client *client = &sim->clients[k];
		if (!client->session || client->has_ended || client->is_congested ||
			client->half.len) {
			continue;
		}
		for (size_t i = client->first_request; i < sim->request_count; i++) {
			const struct sim_request *request = &sim->requests[i];
			int64_t since = request->sent_ns > client->held_ns ? request->sent_ns
									   : client->held_ns;
			int64_t age = sim_now(sim) - since;
			if (request->client == k && request->is_open && age > ANSWER_NS) {
				sim_violate(sim, "Bounded",
					"request %zu (call %d) has had no answer for %lld s", i,
					request->call, (long long)(age / NS_PER_SECOND));
				return;
			}
		}
	}
}

void clients_finish(struct sim *sim) {
	for (size_t i = 0; i < SIM_CLIENTS; i++) {
		buf_finish(&sim->clients[i].half);
	}
	free(sim->requests);
	free(sim->emits);
}
