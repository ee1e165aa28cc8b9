// SPDX-License-Identifier: Apache-2.0
// events.emit: an event of the user's own kind. Answers once it is durable. Kinds Anna declares,
// sources and traces cannot be forged: only user.* and test.* are taken, the source is "emit", and
// the trace is that of an existing cause or new.
#include "rpc/method.h"

#include "rpc/anna.h"
#include "rpc/emitter.h"

struct emit_params {
	struct str kind;
	struct str subject;
	const struct value *attributes;
	int64_t cause;
	struct str key;
};

static bool check_name(struct str name, struct err *err) {
	if (name.len == 0 || name.len > 100) {
		return err_set(err, ERR_INVALID,
			"an attribute's name has %zu bytes; from 1 to 100 are possible", name.len);
	}
	for (size_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.at[i] < 0x20 || name.at[i] == 0x7f) {
			return err_set(err, ERR_INVALID,
				"an attribute's name holds a control character (byte %zu)", i + 1);
		}
	}
	return true;
}

static bool check(const struct emit_params *params, struct err *err) {
	if (!kind_is_valid(params->kind)) {
		return err_set(err, ERR_INVALID,
			"\"%" STR_FMT
			"\" is not a kind: parts of lower-case letters, digits, '_' and "
			"'-', joined by '.', at least two",
			STR_ARG(params->kind));
	}
	if (!kind_is_free(params->kind)) {
		return err_set(err, ERR_INVALID,
			"kind \"%" STR_FMT
			"\" is not yours to emit; kinds that begin with user. or "
			"test. are",
			STR_ARG(params->kind));
	}
	if (!params->attributes) {
		return true;
	}
	if (params->attributes->type != VALUE_TABLE) {
		return err_set(err, ERR_PARAMS, "parameter \"attributes\" is %s, not an object",
			value_type_name(params->attributes->type));
	}
	if (params->attributes->table.n > EVENT_ATTRIBUTES_MAX) {
		return err_set(err, ERR_INVALID, "%zu attributes are given; at most %d are kept",
			params->attributes->table.n, EVENT_ATTRIBUTES_MAX);
	}
	for (size_t i = 0; i < params->attributes->table.n; i++) {
		if (!check_name(params->attributes->table.members[i].key, err)) {
			return false;
		}
	}
	return true;
}

static struct event *make_event(const struct emit_params *params, uid_t uid) {
	struct event *event = event_create_str(params->kind, STR("emit"), params->subject);
	size_t n = params->attributes ? params->attributes->table.n : 0;
	for (size_t i = 0; i < n; i++) {
		const struct member *member = &params->attributes->table.members[i];
		event_set_value(event, arena_copy(event->arena, member->key), &member->value);
	}
	if (params->key.len) {
		// Keys of different users are different keys.
		event->key = str_from(arena_printf(
			event->arena, "%u/%" STR_FMT, (unsigned)uid, STR_ARG(params->key)));
	}
	return event;
}

static void handle(struct call *call) {
	const struct emit_params *params = call_params(call);
	struct err err = ERR_INIT;
	if (!check(params, &err)) {
		call_fail(call, &err);
		return;
	}
	emitter_emit(anna_emitter(call_anna(call)), make_event(params, call_caller(call)->uid),
		(uint64_t)params->cause, emitter_answer, call);
}

static const struct option params[] = {
	{.key = "kind",
		.type = OPTION_STRING,
		.offset = offsetof(struct emit_params, kind),
		.min = 1,
		.max = 100,
		.is_required = true,
		.help = "The kind of event; it begins with user. or test."},
	{.key = "subject",
		.type = OPTION_STRING,
		.offset = offsetof(struct emit_params, subject),
		.max = 1024,
		.help = "What it is about."},
	{.key = "attributes",
		.type = OPTION_VALUE,
		.offset = offsetof(struct emit_params, attributes),
		.help = "An object of at most 64 attributes."},
	{.key = "cause",
		.type = OPTION_INT,
		.offset = offsetof(struct emit_params, cause),
		.min = 0,
		.max = 9007199254740991.0,
		.help = "The id of the event that caused this one; its trace is taken over."},
	{.key = "key",
		.type = OPTION_STRING,
		.offset = offsetof(struct emit_params, key),
		.max = 128,
		.help = "Makes repeating safe: within 10 minutes the same key gives the same id "
			"and no second event."},
	{0}};

static const char *const aliases[] = {"emit", NULL};

DEFINE_METHOD(events_emit) = {
	.name = "events.emit",
	.aliases = aliases,
	.summary = "Makes an event of a kind of your own; answers once it is durable.",
	.role = ROLE_ACT,
	.params = params,
	.params_size = sizeof(struct emit_params),
	.result = "{id}",
	.handle = handle,
};
