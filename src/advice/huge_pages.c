// SPDX-License-Identifier: Apache-2.0
// Transparent huge pages under a database that asks for them to be off.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char *const databases[] = {
		"redis-server", "valkey-server", "mongod", "splunkd", NULL};
	static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	const struct survey_process *process;
	struct str text;
	if (!root_read(&survey->root, &text, "%s", path)) {
		return; // a kernel without them
	}
	process = survey_find_process(survey, databases);
	if (process && str_is(survey_chosen(text), "always")) {
		survey_find(survey, "%s is \"%" STR_FMT "\" and %" STR_FMT " runs as process %d",
			path, STR_ARG(text), STR_ARG(process->name), (int)process->pid);
	}
}

DEFINE_RULE(huge_pages) = {
	.id = "huge-pages-database",
	.level = ADVICE_WARN,
	.category = "memory",
	.title = "Transparent huge pages are always on under a database",
	.reads = "/sys/kernel/mm/transparent_hugepage/enabled, /proc/*/comm",
	.reason = "A fork for a snapshot then copies 2 MiB for each page that is written: latency "
		  "and memory jump.",
	.fix = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
	.risk = "Programs that gain from huge pages and do not ask for them lose some speed. It "
		"holds until the next boot.",
	.references = (const char *const[]){"https://redis.io/docs/latest/operate/oss_and_stack/"
					    "management/optimization/latency/",
		"https://docs.kernel.org/admin-guide/mm/transhuge.html", NULL},
	.explain = "Fires when the setting is always and redis-server, valkey-server, mongod or "
		   "splunkd runs: their makers ask for it. MongoDB from version 8 on wants it on; "
		   "leave this then.",
	.look = look,
};
