// SPDX-License-Identifier: Apache-2.0
// Names of capability states.
#include "flow/capability.h"

const char *capability_state_name(enum capability_state state) {
	static const char *const names[] = {"active", "degraded", "disabled", "failed"};
	return names[state];
}
