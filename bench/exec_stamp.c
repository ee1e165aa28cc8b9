// SPDX-License-Identifier: Apache-2.0
// The program that an event starts in the bench: exec_stamp SOCKET SENT_NS sends, as the first thing
// it does, how many nanoseconds of monotonic time have passed since SENT_NS.
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

int main(int argc, char **argv) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	int64_t now = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		return 2;
	}
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	int64_t passed = now - strtoll(argv[2], NULL, 10);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	return sendto(fd, &passed, sizeof(passed), 0, (struct sockaddr *)&address,
		       sizeof(address)) == sizeof(passed)
		? 0
		: 1;
}
