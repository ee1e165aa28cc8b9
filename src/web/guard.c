// SPDX-License-Identifier: Apache-2.0
// Host and Origin. Nothing is resolved: only literal loopback addresses, `localhost` and configured
// names are known, so a name that an attacker points at 127.0.0.1 is not.
#include "web/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

// Splits "name:port", "[v6]:port"; a missing port gives 80 (RFC 9110 §4.2.1).
static bool split_host(struct str host, struct str *out_name, uint64_t *out_port) {
	ptrdiff_t colon = -1;
	if (host.len && host.at[0] == '[') {
		ptrdiff_t close = str_find_char(host, ']');
		if (close < 0 || ((size_t)close + 1 < host.len && host.at[close + 1] != ':')) {
			return false;
		}
		colon = (size_t)close + 1 < host.len ? close + 1 : -1;
	} else {
		colon = str_find_char(host, ':');
	}
	*out_name = colon < 0 ? host : str_head(host, (size_t)colon);
	*out_port = 80;
	if (colon < 0) {
		return out_name->len > 0;
	}
	struct str port = str_skip(host, (size_t)colon + 1);
	for (size_t i = 0; i < port.len; i++) {
		if (port.at[i] < '0' || port.at[i] > '9') {
			return false; // str_to_uint64 may know more spellings
		}
	}
	return out_name->len > 0 && port.len && port.at[0] != '0' &&
		str_to_uint64(port, out_port) && *out_port <= UINT16_MAX;
}

static bool is_loopback(struct str name) {
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	if (str_equal_nocase(name, STR("localhost")) || str_is(name, "[::1]")) {
		return true;
	}
	if (name.len >= sizeof(text)) {
		return false;
	}
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	// inet_pton reads dotted quads only, not 0x7f.1 and the like.
	return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

static bool is_configured(struct str name, const struct strings *names) {
	for (size_t i = 0; i < names->n; i++) {
		if (str_equal_nocase(name, names->items[i])) {
			return true;
		}
	}
	return false;
}

int guard_check(const struct http1_request *request, uint16_t port, const struct strings *names,
	struct err *err) {
	struct str host = http1_header(request, "Host"), name;
	struct str origin = http1_header(request, "Origin");
	uint64_t host_port;
	if (!host.at) {
		err_set(err, ERR_REQUEST, "the request has no Host header");
		return 400;
	}
	if (!split_host(host, &name, &host_port)) {
		err_set(err, ERR_REQUEST, "the Host header is not a host with a port");
		return 400;
	}
	if (!is_configured(name, names) && (!is_loopback(name) || host_port != port)) {
		err_set(err, ERR_DENIED,
			"this is not \"%" STR_FMT
			"\"; ask for 127.0.0.1:%u, or add the name to hosts "
			"in [http]",
			STR_ARG(str_head(host, 100)), port);
		return 421;
	}
	if (origin.at &&
		(!str_starts(origin, STR("http://")) ||
			!str_equal_nocase(str_skip(origin, 7), host))) {
		err_set(err, ERR_DENIED, "pages of \"%" STR_FMT "\" may not ask here",
			STR_ARG(str_head(origin, 100)));
		return 403;
	}
	return 0;
}
