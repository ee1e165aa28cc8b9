// SPDX-License-Identifier: Apache-2.0
// Who may ask over HTTP: a page of another site must not read through the user's browser (DNS
// rebinding, cross-site requests). So the Host header must name this machine as such, with our
// port, or a configured name; and an Origin, when there is one, must be that same host.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/option.h"
#include "formats/http1.h"

// 0 when the request may be answered, else the status to refuse it with and *err.
int guard_check(const struct http1_request *request, uint16_t port, const struct strings *names,
	struct err *err);
