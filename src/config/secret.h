// SPDX-License-Identifier: Apache-2.0
// A secret that stands elsewhere: { file = "…" } or { credential = "…" }.
#pragma once

#include "base/err.h"
#include "formats/value.h"
#include "io/fs.h"

#define SECRET_MAX 65536

// Reads what the table names into the arena, without the newline at its end. A relative file is
// looked for beside the file the table stands in; a credential in $CREDENTIALS_DIRECTORY
// (systemd.exec(5)). With fs NULL only the form of the table is checked and *out is empty.
// Messages name the place, never the content. Blocking.
_must_use_ bool secret_read(struct fs *fs, struct arena *arena, const struct value *table,
	struct str *out, struct err *err);
