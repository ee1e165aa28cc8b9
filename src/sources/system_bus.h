// SPDX-License-Identifier: Apache-2.0
// A connection to a D-Bus message bus that never waits: it connects, introduces itself (SASL EXTERNAL,
// D-Bus Specification "Authentication Protocol"), makes calls and hands on the signals of one service.
// A bus or a service that does not answer in time ends the connection, with a reason to show; the
// next try comes after a wait that doubles from one second to a minute.
//
// Life cycle: system_bus_init, system_bus_start, system_bus_stop. Everything is on the loop; all but
// stop may be called inside the callbacks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "formats/dbus.h"
#include "io/loop.h"

struct random;
struct stream;

#define SYSTEM_BUS_CALLS 32 // unanswered at a time

// message NULL: the connection ended first. Valid during the call.
typedef void system_bus_reply_fn(void *arg, const struct dbus_message *message, struct str bytes);

struct system_bus_options {
	struct loop *loop;
	struct random *random;
	const char *socket;  // its path; borrowed
	const char *service; // whose signals are wanted: "org.freedesktop.systemd1"
	int64_t answer_limit_ns;
	// The service is there: match rules and calls may be sent now.
	void (*on_up)(void *arg);
	// It is not there any more (comes only after on_up); calls that were open have been ended.
	void (*on_down)(void *arg);
	// Of that service alone, whoever else may send some.
	void (*on_signal)(void *arg, const struct dbus_message *signal);
	void *arg;
};

struct bus_waiter {
	uint32_t serial; // 0: free
	bool is_of_bus;	 // asked of the bus itself
	int64_t due_ns;
	system_bus_reply_fn *on_reply;
	void *arg;
};

struct system_bus {
	struct system_bus_options options;
	struct stream *stream;
	struct timer deadline, retry;
	struct buf input;
	struct buf owner; // the service's name of this connection: ":1.4"
	struct bus_waiter waiters[SYSTEM_BUS_CALLS];
	uint32_t serial;
	int64_t wait_ns; // before the next try
	bool is_authenticated, is_up, is_reading;
	uint64_t connections; // since start
	char reason[200];     // what was last wrong; empty once the service has answered
};

void system_bus_init(struct system_bus *bus, const struct system_bus_options *options);
void system_bus_start(struct system_bus *bus);
void system_bus_stop(struct system_bus *bus);

// Asks the service (or with destination set to SYSTEM_BUS_ITSELF the bus). serial is filled in. False:
// as many calls as there may be are waiting, or it is not up.
#define SYSTEM_BUS_ITSELF "org.freedesktop.DBus"
_must_use_ bool system_bus_call(struct system_bus *bus, const struct dbus_call *call,
	system_bus_reply_fn *on_reply, void *arg);
// What was said is broken: ends the connection and tries again later.
void system_bus_fail(struct system_bus *bus, const char *reason);
