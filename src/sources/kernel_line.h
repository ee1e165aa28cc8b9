// SPDX-License-Identifier: Apache-2.0
// What lines of the kernel's log mean: the built-in patterns of the source `kernel`, pure. The
// words are those of the kernel's own printk calls, which change seldom; what is not recognised
// stays a line that own patterns may match.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

enum kernel_trouble {
	KERNEL_OOM_KILL,
	KERNEL_IO_ERROR,
	KERNEL_FILESYSTEM_ERROR,
	KERNEL_SEGFAULT,
	KERNEL_HUNG_TASK,
	KERNEL_LOCKUP,
	KERNEL_MACHINE_CHECK,
	KERNEL_THERMAL,
	KERNEL_LINK_DOWN,
	KERNEL_USB_OVERCURRENT,
	KERNEL_TROUBLES,
	KERNEL_NOTHING = KERNEL_TROUBLES
};
extern const char *const kernel_trouble_names[KERNEL_TROUBLES]; // the end of the event's kind

// Who it is about; what the line does not say is empty or 0. The texts are of the line.
struct kernel_finding {
	enum kernel_trouble trouble;
	struct str process;
	int64_t pid;
	struct str device; // sda, eth0, 1-2, CPU3
	struct str fstype;
};

void kernel_line_judge(struct str line, struct kernel_finding *out);

// One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg): its head and first line.
struct kernel_record {
	int level;    // 0 (emergency) to 7 (debug)
	int facility; // 0: the kernel itself; anything else was written by a program
	uint64_t sequence;
	struct str line;
};
_must_use_ bool kernel_record_parse(struct str bytes, struct kernel_record *out);
