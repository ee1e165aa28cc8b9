// SPDX-License-Identifier: Apache-2.0
// Whether the system bus answers: the first line of the D-Bus authentication protocol (D-Bus
// specification, "Authentication Protocol"), which any living bus answers at once.
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "doctor/look.h"

#define WITHIN_MS 1000

static bool answers(int fd, const char **out_error) {
	static const char hello[] = "\0AUTH\r\n";
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char reply[256];
	if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) < 0) {
		*out_error = strerror(errno);
		return false;
	}
	if (poll(&wait, 1, WITHIN_MS) <= 0) {
		*out_error = "it took the connection, but does not answer";
		return false;
	}
	if (recv(fd, reply, sizeof(reply), 0) <= 0) {
		*out_error = "it closed the connection";
		return false;
	}
	return true;
}

static void gather(const struct places *places, struct look_report *out) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *error = NULL;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", places->bus_address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno == EAGAIN ? "it does not take connections" : strerror(errno);
		if (errno == ENOENT) {
			look_report_missing(
				out, "there is no system bus here (%s)", places->bus_address);
			return;
		}
	}
	bool ok = !error && answers(fd, &error);
	json_member_text(&out->w, "path", places->bus_address);
	json_member_bool(&out->w, "answers", ok);
	json_member_text(&out->w, "error", error);
	if (fd >= 0) {
		close(fd);
	}
}

DEFINE_LOOK(bus) = {.name = "bus", .gather = gather};
