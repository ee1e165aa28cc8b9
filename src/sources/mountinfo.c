// SPDX-License-Identifier: Apache-2.0
// See mountinfo.h.
#include "sources/mountinfo.h"

#include <stdbool.h>
#include <unistd.h>

#define OF_THE_MACHINE "/proc/1/mountinfo"
#define OURS "/proc/self/mountinfo"

const char *mountinfo_path(const char *sysroot) {
	bool is_recorded = sysroot && sysroot[0];
	return !is_recorded && access(OF_THE_MACHINE, R_OK) == 0 ? OF_THE_MACHINE : OURS;
}
