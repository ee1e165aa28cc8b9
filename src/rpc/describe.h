// SPDX-License-Identifier: Apache-2.0
// The tables of methods, errors and kinds as JSON: what rpc.describe and kinds answer, and what the
// documentation is made from. Each writes one array.
#pragma once

#include "flow/kind.h"
#include "rpc/method.h"

void describe_methods(struct json_writer *w, const struct method *const *methods, size_t n);
void describe_errors(struct json_writer *w);
void describe_kinds(struct json_writer *w, const struct kinds *kinds);
