// SPDX-License-Identifier: Apache-2.0
// A head must be judged by its bytes alone: however they are cut into pieces, the verdict is the
// same, and what was read lies within them.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "formats/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_request(const struct http1_request *request, struct str bytes) {
	assert(request->head_len >= 18 && request->head_len <= bytes.len);
	assert(request->head_len <= HTTP1_HEAD_MAX);
	assert(memcmp(bytes.at + request->head_len - 4, "\r\n\r\n", 4) == 0);
	assert(request->header_count <= HTTP1_HEADERS_MAX);
	assert(request->path.len && request->path.len <= request->target.len);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http1_header *header = &request->headers[i];
		assert(header->name.len && str_find_char(header->value, '\r') < 0);
		assert(header->name.at > bytes.at);
		assert(header->value.at + header->value.len < bytes.at + request->head_len);
	}
}

static bool is_same(const struct http1_request *a, const struct http1_request *b) {
	return str_equal(a->method, b->method) && str_equal(a->target, b->target) &&
		str_equal(a->path, b->path) && str_equal(a->query, b->query) &&
		a->minor_version == b->minor_version && a->header_count == b->header_count &&
		a->content_length == b->content_length && a->keep_alive == b->keep_alive &&
		a->head_len == b->head_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static struct http1_request whole, part;
	struct err err = ERR_INIT, part_err = ERR_INIT;
	int status = 0, part_status = 0;
	struct str text = str_range((const char *)bytes, n);
	enum http1_result verdict = http1_parse(text, &whole, &status, &err);
	assert((verdict == HTTP1_BAD) == (status >= 400));
	if (verdict == HTTP1_DONE) {
		check_request(&whole, text);
	}
	// Pieces as the first byte says, so that the fuzzer can choose them.
	size_t step = n ? 1 + bytes[0] % 7 : 1;
	for (size_t len = 0;; len = len + step < n ? len + step : n) {
		char *copy = malloc(len + !len); // exact, so that reading on is seen
		memcpy(copy, text.at, len);
		enum http1_result result = http1_parse(
			str_range(copy, len), &part, &part_status, &part_err);
		bool decided = result != HTTP1_MORE;
		if (decided) {
			assert(result == verdict && part_status == status);
			assert(strcmp(err.message, part_err.message) == 0);
			assert(result != HTTP1_DONE || is_same(&whole, &part));
		}
		free(copy);
		if (decided || len == n) {
			assert(decided || verdict == HTTP1_MORE);
			return 0;
		}
	}
}
