// SPDX-License-Identifier: Apache-2.0
// What the doctor did is told: to the daemon, whose journal keeps it, else to doctor.log in the state
// folder, which the daemon takes into the journal at its next start (rpc/finding.h).
#pragma once

#include "ctl/command.h"
#include "doctor/treatment.h"

// False with *err when neither could be told.
_must_use_ bool doctor_audit(struct invocation *in, const char *state_folder,
	const struct treatment *treatment, bool is_done, struct err *err);
