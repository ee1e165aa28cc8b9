// SPDX-License-Identifier: Apache-2.0
// A root that goes on writing after its file system was found broken.
#include "advice/rule.h"

static void look(struct survey *survey) {
	const struct survey_mount *mount = survey_mount_at(survey, "/");
	struct str options, line, value = {NULL, 0};
	if (!mount || !str_starts(mount->type, STR("ext"))) {
		return;
	}
	bool is_set = survey_has_option(mount->options, "errors", &value);
	// The mount table is silent about what the super block says itself; this file is not.
	struct str device = mount->device;
	ptrdiff_t slash;
	while ((slash = str_find_char(device, '/')) >= 0) {
		device = str_skip(device, (size_t)slash + 1);
	}
	if (!is_set &&
		root_read(&survey->root, &options, "/proc/fs/%" STR_FMT "/%" STR_FMT "/options",
			STR_ARG(mount->type), STR_ARG(device))) {
		while (str_split(&options, '\n', &line)) {
			is_set |= survey_has_option(line, "errors", value.len ? NULL : &value);
		}
	}
	if (str_is(value, "continue")) {
		survey_find_fix(survey, ADVICE_WARN,
			survey_text(survey, "tune2fs -e remount-ro %s",
				survey_quote(survey, mount->device)),
			"/ is %" STR_FMT " on %" STR_FMT " with errors=continue",
			STR_ARG(mount->type), STR_ARG(mount->device));
	} else if (!is_set) {
		survey_unknown(survey,
			"neither the mount table nor /proc/fs/%" STR_FMT
			" says what happens on errors",
			STR_ARG(mount->type));
	}
}

DEFINE_RULE(errors_continue) = {
	.id = "errors-continue",
	.level = ADVICE_WARN,
	.category = "storage",
	.title = "The root file system goes on after an error",
	.reads = "/proc/1/mountinfo, /proc/fs/ext4/*/options",
	.reason = "An error in the file system's own structures then spreads with each write.",
	.risk = "After an error the root becomes read-only: services stop instead of writing "
		"on.",
	.references = (const char *const[]){"ext4(5)", "tune2fs(8)", NULL},
	.explain = "Fires for an ext2, ext3 or ext4 root whose behaviour on errors is continue, "
		   "which mke2fs sets by default. Debian's installer writes errors=remount-ro to "
		   "/etc/fstab.",
	.look = look,
};
