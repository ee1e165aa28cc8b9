// SPDX-License-Identifier: Apache-2.0
// Policy files, policies.d/*.yaml: rules of when and then in one closed grammar
// (docs/guide/policies.md). A rule becomes what the rest of the configuration is made of, a
// mapping and where it judges a figure a threshold, so all that holds of those holds of it.
#pragma once

#include "base/problems.h"
#include "formats/value.h"

// A root table as toml_parse gives it, with `thresholds` and `mappings`; never NULL, what could be
// read when there are problems. `path` (copied into the arena) names the file.
const struct value *policy_parse(
	struct arena *arena, const char *path, struct str text, struct problems *problems);
