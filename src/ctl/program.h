// SPDX-License-Identifier: Apache-2.0
// A program run to its end, with a time limit. Blocking: for commands that steer other programs
// (dpkg, systemctl). No shell: arguments are what they are.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

#define PROGRAM_OUTPUT_MAX ((size_t)64 * 1024) // what is beyond is read and forgotten

struct program {
	const char *const *argv; // NULL-terminated; argv[0] without a slash is looked up on PATH
	const char *folder;	 // working directory; NULL: "/"
	int64_t limit_ns;	 // then its whole process group is killed
	uid_t uid;		 // who it becomes; 0: as we are
	gid_t gid;
	// Both outputs are appended to this file instead of being returned. For what must go on
	// when we are killed: nobody reading its pipe would end it.
	const char *log_path;
	int held_fd; // stays open in it (a lock that must live as long as it does); 0: none
};

// Runs it with its standard output, and error if wants_errors, appended to *out; *out_status is
// its exit status, or 128 and the signal. False with *err: it could not be run (127 stands for a
// program that is not there), or did not end in time (SLOW).
_must_use_ bool program_run(const struct program *program, bool wants_errors, struct buf *out,
	int *out_status, struct err *err);
// As program_run; any status but 0 is an error that shows the last line it printed, and so is an
// output that was cut.
_must_use_ bool program_ask(const struct program *program, struct buf *out, struct err *err);
