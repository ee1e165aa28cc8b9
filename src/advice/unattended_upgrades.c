// SPDX-License-Identifier: Apache-2.0
// Security updates that wait for a person.
#include "advice/rule.h"

// APT::Periodic::Unattended-Upgrade "1";
static bool is_switched_on(struct survey *survey) {
	struct root *root = &survey->root;
	char **names;
	size_t n = root_list(root, &names, "/etc/apt/apt.conf.d");
	bool is_on = false;
	for (size_t i = 0; i < n; i++) {
		struct str text, line;
		if (!root_read(root, &text, "/etc/apt/apt.conf.d/%s", names[i])) {
			continue;
		}
		while (str_split(&text, '\n', &line)) {
			line = str_trim(line);
			if (str_starts(line, STR("APT::Periodic::Unattended-Upgrade "))) {
				is_on = str_find(line, STR("\"0\"")) < 0;
			}
		}
	}
	return is_on;
}

static void look(struct survey *survey) {
	static const char *const names[] = {"unattended-upgrades", NULL};
	if (survey_distribution(survey) != DISTRIBUTION_DEBIAN || survey_is_container(survey)) {
		return;
	}
	enum known known = survey_has_package(survey, names);
	if (known == NOT_KNOWN) {
		survey_unknown(survey, "dpkg's database cannot be read");
	} else if (known == KNOWN_NO) {
		survey_find(survey, "the package unattended-upgrades is not installed");
	} else if (!is_switched_on(survey)) {
		survey_find_fix(survey, ADVICE_INFO, "dpkg-reconfigure -plow unattended-upgrades",
			"unattended-upgrades is installed, and APT::Periodic::Unattended-Upgrade "
			"is "
			"not set in /etc/apt/apt.conf.d");
	}
}

DEFINE_RULE(unattended_upgrades) = {
	.id = "upgrades-not-automatic",
	.level = ADVICE_INFO,
	.category = "packages",
	.title = "Security updates are not installed by themselves",
	.reads = "/var/lib/dpkg/status, /etc/apt/apt.conf.d",
	.reason = "Most machines that are broken into lacked an update that had been out for "
		  "weeks.",
	.fix = "apt install unattended-upgrades",
	.risk = "An update may restart a service at night; what is installed is told in "
		"/var/log/unattended-upgrades.",
	.references = (const char *const[]){"https://wiki.debian.org/UnattendedUpgrades", NULL},
	.explain = "Fires on Debian and what is made from it when the package is missing or not "
		   "switched on. Whoever updates by other means (a fleet tool, images) can leave "
		   "it.",
	.look = look,
};
