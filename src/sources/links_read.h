// SPDX-License-Identifier: Apache-2.0
// Messages of rtnetlink(7) about interfaces, addresses and default routes, pure. Private to `links`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

enum link_what {
	LINK_INTERFACE,
	LINK_ADDRESS,
	LINK_ROUTE, // a default route
	LINK_NOTHING
};

struct link_message {
	enum link_what what;
	bool is_gone;
	uint32_t index;	  // of the interface; 0: none (a route over several)
	bool is_up;	  // interface: switched on, and something is at the other end
	bool is_enabled;  // interface: switched on
	char name[32];	  // interface
	char family[8];	  // "ipv4", "ipv6"
	char address[64]; // "192.0.2.1/24"; of a route the gateway, "" when there is none
	uint32_t metric;
	char key[128]; // the same thing has the same key
};

// A whole message of n bytes at least its header's length. False: it is broken or not about these.
bool link_message_parse(const struct nlmsghdr *header, size_t n, struct link_message *out);
