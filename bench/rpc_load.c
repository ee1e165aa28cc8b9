// SPDX-License-Identifier: Apache-2.0
// A load of one JSON-RPC request over a Unix socket: rpc_load SOCKET CONNECTIONS REQUESTS RATE LINE.
// RATE 0: every connection sends its next request when the last is answered, as redis-benchmark
// does. RATE > 0: so many a second over all connections on a fixed schedule, whatever the answers do,
// and latency counts from the moment a request was due, not from when a connection was free for it. Prints one line of JSON.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

struct connection {
	int fd;
	int64_t sent_ns;
	bool is_busy;
	char head[64]; // the front of the answer, to see whether it is an error
	size_t head_len;
};

static struct connection *connections;
static int64_t *latencies;
static size_t answered, wanted, errors;

static int64_t now_ns(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
	fprintf(stderr, "rpc_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_connection(struct connection *connection, const char *path, int epoll) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		fail(path);
	}
	memcpy(address.sun_path, path, strlen(path));
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fail(path);
	}
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
		fail("epoll");
	}
}

static void send_request(
	struct connection *connection, const char *line, size_t n, int64_t due_ns) {
	connection->sent_ns = due_ns;
	connection->is_busy = true;
	connection->head_len = 0;
	while (n > 0) {
		ssize_t done = send(connection->fd, line, n, MSG_NOSIGNAL);
		if (done < 0) {
			fail("send");
		}
		line += done;
		n -= (size_t)done;
	}
}

// True when the answer is whole.
static bool read_answer(struct connection *connection) {
	char bytes[65536];
	ssize_t n = recv(connection->fd, bytes, sizeof(bytes), 0);
	if (n <= 0) {
		fail("the daemon closed the connection");
	}
	for (ssize_t i = 0; i < n && connection->head_len < sizeof(connection->head) - 1; i++) {
		connection->head[connection->head_len++] = bytes[i];
	}
	if (bytes[n - 1] != '\n') {
		return false;
	}
	connection->head[connection->head_len] = '\0';
	if (strstr(connection->head, "\"error\"")) {
		errors++;
	}
	connection->is_busy = false;
	if (answered < wanted) {
		latencies[answered] = now_ns() - connection->sent_ns;
	}
	answered++;
	return true;
}

static void run_closed(int epoll, size_t count, const char *line, size_t n) {
	size_t sent = 0;
	for (size_t i = 0; i < count && sent < wanted; i++, sent++) {
		send_request(&connections[i], line, n, now_ns());
	}
	while (answered < wanted) {
		struct epoll_event events[64];
		int ready = epoll_wait(epoll, events, 64, 10000);
		if (ready <= 0) {
			fail("no answer within 10 s");
		}
		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;
			if (read_answer(connection) && sent < wanted) {
				send_request(connection, line, n, now_ns());
				sent++;
			}
		}
	}
}

// Waits for answers until `due_ns` at most, 10 s without any are a failure; counts them.
static void wait_until(int epoll, int64_t due_ns) {
	struct epoll_event events[64];
	int64_t left = due_ns - now_ns();
	struct timespec patience = {10, 0};
	if (due_ns) {
		left = left > 0 ? left : 0;
		patience = (struct timespec){left / 1000000000, left % 1000000000};
	}
	int ready = epoll_pwait2(epoll, events, 64, &patience, NULL);
	if (ready < 0 || (ready == 0 && !due_ns)) {
		fail("no answer within 10 s");
	}
	for (int i = 0; i < ready; i++) {
		read_answer(events[i].data.ptr);
	}
}

static struct connection *find_idle(size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (!connections[i].is_busy) {
			return &connections[i];
		}
	}
	return NULL;
}

static void run_at_rate(int epoll, size_t count, const char *line, size_t n, double rate) {
	int64_t start = now_ns();
	for (size_t sent = 0; sent < wanted;) {
		int64_t due = start + (int64_t)((double)sent * 1e9 / rate);
		struct connection *idle = find_idle(count);
		if (!idle) {
			wait_until(epoll, 0);
		} else if (now_ns() < due) {
			wait_until(epoll, due);
		} else {
			send_request(idle, line, n, due);
			sent++;
		}
	}
	while (answered < wanted) {
		wait_until(epoll, 0);
	}
}

static int compare(const void *a, const void *b) {
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

int main(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "usage: rpc_load SOCKET CONNECTIONS REQUESTS RATE LINE\n");
		return 2;
	}
	size_t count = strtoul(argv[2], NULL, 10);
	double rate = strtod(argv[4], NULL);
	wanted = strtoul(argv[3], NULL, 10);
	size_t n = strlen(argv[5]) + 1;
	char *line = malloc(n + 1);
	connections = calloc(count, sizeof(*connections));
	latencies = calloc(wanted, sizeof(*latencies));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!line || !connections || !latencies || count == 0 || wanted == 0 || epoll < 0) {
		fail("start");
	}
	memcpy(line, argv[5], n - 1);
	line[n - 1] = '\n';
	for (size_t i = 0; i < count; i++) {
		open_connection(&connections[i], argv[1], epoll);
	}
	int64_t start = now_ns();
	if (rate > 0) {
		run_at_rate(epoll, count, line, n, rate);
	} else {
		run_closed(epoll, count, line, n);
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	qsort(latencies, wanted, sizeof(*latencies), compare);
	printf("{\"per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, "
	       "\"errors\": %zu}\n",
		(double)wanted / seconds, (double)latencies[wanted / 2] / 1e3,
		(double)latencies[wanted * 99 / 100] / 1e3, (double)latencies[wanted - 1] / 1e3,
		errors);
	return 0;
}
