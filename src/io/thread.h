// SPDX-License-Identifier: Apache-2.0
// How every thread of ours begins: with a small stack, a name, and no signals (they all belong to
// the loop's thread).
#pragma once

#include <pthread.h>

// name: at most 15 characters, for ps and top. 0, or an error number when the system has no room.
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);
