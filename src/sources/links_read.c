// SPDX-License-Identifier: Apache-2.0
// Reading rtnetlink messages; see links_read.h. Lengths inside a message are never believed
// beyond the message.
#include "sources/links_read.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define ATTRIBUTES_MAX 64

struct attributes {
	const struct rtattr *items[ATTRIBUTES_MAX]; // by type; NULL: absent
};

// What follows a family header of `size` bytes.
static bool split_attributes(
	const struct nlmsghdr *header, size_t n, size_t size, struct attributes *out) {
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(size);
	const char *bytes = (const char *)header;
	*out = (struct attributes){0};
	if (header->nlmsg_len > n || header->nlmsg_len < NLMSG_HDRLEN + size) {
		return false;
	}
	while (at + sizeof(struct rtattr) <= header->nlmsg_len) {
		const struct rtattr *item = (const struct rtattr *)(const void *)(bytes + at);
		if (item->rta_len < sizeof(*item) || at + item->rta_len > header->nlmsg_len) {
			return false;
		}
		unsigned type = item->rta_type & NLA_TYPE_MASK;
		if (type < ATTRIBUTES_MAX) {
			out->items[type] = item;
		}
		at += RTA_ALIGN(item->rta_len);
	}
	return true;
}

static bool get_u32(const struct attributes *attributes, unsigned type, uint32_t *out) {
	const struct rtattr *item = attributes->items[type];
	if (!item || RTA_PAYLOAD(item) < sizeof(*out)) {
		return false;
	}
	memcpy(out, (const char *)item + RTA_LENGTH(0), sizeof(*out));
	return true;
}

static bool get_address(
	const struct attributes *attributes, unsigned type, int family, char out[64]) {
	const struct rtattr *item = attributes->items[type];
	size_t size = family == AF_INET ? 4 : 16;
	out[0] = '\0';
	return item && RTA_PAYLOAD(item) >= size &&
		inet_ntop(family, (const char *)item + RTA_LENGTH(0), out, 48);
}

static bool parse_interface(const struct nlmsghdr *header, size_t n, struct link_message *out) {
	struct ifinfomsg info;
	struct attributes attributes;
	if (!split_attributes(header, n, sizeof(info), &attributes)) {
		return false;
	}
	memcpy(&info, (const char *)header + NLMSG_HDRLEN, sizeof(info));
	const struct rtattr *name = attributes.items[IFLA_IFNAME];
	if (info.ifi_family != AF_UNSPEC || info.ifi_index <= 0 || !name || !RTA_PAYLOAD(name)) {
		return false; // of a bridge's port: the interface itself is told too
	}
	snprintf(out->name, sizeof(out->name), "%.*s", (int)RTA_PAYLOAD(name),
		(const char *)name + RTA_LENGTH(0));
	out->what = LINK_INTERFACE;
	out->is_gone = header->nlmsg_type == RTM_DELLINK;
	out->index = (uint32_t)info.ifi_index;
	out->is_enabled = (info.ifi_flags & IFF_UP) != 0;
	out->is_up = out->is_enabled && (info.ifi_flags & IFF_RUNNING);
	snprintf(out->key, sizeof(out->key), "interface %u", out->index);
	return true;
}

static bool parse_address(const struct nlmsghdr *header, size_t n, struct link_message *out) {
	struct ifaddrmsg info;
	struct attributes attributes;
	if (!split_attributes(header, n, sizeof(info), &attributes)) {
		return false;
	}
	memcpy(&info, (const char *)header + NLMSG_HDRLEN, sizeof(info));
	uint32_t flags = info.ifa_flags;
	(void)get_u32(&attributes, IFA_FLAGS, &flags); // the wider ones, where they are
	if ((info.ifa_family != AF_INET && info.ifa_family != AF_INET6) ||
		(!get_address(&attributes, IFA_LOCAL, info.ifa_family, out->address) &&
			!get_address(&attributes, IFA_ADDRESS, info.ifa_family, out->address))) {
		return false;
	}
	bool is_gone = header->nlmsg_type == RTM_DELADDR;
	if (!is_gone && (flags & IFA_F_TENTATIVE)) {
		return false; // not in use yet: told again when it is
	}
	size_t len = strlen(out->address);
	snprintf(out->address + len, sizeof(out->address) - len, "/%u", info.ifa_prefixlen);
	out->what = LINK_ADDRESS;
	out->is_gone = is_gone;
	out->index = info.ifa_index;
	snprintf(out->family, sizeof(out->family), "%s",
		info.ifa_family == AF_INET ? "ipv4" : "ipv6");
	snprintf(out->key, sizeof(out->key), "address %u %s", out->index, out->address);
	return true;
}

// Only default routes of the main table, the ones by which the world is reached.
static bool parse_route(const struct nlmsghdr *header, size_t n, struct link_message *out) {
	struct rtmsg info;
	struct attributes attributes;
	if (!split_attributes(header, n, sizeof(info), &attributes)) {
		return false;
	}
	memcpy(&info, (const char *)header + NLMSG_HDRLEN, sizeof(info));
	uint32_t table = info.rtm_table;
	(void)get_u32(&attributes, RTA_TABLE, &table);
	if ((info.rtm_family != AF_INET && info.rtm_family != AF_INET6) || info.rtm_dst_len != 0 ||
		table != RT_TABLE_MAIN || info.rtm_type != RTN_UNICAST ||
		(info.rtm_flags & RTM_F_CLONED)) {
		return false;
	}
	out->what = LINK_ROUTE;
	out->is_gone = header->nlmsg_type == RTM_DELROUTE;
	(void)get_u32(&attributes, RTA_OIF, &out->index);
	(void)get_u32(&attributes, RTA_PRIORITY, &out->metric);
	(void)get_address(&attributes, RTA_GATEWAY, info.rtm_family, out->address);
	snprintf(out->family, sizeof(out->family), "%s",
		info.rtm_family == AF_INET ? "ipv4" : "ipv6");
	snprintf(out->key, sizeof(out->key), "route %s %u %u %s", out->family, out->metric,
		out->index, out->address);
	return true;
}

bool link_message_parse(const struct nlmsghdr *header, size_t n, struct link_message *out) {
	*out = (struct link_message){.what = LINK_NOTHING};
	if (n < NLMSG_HDRLEN) {
		return false;
	}
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_interface(header, n, out);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_address(header, n, out);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return parse_route(header, n, out);
	default:
		return false;
	}
}
