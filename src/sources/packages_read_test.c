// SPDX-License-Identifier: Apache-2.0
// The databases of package managers as facts.
#include "sources/packages_read.h"

#include "tests/check.h"

static void check_facts(struct facts *facts, const char *expected) {
	struct buf text = BUF_INIT;
	facts_sort(facts);
	for (size_t i = 0; i < facts->n; i++) {
		struct str key = facts_key(facts, i), value = facts_value(facts, i);
		buf_appendf(&text, "%" STR_FMT " %" STR_FMT "\n", STR_ARG(key), STR_ARG(value));
	}
	CHECK_TEXT(buf_text(&text), expected);
	buf_finish(&text);
	facts_finish(facts);
}

TEST(what_dpkg_calls_installed_is_read_with_its_version) {
	struct facts facts = {0};
	packages_parse_dpkg(
		STR("Package: b\nStatus: install ok installed\nArchitecture: amd64\n"
		    "Version: 1:2.0-1\nDescription: x\n Version: 9\n .\n\n"
		    "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n\n"
		    "Package: c\nStatus: install ok half-configured\nVersion: 1\n\n"
		    "Package: b\nStatus: hold ok installed\nArchitecture: i386\nVersion: 3"),
		&facts);
	check_facts(&facts, "dpkg b:amd64 1:2.0-1\ndpkg b:i386 3\n");
}

TEST(a_damaged_status_file_gives_what_can_be_read) {
	static const char *const texts[] = {"", "\n\n\n", "Package\nVersion:\n\n", "Package: \n",
		"Version: 1\nStatus: a installed\n\n", ":\n: \n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct facts facts = {0};
		packages_parse_dpkg(str_from(texts[i]), &facts);
		check_facts(&facts, "");
	}
}

TEST(pacman_keeps_name_version_and_release_in_one_name) {
	struct facts facts = {0};
	packages_parse_pacman(STR("gcc-libs-13.2.1-3"), &facts);
	packages_parse_pacman(STR("a-1:2-1"), &facts);
	packages_parse_pacman(STR("ALPM_DB_VERSION"), &facts);
	packages_parse_pacman(STR("-1-1"), &facts);
	packages_parse_pacman(STR(""), &facts);
	check_facts(&facts, "pacman a 1:2-1\npacman gcc-libs 13.2.1-3\n");
}

int main(void) {
	return TESTS(RUN(what_dpkg_calls_installed_is_read_with_its_version),
		RUN(a_damaged_status_file_gives_what_can_be_read),
		RUN(pacman_keeps_name_version_and_release_in_one_name));
}
