// SPDX-License-Identifier: Apache-2.0
// unit: starts, stops, restarts or reloads a systemd unit, through the helper. Which units and what
// with them is root's to grant; the event may name the unit, the grant decides.
#include "actions/helped.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "formats/json.h"
#include "formats/template.h"

#define UNIT_NAME_MAX 255 // systemd.unit(5)

struct unit_config {
	struct str unit;
	int verb;
	int64_t timeout_ns;
	const struct template *name;
};

static const char *const verbs[] = {"start", "stop", "restart", "reload", NULL};

static const struct option unit_rows[] = {
	{"unit", OPTION_STRING, offsetof(struct unit_config, unit), NULL, 1, 1024,
		.is_required = true,
		.help = "The unit's whole name, like nginx.service; a template: {unit} stands for "
			"the event's attribute."},
	{"do", OPTION_CHOICE, offsetof(struct unit_config, verb), "restart", .choices = verbs,
		.help = "What is done with it."},
	{"timeout", OPTION_DURATION, offsetof(struct unit_config, timeout_ns), "2m",
		(double)NS_PER_SECOND, 3600.0 * (double)NS_PER_SECOND,
		.help = "How long the answer is waited for."},
	{NULL},
};

static void unit_check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	struct unit_config *unit = config;
	struct err err = ERR_INIT;
	unit->name = template_compile(arena, unit->unit, &err);
	if (!unit->name) {
		problems_add(problems, place, "unit: %s", err.message);
	}
}

static void unit_run(struct action_call *call) {
	const struct unit_config *config = call->config;
	struct buf name = BUF_INIT, params = BUF_INIT;
	struct json_writer writer;
	template_expand(config->name, event_lookup_text, call->event, UNIT_NAME_MAX + 4, &name);
	event_set_str(call->result, "unit", buf_str(&name));
	event_set_text(call->result, "do", verbs[config->verb]);
	json_writer_init(&writer, &params);
	json_begin_object(&writer);
	json_member_str(&writer, "unit", buf_str(&name));
	json_member_text(&writer, "do", verbs[config->verb]);
	json_end_object(&writer);
	helped_run(call, "unit.control", buf_str(&params), config->timeout_ns);
	buf_finish(&name);
	buf_finish(&params);
}

DEFINE_ACTION(unit) = {
	.name = "unit",
	.summary = "Starts, stops, restarts or reloads a systemd unit that root has granted.",
	.rows = unit_rows,
	.size = sizeof(struct unit_config),
	.check = unit_check,
	.run = unit_run,
	.cancel = helped_cancel,
};
