// SPDX-License-Identifier: Apache-2.0
// What reload and undo answer: the generation, what changed, what waits for a restart, how long
// each phase took.
#pragma once

#include "rpc/method.h"

struct problems;
struct reload_result;
struct changes;

// As on_done of anna_reload and anna_undo: arg is the call.
void reload_answer(void *call, const struct reload_result *result, const struct err *err);
// Members "changes" and "restart_needed".
void reload_write_changes(struct json_writer *writer, const struct changes *changes);
