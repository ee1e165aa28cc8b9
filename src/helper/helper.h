// SPDX-License-Identifier: Apache-2.0
// The helper: the small second process that may do what annad may not. Same program (annad
// --helper), started as root by systemd through its socket, gone again when nobody needs it. One
// request a connection, one line of JSON each way:
//
//	{"verb": "unit.control", "params": {"unit": "nginx.service", "do": "restart"}}
//	{"ok": true, "exit_status": 0, "output": "", "output_cut": false, "duration_ms": 31}
//	{"ok": false, "error": {"name": "PermissionDenied", "message": "…"}}
//
// It trusts nothing it is told: who asks is known from the kernel, the list of verbs is closed, and
// what a verb may do stands in files only root can write (grants.h). Each request is logged. What
// was begun is finished also when the asker goes away: half a restart is worse than a whole one.
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct child_runner;
struct helper;
struct loop;

#define HELPER_SOCKET "/run/anna-helper.sock"
#define HELPER_GRANTS "/etc/anna/commands.d"
#define HELPER_REQUEST_MAX (16 * 1024)
#define HELPER_SESSIONS_MAX 16

struct helper_options {
	struct loop *loop;
	struct child_runner *children;
	int socket_fd;	  // handed over by systemd; -1: opens `path` itself
	const char *path; // mode 0660, owned by root and the group of `uid`
	const char *grants;
	uid_t uid; // beside root, the only one who may ask
	gid_t gid;
	// Idle for a minute: the owner may end the process, systemd starts it again when it is needed.
	// NULL: stays.
	void (*on_idle)(void *arg);
	void *arg;
};

// The options' texts are borrowed. NULL with *err when it cannot listen.
_must_use_ struct helper *helper_create(const struct helper_options *options, struct err *err);
// Kills what still runs.
void helper_destroy(struct helper *helper);
