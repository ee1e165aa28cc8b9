// SPDX-License-Identifier: Apache-2.0
// The connection to a message bus; see system_bus.h. One function ends it (fail), whatever went
// wrong, and sets the timer for the next try.
#include "sources/system_bus.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/random.h"
#include "io/stream.h"
#include "sources/text.h"

#define WAIT_FIRST NS_PER_SECOND
#define WAIT_MAX (60 * NS_PER_SECOND)
#define LINE_MAX_BYTES 1024 // of the introduction
#define OUTPUT_MAX \
	(256 * 1024) // calls are a few hundred bytes: more than this waits for a dead bus

static void connect_now(void *arg);

void system_bus_init(struct system_bus *bus, const struct system_bus_options *options) {
	*bus = (struct system_bus){.options = *options, .wait_ns = WAIT_FIRST};
	snprintf(bus->reason, sizeof(bus->reason), "the system bus was not asked yet");
}

static void end_waiters(struct system_bus *bus) {
	for (size_t i = 0; i < SYSTEM_BUS_CALLS; i++) {
		struct bus_waiter waiter = bus->waiters[i];
		bus->waiters[i] = (struct bus_waiter){0};
		if (waiter.serial) {
			waiter.on_reply(waiter.arg, NULL, (struct str){NULL, 0});
		}
	}
}

static void disconnect(struct system_bus *bus) {
	stream_close(bus->stream);
	bus->stream = NULL;
	timer_stop(&bus->deadline);
	bus->is_authenticated = false;
	buf_clear(&bus->owner);
	if (!bus->is_reading) { // else the reader does it
		buf_finish(&bus->input);
	}
}

static void go_down(struct system_bus *bus) {
	bool was_up = bus->is_up;
	bus->is_up = false;
	end_waiters(bus);
	if (was_up) {
		bus->options.on_down(bus->options.arg);
	}
}

void system_bus_fail(struct system_bus *bus, const char *reason) {
	struct loop *loop = bus->options.loop;
	snprintf(bus->reason, sizeof(bus->reason), "%s", reason);
	disconnect(bus);
	go_down(bus);
	// +-10 %, so that many machines of one host do not come at once.
	int64_t spread = bus->wait_ns / 10;
	int64_t wait = bus->wait_ns - spread +
		(int64_t)random_below(bus->options.random, (uint64_t)(2 * spread));
	bus->wait_ns = bus->wait_ns * 2 > WAIT_MAX ? WAIT_MAX : bus->wait_ns * 2;
	timer_start(&bus->retry, loop, wait, connect_now, bus);
}

static void fail_err(struct system_bus *bus, const struct err *err) {
	char reason[sizeof(bus->reason)];
	snprintf(reason, sizeof(reason), "%.190s", err->message);
	system_bus_fail(bus, reason);
}

static void fail_errno(struct system_bus *bus, const char *what) {
	char reason[sizeof(bus->reason)];
	snprintf(reason, sizeof(reason), "%s %.100s: %s", what, bus->options.socket,
		strerror(errno));
	system_bus_fail(bus, reason);
}

// --- time limits ---

static void on_deadline(void *arg);

// The earliest of what is waited for.
static void set_deadline(struct system_bus *bus) {
	int64_t due = INT64_MAX;
	for (size_t i = 0; i < SYSTEM_BUS_CALLS; i++) {
		if (bus->waiters[i].serial && bus->waiters[i].due_ns < due) {
			due = bus->waiters[i].due_ns;
		}
	}
	if (!bus->is_authenticated) {
		return; // set when it connected
	}
	if (due == INT64_MAX) {
		timer_stop(&bus->deadline);
	} else {
		timer_start_at(&bus->deadline, bus->options.loop, due, on_deadline, bus);
	}
}

static void on_deadline(void *arg) {
	struct system_bus *bus = arg;
	bool is_bus = !bus->is_authenticated;
	char reason[sizeof(bus->reason)];
	for (size_t i = 0; i < SYSTEM_BUS_CALLS; i++) {
		const struct bus_waiter *waiter = &bus->waiters[i];
		bool is_late = waiter->serial && waiter->due_ns <= loop_now(bus->options.loop);
		is_bus = is_bus || (is_late && waiter->is_of_bus);
	}
	snprintf(reason, sizeof(reason),
		is_bus ? "the system bus does not answer"
		       : "%s does not answer over the system bus",
		bus->options.service);
	system_bus_fail(bus, reason);
}

// --- calls ---

static bool send_call(
	struct system_bus *bus, struct dbus_call call, system_bus_reply_fn *on_reply, void *arg) {
	struct bus_waiter *waiter = NULL;
	struct buf bytes = BUF_INIT;
	for (size_t i = 0; i < SYSTEM_BUS_CALLS && !waiter; i++) {
		waiter = bus->waiters[i].serial ? NULL : &bus->waiters[i];
	}
	if (!waiter || !bus->stream) {
		return false;
	}
	bus->serial = bus->serial == UINT32_MAX ? 1 : bus->serial + 1;
	call.serial = bus->serial;
	*waiter = (struct bus_waiter){.serial = call.serial,
		.is_of_bus = strcmp(call.destination, SYSTEM_BUS_ITSELF) == 0,
		.due_ns = loop_now(bus->options.loop) + bus->options.answer_limit_ns,
		.on_reply = on_reply,
		.arg = arg};
	dbus_format_call(&bytes, &call);
	set_deadline(bus);
	stream_write(bus->stream, buf_str(&bytes));
	buf_finish(&bytes);
	return true;
}

bool system_bus_call(struct system_bus *bus, const struct dbus_call *call,
	system_bus_reply_fn *on_reply, void *arg) {
	return bus->is_up && send_call(bus, *call, on_reply, arg);
}

// A call of our own to the bus: there is always room for these, they come first.
static void ask_bus(struct system_bus *bus, const char *member, struct str argument,
	system_bus_reply_fn *on_reply) {
	const struct dbus_call call = {.destination = SYSTEM_BUS_ITSELF,
		.path = "/org/freedesktop/DBus",
		.interface = SYSTEM_BUS_ITSELF,
		.member = member,
		.arguments = &argument,
		.n = argument.len ? 1 : 0};
	if (!send_call(bus, call, on_reply, bus)) {
		system_bus_fail(bus, "too many questions to the system bus are open");
	}
}

// --- the service and its owner ---

static void go_up(struct system_bus *bus, struct str owner) {
	buf_clear(&bus->owner);
	buf_append_str(&bus->owner, owner);
	bus->is_up = true;
	bus->options.on_up(bus->options.arg);
}

static void on_owner(void *arg, const struct dbus_message *message, struct str bytes) {
	struct system_bus *bus = arg;
	struct dbus_reader reader;
	char reason[sizeof(bus->reason)];
	(void)bytes;
	if (!message) {
		return;
	}
	dbus_reader_init(&reader, message);
	struct str owner = str_is(message->signature, "s") ? dbus_read_str(&reader)
							   : (struct str){NULL, 0};
	if (message->type == DBUS_REPLY && owner.len) {
		go_up(bus, owner);
		return;
	}
	snprintf(reason, sizeof(reason), "%s is not on the system bus", bus->options.service);
	system_bus_fail(bus, reason);
}

static void on_ignored(void *arg, const struct dbus_message *message, struct str bytes) {
	(void)bytes;
	if (message && message->type == DBUS_ERROR) {
		system_bus_fail(arg, "the system bus refused to tell of changes");
	}
}

static void on_hello(void *arg, const struct dbus_message *message, struct str bytes) {
	struct system_bus *bus = arg;
	struct buf rule = BUF_INIT;
	(void)bytes;
	if (!message) {
		return;
	}
	if (message->type != DBUS_REPLY) {
		system_bus_fail(bus, "the system bus does not take us in");
		return;
	}
	buf_appendf(&rule, "type='signal',sender='%s',member='NameOwnerChanged',arg0='%s'",
		SYSTEM_BUS_ITSELF, bus->options.service);
	ask_bus(bus, "AddMatch", buf_str(&rule), on_ignored);
	buf_finish(&rule);
	if (bus->stream) {
		ask_bus(bus, "GetNameOwner", str_from(bus->options.service), on_owner);
	}
}

static void on_bus_signal(struct system_bus *bus, const struct dbus_message *message) {
	struct dbus_reader reader;
	if (!str_is(message->member, "NameOwnerChanged") || !str_is(message->signature, "sss")) {
		return;
	}
	dbus_reader_init(&reader, message);
	bool is_it = str_is(dbus_read_str(&reader), bus->options.service);
	(void)dbus_read_str(&reader);
	struct str owner = dbus_read_str(&reader);
	if (is_it && !reader.is_bad && bus->is_up && !str_equal(owner, buf_str(&bus->owner))) {
		char reason[sizeof(bus->reason)];
		snprintf(
			reason, sizeof(reason), "%s has left the system bus", bus->options.service);
		system_bus_fail(bus, reason);
	}
}

// --- what comes ---

static void on_answer(
	struct system_bus *bus, const struct dbus_message *message, struct str bytes) {
	bool is_of_bus = str_is(message->sender, SYSTEM_BUS_ITSELF);
	for (size_t i = 0; i < SYSTEM_BUS_CALLS; i++) {
		struct bus_waiter waiter = bus->waiters[i];
		if (!waiter.serial || waiter.serial != message->reply_serial) {
			continue;
		}
		// An answer of anybody else is none; errors may come from the bus for the service.
		if (is_of_bus ||
			(!waiter.is_of_bus && str_equal(message->sender, buf_str(&bus->owner)))) {
			bus->waiters[i] = (struct bus_waiter){0};
			set_deadline(bus);
			if (!is_of_bus) { // only now is it well: it may be there and stand still
				bus->wait_ns = WAIT_FIRST;
				bus->reason[0] = '\0';
			}
			waiter.on_reply(waiter.arg, message, bytes);
		}
		return;
	}
}

static void on_message(struct system_bus *bus, struct str bytes) {
	struct dbus_message message;
	struct err err = ERR_INIT;
	if (!dbus_parse(bytes, &message, &err)) {
		fail_err(bus, &err);
		return;
	}
	if (message.type == DBUS_REPLY || message.type == DBUS_ERROR) {
		on_answer(bus, &message, bytes);
	} else if (message.type == DBUS_SIGNAL && str_is(message.sender, SYSTEM_BUS_ITSELF)) {
		on_bus_signal(bus, &message);
	} else if (message.type == DBUS_SIGNAL && bus->is_up &&
		str_equal(message.sender, buf_str(&bus->owner))) {
		bus->options.on_signal(bus->options.arg, &message);
	}
}

// One line of the introduction; the bytes used, 0 when it is not whole yet.
static size_t read_line(struct system_bus *bus, struct str bytes) {
	ptrdiff_t end = str_find(bytes, STR("\r\n"));
	if (end < 0) {
		if (bytes.len > LINE_MAX_BYTES) {
			system_bus_fail(bus, "what answers on the system bus's socket is no bus");
		}
		return 0;
	}
	if (!str_starts(bytes, STR("OK "))) {
		system_bus_fail(bus,
			str_starts(bytes, STR("REJECTED"))
				? "the system bus does not believe who we are"
				: "what answers on the system bus's socket is no bus");
		return 0;
	}
	bus->is_authenticated = true;
	timer_stop(&bus->deadline);
	stream_write(bus->stream, STR("BEGIN\r\n"));
	ask_bus(bus, "Hello", (struct str){NULL, 0}, on_hello);
	return (size_t)end + 2;
}

// One message; the bytes used, 0 when it is not whole yet.
static size_t read_message(struct system_bus *bus, struct str bytes) {
	struct err err = ERR_INIT;
	size_t size;
	if (bytes.len < DBUS_HEAD) {
		return 0;
	}
	if (!dbus_measure(bytes, &size, &err)) {
		fail_err(bus, &err);
		return 0;
	}
	if (bytes.len < size) {
		return 0;
	}
	on_message(bus, str_head(bytes, size));
	return size;
}

static void on_data(void *arg, struct str bytes) {
	struct system_bus *bus = arg;
	struct stream *stream = bus->stream;
	size_t used, at = 0;
	buf_append_str(&bus->input, bytes);
	bus->is_reading = true;
	do {
		struct str rest = str_skip(buf_str(&bus->input), at);
		used = bus->is_authenticated ? read_message(bus, rest) : read_line(bus, rest);
		at += used;
	} while (used && bus->stream == stream);
	bus->is_reading = false;
	if (bus->stream != stream) {
		buf_finish(&bus->input);
	} else if (at == bus->input.len) {
		buf_clear(&bus->input);
	} else {
		buf_consume(&bus->input, at);
	}
}

static void on_end(void *arg, const struct err *err) {
	struct system_bus *bus = arg;
	(void)err;
	system_bus_fail(bus, "the system bus has closed the connection");
}

// --- beginning and end ---

// EXTERNAL: the socket says who we are, the word repeats it as hexadecimal digits of decimal ones.
static void introduce(struct system_bus *bus) {
	struct buf uid = BUF_INIT, line = BUF_INIT;
	buf_append_uint64(&uid, (uint64_t)geteuid());
	buf_append_char(&line, '\0');
	buf_append_text(&line, "AUTH EXTERNAL ");
	hex_text(&line, buf_str(&uid));
	buf_append_text(&line, "\r\n");
	stream_write(bus->stream, buf_str(&line));
	buf_finish(&line);
	buf_finish(&uid);
}

static void connect_now(void *arg) {
	struct system_bus *bus = arg;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct err err = ERR_INIT;
	size_t len = strlen(bus->options.socket);
	if (len >= sizeof(address.sun_path)) {
		system_bus_fail(bus, "the path of the system bus's socket is too long");
		return;
	}
	memcpy(address.sun_path, bus->options.socket, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		fail_errno(bus, "cannot make a socket for");
		return;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		if (error == EAGAIN) { // its queue of connections is full
			system_bus_fail(bus, "the system bus does not answer");
		} else {
			fail_errno(bus, "cannot reach the system bus at");
		}
		return;
	}
	const struct stream_handlers handlers = {.on_data = on_data, .on_end = on_end, .arg = bus};
	bus->stream = stream_open(bus->options.loop, fd, &handlers, OUTPUT_MAX, &err);
	if (!bus->stream) {
		fail_err(bus, &err);
		return;
	}
	bus->connections++;
	timer_start(
		&bus->deadline, bus->options.loop, bus->options.answer_limit_ns, on_deadline, bus);
	introduce(bus);
}

void system_bus_start(struct system_bus *bus) {
	timer_start(&bus->retry, bus->options.loop, 0, connect_now, bus);
}

void system_bus_stop(struct system_bus *bus) {
	timer_stop(&bus->retry);
	disconnect(bus);
	go_down(bus);
	timer_stop(&bus->retry);
	buf_finish(&bus->owner);
	buf_finish(&bus->input);
}
