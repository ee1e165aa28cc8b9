// SPDX-License-Identifier: Apache-2.0
// A CPU without its vendor's microcode package keeps the faults that were mended since it was made.
#include "advice/rule.h"

static void look(struct survey *survey) {
	static const char *const intel[] = {"intel-microcode", "intel-ucode", NULL};
	static const char *const amd[] = {"amd64-microcode", "amd-ucode", NULL};
	struct str vendor = survey_cpu_vendor(survey);
	bool is_intel = str_is(vendor, "GenuineIntel"), is_amd = str_is(vendor, "AuthenticAMD");
	enum distribution_family distribution = survey_distribution(survey);
	if (survey_is_container(survey) || survey_is_virtual(survey) || (!is_intel && !is_amd) ||
		distribution == DISTRIBUTION_OTHER) {
		return; // who runs the hardware loads it; elsewhere its name is not known
	}
	enum known known = survey_has_package(survey, is_intel ? intel : amd);
	if (known == NOT_KNOWN) {
		survey_unknown(survey, "no database of installed packages can be read");
		return;
	}
	if (known == KNOWN_YES) {
		return;
	}
	const char *package = (is_intel ? intel : amd)[distribution == DISTRIBUTION_ARCH];
	survey_find_fix(survey, ADVICE_WARN,
		survey_text(survey,
			distribution == DISTRIBUTION_ARCH ? "pacman -S %s" : "apt install %s",
			package),
		"the CPU is %" STR_FMT " and no package %s is installed", STR_ARG(vendor), package);
}

DEFINE_RULE(microcode_missing) = {
	.id = "microcode-missing",
	.level = ADVICE_WARN,
	.category = "cpu",
	.title = "The CPU's microcode is not kept up to date",
	.reads = "/proc/cpuinfo, /var/lib/dpkg/status, /var/lib/pacman/local",
	.reason = "Firmware of the board is rarely updated. The package loads the vendor's "
		  "corrections, security ones included, at each boot.",
	.risk = "It takes effect at the next boot; on Debian the package is in "
		"non-free-firmware.",
	.references = (const char *const[]){"https://wiki.debian.org/Microcode",
		"https://wiki.archlinux.org/title/Microcode", NULL},
	.explain = "Fires on Intel and AMD CPUs on Debian, Arch and systems made from them, when "
		   "the package is not installed. It is silent in virtual machines and containers, "
		   "where the host loads the microcode.",
	.look = look,
};
