// SPDX-License-Identifier: Apache-2.0
// Devices as the kernel names them: its messages about them, and what is in /sys. Private to
// `devices`.
#pragma once

#include "sources/facts.h"

struct uevent {
	struct str action, path, subsystem, name, driver, type;
};

// A message of the kernel (lib/kobject_uevent.c): "action@path", then KEY=value, each ended by NUL.
// False: it is none.
_must_use_ bool uevent_parse(struct str message, struct uevent *out);

// For jobs: every device of the wanted subsystems, by its path below /sys; the value is
// "subsystem\ndriver\ntype". spec: the root ("" or a folder) and the globs, joined by '\n'.
void devices_read(const char *spec, struct facts *out, struct buf *trouble);
