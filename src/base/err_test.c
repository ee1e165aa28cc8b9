// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <errno.h>

#include "tests/check.h"

TEST(every_code_has_a_complete_row) {
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		const struct err_row *row = err_row((enum err_code)code);
		CHECK_INT(row->code, code);
		// A hint may be empty where the message says it all, never missing.
		CHECK(row->name && *row->name && row->text && *row->text && row->hint);
		CHECK(row->http_status >= 400 && row->http_status <= 599);
		CHECK(row->exit_status > 0 && row->exit_status < 12);
		CHECK(row->retryable == (row->retry_after_ms > 0));
		CHECK_INT(err_from_rpc(row->rpc_code), code);
	}
}

TEST(a_code_out_of_range_is_internal) {
	CHECK_INT(err_row(ERR_NONE)->code, ERR_INTERNAL);
	CHECK_INT(err_row((enum err_code)999)->code, ERR_INTERNAL);
	CHECK_INT(err_from_rpc(12345), ERR_INTERNAL);
}

TEST(setting_returns_false_and_allows_null) {
	struct err err = ERR_INIT;
	CHECK(!err_set(&err, ERR_BUSY, "%d of %d", 3, 4));
	CHECK_INT(err.code, ERR_BUSY);
	CHECK_TEXT(err.message, "3 of 4");
	CHECK(!err_set(NULL, ERR_BUSY, "x"));
	CHECK(!err_errno(NULL, "x"));
	CHECK(!err_prefix(NULL, "x"));
}

TEST(errno_gives_code_and_text) {
	struct err err = ERR_INIT;
	errno = ENOENT;
	CHECK(!err_errno(&err, "cannot open %s", "f"));
	CHECK_INT(errno, ENOENT);
	CHECK_INT(err.code, ERR_NOT_FOUND);
	CHECK_TEXT(err.message, "cannot open f: No such file or directory");
	errno = EACCES;
	CHECK(!err_errno(&err, "f"));
	CHECK_INT(err.code, ERR_DENIED);
	errno = ENOSPC;
	CHECK(!err_errno(&err, "f"));
	CHECK_INT(err.code, ERR_IO);
}

TEST(a_prefix_goes_before_the_message) {
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_CONFIG, "bad");
	CHECK(!err_prefix(&err, "file %s", "a.toml"));
	CHECK_TEXT(err.message, "file a.toml: bad");
	CHECK_INT(err.code, ERR_CONFIG);
}

TEST(long_messages_are_cut_and_stay_terminated) {
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_IO, "%01000d", 1);
	(void)err_prefix(&err, "%01000d", 2);
	errno = EIO;
	(void)err_errno(&err, "%01000d", 3);
	CHECK_INT(strlen(err.message), sizeof(err.message) - 1);
}

int main(void) {
	return TESTS(RUN(every_code_has_a_complete_row), RUN(a_code_out_of_range_is_internal),
		RUN(setting_returns_false_and_allows_null), RUN(errno_gives_code_and_text),
		RUN(a_prefix_goes_before_the_message),
		RUN(long_messages_are_cut_and_stay_terminated));
}
