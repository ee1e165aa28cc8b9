// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 request heads (RFC 9112), read strictly: what a proxy and a server could understand
// differently is refused, so requests cannot be smuggled. Pure; the caller owns the bytes.
#pragma once

#include "base/err.h"
#include "base/str.h"

#define HTTP1_HEAD_MAX 16384
#define HTTP1_HEADERS_MAX 64

struct http1_header {
	struct str name;
	struct str value; // trimmed
};

struct http1_request {
	struct str method;
	struct str target; // as sent
	struct str path;   // before '?'
	struct str query;  // after '?', or empty
	int minor_version; // 0 or 1
	struct http1_header headers[HTTP1_HEADERS_MAX];
	size_t header_count;
	size_t content_length; // 0 when absent
	bool keep_alive;
	size_t head_len; // bytes up to and including the empty line
};

enum http1_result {
	HTTP1_DONE,
	HTTP1_MORE,
	HTTP1_BAD
};

// Reads a head from the front of `bytes`. MORE: not complete yet (call again with more).
// BAD: *status is the answer's status (400, 405, 413, 414, 431, 501, 505) and *err says why; the
// connection must be closed. Refused: anything but CRLF line ends, a lone CR or a NUL, folded
// lines, blanks before ':', several or non-digit Content-Length, any Transfer-Encoding (501),
// several Host headers or none in 1.1, absolute-form and authority-form targets, non-token names.
enum http1_result http1_parse(
	struct str bytes, struct http1_request *out, int *status, struct err *err);
// The value of a header (name in any case), or an empty str with at == NULL.
struct str http1_header(const struct http1_request *request, const char *name);
const char *http1_reason(int status);
