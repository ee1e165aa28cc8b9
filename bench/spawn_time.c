// SPDX-License-Identifier: Apache-2.0
// How long a program takes, seen from the process that starts it:
//	spawn_time wall COUNT PROGRAM ARGUMENT...    until it has ended, COUNT times
//	spawn_time ready SOCKET PROGRAM ARGUMENT...  until it says READY=1 to NOTIFY_SOCKET (sd_notify(3)),
//	                                             once; it is then ended by TERM
// Prints one line of JSON.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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
		fprintf(stderr, "spawn_time: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static int compare(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static pid_t start(char **argv) {
	posix_spawn_file_actions_t files;
	check(posix_spawn_file_actions_init(&files) == 0 &&
			posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) ==
				0 &&
			posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) == 0,
		"spawn actions");
	pid_t pid;
	errno = posix_spawn(&pid, argv[0], &files, NULL, argv, environ);
	check(errno == 0, argv[0]);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

static int wall(size_t count, char **argv) {
	int64_t *took = calloc(count, sizeof(*took));
	check(took != NULL && count > 0, "count");
	size_t failed = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t begun = now_ns();
		pid_t pid = start(argv);
		int status;
		check(waitpid(pid, &status, 0) == pid, "wait");
		took[i] = now_ns() - begun;
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	qsort(took, count, sizeof(*took), compare);
	printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"failed\": %zu}\n",
		(double)took[count / 2] / 1e3, (double)took[count * 99 / 100] / 1e3, failed);
	return 0;
}

static int ready(const char *path, char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	check(strlen(path) < sizeof(address.sun_path), path);
	memcpy(address.sun_path, path, strlen(path));
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, path);
	struct timeval limit = {.tv_sec = 60};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setenv("NOTIFY_SOCKET", path, 1);
	int64_t begun = now_ns();
	pid_t pid = start(argv);
	for (;;) {
		char text[4096];
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
		if (n < 0) {
			kill(pid, SIGKILL);
			check(0, "it did not get ready");
		}
		text[n] = '\0';
		if (strstr(text, "READY=1")) {
			break;
		}
	}
	double took = (double)(now_ns() - begun) / 1e3;
	kill(pid, SIGTERM);
	int status;
	check(waitpid(pid, &status, 0) == pid, "wait");
	unlink(path);
	printf("{\"ready_us\": %.1f, \"status\": %d}\n", took, status);
	return 0;
}

int main(int argc, char **argv) {
	if (argc >= 4 && strcmp(argv[1], "wall") == 0) {
		return wall(strtoul(argv[2], NULL, 10), argv + 3);
	}
	if (argc >= 4 && strcmp(argv[1], "ready") == 0) {
		return ready(argv[2], argv + 3);
	}
	fprintf(stderr, "usage: spawn_time wall COUNT PROGRAM... | ready SOCKET PROGRAM...\n");
	return 2;
}
