// SPDX-License-Identifier: Apache-2.0
// The table of capabilities that are not sources, in the order of capabilities.def.
#pragma once

#include "flow/capability.h"

extern const struct capability *const capabilities[];
extern const size_t capability_count;
