// SPDX-License-Identifier: Apache-2.0
// What the disk itself takes to make N bytes durable: disk_floor append|overwrite FILE BYTES COUNT.
// append grows the file; overwrite writes into space that was written and synced before, as the
// journal's preallocated segments do. Each write is followed by fdatasync. Prints one line of JSON.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>

static int64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static void check(int ok, const char *what) {
	if (!ok) {
		fprintf(stderr, "disk_floor: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv) {
	if (argc != 5) {
		fprintf(stderr, "usage: disk_floor append|overwrite FILE BYTES COUNT\n");
		return 2;
	}
	size_t size = strtoul(argv[3], NULL, 10), count = strtoul(argv[4], NULL, 10);
	int fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0 && size > 0 && count > 0, argv[2]);
	char *bytes = malloc(size);
	int64_t *took = calloc(count, sizeof(*took));
	check(bytes && took, "memory");
	memset(bytes, 'x', size);
	if (strcmp(argv[1], "overwrite") == 0) {
		char zeros[65536] = {0};
		for (size_t done = 0; done < size * count; done += sizeof(zeros)) {
			check(write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros), "prepare");
		}
		check(fsync(fd) == 0, "fsync");
	}
	for (size_t i = 0; i < count; i++) {
		int64_t start = now_ns();
		check(pwrite(fd, bytes, size, (off_t)(i * size)) == (ssize_t)size, "write");
		check(fdatasync(fd) == 0, "fdatasync");
		took[i] = now_ns() - start;
	}
	qsort(took, count, sizeof(*took), compare);
	printf("{\"p50_us\": %.1f, \"p99_us\": %.1f}\n", (double)took[count / 2] / 1e3,
		(double)took[count * 99 / 100] / 1e3);
	close(fd);
	unlink(argv[2]);
	return 0;
}
