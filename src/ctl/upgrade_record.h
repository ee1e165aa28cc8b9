// SPDX-License-Identifier: Apache-2.0
// How far an upgrade of Anna has come, on disk before each step that cannot be repeated blindly, so
// that after a crash or kill -9 the next run knows what to repair. Root's, in a folder of root's.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "io/fs.h"

enum upgrade_phase {
	PHASE_NONE,	  // no record: nothing was under way
	PHASE_KEEPING,	  // what is installed is being kept aside; nothing has changed
	PHASE_INSTALLING, // dpkg may be half-way
	PHASE_VERIFYING,  // installed; whether it runs is not known
	PHASE_RETURNING	  // the previous one is being put back
};

// One Anna: as dpkg calls it, and as its annad calls itself.
struct release {
	struct str package; // "0.1.0+29.g947bb966daeb"
	struct str number;  // "0.1.0"
	struct str build;
};

struct upgrade_record {
	enum upgrade_phase phase;
	struct release from, to;
	int64_t event; // id of upgrade.started, or 0
	struct str reason;
};

const char *upgrade_phase_name(enum upgrade_phase phase);
// "annad 0.1.0 (build abc)", as --version says it; false for anything else.
_must_use_ bool release_parse(struct str said, struct arena *arena, struct release *out);
// Replaces the record; durable when it returns true.
_must_use_ bool upgrade_record_write(
	struct fs *fs, const char *path, const struct upgrade_record *record, struct err *err);
// *out->phase is PHASE_NONE when there is none. False with *err when it cannot be read or is not one.
_must_use_ bool upgrade_record_read(struct fs *fs, const char *path, struct arena *arena,
	struct upgrade_record *out, struct err *err);
