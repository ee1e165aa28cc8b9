// SPDX-License-Identifier: Apache-2.0
// The table of all actions, in the order of actions.def. Read by daemon/ and passed on from there.
#pragma once

#include "engine/action.h"

extern const struct action *const actions[];
extern const size_t actions_count;
