// SPDX-License-Identifier: Apache-2.0
// The table of methods, in the order of methods.def.
#pragma once

#include "rpc/method.h"

extern const struct method *const rpc_method_table[];
extern const size_t rpc_method_count;
