// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/notify.h"

TEST(a_message_reaches_the_socket_systemd_names) {
	char folder[] = "/tmp/anna-notify-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char got[64] = "";
	CHECK(mkdtemp(folder) != NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/n", folder);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);

	notify_send("READY=1\nSTATUS=generation %d", 7);

	CHECK_INT(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 27);
	CHECK_TEXT(got, "READY=1\nSTATUS=generation 7");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	unlink(address.sun_path);
	rmdir(folder);
}

TEST(without_systemd_nothing_happens) {
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");

	CHECK_INT(notify_watchdog_ns(), 0);
	CHECK_INT(notify_take_socket(), -1);
	CHECK(!notify_stderr_is_journal());
}

TEST(the_watchdog_of_another_process_is_not_ours) {
	char pid[16];
	setenv("WATCHDOG_USEC", "2000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	CHECK_INT(notify_watchdog_ns(), 0);

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);

	CHECK_INT(notify_watchdog_ns(), 2 * NS_PER_SECOND);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void) {
	return TESTS(RUN(a_message_reaches_the_socket_systemd_names),
		RUN(without_systemd_nothing_happens),
		RUN(the_watchdog_of_another_process_is_not_ours));
}
