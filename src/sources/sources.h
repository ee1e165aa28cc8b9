// SPDX-License-Identifier: Apache-2.0
// All sources, in the order they start; only daemon/ reads it. Made from sources.def.
#pragma once

#include <stddef.h>

struct capability;

extern const struct capability *const sources[];
extern const size_t source_count;
