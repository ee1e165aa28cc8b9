// SPDX-License-Identifier: Apache-2.0
// `annactl emit`: puts an event into the journal. The answer comes once it is durable; every call
// carries a key, so that a try after a lost answer never doubles it.
#include <inttypes.h>

#include "ctl/attributes.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "formats/json.h"

struct emit_options {
	struct str kind;
	struct strings attributes;
	struct str subject;
	int64_t cause;
	struct str key;
	struct str json_attributes;
};

static void format_params(struct invocation *in, const struct emit_options *asked,
	const struct value *attributes, struct buf *out) {
	struct json_writer w;
	struct str key = asked->key;
	if (key.len == 0) {
		key = str_from(arena_printf(in->arena, "annactl-%016" PRIx64 "%016" PRIx64,
			random_next(&in->client.random), random_next(&in->client.random)));
	}
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_member_str(&w, "kind", asked->kind);
	if (asked->subject.len > 0) {
		json_member_str(&w, "subject", asked->subject);
	}
	if (attributes->table.n > 0) {
		json_key(&w, "attributes");
		json_value(&w, attributes);
	}
	if (asked->cause > 0) {
		json_member_int(&w, "cause", asked->cause);
	}
	json_member_str(&w, "key", key);
	json_end_object(&w);
}

static int run(struct invocation *in, const void *options) {
	const struct emit_options *asked = options;
	struct request request = {.method = "events.emit", .is_repeatable = true};
	struct value attributes;
	struct err err = ERR_INIT;
	struct buf params = BUF_INIT;
	const struct value *result;
	if (!attributes_parse(in->arena, asked->attributes.items, asked->attributes.n,
		    asked->json_attributes, &attributes, &err)) {
		return invocation_misuse(in, "%s", err.message);
	}
	format_params(in, asked, &attributes, &params);
	request.params = buf_str(&params);
	result = invocation_call(in, &request);
	buf_finish(&params);
	if (!result) {
		return in->exit_status;
	}
	if (in->output.is_json) {
		output_json(&in->output, result);
	} else {
		output_printf(&in->output, "event %" PRId64 " is in the journal\n",
			field_int(result, "id", 0));
	}
	return 0;
}

DEFINE_COMMAND(emit) = {
	.name = "emit",
	.summary = "Put an event into the journal; returns once it is durable.",
	.usage = "KIND [key=value]... [--subject S] [--cause ID] [--key K]",
	.examples = (const char *const[]){"annactl emit user.deploy service=web version=1.4.2",
		"annactl emit user.backup ok=true seconds=93 'parts:=[\"db\", \"files\"]'",
		"annactl emit test.button --subject pad-3 velocity=100", NULL},
	.options =
		(const struct option[]){
			{.key = "KIND",
				.type = OPTION_STRING,
				.is_positional = true,
				.is_required = true,
				.offset = offsetof(struct emit_options, kind),
				.help = "Any under user. or test.; all others are Anna's own."},
			{.key = "ATTRIBUTE",
				.type = OPTION_STRINGS,
				.is_positional = true,
				.offset = offsetof(struct emit_options, attributes),
				.help = "key=value (integer, number, true, false, else text) or "
					"key:=json."},
			{.key = "subject",
				.letter = 's',
				.type = OPTION_STRING,
				.offset = offsetof(struct emit_options, subject),
				.help = "What it is about."},
			{.key = "cause",
				.type = OPTION_INT,
				.max = 9007199254740991,
				.unit = "id",
				.offset = offsetof(struct emit_options, cause),
				.help = "The event that caused it."},
			{.key = "key",
				.type = OPTION_STRING,
				.offset = offsetof(struct emit_options, key),
				.help = "The same key again is the same event; made up when not "
					"given."},
			{.key = "json-attributes",
				.type = OPTION_STRING,
				.unit = "json",
				.offset = offsetof(struct emit_options, json_attributes),
				.help = "A JSON object of attributes."},
			{0},
		},
	.options_size = sizeof(struct emit_options),
	.run = run,
};
