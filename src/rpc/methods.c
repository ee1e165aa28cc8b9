// SPDX-License-Identifier: Apache-2.0
// The table of methods, made from methods.def: a row there and its file are all it takes.
#include "rpc/methods.h"

#define METHOD(name) extern const struct method method_##name;
#include "rpc/methods.def"
#undef METHOD

const struct method *const rpc_method_table[] = {
#define METHOD(name) &method_##name,
#include "rpc/methods.def"
#undef METHOD
};

const size_t rpc_method_count = sizeof(rpc_method_table) / sizeof(rpc_method_table[0]);
