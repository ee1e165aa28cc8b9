// SPDX-License-Identifier: Apache-2.0
// config.show: the configuration in force, defaults included, secrets not.
#include "rpc/method.h"

#include "rpc/anna.h"

struct show_params {
	bool origin;
};

static void handle(struct call *call) {
	const struct show_params *params = call_params(call);
	struct anna *anna = call_anna(call);
	struct snapshot *snapshot = anna_snapshot(anna);
	struct buf text = BUF_INIT;
	if (!snapshot) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_UNAVAILABLE, "no configuration is in force yet");
		call_fail(call, &err);
		return;
	}
	snapshot_format(snapshot, params->origin, &text);
	struct json_writer *w = call_result(call);
	json_begin_object(w);
	json_member_text(w, "path", anna_config_path(anna));
	json_member_uint(w, "generation", anna_generation(anna));
	json_member_text(w, "hash", snapshot_hash(snapshot));
	json_member_str(w, "text", buf_str(&text));
	json_end_object(w);
	buf_finish(&text);
	call_reply(call);
}

static const struct option params[] = {
	{.key = "origin",
		.type = OPTION_BOOL,
		.offset = offsetof(struct show_params, origin),
		.fallback = "false",
		.help = "Says of each option which line of which file set it."},
	{0}};

static const char *const aliases[] = {"config_show", NULL};

DEFINE_METHOD(config_show) = {
	.name = "config.show",
	.aliases = aliases,
	.summary = "The configuration in force, with every default.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.params = params,
	.params_size = sizeof(struct show_params),
	.result = "{path, generation, hash, text}",
	.handle = handle,
};
