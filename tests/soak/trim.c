// SPDX-License-Identifier: Apache-2.0
// Loaded into annad by tools/soak (LD_PRELOAD): when the file named by SOAK_TRIM appears, gives back
// to the kernel what malloc holds and nobody uses, writes to SOAK_BYTES how many bytes are allocated,
// and removes the file. Without it a leak hides in the free room between blocks for days.
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *watch(void *arg) {
	const char *path = arg;
	for (;;) {
		(void)poll(NULL, 0, 5); // milliseconds between two looks
		if (access(path, F_OK) == 0) {
			malloc_trim(0);
			struct mallinfo2 heap = mallinfo2(); // of all threads: there is one arena
			int fd = open(getenv("SOAK_BYTES"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
			(void)dprintf(fd, "%zu", heap.uordblks + heap.hblkhd);
			(void)close(fd);
			unlink(path);
		}
	}
	return NULL;
}

__attribute__((constructor)) static void begin(void) {
	char *path = getenv("SOAK_TRIM");
	pthread_t thread;
	sigset_t all, before;
	unsetenv("LD_PRELOAD"); // not for her children
	if (!path || !getenv("SOAK_BYTES")) {
		return;
	}
	sigfillset(&all); // her signals are for her own threads
	pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)pthread_create(&thread, NULL, watch, path);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
