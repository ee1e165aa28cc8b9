// SPDX-License-Identifier: Apache-2.0
// The table, made from capabilities.def: a row there and its file are all it takes.
#include "capabilities/capabilities.h"

#define CAPABILITY(name) extern const struct capability capability_##name;
#include "capabilities/capabilities.def"
#undef CAPABILITY

const struct capability *const capabilities[] = {
#define CAPABILITY(name) &capability_##name,
#include "capabilities/capabilities.def"
#undef CAPABILITY
};

const size_t capability_count = sizeof(capabilities) / sizeof(capabilities[0]);
