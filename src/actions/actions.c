// SPDX-License-Identifier: Apache-2.0
// actions.def, twice: declared, then listed.
#include "actions/actions.h"

#define ACTION(name) extern DEFINE_ACTION(name);
#include "actions/actions.def"
#undef ACTION

const struct action *const actions[] = {
#define ACTION(name) &action_##name,
#include "actions/actions.def"
#undef ACTION
};

const size_t actions_count = sizeof(actions) / sizeof(actions[0]);
