// SPDX-License-Identifier: Apache-2.0
// Which packages are installed: dpkg's status file (deb822) and pacman's folders NAME-VERSION-RELEASE.
#include "advice/survey_facts.h"
#include "base/buf.h"

#define STATUS_MAX (16 * 1024 * 1024) // three times that of a full desktop; a fifth of our memory

static void read_packages(struct survey *survey) {
	struct survey_facts *facts = survey->facts;
	if (facts->has_dpkg) {
		return;
	}
	facts->has_dpkg = true;
	if (!root_read_large(&survey->root, "/var/lib/dpkg/status", STATUS_MAX, &facts->dpkg)) {
		facts->dpkg = (struct str){NULL, 0};
	}
	facts->pacman_count = root_list(&survey->root, &facts->pacman, "/var/lib/pacman/local");
}

struct str survey_dpkg_status(struct survey *survey) {
	read_packages(survey);
	return survey->facts->dpkg;
}

// The paragraph of a package begins with its name, and says "Status: install ok installed".
static bool is_in_dpkg(struct str status, const char *name) {
	char wanted[128];
	int n = snprintf(wanted, sizeof(wanted), "Package: %s\n", name);
	struct str needle = str_range(wanted, (size_t)n), rest = status;
	ptrdiff_t at;
	while ((at = str_find(rest, needle)) >= 0) {
		bool is_at_line = at == 0 || rest.at[at - 1] == '\n';
		rest = str_skip(rest, (size_t)at + needle.len);
		ptrdiff_t end = str_find(rest, STR("\n\n"));
		struct str paragraph = end < 0 ? rest : str_head(rest, (size_t)end);
		if (is_at_line && str_find(paragraph, STR("Status: install ok installed")) >= 0) {
			return true;
		}
	}
	return false;
}

static bool is_in_pacman(const struct survey_facts *facts, const char *name) {
	struct str wanted = str_from(name);
	for (size_t i = 0; i < facts->pacman_count; i++) {
		struct str folder = str_from(facts->pacman[i]);
		size_t dashes = 0, len = folder.len;
		while (len && dashes < 2) {
			dashes += folder.at[--len] == '-';
		}
		if (dashes == 2 && str_equal(str_head(folder, len), wanted)) {
			return true;
		}
	}
	return false;
}

enum known survey_has_package(struct survey *survey, const char *const *names) {
	const struct survey_facts *facts = survey->facts;
	read_packages(survey);
	if (!facts->dpkg.len && !facts->pacman_count) {
		return NOT_KNOWN;
	}
	for (; *names; names++) {
		if (is_in_dpkg(facts->dpkg, *names) || is_in_pacman(facts, *names)) {
			return KNOWN_YES;
		}
	}
	return KNOWN_NO;
}
