// SPDX-License-Identifier: Apache-2.0
// A RAID that lacks a disk (md(4)).
#include "advice/rule.h"

// "      2096128 blocks super 1.2 [2/1] [U_]"
static bool lacks_disk(struct str line, struct str *out_marks) {
	struct str rest = line, word;
	while (str_word(&rest, &word)) {
		bool is_marks = word.len >= 3 && word.at[0] == '[' && word.at[word.len - 1] == ']';
		for (size_t i = 1; is_marks && i + 1 < word.len; i++) {
			is_marks = word.at[i] == 'U' || word.at[i] == '_';
		}
		if (is_marks && str_find_char(word, '_') >= 0) {
			*out_marks = word;
			return true;
		}
	}
	return false;
}

static void look(struct survey *survey) {
	struct str text, line, name = {NULL, 0}, marks;
	if (!root_read(&survey->root, &text, "/proc/mdstat")) {
		return; // no RAID of this sort
	}
	while (str_split(&text, '\n', &line)) {
		if (str_starts(line, STR("md"))) {
			struct str rest = line;
			(void)str_word(&rest, &name);
		} else if (name.len && lacks_disk(line, &marks)) {
			survey_find_fix(survey, ADVICE_ERROR,
				survey_text(survey, "mdadm --detail /dev/%" STR_FMT, STR_ARG(name)),
				"/proc/mdstat says %" STR_FMT " of %" STR_FMT, STR_ARG(marks),
				STR_ARG(name));
		}
	}
}

DEFINE_RULE(raid_degraded) = {
	.id = "raid-degraded",
	.level = ADVICE_ERROR,
	.category = "storage",
	.title = "A RAID has lost a disk",
	.reads = "/proc/mdstat",
	.reason = "The next disk that fails takes the data with it.",
	.risk = "The command only looks. Read its answer before anything is replaced: the wrong "
		"disk is the other half of the data.",
	.references = (const char *const[]){"md(4)", "mdadm(8)", NULL},
	.explain = "Fires for each md device whose marks show a missing member ([U_]); also while "
		   "it is being rebuilt.",
	.look = look,
};
