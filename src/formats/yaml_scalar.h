// SPDX-License-Identifier: Apache-2.0
// One line and one scalar of the YAML subset. Private to `yaml`.
#pragma once

#include "base/problems.h"
#include "formats/value.h"

struct yaml_line {
	struct str text;
	struct place place; // of its first character
};

// The column (from 1, in characters) of a byte of the line.
uint32_t yaml_column(struct str line, size_t at);
// False, and told: bytes that no line may hold.
_must_use_ bool yaml_check_line(struct str line, struct place place, struct problems *problems);
// The scalar from byte `from` on, with what may follow it. False, and told: it is none of ours.
_must_use_ bool yaml_parse_scalar(struct arena *arena, const struct yaml_line *line, size_t from,
	struct value *out, struct problems *problems);
