// SPDX-License-Identifier: Apache-2.0
// An archive of texts: the ustar interchange format of POSIX (pax(1)), which every tar reads.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"

// Appends one file, mode 0600, owned by root; `name` has at most 99 bytes.
void archive_add(struct buf *out, const char *name, struct str content, int64_t wall_ns);
// Two empty blocks.
void archive_end(struct buf *out);
