// SPDX-License-Identifier: Apache-2.0
// Packages that dpkg left half installed.
#include "advice/rule.h"

static bool is_half(struct str state) {
	return str_is(state, "half-installed") || str_is(state, "half-configured") ||
		str_is(state, "unpacked") || str_is(state, "triggers-awaited") ||
		str_is(state, "triggers-pending");
}

static void look(struct survey *survey) {
	struct str rest = survey_dpkg_status(survey), line, package = {NULL, 0};
	struct str begin = STR("Package: "), status = STR("Status: ");
	while (str_split(&rest, '\n', &line)) {
		if (str_starts(line, begin)) {
			package = str_skip(line, begin.len);
		} else if (str_starts(line, status)) {
			struct str words = str_skip(line, status.len), word, last = {NULL, 0};
			while (str_word(&words, &word)) {
				last = word;
			}
			if (is_half(last)) {
				survey_find(survey, "%" STR_FMT " is %" STR_FMT, STR_ARG(package),
					STR_ARG(last));
			}
		}
	}
}

DEFINE_RULE(packages_half) = {
	.id = "packages-half-installed",
	.level = ADVICE_ERROR,
	.category = "packages",
	.title = "Packages are only half installed",
	.reads = "/var/lib/dpkg/status",
	.reason = "They may not work, and apt installs nothing more, security updates included, "
		  "until they are done.",
	.fix = "dpkg --configure -a",
	.risk = "The interrupted installation goes on: its scripts run and may restart "
		"services.",
	.references = (const char *const[]){"dpkg(1)", NULL},
	.explain = "Fires for each package whose state in dpkg's database is half-installed, "
		   "half-configured, unpacked or waiting for triggers; also for a moment while apt "
		   "runs.",
	.look = look,
};
