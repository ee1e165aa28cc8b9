// SPDX-License-Identifier: Apache-2.0
#include "web/guard.h"

#include "base/buf.h"
#include "tests/check.h"

struct row {
	const char *host;
	const char *origin;
	int status;
};

static const struct row rows[] = {
	{"127.0.0.1:2662", NULL, 0},
	{"127.1.2.3:2662", NULL, 0},
	{"localhost:2662", NULL, 0},
	{"LOCALHOST:2662", NULL, 0},
	{"[::1]:2662", NULL, 0},
	{"anna.example", NULL, 0},
	{"Anna.Example:8443", NULL, 0},
	{"127.0.0.1:2662", "http://127.0.0.1:2662", 0},
	// DNS rebinding: whatever name an attacker points here.
	{"evil.example:2662", NULL, 421},
	{"127.0.0.1.evil.example:2662", NULL, 421},
	{"localhost.evil.example:2662", NULL, 421},
	{"0x7f.1:2662", NULL, 421},
	{"2130706433:2662", NULL, 421},
	{"192.168.0.1:2662", NULL, 421},
	{"0.0.0.0:2662", NULL, 421},
	{"[::]:2662", NULL, 421},
	{"127.0.0.1:2663", NULL, 421},
	{"127.0.0.1", NULL, 421},
	{"localhost:80", NULL, 421},
	// Not a host at all.
	{"", NULL, 400},
	{":2662", NULL, 400},
	{"127.0.0.1:", NULL, 400},
	{"127.0.0.1:+2662", NULL, 400},
	{"127.0.0.1:02662", NULL, 400},
	{"127.0.0.1:99999", NULL, 400},
	{"127.0.0.1:2662:1", NULL, 400},
	{"[::1", NULL, 400},
	{"[::1]x:2662", NULL, 400},
	{NULL, NULL, 400},
	// Pages of other sites.
	{"127.0.0.1:2662", "http://evil.example", 403},
	{"127.0.0.1:2662", "https://127.0.0.1:2662", 403},
	{"127.0.0.1:2662", "http://127.0.0.1:2663", 403},
	{"127.0.0.1:2662", "http://localhost:2662", 403},
	{"127.0.0.1:2662", "null", 403},
	{"127.0.0.1:2662", "", 403},
};

TEST(only_this_machine_asked_by_its_own_name_is_answered) {
	struct str names[] = {STR_INIT("anna.example")};
	struct strings configured = {names, 1};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http1_request request = {0};
		struct err err = ERR_INIT;
		if (rows[i].host) {
			request.headers[request.header_count++] = (struct http1_header){
				STR("hOST"), str_from(rows[i].host)};
		}
		if (rows[i].origin) {
			request.headers[request.header_count++] = (struct http1_header){
				STR("Origin"), str_from(rows[i].origin)};
		}
		int status = guard_check(&request, 2662, &configured, &err);
		if (status != rows[i].status) {
			print_error("Host %s, Origin %s gives %d\n",
				rows[i].host ? rows[i].host : "(none)",
				rows[i].origin ? rows[i].origin : "(none)", status);
			fail();
		}
		CHECK((status == 0) == (err.message[0] == '\0'));
	}
}

int main(void) {
	return TESTS(RUN(only_this_machine_asked_by_its_own_name_is_answered));
}
