// SPDX-License-Identifier: Apache-2.0
// The mount table as facts: key is the mount's id, value its point, device, type, "ro" or "rw", and
// options, joined by '\n' (which no field holds once decoded). Private to `mounts`. Pure but for
// mounts_read.
#pragma once

#include "sources/facts.h"

struct mount {
	struct str point, device, type, mode, options;
};

// The text of /proc/self/mountinfo (proc(5)).
void mounts_parse(struct str text, struct facts *out);
// For jobs: the file at path.
void mounts_read(const char *path, struct facts *out, struct buf *trouble);
// The fields of a value.
void mount_split(struct str value, struct mount *out);
