// SPDX-License-Identifier: Apache-2.0
// The table of sources: every row of sources.def is declared, then listed.
#include "sources/sources.h"

#include "flow/capability.h"

#define SOURCE(name) extern const struct capability source_##name;
#include "sources/sources.def"
#undef SOURCE

const struct capability *const sources[] = {
#define SOURCE(name) &source_##name,
#include "sources/sources.def"
#undef SOURCE
};
const size_t source_count = sizeof(sources) / sizeof(sources[0]);
