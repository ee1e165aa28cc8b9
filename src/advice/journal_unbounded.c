// SPDX-License-Identifier: Apache-2.0
// A journal that takes much of a small disk without a bound of its own.
#include "advice/rule.h"

#include "io/fs.h"

#define SMALL_DISK (UINT64_C(20) << 30)

static bool has_bound(struct survey *survey) {
	static const char *const folders[] = {
		"/etc/systemd/journald.conf.d", "/usr/lib/systemd/journald.conf.d"};
	struct root *root = &survey->root;
	struct str text;
	if (root_read(root, &text, "/etc/systemd/journald.conf") &&
		str_find(text, STR("\nSystemMaxUse=")) >= 0) {
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		char **names;
		size_t n = root_list(root, &names, "%s", folders[i]);
		for (size_t k = 0; k < n; k++) {
			if (root_read(root, &text, "%s/%s", folders[i], names[k]) &&
				str_find(text, STR("SystemMaxUse=")) >= 0) {
				return true;
			}
		}
	}
	return false;
}

static uint64_t journal_bytes(struct survey *survey) {
	struct root *root = &survey->root;
	char **machines, **files;
	uint64_t total = 0;
	size_t n = root_list(root, &machines, "/var/log/journal");
	for (size_t i = 0; i < n; i++) {
		size_t m = root_list(root, &files, "/var/log/journal/%s", machines[i]);
		for (size_t k = 0; k < m; k++) {
			struct fs_stat stat;
			const char *path = root_path(
				root, "/var/log/journal/%s/%s", machines[i], files[k]);
			if (root->fs->stat(root->fs, path, &stat) >= 0 && stat.size > 0) {
				total += (uint64_t)stat.size;
			}
		}
	}
	return total;
}

static const struct survey_mount *mount_of_journal(struct survey *survey) {
	static const char *const points[] = {"/var/log/journal", "/var/log", "/var", "/"};
	const struct survey_mount *mount = NULL;
	for (size_t i = 0; i < 4 && !mount; i++) {
		mount = survey_mount_at(survey, points[i]);
	}
	return mount;
}

static void look(struct survey *survey) {
	const struct survey_mount *mount = mount_of_journal(survey);
	struct survey_space space;
	if (!mount || !survey_space(survey, mount, &space) || space.size_bytes == 0 ||
		space.size_bytes > SMALL_DISK || has_bound(survey)) {
		return;
	}
	uint64_t bytes = journal_bytes(survey);
	if (bytes >= space.size_bytes / 100 * 8) {
		survey_find(survey,
			"/var/log/journal holds %llu MiB of the %llu MiB of %" STR_FMT
			", and SystemMaxUse is not set",
			(unsigned long long)(bytes >> 20),
			(unsigned long long)(space.size_bytes >> 20), STR_ARG(mount->point));
	}
}

DEFINE_RULE(journal_unbounded) = {
	.id = "journal-unbounded",
	.level = ADVICE_INFO,
	.category = "storage",
	.title = "The system journal takes much of a small disk",
	.reads = "/var/log/journal, /etc/systemd/journald.conf and .d, statfs",
	.reason = "Without a bound journald takes up to a tenth of the file system, and a small "
		  "disk has little else to give.",
	.fix = "journalctl --vacuum-size=200M",
	.risk = "Old log lines are deleted.",
	.references = (const char *const[]){"journald.conf(5)", NULL},
	.explain = "Fires on a file system of at most 20 GiB when the journal takes 8 percent of "
		   "it or more and SystemMaxUse is not configured. Set it in "
		   "/etc/systemd/journald.conf.d to make it last.",
	.look = look,
};
