// SPDX-License-Identifier: Apache-2.0
// Listening to rtnetlink and asking for its lists, one after the other on the same socket: the
// kernel queues what it lists and what changes in the order of happening. See links_socket.h.
#include "sources/links_socket.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define READS_A_ROUND 4		  // each holds about 30 messages; then others have their turn
#define READ_BYTES 32768	  // the kernel fills parts of up to this size (netlink(7))
#define BUFFER_BYTES (512 * 1024) // a few thousand messages

static const uint16_t lists[LINK_LISTS] = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE};

static bool ask(struct links_socket *self, struct err *err) {
	struct {
		struct nlmsghdr header;
		struct rtgenmsg family;
	} request = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
			     .nlmsg_type = lists[self->listing],
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			     .nlmsg_seq = ++self->sequence},
		.family = {AF_UNSPEC}};
	ssize_t n = send(self->fd, &request, request.header.nlmsg_len, MSG_DONTWAIT);
	return n == (ssize_t)request.header.nlmsg_len ||
		err_errno(err, "cannot ask the kernel for its network interfaces");
}

// False: the socket is given up. A list that was changed while it was made is not a picture of any
// moment: it is asked for again.
static bool next_list(struct links_socket *self) {
	self->listing += !self->is_torn;
	self->is_torn = false;
	if (self->listing == LINK_LISTS) {
		self->on_listed(self->arg);
		return true;
	}
	return ask(self, NULL);
}

static bool take_control(struct links_socket *self, const struct nlmsghdr *header) {
	bool is_ours = self->listing < LINK_LISTS && header->nlmsg_seq == self->sequence;
	if (!is_ours) {
		return true;
	}
	self->is_torn = self->is_torn || (header->nlmsg_flags & NLM_F_DUMP_INTR);
	if (header->nlmsg_type == NLMSG_ERROR) {
		return false;
	}
	return header->nlmsg_type != NLMSG_DONE || next_list(self);
}

static bool take_bytes(struct links_socket *self, const char *bytes, size_t n) {
	while (n >= NLMSG_HDRLEN) {
		const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)bytes;
		size_t len = header->nlmsg_len;
		struct link_message message;
		if (len < NLMSG_HDRLEN || len > n) {
			return true;
		}
		if (!take_control(self, header)) {
			return false;
		}
		if (link_message_parse(header, n, &message)) {
			self->on_message(
				self->arg, &message, (header->nlmsg_flags & NLM_F_REPLACE) != 0);
		}
		len = NLMSG_ALIGN(len);
		len = len < n ? len : n;
		bytes += len;
		n -= len;
	}
	return true;
}

static void on_ready(void *arg, uint32_t events) {
	struct links_socket *self = arg;
	_Alignas(struct nlmsghdr) static char bytes[READ_BYTES]; // on the main loop only
	(void)events;
	for (int i = 0; i < READS_A_ROUND; i++) {
		struct sockaddr_nl sender;
		struct iovec part = {bytes, sizeof(bytes)};
		struct msghdr message = {.msg_name = &sender,
			.msg_namelen = sizeof(sender),
			.msg_iov = &part,
			.msg_iovlen = 1};
		ssize_t n = recvmsg(self->fd, &message, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		bool is_lost = n <= 0 || (message.msg_flags & MSG_TRUNC);
		if (!is_lost && sender.nl_pid != 0) {
			continue; // not from the kernel
		}
		if (is_lost || !take_bytes(self, bytes, (size_t)n)) {
			self->on_lost(self->arg);
			return;
		}
	}
}

bool links_socket_open(struct links_socket *self, struct loop *loop, struct err *err) {
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	const int size = BUFFER_BYTES;
	self->loop = loop;
	self->listing = 0;
	self->is_torn = false;
	self->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (self->fd < 0) {
		return err_errno(err, "cannot open rtnetlink");
	}
	if (setsockopt(self->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0) {
		(void)setsockopt(self->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	bool is_open = bind(self->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
		err_errno(err, "cannot listen to rtnetlink");
	if (is_open &&
		watch_start(&self->watch, loop, self->fd, LOOP_READABLE, on_ready, self, err) &&
		ask(self, err)) {
		return true;
	}
	links_socket_close(self);
	return false;
}

void links_socket_list(struct links_socket *self) {
	if (self->fd < 0 || self->listing < LINK_LISTS) {
		return;
	}
	self->listing = 0;
	if (!ask(self, NULL)) {
		self->on_lost(self->arg);
	}
}

void links_socket_close(struct links_socket *self) {
	if (self->fd >= 0) {
		if (self->watch.loop) {
			watch_stop(&self->watch);
		}
		close(self->fd);
		self->fd = -1;
	}
}
