// SPDX-License-Identifier: Apache-2.0
// An HTTP route: one file in src/web/ that ends in its descriptor, one row in routes.def. Routes are
// read with GET and HEAD, answer at once, and change nothing.
#pragma once

#include "base/buf.h"
#include "base/str.h"

struct anna;

struct web_request {
	struct anna *anna;
	struct str path;
	struct str query; // after '?', as sent
};

struct response {
	int status; // 200 unless the handler says otherwise
	const char *content_type;
	struct buf body;
};

struct route {
	const char *path; // exactly
	const char *summary;
	void (*handle)(const struct web_request *request, struct response *response);
};

#define DEFINE_ROUTE(name) const struct route route_##name

// The table, in the order of routes.def.
extern const struct route *const route_table[];
extern const size_t route_count;
