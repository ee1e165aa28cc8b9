// SPDX-License-Identifier: Apache-2.0
#include "formats/http1.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tests/check.h"

#define HOST "Host: a\r\n"

// Reads from an exact heap copy, so that reading beyond the end is seen by the sanitizer.
static enum http1_result parse(struct str bytes, struct http1_request *out, int *status) {
	static char *copy;
	struct err err = ERR_INIT;
	free(copy);
	copy = malloc(bytes.len ? bytes.len : 1);
	memcpy(copy, bytes.at, bytes.len);
	*status = 0;
	enum http1_result result = http1_parse(str_range(copy, bytes.len), out, status, &err);
	CHECK((result == HTTP1_BAD) == (err.message[0] != '\0'));
	CHECK((result == HTTP1_BAD) == (*status >= 400));
	return result;
}

TEST(a_request_is_taken_apart) {
	struct http1_request request;
	int status;
	struct str bytes = STR("POST /rpc?a=1?b HTTP/1.1\r\nHOST: localhost:80\r\n"
			       "Content-Length:  5 \r\nEmpty:\r\n\r\nhello");
	CHECK_INT(parse(bytes, &request, &status), HTTP1_DONE);
	CHECK_STR(request.method, "POST");
	CHECK_STR(request.target, "/rpc?a=1?b");
	CHECK_STR(request.path, "/rpc");
	CHECK_STR(request.query, "a=1?b");
	CHECK_INT(request.minor_version, 1);
	CHECK_INT(request.header_count, 3);
	CHECK_STR(http1_header(&request, "host"), "localhost:80");
	CHECK_STR(http1_header(&request, "EMPTY"), "");
	CHECK(http1_header(&request, "empty").at);
	CHECK(!http1_header(&request, "missing").at);
	CHECK_INT(request.content_length, 5);
	CHECK_INT(request.head_len, bytes.len - 5);
	CHECK(request.keep_alive);
}

TEST(connections_stay_open_as_the_version_says) {
	static const struct {
		const char *head;
		bool keep;
	} rows[] = {{"GET / HTTP/1.1\r\n" HOST "\r\n", true}, {"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
		{"GET / HTTP/1.1\r\n" HOST "Connection: upgrade, close\r\n\r\n", false},
		{"GET / HTTP/1.1\r\n" HOST "Connection: a\r\nConnection: close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1_request request;
		int status;
		CHECK_INT(parse(str_from(rows[i].head), &request, &status), HTTP1_DONE);
		CHECK(request.keep_alive == rows[i].keep);
	}
}

TEST(what_could_be_understood_in_two_ways_is_refused) {
	static const struct {
		const char *head;
		int status;
	} rows[] = {{"GET / HTTP/1.1\nHost: a\n\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400},
		{"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "A(b): c\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413},
		{"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501},
		{"GET / HTTP/1.1\r\n" HOST "transfer-encoding:\r\nContent-Length: 1\r\n\r\n", 501},
		{"GET / HTTP/1.1\r\n\r\n", 400}, {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
		{"GET http://a/ HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET a:1 HTTP/1.1\r\n" HOST "\r\n", 400}, {"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET  / HTTP/1.1\r\n" HOST "\r\n", 400}, {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
		{"GET /\r\n" HOST "\r\n", 400}, {"GET / x HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400}, {"GET /# HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET /\xff HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET / http/1.1\r\n" HOST "\r\n", 400}, {"GET / HTTP/1.x\r\n" HOST "\r\n", 400},
		{"GET / HTTP/2.0\r\n" HOST "\r\n", 505}, {"GET / HTTP/0.9\r\n" HOST "\r\n", 505},
		{"BREW / HTTP/1.1\r\n" HOST "\r\n", 405}, {"get / HTTP/1.1\r\n" HOST "\r\n", 405},
		{"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 405},
		{"G@T / HTTP/1.1\r\n" HOST "\r\n", 400}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1_request request;
		int status;
		print_message("%s\n", rows[i].head);
		CHECK_INT(parse(str_from(rows[i].head), &request, &status), HTTP1_BAD);
		CHECK_INT(status, rows[i].status);
	}
}

TEST(a_nul_byte_is_refused_at_once) {
	struct http1_request request;
	int status;
	CHECK_INT(parse(STR("GET /\0"), &request, &status), HTTP1_BAD);
	CHECK_INT(status, 400);
}

TEST(sizes_are_limited) {
	struct http1_request request;
	struct buf head = BUF_INIT;
	int status;
	buf_append_text(&head, "GET /");
	for (int i = 0; i < 8000; i++) {
		buf_append_char(&head, 'a');
	}
	buf_append_text(&head, " HTTP/1.1\r\n" HOST "\r\n");
	CHECK_INT(parse(buf_str(&head), &request, &status), HTTP1_BAD);
	CHECK_INT(status, 414);

	buf_clear(&head);
	buf_append_text(&head, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < HTTP1_HEADERS_MAX; i++) {
		buf_append_text(&head, "A: b\r\n");
	}
	buf_append_text(&head, "\r\n");
	CHECK_INT(parse(buf_str(&head), &request, &status), HTTP1_BAD);
	CHECK_INT(status, 431);

	buf_clear(&head);
	buf_append_text(&head, "GET / HTTP/1.1\r\nA: ");
	while (head.len < HTTP1_HEAD_MAX - 1) {
		buf_append_char(&head, 'a');
	}
	CHECK_INT(parse(buf_str(&head), &request, &status), HTTP1_MORE);
	buf_append_char(&head, 'a');
	CHECK_INT(parse(buf_str(&head), &request, &status), HTTP1_BAD);
	CHECK_INT(status, 431);
	buf_finish(&head);
}

TEST(half_a_head_asks_for_more) {
	struct http1_request request;
	int status;
	struct str head = STR("GET /x HTTP/1.1\r\n" HOST "A: b\r\n\r\n");
	for (size_t len = 0; len < head.len; len++) {
		CHECK_INT(parse(str_head(head, len), &request, &status), HTTP1_MORE);
	}
	CHECK_INT(parse(head, &request, &status), HTTP1_DONE);
	CHECK_INT(request.head_len, head.len);
}

TEST(reasons_have_words) {
	CHECK_TEXT(http1_reason(404), "Not Found");
	CHECK_TEXT(http1_reason(599), "Unknown");
}

int main(void) {
	return TESTS(RUN(a_request_is_taken_apart), RUN(connections_stay_open_as_the_version_says),
		RUN(what_could_be_understood_in_two_ways_is_refused),
		RUN(a_nul_byte_is_refused_at_once), RUN(sizes_are_limited),
		RUN(half_a_head_asks_for_more), RUN(reasons_have_words));
}
