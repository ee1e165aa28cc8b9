// SPDX-License-Identifier: Apache-2.0
// What root has granted: the files /etc/anna/commands.d/*.toml. They are believed only when nobody
// but root could have written them: each file, the folder and every folder above it belong to
// root and are writable by nobody else, and none is a link. A file with a mistake grants nothing.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/problems.h"
#include "config/option.h"

#define GRANT_FILES_MAX 64
#define GRANT_FILE_SIZE_MAX (64 * 1024)

// [[commands]]: one program with fixed arguments.
struct command_grant {
	struct str name;
	struct strings argv;
	struct str user;
	struct str directory;
	int64_t timeout_ns;
};

// [[units]]: what may be done with units.
enum unit_verb {
	UNIT_START,
	UNIT_STOP,
	UNIT_RESTART,
	UNIT_RELOAD,
	UNIT_VERBS
};
struct unit_grant {
	struct str unit; // a name or a glob
	struct strings verbs;
};
extern const char *const unit_verb_names[]; // by enum unit_verb, NULL-terminated

struct grants {
	struct command_grant *commands;
	size_t command_count;
	struct unit_grant *units;
	size_t unit_count;
};

// Reads the folder; what is granted lives in the arena. False with *err when the folder cannot be
// believed or read at all (it may be missing: then nothing is granted). What is wrong with single
// files are problems, and these files grant nothing.
_must_use_ bool grants_read(const char *folder, struct arena *arena, struct grants *out,
	struct problems *problems, struct err *err);
// False with *err unless `path` is a plain file that only root can change, and all folders above.
_must_use_ bool grants_is_roots_own(const char *path, struct err *err);
