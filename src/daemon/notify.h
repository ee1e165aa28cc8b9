// SPDX-License-Identifier: Apache-2.0
// Talking to systemd without its library: the notification socket (sd_notify(3)), the watchdog and
// socket activation (sd_listen_fds(3)). Outside systemd all of it does nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

// Sends a datagram like "READY=1\nSTATUS=…"; never blocks.
_printf_(1, 2) void notify_send(const char *format, ...);
// Watchdog period in nanoseconds, 0 when it is off or meant for another process.
int64_t notify_watchdog_ns(void);
// The first listening Unix stream socket systemd handed over, or -1. Clears the environment.
int notify_take_socket(void);
// Whether stderr goes to journald (JOURNAL_STREAM names it).
bool notify_stderr_is_journal(void);
