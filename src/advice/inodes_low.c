// SPDX-License-Identifier: Apache-2.0
// A file system that has space and no room for another file.
#include "advice/rule.h"

static void look(struct survey *survey) {
	const struct survey_mount *mounts;
	size_t n = survey_mounts(survey, &mounts);
	for (size_t i = 0; i < n; i++) {
		struct survey_space space;
		if (!survey_space(survey, &mounts[i], &space) || space.files == 0 ||
			space.files_free > space.files || str_is(mounts[i].type, "tmpfs")) {
			continue;
		}
		uint64_t used = space.files - space.files_free;
		if (used >= space.files / 10 * 9) {
			survey_find_fix(survey, ADVICE_WARN,
				survey_text(survey, "du --inodes -xS %s | sort -n | tail",
					survey_quote(survey, mounts[i].point)),
				"%" STR_FMT " has %llu of %llu inodes in use",
				STR_ARG(mounts[i].point), (unsigned long long)used,
				(unsigned long long)space.files);
		}
	}
}

DEFINE_RULE(inodes_low) = {
	.id = "inodes-low",
	.level = ADVICE_WARN,
	.category = "storage",
	.title = "A file system is nearly out of inodes",
	.reads = "statfs of local file systems in /proc/1/mountinfo",
	.reason = "Without a free inode no file can be made, and programs report a full disk that "
		  "df shows as free.",
	.risk = "The command only looks.",
	.references = (const char *const[]){"df(1)", "mke2fs(8)", NULL},
	.explain = "Fires at 90 percent of the inodes of a local file system that counts them. "
		   "Usual causes are session files, mail queues and caches of small files.",
	.look = look,
};
