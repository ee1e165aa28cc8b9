// SPDX-License-Identifier: Apache-2.0
// Which mount table is the machine's. In a unit's sandbox our own shows everything read-only, and
// private folders besides; PID 1's is the one that people mean, and anyone may read it (proc(5)).
#pragma once

// "/proc/1/mountinfo" where it can be read, else, and below a sysroot, "/proc/self/mountinfo". To be
// put behind the sysroot.
const char *mountinfo_path(const char *sysroot);
