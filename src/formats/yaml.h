// SPDX-License-Identifier: Apache-2.0
// A closed subset of YAML 1.2 (yaml.org/spec/1.2.2), reading only: one document that is a list of maps of
// single-line scalars, which is all a policy file is. Everything else YAML can say (anchors, tags,
// nested and flow collections, block scalars, several documents, tabs) is refused at its place
// with what to write instead, so that no file means something else here than elsewhere.
#pragma once

#include "base/problems.h"
#include "formats/value.h"

#define YAML_ITEMS_MAX 1000
#define YAML_KEYS_MAX 16
#define YAML_SCALAR_MAX 4096 // bytes

// Parses the text into the arena: a VALUE_ARRAY of VALUE_TABLEs whose members are VALUE_STRING, or
// VALUE_BOOL for a plain true or false. Never NULL; what could be read, when there are problems.
// The place of a member's value is that of its first character, behind an opening quote. `file`
// (copied into the arena) names it in places. The text must be UTF-8 and may begin with a BOM.
const struct value *yaml_parse_list(
	struct arena *arena, const char *file, struct str text, struct problems *problems);
