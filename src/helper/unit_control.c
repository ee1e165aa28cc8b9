// SPDX-License-Identifier: Apache-2.0
// unit.control: starts, stops, restarts or reloads a unit through systemctl(1), when a [[units]]
// grant names the unit and the verb.
#include <string.h>

#include "base/clock.h"
#include "helper/verb.h"

#define LIMIT_NS (90 * NS_PER_SECOND) // systemd's own DefaultTimeoutStartSec
#define OUTPUT_LIMIT (16 * 1024)

struct unit_params {
	struct str unit;
	int verb;
};

static const struct option rows[] = {
	{"unit", OPTION_STRING, offsetof(struct unit_params, unit), .min = 1, .max = 255,
		.is_required = true, .help = "Its whole name: nginx.service."},
	{"do", OPTION_CHOICE, offsetof(struct unit_params, verb), .choices = unit_verb_names,
		.is_required = true, .help = "start, stop, restart or reload."},
	{NULL},
};

// systemd.unit(5): letters, digits and ":-_.\@", and a suffix. Never a glob, which systemctl would
// expand, nor an option.
static bool is_unit_name(struct str name) {
	static const char others[] = ":-_.\\@";
	bool has_dot = false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9');
		if (!is_letter && (c == '\0' || !strchr(others, c))) {
			return false;
		}
		has_dot = has_dot || (c == '.' && i > 0 && i + 1 < name.len);
	}
	return has_dot && name.at[0] != '-';
}

static bool is_granted(const struct grants *grants, const struct unit_params *params) {
	for (size_t i = 0; i < grants->unit_count; i++) {
		const struct unit_grant *grant = &grants->units[i];
		if (!str_glob(grant->unit, params->unit)) {
			continue;
		}
		for (size_t k = 0; k < grant->verbs.n; k++) {
			if (str_is(grant->verbs.items[k], unit_verb_names[params->verb])) {
				return true;
			}
		}
	}
	return false;
}

static bool prepare(const struct verb *verb, const void *filled, const struct grants *grants,
	struct arena *arena, struct helper_command *out, struct err *err) {
	const struct unit_params *params = filled;
	(void)verb;
	if (!is_unit_name(params->unit)) {
		return err_set(err, ERR_INVALID,
			"\"%" STR_FMT "\" is no name of a unit; give it whole, like nginx.service",
			STR_ARG(params->unit));
	}
	if (!is_granted(grants, params)) {
		return err_set(err, ERR_DENIED,
			"no [[units]] grant lets Anna %s %" STR_FMT
			"; root can grant it in /etc/anna/commands.d/*.toml",
			unit_verb_names[params->verb], STR_ARG(params->unit));
	}
	const char **argv = arena_array(arena, 6, sizeof(*argv));
	argv[0] = "/usr/bin/systemctl";
	argv[1] = "--no-ask-password";
	argv[2] = unit_verb_names[params->verb];
	argv[3] = "--";
	argv[4] = arena_copy(arena, params->unit);
	*out = (struct helper_command){argv, NULL, "/", LIMIT_NS, OUTPUT_LIMIT};
	return true;
}

DEFINE_VERB(unit_control) = {
	.name = "unit.control",
	.summary = "Starts, stops, restarts or reloads a unit.",
	.params = rows,
	.params_size = sizeof(struct unit_params),
	.prepare = prepare,
};
