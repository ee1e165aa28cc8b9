// SPDX-License-Identifier: Apache-2.0
// One record of wtmp or btmp; see logins_read.h.
#include "sources/logins_read.h"

#include "base/clock.h"

// Fields are not terminated when they are full (utmp(5)).
static void copy_field(char *out, const char *field, size_t size) {
	size_t n = strnlen(field, size);
	memcpy(out, field, n);
	out[n] = '\0';
}

void login_parse(const struct utmp *record, struct login *out) {
	*out = (struct login){.what = LOGIN_OTHER, .pid = record->ut_pid};
	copy_field(out->user, record->ut_user, sizeof(record->ut_user));
	copy_field(out->tty, record->ut_line, sizeof(record->ut_line));
	copy_field(out->host, record->ut_host, sizeof(record->ut_host));
	out->time_ns = (int64_t)record->ut_tv.tv_sec * NS_PER_SECOND +
		(int64_t)record->ut_tv.tv_usec * NS_PER_US;
	if (record->ut_type == USER_PROCESS && out->user[0]) {
		out->what = LOGIN_OPENED;
	} else if (record->ut_type == DEAD_PROCESS && out->tty[0]) {
		out->what = LOGIN_CLOSED;
	}
}
