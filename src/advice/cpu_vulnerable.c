// SPDX-License-Identifier: Apache-2.0
// What the kernel says of the CPU's known vulnerabilities.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char folder[] = "/sys/devices/system/cpu/vulnerabilities";
	char **names;
	size_t n = root_list(&survey->root, &names, "%s", folder);
	if (!n) {
		survey_unknown(survey, "there is nothing in %s", folder);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct str text;
		if (root_read(&survey->root, &text, "%s/%s", folder, names[i]) &&
			str_starts(text, STR("Vulnerable"))) {
			survey_find(survey, "%s: %" STR_FMT, names[i], STR_ARG(text));
		}
	}
}

DEFINE_RULE(cpu_vulnerable) = {
	.id = "cpu-vulnerable",
	.level = ADVICE_WARN,
	.category = "security",
	.title = "The kernel reports the CPU as vulnerable",
	.reads = "/sys/devices/system/cpu/vulnerabilities/*",
	.reason = "A program, or a script in a web page, may read memory that is not its own.",
	.fix = "grep mitigations /proc/cmdline",
	.risk = "Mitigations cost speed, some of them a lot; switching them off was somebody's "
		"decision if mitigations=off is there.",
	.references =
		(const char *const[]){
			"https://docs.kernel.org/admin-guide/hw-vuln/index.html", NULL},
	.explain = "Fires for each file that begins with Vulnerable. Usual causes: mitigations=off "
		   "on the kernel's command line, microcode that is too old, or a kernel that does "
		   "not know the mitigation yet.",
	.look = look,
};
