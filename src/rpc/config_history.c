// SPDX-License-Identifier: Apache-2.0
// config.history: the generations of the configuration that are kept.
#include "rpc/method.h"

#include "rpc/anna.h"

static void write_generation(
	struct json_writer *w, const struct generation *generation, bool is_active) {
	json_begin_object(w);
	json_member_uint(w, "number", generation->number);
	json_member_text(w, "hash", generation->hash);
	json_member_time(w, "time", generation->time_ns);
	json_member_text(w, "author", generation->author);
	json_member_text(w, "writer", generation->writer[0] ? generation->writer : NULL);
	json_member_text(w, "verdict", verdict_name(generation->verdict));
	json_member_bool(w, "active", is_active);
	json_end_object(w);
}

static void handle(struct call *call) {
	struct anna *anna = call_anna(call);
	const struct generations *generations = anna_generations(anna);
	if (!generations) {
		struct err err;
		err_set(&err, ERR_BUSY, "a reload is under way: try again");
		call_fail(call, &err);
		return;
	}
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_uint(w, "active", anna_generation(anna));
	json_key(w, "generations");
	json_begin_array(w);
	for (size_t i = 0; i < generations_count(generations); i++) {
		const struct generation *generation = generations_get(generations, i);
		write_generation(w, generation, generation->number == anna_generation(anna));
	}
	json_end_array(w);
	json_end_object(w);
	call_reply(call);
}

static const char *const aliases[] = {"config_history", NULL};

DEFINE_METHOD(config_history) = {
	.name = "config.history",
	.aliases = aliases,
	.summary = "The generations of the configuration that are kept, the newest last.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{active, generations: [{number, hash, time, author, writer, verdict, active}]}",
	.handle = handle,
};
