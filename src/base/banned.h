// SPDX-License-Identifier: Apache-2.0
// Calls that are never right here, made compile errors; included before every file by the build.
// strcpy and friends: use buf. sprintf: use buf_appendf or snprintf. gets/strtok: never.
// system/popen: io/child. sleep: the loop's timers. atoi: str_to_int64. localtime: not thread-safe.
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok system popen
#pragma GCC poison atoi atol atoll sleep usleep localtime gmtime ctime asctime
