// SPDX-License-Identifier: Apache-2.0
// Records of wtmp and btmp (utmp(5)), as the C library writes them. Private to `logins`. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <utmp.h>

enum login_what {
	LOGIN_OPENED,
	LOGIN_CLOSED,
	LOGIN_OTHER // boot, run level, clock, getty …
};

struct login {
	enum login_what what;
	char user[UT_NAMESIZE + 1], tty[UT_LINESIZE + 1], host[UT_HOSTSIZE + 1];
	int64_t pid;
	int64_t time_ns; // wall
};

// One record, as it lies in the file. Of btmp every record that names a user or a tty is a failure,
// whatever its type; the caller knows which file it is.
void login_parse(const struct utmp *record, struct login *out);
