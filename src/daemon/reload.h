// SPDX-License-Identifier: Apache-2.0
// Shared by reload.c and reload_start.c.
#pragma once

#include "config/generations.h"

// Whether a configuration of this hash was undone or refused before; *err then says so.
bool reload_is_distrusted(const struct generation *known, struct err *err);
