// SPDX-License-Identifier: Apache-2.0
// What rules say, and the small questions several of them ask; see survey.h.
#include "advice/survey.h"

#include "advice/rule.h"
#include "advice/survey_facts.h"
#include "base/buf.h"

static _printf_(2, 0) const
	char *text_of(struct survey *survey, const char *format, va_list arguments) {
	struct buf text = BUF_INIT;
	buf_vappendf(&text, format, arguments);
	const char *copy = arena_copy(survey->root.arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

const char *survey_text(struct survey *survey, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	const char *text = text_of(survey, format, arguments);
	va_end(arguments);
	return text;
}

static void add(
	struct survey *survey, enum advice_level level, const char *fix, const char *evidence) {
	bool is_room = survey->n < FINDINGS_MAX && survey->of_rule < FINDINGS_OF_RULE_MAX;
	survey->of_rule++;
	if (!is_room) {
		survey->left_out++;
		return;
	}
	survey->findings[survey->n++] = (struct finding){
		.rule = survey->rule, .level = level, .evidence = evidence, .fix = fix};
}

void survey_find(struct survey *survey, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	add(survey, survey->rule->level, NULL, text_of(survey, format, arguments));
	va_end(arguments);
}

void survey_find_fix(
	struct survey *survey, enum advice_level level, const char *fix, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	add(survey, level, fix, text_of(survey, format, arguments));
	va_end(arguments);
}

void survey_unknown(struct survey *survey, const char *format, ...) {
	va_list arguments;
	size_t n = sizeof(survey->unjudged) / sizeof(survey->unjudged[0]);
	if (survey->unjudged_count == n) {
		return;
	}
	va_start(arguments, format);
	survey->unjudged[survey->unjudged_count++] = (struct unjudged){
		.rule = survey->rule, .why = text_of(survey, format, arguments)};
	va_end(arguments);
}

void survey_unread(struct survey *survey, const char *what) {
	survey_unknown(survey, "%s: %s", what, survey->root.err.message);
}

bool survey_has_option(struct str options, const char *name, struct str *out_value) {
	struct str rest = options, option, wanted = str_from(name);
	while (str_split(&rest, ',', &option)) {
		bool is_it = str_starts(option, wanted) &&
			(option.len == wanted.len || option.at[wanted.len] == '=');
		if (is_it && out_value) {
			*out_value = str_skip(option, wanted.len + 1);
		}
		if (is_it) {
			return true;
		}
	}
	return false;
}

struct str survey_chosen(struct str text) {
	ptrdiff_t open = str_find_char(text, '['), close = str_find_char(text, ']');
	return open >= 0 && close > open ? str_range(text.at + open + 1, (size_t)(close - open - 1))
					 : (struct str){NULL, 0};
}

const char *survey_quote(struct survey *survey, struct str path) {
	static const struct str plain = STR_INIT(
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-");
	struct buf text = BUF_INIT;
	bool is_plain = path.len > 0 && path.at[0] != '-';
	for (size_t i = 0; i < path.len; i++) {
		is_plain = is_plain && str_find_char(plain, path.at[i]) >= 0;
	}
	if (is_plain) {
		return arena_copy(survey->root.arena, path);
	}
	buf_append_char(&text, '\'');
	for (size_t i = 0; i < path.len; i++) {
		if (path.at[i] == '\'') {
			buf_append_text(&text, "'\\''");
		} else {
			buf_append_char(&text, path.at[i]);
		}
	}
	buf_append_char(&text, '\'');
	const char *quoted = arena_copy(survey->root.arena, buf_str(&text));
	buf_finish(&text);
	return quoted;
}

int survey_compare_versions(const char *a, const char *b) {
	return strverscmp(a, b);
}

// --- the host ---

enum distribution_family survey_distribution(struct survey *survey) {
	struct str text;
	if (!root_read(&survey->root, &text, "/etc/os-release") &&
		!root_read(&survey->root, &text, "/usr/lib/os-release")) {
		return DISTRIBUTION_OTHER;
	}
	enum distribution_family found = DISTRIBUTION_OTHER;
	struct str line;
	while (str_split(&text, '\n', &line)) {
		bool is_id = str_starts(line, STR("ID=")) || str_starts(line, STR("ID_LIKE="));
		if (is_id && str_find(line, STR("debian")) >= 0) {
			found = DISTRIBUTION_DEBIAN;
		} else if (is_id && str_find(line, STR("arch")) >= 0) {
			found = DISTRIBUTION_ARCH;
		}
	}
	return found;
}

bool survey_is_unit_enabled(struct survey *survey, const char *unit) {
	static const char *const folders[] = {
		"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"};
	struct root *root = &survey->root;
	for (size_t i = 0; i < 3; i++) {
		char **names;
		size_t n = root_list(root, &names, "%s", folders[i]);
		for (size_t k = 0; k < n; k++) {
			struct str name = str_from(names[k]), target;
			bool is_pull = str_ends(name, STR(".wants")) ||
				str_ends(name, STR(".requires"));
			// The link itself counts: in a recorded tree it may point nowhere.
			if (is_pull &&
				(root_has(root, "%s/%s/%s", folders[i], names[k], unit) ||
					root_link(root, &target, "%s/%s/%s", folders[i], names[k],
						unit))) {
				return true;
			}
		}
	}
	return false;
}

bool survey_runs_systemd(struct survey *survey) {
	struct str name;
	return root_has(&survey->root, "/run/systemd/system") ||
		(root_read(&survey->root, &name, "/proc/1/comm") && str_is(name, "systemd"));
}

bool survey_is_container(struct survey *survey) {
	const struct root *root = &survey->root;
	return root_has(root, "/run/systemd/container") || root_has(root, "/.dockerenv") ||
		root_has(root, "/run/.containerenv");
}

static bool cpuinfo_field(struct survey *survey, const char *name, struct str *out) {
	struct str text, line;
	if (!root_read(&survey->root, &text, "/proc/cpuinfo")) {
		return false;
	}
	while (str_split(&text, '\n', &line)) {
		ptrdiff_t colon = str_find_char(line, ':');
		if (colon > 0 && str_is(str_trim(str_head(line, (size_t)colon)), name)) {
			*out = str_trim(str_skip(line, (size_t)colon + 1));
			return true;
		}
	}
	return false;
}

bool survey_is_virtual(struct survey *survey) {
	struct str flags, flag;
	if (cpuinfo_field(survey, "flags", &flags)) {
		while (str_word(&flags, &flag)) {
			if (str_is(flag, "hypervisor")) {
				return true;
			}
		}
	}
	return false;
}

struct str survey_cpu_vendor(struct survey *survey) {
	struct str vendor = {NULL, 0};
	return cpuinfo_field(survey, "vendor_id", &vendor) ? vendor : (struct str){NULL, 0};
}

bool survey_has_battery(struct survey *survey) {
	struct root *root = &survey->root;
	char **names;
	size_t n = root_list(root, &names, "/sys/class/power_supply");
	for (size_t i = 0; i < n; i++) {
		struct str type, scope;
		bool is_battery = root_read(root, &type, "/sys/class/power_supply/%s/type",
					  names[i]) &&
			str_is(type, "Battery");
		bool is_of_device = root_read(root, &scope, "/sys/class/power_supply/%s/scope",
					    names[i]) &&
			str_is(scope, "Device"); // a mouse's
		if (is_battery && !is_of_device) {
			return true;
		}
	}
	return false;
}

bool survey_meminfo(struct survey *survey, const char *field, int64_t *out_bytes) {
	struct str text, line, name, number;
	int64_t kilobytes;
	if (!root_read(&survey->root, &text, "/proc/meminfo")) {
		return false;
	}
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &name) && name.len == strlen(field) + 1 &&
			str_starts(name, str_from(field)) && str_word(&line, &number) &&
			str_to_int64(number, &kilobytes) && kilobytes >= 0 &&
			kilobytes < INT64_MAX >> 10) {
			*out_bytes = kilobytes << 10;
			return true;
		}
	}
	return false;
}
