// SPDX-License-Identifier: Apache-2.0
// What smartd last wrote down of the disks.
#include "advice/rule.h"

// "ata-smart-attribute.3.id = 5" and "ata-smart-attribute.3.raw = 8"
struct attribute {
	int64_t slot, id;
};

static bool number_after(
	struct str line, const char *middle, int64_t *out_slot, int64_t *out_value) {
	struct str rest = line, begin = STR("ata-smart-attribute.");
	if (!str_starts(rest, begin)) {
		return false;
	}
	rest = str_skip(rest, begin.len);
	ptrdiff_t dot = str_find_char(rest, '.'), equal = str_find_char(rest, '=');
	if (dot <= 0 || equal <= dot) {
		return false;
	}
	struct str name = str_trim(str_range(rest.at + dot + 1, (size_t)(equal - dot - 1)));
	return str_is(name, middle) && str_to_int64(str_head(rest, (size_t)dot), out_slot) &&
		str_to_int64(str_trim(str_skip(rest, (size_t)equal + 1)), out_value);
}

static const char *name_of(int64_t id) {
	return id == 5	    ? "reallocated sectors"
		: id == 197 ? "sectors that cannot be read"
		: id == 198 ? "sectors that could not be mended"
			    : NULL;
}

static void judge(struct survey *survey, const char *file, struct str text) {
	struct str line;
	int64_t slot, value, watched_slot = -1;
	const char *what = NULL;
	while (str_split(&text, '\n', &line)) {
		line = str_trim(line);
		if (number_after(line, "id", &slot, &value)) {
			what = name_of(value);
			watched_slot = slot;
		} else if (what && number_after(line, "raw", &slot, &value) &&
			slot == watched_slot && value > 0) {
			bool is_pending = str_starts(str_from(what), STR("sectors"));
			survey_find_fix(survey, is_pending ? ADVICE_ERROR : ADVICE_WARN, NULL,
				"%s: %lld %s", file, (long long)value, what);
		}
	}
}

static void look(struct survey *survey) {
	static const char folder[] = "/var/lib/smartmontools";
	struct root *root = &survey->root;
	char **names;
	size_t n = root_list(root, &names, "%s", folder);
	if (root->err.code == ERR_DENIED) {
		survey_unread(survey, "what smartd wrote down");
	}
	for (size_t i = 0; i < n; i++) {
		struct str text;
		if (!str_glob(STR("smartd.*.state"), str_from(names[i]))) {
			continue;
		}
		if (root_read(root, &text, "%s/%s", folder, names[i])) {
			judge(survey, names[i], text);
		} else {
			survey_unread(survey, names[i]);
		}
	}
}

DEFINE_RULE(smart_failing) = {
	.id = "disk-failing",
	.level = ADVICE_WARN,
	.category = "storage",
	.title = "A disk reports damaged sectors",
	.reads = "/var/lib/smartmontools/smartd.*.state",
	.reason = "Disks that begin to lose sectors fail many times more often within weeks than "
		  "others.",
	.fix = "smartctl -a /dev/DISK",
	.risk = "The command only looks. Back up first: a long self-test works the disk.",
	.references = (const char *const[]){"smartctl(8)", "smartd(8)", NULL},
	.explain = "Reads what smartd last wrote: attribute 5 above 0 is warn, 197 and 198 above 0 "
		   "are error. Without smartd's files it says nothing.",
	.look = look,
};
