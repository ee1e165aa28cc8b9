// SPDX-License-Identifier: Apache-2.0
// What a reload, an undo or a diff answered: the generation, what changed, what waits for a
// restart, how long it took.
#pragma once

#include "ctl/command.h"

// Prints it and returns the exit status. A configuration that was refused never comes here: that is
// an error of the call.
int reload_report(struct invocation *in, const struct value *result, const char *verb);
