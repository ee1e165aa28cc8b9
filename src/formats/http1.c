// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 request heads (RFC 9112), strictly; see http1.h for all that is refused. A verdict
// depends on the bytes alone and never on how they arrived: a head is judged when it is complete,
// before that only on what can no longer become right.
#include "formats/http1.h"

#define TARGET_MAX 8000 // RFC 9112 §3: at least 8000 is recommended

struct verdict {
	int *status;
	struct err *err;
};

_printf_(3, 4) static enum http1_result
	refuse(struct verdict verdict, int status, const char *format, ...) {
	char what[200];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); // cut is fine
	va_end(args);
	*verdict.status = status;
	(void)err_set(verdict.err, ERR_REQUEST, "%s", what);
	return HTTP1_BAD;
}

// RFC 9110 §5.6.2.
static bool is_token_char(char c) {
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s) {
	for (size_t i = 0; i < s.len; i++) {
		if (!is_token_char(s.at[i])) {
			return false;
		}
	}
	return s.len > 0;
}

// Cuts the line up to CR LF off *rest. The head was checked to have no other CR or LF.
static struct str take_line(struct str *rest) {
	ptrdiff_t at = str_find_char(*rest, '\r');
	struct str line = str_head(*rest, (size_t)at);
	*rest = str_skip(*rest, (size_t)at + 2);
	return line;
}

static enum http1_result read_target(struct http1_request *out, struct verdict verdict) {
	struct str target = out->target;
	if (target.len > TARGET_MAX) {
		return refuse(verdict, 414, "the target is longer than %d bytes", TARGET_MAX);
	}
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.at[i];
		if (c <= 0x20 || c >= 0x7f || c == '#') {
			return refuse(verdict, 400, "byte 0x%02x in the target", c);
		}
	}
	bool is_star = str_is(target, "*") && str_is(out->method, "OPTIONS");
	if (!is_star && (!target.len || target.at[0] != '/')) {
		return refuse(verdict, 400,
			"the target must be a path that begins with '/', without scheme or host");
	}
	ptrdiff_t mark = str_find_char(target, '?');
	out->path = mark < 0 ? target : str_head(target, (size_t)mark);
	out->query = mark < 0 ? str_range(target.at + target.len, 0)
			      : str_skip(target, (size_t)mark + 1);
	return HTTP1_DONE;
}

static bool is_known_method(struct str method) {
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (str_is(method, known[i])) {
			return true;
		}
	}
	return false;
}

static enum http1_result read_request_line(
	struct str line, struct http1_request *out, struct verdict verdict) {
	ptrdiff_t first = str_find_char(line, ' ');
	struct str rest = first < 0 ? line : str_skip(line, (size_t)first + 1);
	ptrdiff_t second = first < 0 ? -1 : str_find_char(rest, ' ');
	if (second < 0) {
		return refuse(verdict, 400,
			"the request line must be a method, a target and HTTP/1.1, one blank "
			"between");
	}
	out->method = str_head(line, (size_t)first);
	out->target = str_head(rest, (size_t)second);
	struct str version = str_skip(rest, (size_t)second + 1);
	if (!is_token(out->method)) {
		return refuse(verdict, 400, "the method is not a word");
	}
	if (version.len != 8 || !str_starts(version, STR("HTTP/")) || version.at[6] != '.' ||
		version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' ||
		version.at[7] > '9') {
		return refuse(verdict, 400, "the request line must end with HTTP/1.1");
	}
	if (version.at[5] != '1') {
		return refuse(verdict, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	}
	out->minor_version = version.at[7] > '0'; // RFC 9110 §2.5: read 1.2 as 1.1
	if (!is_known_method(out->method)) {
		return refuse(verdict, 405, "method %.*s is not known here",
			(int)(out->method.len < 20 ? out->method.len : 20), out->method.at);
	}
	return read_target(out, verdict);
}

static enum http1_result read_header(
	struct str line, struct http1_request *out, struct verdict verdict) {
	if (out->header_count == HTTP1_HEADERS_MAX) {
		return refuse(verdict, 431, "more than %d headers", HTTP1_HEADERS_MAX);
	}
	if (line.at[0] == ' ' || line.at[0] == '\t') {
		return refuse(verdict, 400, "a header may not be folded over lines");
	}
	ptrdiff_t colon = str_find_char(line, ':');
	struct str name = str_head(line, colon < 0 ? line.len : (size_t)colon);
	if (colon < 0 || !is_token(name)) {
		return refuse(verdict, 400,
			"a header must be a word, directly followed by ':' and its value");
	}
	struct str value = str_trim(str_skip(line, (size_t)colon + 1));
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.at[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return refuse(verdict, 400, "control character 0x%02x in a header", c);
		}
	}
	out->headers[out->header_count++] = (struct http1_header){name, value};
	return HTTP1_DONE;
}

static size_t count_headers(const struct http1_request *request, const char *name) {
	size_t n = 0;
	for (size_t i = 0; i < request->header_count; i++) {
		n += str_equal_nocase(request->headers[i].name, str_from(name));
	}
	return n;
}

// Host as in RFC 9112 §3.2 (host and port): enough to refuse what could be read in two ways.
static bool is_host(struct str host) {
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];
		if (!is_token_char(c) && c != ':' && c != '[' && c != ']') {
			return false;
		}
	}
	return true;
}

static enum http1_result read_framing(struct http1_request *out, struct verdict verdict) {
	if (count_headers(out, "transfer-encoding")) {
		return refuse(
			verdict, 501, "Transfer-Encoding is not supported; send Content-Length");
	}
	size_t hosts = count_headers(out, "host");
	if (hosts > 1 || (hosts == 0 && out->minor_version == 1)) {
		return refuse(verdict, 400, hosts ? "more than one Host header" : "no Host header");
	}
	if (hosts && !is_host(http1_header(out, "host"))) {
		return refuse(verdict, 400, "the Host header is not a host");
	}
	size_t lengths = count_headers(out, "content-length");
	uint64_t length = 0;
	struct str text = http1_header(out, "content-length");
	if (lengths > 1) {
		return refuse(verdict, 400, "more than one Content-Length header");
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9') {
			return refuse(verdict, 400, "Content-Length is not a number");
		}
	}
	if (lengths && !text.len) {
		return refuse(verdict, 400, "Content-Length is not a number");
	}
	if (lengths && (!str_to_uint64(text, &length) || length > INT64_MAX)) {
		return refuse(verdict, 413, "Content-Length is too large");
	}
	out->content_length = (size_t)length;
	return HTTP1_DONE;
}

// "close" anywhere in any Connection header wins (RFC 9112 §9.3).
static bool keeps_alive(const struct http1_request *request) {
	bool close = false, keep = request->minor_version == 1;
	for (size_t i = 0; i < request->header_count; i++) {
		struct str rest = request->headers[i].value, option;
		if (!str_equal_nocase(request->headers[i].name, STR("connection"))) {
			continue;
		}
		while (str_split(&rest, ',', &option)) {
			option = str_trim(option);
			close = close || str_equal_nocase(option, STR("close"));
			keep = keep || str_equal_nocase(option, STR("keep-alive"));
		}
	}
	return keep && !close;
}

// Looks for the empty line. What is refused here is refused with any bytes that may follow.
static enum http1_result find_end(struct str bytes, size_t *out_end, struct verdict verdict) {
	size_t most = bytes.len < HTTP1_HEAD_MAX ? bytes.len : HTTP1_HEAD_MAX;
	bool in_first_line = true;
	for (size_t i = 0; i < most; i++) {
		char c = bytes.at[i];
		if (c == '\0') {
			return refuse(verdict, 400, "a NUL byte in the head");
		}
		if (c == '\n') {
			return refuse(verdict, 400, "a line must end with CR LF");
		}
		if (c != '\r' || i + 1 == most) {
			continue;
		}
		if (bytes.at[i + 1] != '\n') {
			return refuse(verdict, 400, "a CR that is not part of CR LF");
		}
		if (i == 0) {
			return refuse(verdict, 400, "an empty line before the request");
		}
		if (bytes.at[i - 1] == '\n') {
			*out_end = i + 2;
			return HTTP1_DONE;
		}
		in_first_line = false;
		i++;
	}
	if (bytes.len >= HTTP1_HEAD_MAX) {
		return refuse(verdict, in_first_line ? 414 : 431,
			"the head is larger than %d bytes", HTTP1_HEAD_MAX);
	}
	return HTTP1_MORE;
}

enum http1_result http1_parse(
	struct str bytes, struct http1_request *out, int *status, struct err *err) {
	struct verdict verdict = {status, err};
	size_t end = 0;
	enum http1_result result = find_end(bytes, &end, verdict);
	if (result != HTTP1_DONE) {
		return result;
	}
	struct str rest = str_head(bytes, end);
	out->header_count = 0;
	out->content_length = 0;
	out->head_len = end;
	result = read_request_line(take_line(&rest), out, verdict);
	while (result == HTTP1_DONE && rest.len > 2) {
		result = read_header(take_line(&rest), out, verdict);
	}
	if (result == HTTP1_DONE) {
		result = read_framing(out, verdict);
		out->keep_alive = keeps_alive(out);
	}
	return result;
}

struct str http1_header(const struct http1_request *request, const char *name) {
	for (size_t i = 0; i < request->header_count; i++) {
		if (str_equal_nocase(request->headers[i].name, str_from(name))) {
			return request->headers[i].value;
		}
	}
	return (struct str){NULL, 0};
}

const char *http1_reason(int status) {
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {{101, "Switching Protocols"}, {200, "OK"}, {202, "Accepted"},
		{204, "No Content"}, {206, "Partial Content"}, {301, "Moved Permanently"},
		{302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {400, "Bad Request"},
		{401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
		{405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"},
		{409, "Conflict"}, {411, "Length Required"}, {412, "Precondition Failed"},
		{413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
		{421, "Misdirected Request"}, {422, "Unprocessable Content"},
		{426, "Upgrade Required"}, {429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
		{501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
		{504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"}};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Unknown";
}
