// SPDX-License-Identifier: Apache-2.0
// One daemon per state folder: an advisory lock on <state folder>/lock, which holds the owner's
// pid for people and for annactl. The kernel drops the lock with the process, however it ends.
#pragma once

#include "base/err.h"

// The lock's descriptor, kept open for life; -1 with *err: BUSY names the pid that has it, DENIED
// when the folder is not ours alone (another owner, writable by others).
int lock_take(const char *state_folder, struct err *err);
// Clears the pid and lets go. The file stays: removing it would race with the next owner.
void lock_release(int fd);
