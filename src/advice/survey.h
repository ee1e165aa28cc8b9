// SPDX-License-Identifier: Apache-2.0
// One run of the advisor: the root it looks at, what several rules want to know of the host (read once,
// when first asked for), and what the rules found. It runs in a job and blocks. Everything lives in the
// arena of its root. Life cycle: fill root and now, advice_run (advice.h), read the findings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "io/root.h"

struct rule;

enum advice_level {
	ADVICE_INFO,
	ADVICE_WARN,
	ADVICE_ERROR
};

struct finding {
	const struct rule *rule;
	enum advice_level level;
	const char *evidence; // what was read, exactly
	const char *fix;      // NULL: the rule's
};
#define FINDINGS_MAX 256
#define FINDINGS_OF_RULE_MAX 16 // of one rule; the last of them says how many more there are

// A rule that could not judge.
struct unjudged {
	const struct rule *rule;
	const char *why;
};

struct survey_mount {
	struct str point, device, type,
		options; // mount's and super block's options: "rw,relatime,…"
};
struct survey_process {
	pid_t pid;
	struct str name; // /proc/PID/comm: at most 15 bytes
};

enum known {
	KNOWN_NO,
	KNOWN_YES,
	NOT_KNOWN
};

enum distribution_family {
	DISTRIBUTION_OTHER,
	DISTRIBUTION_DEBIAN, // and what is made from it
	DISTRIBUTION_ARCH
};

struct survey_space {
	uint64_t size_bytes, used_bytes, avail_bytes, files, files_free;
};

struct survey_facts; // own

struct survey {
	struct root root;
	int64_t now_wall_ns;
	// Of Anna's own watching, which no file says: negative when not known.
	double failed_units;
	const char *failed_unit; // one of them
	struct finding findings[FINDINGS_MAX];
	size_t n;
	struct unjudged unjudged[64];
	size_t unjudged_count, judged_count;
	const struct rule *rule; // the one that looks now
	size_t of_rule, left_out;
	struct survey_facts *facts;
};

// --- what a rule says ---
_printf_(2, 3) void survey_find(struct survey *survey, const char *format, ...);
// With a fix or a level of its own.
_printf_(4, 5) void survey_find_fix(
	struct survey *survey, enum advice_level level, const char *fix, const char *format, ...);
_printf_(2, 3) void survey_unknown(struct survey *survey, const char *format, ...);
// The same with the reason why the last file could not be read.
void survey_unread(struct survey *survey, const char *what);

// --- what a rule may ask ---
_printf_(2, 3) const char *survey_text(struct survey *survey, const char *format, ...);
enum distribution_family survey_distribution(struct survey *survey);
// An installed package by any of these names (NULL-terminated), in dpkg's or pacman's database.
enum known survey_has_package(struct survey *survey, const char *const *names);
// The text of dpkg's database; empty when there is none.
struct str survey_dpkg_status(struct survey *survey);
size_t survey_mounts(struct survey *survey, const struct survey_mount **out);
const struct survey_mount *survey_mount_at(struct survey *survey, const char *point);
size_t survey_processes(struct survey *survey, const struct survey_process **out);
// A running process by any of these names; NULL: none.
const struct survey_process *survey_find_process(struct survey *survey, const char *const *names);
// What systemd starts at boot: a link in some .wants or .requires folder of /etc or /usr/lib.
bool survey_is_unit_enabled(struct survey *survey, const char *unit);
bool survey_runs_systemd(struct survey *survey);
bool survey_is_container(struct survey *survey);
bool survey_is_virtual(struct survey *survey); // the CPU says that a hypervisor is below
bool survey_has_battery(struct survey *survey);
// "AuthenticAMD", "GenuineIntel"; empty when not said.
struct str survey_cpu_vendor(struct survey *survey);
bool survey_meminfo(struct survey *survey, const char *field, int64_t *out_bytes);
// Of a file system on a local disk; not asked of others, which may never answer.
bool survey_space(
	struct survey *survey, const struct survey_mount *mount, struct survey_space *out);
// "sda" for /dev/sda2 and for a mapped device on one disk; false when that is not clear.
bool survey_disk_of(struct survey *survey, struct str device, struct str *out_disk);
bool survey_is_rotational(struct survey *survey, struct str disk, bool *out);
// A whole word of a list separated by commas; the part behind "name=" in *out_value (may be NULL).
bool survey_has_option(struct str options, const char *name, struct str *out_value);
// "none [mq-deadline] kyber": mq-deadline.
struct str survey_chosen(struct str text);
// A path as one word of a shell command, quoted where it has to be.
const char *survey_quote(struct survey *survey, struct str path);
// Release numbers as people order them: "6.1.0-9" before "6.1.0-40".
int survey_compare_versions(const char *a, const char *b);
