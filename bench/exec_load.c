// SPDX-License-Identifier: Apache-2.0
// From an event to the first instruction of the program it starts, COUNT times, one after another:
//	exec_load anna ANNAD_SOCKET STAMP_SOCKET COUNT         emits test.bench {sent}; a mapping of
//	                                                       annad runs exec_stamp with it
//	exec_load peer PROGRAM STAMP_SOCKET COUNT              the floor: a byte through a pipe to a
//	                                                       process that calls posix_spawn
// The first tenth warms up and is not counted. Prints one line of JSON.
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void check(int ok, const char *what) {
	if (!ok) {
		fprintf(stderr, "exec_load: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int compare(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static struct sockaddr_un address_of(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	check(strlen(path) < sizeof(address.sun_path), path);
	memcpy(address.sun_path, path, strlen(path));
	return address;
}

// The peer's other side: reads a time from the pipe, starts the program with it.
static void spawner(int in, const char *program, const char *stamp) {
	int64_t sent;
	while (read(in, &sent, sizeof(sent)) == sizeof(sent)) {
		char text[32];
		snprintf(text, sizeof(text), "%lld", (long long)sent);
		char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)stamp, text, NULL};
		pid_t pid;
		if (posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0) {
			waitpid(pid, NULL, 0);
		}
	}
	_exit(0);
}

static void emit(int fd, int64_t sent) {
	char line[256];
	int n = snprintf(line, sizeof(line),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.emit\",\"params\":"
		"{\"kind\":\"test.bench\",\"attributes\":{\"sent\":\"%lld\"}}}\n",
		(long long)sent);
	check(send(fd, line, (size_t)n, MSG_NOSIGNAL) == n, "emit");
}

// Its answer, which comes after the event is durable, must be out of the way for the next one.
static void read_answer(int fd) {
	char answer[4096];
	ssize_t n;
	do {
		n = recv(fd, answer, sizeof(answer) - 1, 0);
		check(n > 0, "the answer to emit");
	} while (answer[n - 1] != '\n');
	answer[n] = '\0';
	check(!strstr(answer, "\"error\""), answer);
}

int main(int argc, char **argv) {
	if (argc != 5) {
		fprintf(stderr, "usage: exec_load anna|peer SOCKET|PROGRAM STAMP_SOCKET COUNT\n");
		return 2;
	}
	bool is_peer = strcmp(argv[1], "peer") == 0;
	size_t count = strtoul(argv[4], NULL, 10), warm = count / 10;
	int64_t *took = calloc(count + 1, sizeof(*took));
	check(took != NULL && count > 0, "count");

	struct sockaddr_un stamp = address_of(argv[3]);
	unlink(argv[3]);
	int back = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(bind(back, (struct sockaddr *)&stamp, sizeof(stamp)) == 0, argv[3]);
	struct timeval limit = {.tv_sec = 10};
	setsockopt(back, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));

	int out;
	pid_t pid = 0;
	if (is_peer) {
		int ends[2];
		check(pipe(ends) == 0, "pipe");
		pid = fork();
		if (pid == 0) {
			close(ends[1]);
			spawner(ends[0], argv[2], argv[3]);
		}
		close(ends[0]);
		out = ends[1];
	} else {
		struct sockaddr_un address = address_of(argv[2]);
		out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		check(connect(out, (struct sockaddr *)&address, sizeof(address)) == 0, argv[2]);
	}
	for (size_t i = 0; i < count + warm; i++) {
		int64_t sent = now_ns(), passed;
		if (is_peer) {
			check(write(out, &sent, sizeof(sent)) == sizeof(sent), "pipe");
		} else {
			emit(out, sent);
		}
		check(recv(back, &passed, sizeof(passed), 0) == sizeof(passed),
			"the program was not started within 10 s");
		if (!is_peer) {
			read_answer(out);
		}
		if (i >= warm) {
			took[i - warm] = passed;
		}
	}
	close(out);
	if (pid > 0) {
		waitpid(pid, NULL, 0);
	}
	unlink(argv[3]);
	qsort(took, count, sizeof(*took), compare);
	printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
		(double)took[count / 2] / 1e3, (double)took[count * 99 / 100] / 1e3,
		(double)took[count - 1] / 1e3);
	return 0;
}
