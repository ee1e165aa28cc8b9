// SPDX-License-Identifier: Apache-2.0
// The closed list of verbs, made from verbs.def.
#include "helper/verb.h"

#define VERB(name) extern const struct verb verb_##name;
#include "helper/verbs.def"
#undef VERB

const struct verb *const verb_table[] = {
#define VERB(name) &verb_##name,
#include "helper/verbs.def"
#undef VERB
	NULL,
};
