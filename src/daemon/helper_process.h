// SPDX-License-Identifier: Apache-2.0
// annad --helper: the process around helper/helper.h.
#pragma once

#include <stdbool.h>

#include "daemon/arguments.h"

// Serves until SIGTERM or SIGINT, or, when systemd holds the socket, until it was idle for a minute.
// False when it could not begin (logged).
_must_use_ bool helper_process_run(const struct arguments *arguments);
