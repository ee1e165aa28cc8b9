// SPDX-License-Identifier: Apache-2.0
// Errors as values; see err.h.
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct err_row rows[ERR_COUNT] = {
#define ERROR(symbol, rpc, name, http, exit, retryable, after, text, hint) \
	[ERR_##symbol] = {ERR_##symbol, rpc, name, http, exit, retryable, after, text, hint},
#include "base/errors.def"
#undef ERROR
};

const struct err_row *err_row(enum err_code code) {
	return code > ERR_NONE && code < ERR_COUNT ? &rows[code] : &rows[ERR_INTERNAL];
}

enum err_code err_from_rpc(int rpc_code) {
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		if (rows[code].rpc_code == rpc_code) {
			return (enum err_code)code;
		}
	}
	return ERR_INTERNAL;
}

bool err_set(struct err *err, enum err_code code, const char *format, ...) {
	if (err) {
		va_list args;
		va_start(args, format);
		err->code = code;
		(void)vsnprintf(err->message, sizeof(err->message), format, args); // cut is fine
		va_end(args);
	}
	return false;
}

bool err_errno(struct err *err, const char *format, ...) {
	int cause = errno;
	if (err) {
		va_list args;
		va_start(args, format);
		(void)vsnprintf(err->message, sizeof(err->message), format, args);
		va_end(args);
		size_t used = strlen(err->message);
		(void)snprintf(
			err->message + used, sizeof(err->message) - used, ": %s", strerror(cause));
		err->code = cause == EACCES || cause == EPERM ? ERR_DENIED
			: cause == ENOENT		      ? ERR_NOT_FOUND
							      : ERR_IO;
	}
	errno = cause;
	return false;
}

bool err_prefix(struct err *err, const char *format, ...) {
	if (err) {
		char old[sizeof(err->message)];
		memcpy(old, err->message, sizeof(old));
		va_list args;
		va_start(args, format);
		(void)vsnprintf(err->message, sizeof(err->message), format, args);
		va_end(args);
		size_t used = strlen(err->message);
		(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
	}
	return false;
}
