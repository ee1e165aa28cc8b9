// SPDX-License-Identifier: Apache-2.0
// A look: one thing examined from outside, in a process of its own with a time limit, because what is
// sick may hang whoever touches it (a dead mount, a bus that does not answer). All looks run at the
// same time. One file in src/doctor/, one row in looks.def; what it writes is the fact of its name.
//
// A look that is not through in time leaves what it said so far, or nothing: the fact is then
// missing, and says so. A process that cannot even be killed (state D) is left behind and not waited
// for.
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "doctor/patient.h"
#include "formats/json.h"

// Where to look; all borrowed. Empty or 0: not known.
struct places {
	const char *socket;
	const char *state_folder;
	const char *config_path;
	const char *annad;	  // the installed one
	const char *unit;	  // "annad.service"
	const char *shipped_unit; // file the package brought
	const char *bus_address;  // path of the system bus's socket
	int daemon_pid;		  // who answers; 0: nobody
	int64_t now_ns;		  // wall
};

// What a look writes: it is inside an object, w adds members.
struct look_report {
	struct buf text;
	struct json_writer w;
	const char *missing; // set instead, when the thing is not here at all: a literal
	char why[200];	     // or this
	int fd;
};

struct look {
	const char *name;
	void (*gather)(const struct places *places, struct look_report *out);
};

#define DEFINE_LOOK(name) const struct look look_##name

// Sends what was said so far, to be used if the look does not get through; begins anew.
void look_report_so_far(struct look_report *out);
// The fact cannot be had, and why.
_printf_(2, 3) void look_report_missing(struct look_report *out, const char *format, ...);

// Inside a look: runs a program, its standard output appended (at most 64 KiB). False with *err when
// it cannot be run or is not through in time; *out_status as of waitpid.
_must_use_ bool look_run_program(const char *const *argv, int64_t within_ns, struct buf *out,
	int *out_status, struct err *err);
// A short file of /proc or /sys, appended; false with errno. Bounded, never blocks on a FIFO.
_must_use_ bool look_read_file(const char *path, size_t limit, struct buf *out);
// The same, and never through a link: for what lies in folders of others.
_must_use_ bool look_read_own_file(const char *path, size_t limit, struct buf *out);
// Members of an object from stat(2).
struct stat;
void look_write_stat(struct json_writer *w, const struct stat *status);
const char *look_user_name(uint32_t uid, char out[64]);

struct looking;

extern const struct look *const look_table[];
extern const size_t look_count;

// Starts those of the table that `places` allows for; `places` is copied.
_must_use_ struct looking *looking_start(struct arena *arena, const struct places *places);
// Waits until deadline_ns (clock_monotonic) at most, and adds one fact for each.
void looking_finish(
	struct looking *looking, struct clock *clock, int64_t deadline_ns, struct patient *patient);
