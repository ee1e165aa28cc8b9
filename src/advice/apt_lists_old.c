// SPDX-License-Identifier: Apache-2.0
// Lists of packages that are a month old.
#include "advice/rule.h"

#include "io/fs.h"

#define OLD_DAYS 30

static void look(struct survey *survey) {
	struct root *root = &survey->root;
	char **names;
	int64_t newest_ns = 0;
	if (survey_distribution(survey) != DISTRIBUTION_DEBIAN) {
		return;
	}
	size_t n = root_list(root, &names, "/var/lib/apt/lists");
	for (size_t i = 0; i < n; i++) {
		struct fs_stat stat;
		const char *path = root_path(root, "/var/lib/apt/lists/%s", names[i]);
		struct str name = str_from(names[i]);
		bool is_list = str_ends(name, STR("Release")) ||
			str_find(name, STR("_Packages")) >= 0;
		if (is_list && root->fs->stat(root->fs, path, &stat) >= 0 &&
			stat.mtime_ns > newest_ns) {
			newest_ns = stat.mtime_ns;
		}
	}
	// apt keeps the server's time on the lists; this file is touched by each update that worked.
	struct fs_stat stamp;
	const char *path = root_path(root, "/var/lib/apt/periodic/update-success-stamp");
	if (root->fs->stat(root->fs, path, &stamp) >= 0 && stamp.mtime_ns > newest_ns) {
		newest_ns = stamp.mtime_ns;
	}
	if (!newest_ns) {
		survey_unknown(survey, "there is no list in /var/lib/apt/lists");
		return;
	}
	int64_t days = (survey->now_wall_ns - newest_ns) / (INT64_C(86400) * 1000000000);
	if (days > OLD_DAYS) {
		survey_find(survey, "the newest list in /var/lib/apt/lists is %lld days old",
			(long long)days);
	}
}

DEFINE_RULE(apt_lists_old) = {
	.id = "apt-lists-old",
	.level = ADVICE_INFO,
	.category = "packages",
	.title = "The lists of available packages are old",
	.reads = "/var/lib/apt/lists, /var/lib/apt/periodic/update-success-stamp",
	.reason = "Security updates that came out since are not known to apt, so nothing offers "
		  "them.",
	.fix = "apt update",
	.risk = "None: it only reads the lists anew.",
	.references = (const char *const[]){"apt-get(8)", NULL},
	.explain = "Fires on Debian and what is made from it when neither a list nor the stamp of "
		   "a successful update is younger than 30 days.",
	.look = look,
};
