// SPDX-License-Identifier: Apache-2.0
// Child processes, in a process group of their own, watched by pidfd on the loop. A seam: the
// simulator and tests supply a struct child_runner that plays processes.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct loop;
struct child;
struct child_runner;

struct child_result {
	bool was_signalled;
	int exit_status;	    // when not signalled
	int signal;		    // when signalled
	int64_t user_ns, system_ns; // CPU time
	int64_t max_rss_bytes;
};

// Who a process becomes before it runs: for the helper, which is root.
struct child_identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; // supplementary
	size_t group_count;
};

struct child_spec {
	const char *const *argv;	       // argv[0] is looked up on PATH unless it holds a '/'
	const char *const *environment;	       // NULL-terminated "NAME=value"; nothing is inherited
	const char *directory;		       // working directory; NULL: "/"
	const char *cgroup;		       // folder of the sub-cgroup to start in; NULL: none
	const struct child_identity *identity; // NULL: as whoever starts it
	// Standard output and standard error, together, as it comes. May be NULL (then /dev/null).
	void (*on_output)(void *arg, struct str bytes);
	// Once, after the process has ended; output still in the pipe was delivered before. What
	// descendants hold the pipe open does not delay this.
	void (*on_exit)(void *arg, const struct child_result *result);
	void *arg;
};

struct child_runner {
	// NULL with *err when it cannot be started (exec failures included: "cannot run …: …").
	struct child *(*spawn)(
		struct child_runner *runner, const struct child_spec *spec, struct err *err);
	pid_t (*pid)(const struct child *child);
	// To the whole process group (and every process of its cgroup for SIGKILL).
	void (*kill)(struct child *child, int signal);
	// Forgets it: no callback comes any more; a process still running is killed and reaped.
	void (*release)(struct child *child);
};

_must_use_ struct child_runner *child_runner_create(struct loop *loop);
// Kills and reaps what still runs.
void child_runner_destroy(struct child_runner *runner);
