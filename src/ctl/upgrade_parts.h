// SPDX-License-Identifier: Apache-2.0
// What the files of `annactl upgrade` share: the package, the checks before, the steps, and what a
// crash leaves to the next run. Nobody outside upgrade*.c includes it.
#pragma once

#include "ctl/command.h"
#include "ctl/program.h"
#include "ctl/upgrade_record.h"

// Root's, so that what root runs from it later is what root has put there.
#define UPGRADE_FOLDER "/var/lib/anna-upgrade"
#define UPGRADE_RECORD UPGRADE_FOLDER "/state"
#define UPGRADE_LOG UPGRADE_FOLDER "/log"
#define UPGRADE_NEW UPGRADE_FOLDER "/new.deb"
#define UPGRADE_NEW_TREE UPGRADE_FOLDER "/new"
#define UPGRADE_PREVIOUS UPGRADE_FOLDER "/previous.deb"
#define UPGRADE_CTL UPGRADE_FOLDER "/annactl"
#define INSTALLED_ANNAD "/usr/sbin/annad"
#define INSTALLED_ANNACTL "/usr/bin/annactl"

struct json_writer;

struct upgrade_options {
	bool only_check;
	bool resume;
	bool back;
	bool verify;
	bool allow_downgrade;
	bool one_way;
	int64_t wait_ns;
	struct str sha256;
	struct str file;
};

struct upgrade {
	struct invocation *in;
	const struct upgrade_options *options;
	struct arena *arena;
	struct release from, to;
	int64_t event;	 // id of upgrade.started, or 0
	int lock_fd;	 // held while we, or a dpkg of ours, run
	bool is_audited; // the running daemon knows upgrade.report
};

// --- upgrade_package.c: dpkg's side ---

// Runs a tool with a time limit; its output in *out. A list ends with NULL.
_must_use_ bool upgrade_ask(struct buf *out, struct err *err, const char *tool, ...);
// A field of a package file, without its newline, in the arena.
_must_use_ bool package_field(
	struct upgrade *u, const char *file, const char *field, struct str *out, struct err *err);
// "ii " and its version, as dpkg has it; the version is empty when nothing is installed.
_must_use_ bool package_installed(
	struct upgrade *u, struct str *out_state, struct str *out_version, struct err *err);
// What an annad binary says it is.
_must_use_ bool release_ask(
	struct upgrade *u, const char *annad, struct release *out, struct err *err);
// Copies the file asked for to UPGRADE_NEW: what is checked is what is installed.
_must_use_ bool package_take(struct upgrade *u, struct err *err);
// Unpacks UPGRADE_NEW into UPGRADE_NEW_TREE and compares every file with the sums in it.
_must_use_ bool package_unpack(struct err *err);
// Makes UPGRADE_PREVIOUS from the files installed now, and keeps this annactl beside it.
_must_use_ bool package_keep_installed(struct upgrade *u, struct err *err);
// Installs a package file, its output in UPGRADE_LOG; dpkg goes on when we are killed.
_must_use_ bool package_install(struct upgrade *u, const char *file, struct err *err);
void upgrade_remove_tree(const char *folder);

// --- upgrade_verify.c: the daemon's side ---

// Waits until the daemon that answers is this release (number and build), running and not critical.
_must_use_ bool verify_running(
	struct upgrade *u, const struct release *wanted, int64_t wait_ns, struct err *err);
// `annactl upgrade --verify`: the running daemon against the installed binary.
int verify_installed(struct upgrade *u);
// Tells the daemon's journal; without a daemon that knows how, it is only said here.
void upgrade_report(struct upgrade *u, const char *phase, struct str reason);
// The event that told of the start is still read back by the daemon that runs now.
_must_use_ bool verify_journal(struct upgrade *u, struct err *err);

// --- upgrade_checks.c ---

// All checks, printed as they end; u->from and u->to are known after it. True when all hold.
_must_use_ bool upgrade_check(struct upgrade *u, struct json_writer *w);

// --- upgrade_steps.c ---

// Keeps, installs, verifies; goes back by itself. The exit status.
int upgrade_install(struct upgrade *u, struct json_writer *w);
// Repairs what an interrupted run left; *out_did says whether there was anything.
_must_use_ bool upgrade_resume(struct upgrade *u, bool *out_did, struct err *err);
// `--back`: puts the previous package back because somebody wants it.
int upgrade_go_back(struct upgrade *u, struct json_writer *w);
