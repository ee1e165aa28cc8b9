// SPDX-License-Identifier: Apache-2.0
// The annad binary that belongs to this annactl: it checks configs without a daemon, and says its
// version. Looked for in annactl's own folder, then ../sbin, then PATH; never in the working
// directory.
#pragma once

#include "base/buf.h"
#include "ctl/failure.h"

// Its path; false with *failure when there is none.
_must_use_ bool annad_find(struct buf *out, struct failure *failure);
// Becomes annad with these arguments (argv[0] is set here; NULL-terminated). Returns only when it
// cannot, with *failure.
void annad_become(const char **argv, struct failure *failure);
// The first line of `PATH --version`; false when it says nothing within two seconds.
_must_use_ bool annad_version(const char *path, struct buf *out);
// The config file a command means when none is named: the running daemon's, the user's, the
// system's; empty when there is none (annad then decides).
struct invocation;
void annad_find_config(struct buf *out); // the last two of these
void annad_default_config(struct invocation *in, struct buf *out);
