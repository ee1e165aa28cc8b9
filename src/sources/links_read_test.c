// SPDX-License-Identifier: Apache-2.0
// Messages of rtnetlink, built by hand.
#include "sources/links_read.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "tests/check.h"

struct built {
	_Alignas(struct nlmsghdr) char bytes[512];
	struct nlmsghdr *header;
};

static void begin(struct built *built, uint16_t type, const void *family, size_t size) {
	memset(built, 0, sizeof(*built));
	built->header = (struct nlmsghdr *)(void *)built->bytes;
	built->header->nlmsg_type = type;
	memcpy(built->bytes + NLMSG_HDRLEN, family, size);
	built->header->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(size));
}

static void add(struct built *built, unsigned short type, const void *value, size_t size) {
	struct rtattr item = {(unsigned short)RTA_LENGTH(size), type};
	char *at = built->bytes + built->header->nlmsg_len;
	memcpy(at, &item, sizeof(item));
	memcpy(at + RTA_LENGTH(0), value, size);
	built->header->nlmsg_len += (uint32_t)RTA_SPACE(size);
}

static void add_u32(struct built *built, unsigned short type, uint32_t value) {
	add(built, type, &value, sizeof(value));
}

static void build_link(struct built *built, uint16_t type, unsigned flags) {
	const struct ifinfomsg info = {.ifi_index = 3, .ifi_flags = flags};
	begin(built, type, &info, sizeof(info));
	add(built, IFLA_IFNAME, "eth0", 5);
}

static void build_address(struct built *built, uint8_t flags) {
	const struct ifaddrmsg info = {
		.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_flags = flags, .ifa_index = 3};
	struct in6_addr address;
	begin(built, RTM_NEWADDR, &info, sizeof(info));
	CHECK(inet_pton(AF_INET6, "2001:db8::1", &address) == 1);
	add(built, IFA_ADDRESS, &address, sizeof(address));
}

static void build_route(struct built *built, uint16_t type, uint8_t len, uint8_t table) {
	const struct rtmsg info = {.rtm_family = AF_INET,
		.rtm_dst_len = len,
		.rtm_table = table,
		.rtm_type = RTN_UNICAST};
	struct in_addr gateway;
	begin(built, type, &info, sizeof(info));
	CHECK(inet_pton(AF_INET, "192.0.2.1", &gateway) == 1);
	add(built, RTA_GATEWAY, &gateway, sizeof(gateway));
	add_u32(built, RTA_OIF, 3);
	add_u32(built, RTA_PRIORITY, 100);
}

static bool parse(const struct built *built, struct link_message *out) {
	return link_message_parse(built->header, built->header->nlmsg_len, out);
}

TEST(an_interface_has_a_name_and_is_up_or_not) {
	struct built built;
	struct link_message message;
	build_link(&built, RTM_NEWLINK, IFF_UP | IFF_RUNNING);
	CHECK(parse(&built, &message));
	CHECK_INT(message.what, LINK_INTERFACE);
	CHECK_TEXT(message.name, "eth0");
	CHECK(message.is_up && message.is_enabled && !message.is_gone);
	build_link(&built, RTM_DELLINK, IFF_RUNNING);
	CHECK(parse(&built, &message));
	CHECK(!message.is_up && !message.is_enabled && message.is_gone);
}

TEST(an_address_has_its_prefix_and_counts_when_it_is_in_use) {
	struct built built;
	struct link_message message;
	build_address(&built, 0);
	CHECK(parse(&built, &message));
	CHECK_INT(message.what, LINK_ADDRESS);
	CHECK_TEXT(message.address, "2001:db8::1/64");
	CHECK_TEXT(message.family, "ipv6");
	CHECK_TEXT(message.key, "address 3 2001:db8::1/64");
	build_address(&built, IFA_F_TENTATIVE);
	CHECK(!parse(&built, &message));
}

TEST(only_default_routes_of_the_main_table_count) {
	struct built built;
	struct link_message message;
	build_route(&built, RTM_NEWROUTE, 0, RT_TABLE_MAIN);
	CHECK(parse(&built, &message));
	CHECK_TEXT(message.address, "192.0.2.1");
	CHECK_INT(message.metric, 100);
	CHECK_TEXT(message.key, "route ipv4 100 3 192.0.2.1");
	build_route(&built, RTM_NEWROUTE, 24, RT_TABLE_MAIN);
	CHECK(!parse(&built, &message));
	build_route(&built, RTM_NEWROUTE, 0, RT_TABLE_LOCAL);
	CHECK(!parse(&built, &message));
}

TEST(a_message_that_is_cut_or_lies_about_its_lengths_is_refused) {
	struct built built;
	struct link_message message;
	for (int which = 0; which < 3; which++) {
		if (which == 0) {
			build_link(&built, RTM_NEWLINK, 0);
		} else if (which == 1) {
			build_address(&built, 0);
		} else {
			build_route(&built, RTM_NEWROUTE, 0, RT_TABLE_MAIN);
		}
		size_t n = built.header->nlmsg_len;
		for (size_t len = 0; len < n; len++) {
			CHECK(!link_message_parse(built.header, len, &message));
		}
		built.header->nlmsg_len = 4000;
		CHECK(!link_message_parse(built.header, n, &message));
	}
	build_link(&built, RTM_NEWLINK, 0);
	const uint16_t lies[] = {0, 3, 60000};
	for (size_t i = 0; i < 3; i++) {
		memcpy(built.bytes + NLMSG_LENGTH(sizeof(struct ifinfomsg)), &lies[i], 2);
		CHECK(!parse(&built, &message));
	}
}

int main(void) {
	return TESTS(RUN(an_interface_has_a_name_and_is_up_or_not),
		RUN(an_address_has_its_prefix_and_counts_when_it_is_in_use),
		RUN(only_default_routes_of_the_main_table_count),
		RUN(a_message_that_is_cut_or_lies_about_its_lengths_is_refused));
}
