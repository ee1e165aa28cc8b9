// SPDX-License-Identifier: Apache-2.0
// The table of routes, made from routes.def: a row there and its file are all it takes.
#include "web/route.h"

#define ROUTE(name) extern const struct route route_##name;
#include "web/routes.def"
#undef ROUTE

const struct route *const route_table[] = {
#define ROUTE(name) &route_##name,
#include "web/routes.def"
#undef ROUTE
};

const size_t route_count = sizeof(route_table) / sizeof(route_table[0]);
