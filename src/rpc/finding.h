// SPDX-License-Identifier: Apache-2.0
// What the doctor did, as events: told by annactl while the daemon runs (doctor.fixed), or taken from
// the doctor's own log in the state folder at the next start.
#pragma once

#include "flow/event.h"

struct anna;

// The file annactl appends to when the daemon cannot be told; one JSON object a line:
// {time, id, subject, what, before, after, undo, uid, done}.
#define FINDING_LOG "doctor.log"
#define FINDING_LOG_MAX 65536

// Reads the log in a job, publishes a line each as doctor.fixed, and removes the file when all of them
// are durable. To be called once the daemon is ready.
void finding_take_log(struct anna *anna);
