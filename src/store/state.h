// SPDX-License-Identifier: Apache-2.0
// The state file: a small JSON payload that survives a restart, under a checksum. Saving keeps the
// previous generation; loading verifies and falls back to it when the newest is damaged.
// Layout: "anna-state 1 <crc32c hex> <length>\n" + payload. Files: state, state.previous.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "io/fs.h"

#define STATE_FORMAT 1

enum state_source {
	STATE_NONE,
	STATE_NEWEST,
	STATE_PREVIOUS
};

// Durable when it returns true.
_must_use_ bool state_save(struct fs *fs, const char *folder, struct str payload, struct err *err);
// Appends the payload of the newest whole state to *out. STATE_NONE: there is none at all, or both
// are damaged (*err then says what was found; code ERR_NONE when the files simply do not exist).
// STATE_PREVIOUS: *err says what is wrong with the newest.
enum state_source state_load(struct fs *fs, const char *folder, struct buf *out, struct err *err);
