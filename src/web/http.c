// SPDX-License-Identifier: Apache-2.0
// HTTP connections. The invariants: one request is looked at after the other, each is answered
// before the next is; a connection whose framing was doubtful is closed after the answer; and what
// waits for a peer, in and out, is bounded.
#include "web/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "flow/capability.h"
#include "flow/meter.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/stream.h"
#include "rpc/anna.h"
#include "web/guard.h"

#define LOG_FOLDER "web"

// A head is 16 KiB at most; behind it a few pipelined requests may wait.
#define INPUT_MAX (16 * 1024 + HTTP1_HEAD_MAX)
// Answers that wait before the next request is looked at.
#define CONGESTED (256 * 1024)
#define OUTPUT_MAX (3 * 1024 * 1024)
// Over all connections; past it requests are answered with 503.
#define OUTPUT_TOTAL_MAX (2 * 1024 * 1024)
// A head must be whole so soon after its first byte (slow loris).
#define HEAD_NS (10 * NS_PER_SECOND)
#define STALLED_NS (30 * NS_PER_SECOND)
#define FINISH_NS (2 * NS_PER_SECOND)
#define LOOK_EVERY_NS NS_PER_SECOND

struct http_stats {
	uint64_t requests, refused_connections, bad_requests, refused_answers;
	size_t connections;
};

struct http_server {
	struct loop *loop;
	struct anna *anna;
	struct listener *listener; // NULL: off
	uint16_t port;
	struct list connections;
	struct timer look;
	int64_t idle_timeout_ns;
	size_t max_connections;
	struct arena *arena; // of hosts
	struct strings hosts;
	struct buf answer; // kept warm between answers
	struct http_stats stats;
	struct meter meter;
};

struct connection {
	struct list node;
	struct http_server *server;
	struct stream *stream;
	struct buf input;
	struct task leave; // closes it from the loop
	bool is_congested;
	bool is_closing;    // the last answer is written
	bool has_ended;	    // the peer's side
	int64_t begun_ns;   // first byte of the head being received; 0: none
	int64_t settled_ns; // when the last answer was written
	int64_t moved_ns;   // when output last moved, or nothing waited
	uint64_t seen_sent;
};

static const struct option http_options[] = {
	{.key = "listen",
		.type = OPTION_STRING,
		.offset = offsetof(struct http_config, listen),
		.fallback = "auto",
		.min = 1,
		.max = 64,
		.apply = APPLY_RESTART,
		.help = "A loopback ADDRESS:PORT, \"off\", or \"auto\": 127.0.0.1:2662, or the "
			"next free port when that is taken."},
	{.key = "hosts",
		.type = OPTION_STRINGS,
		.offset = offsetof(struct http_config, hosts),
		.max = 32,
		.help = "Names besides localhost and loopback addresses by which clients may ask "
			"(the Host header), when a proxy stands before Anna."},
	{.key = "max_connections",
		.type = OPTION_INT,
		.offset = offsetof(struct http_config, max_connections),
		.fallback = "64",
		.min = 1,
		.max = 10000,
		.help = "How many connections may be open; one more is answered with 503."},
	{.key = "idle_timeout",
		.type = OPTION_DURATION,
		.offset = offsetof(struct http_config, idle_timeout),
		.fallback = "60s",
		.min = 1e9,
		.max = 864e11,
		.help = "A connection without a request is closed after this time."},
	{0}};

static bool parse_listen(struct str text, char *address, size_t size, uint16_t *out_port) {
	ptrdiff_t colon = -1;
	for (size_t i = 0; i < text.len; i++) {
		colon = text.at[i] == ':' ? (ptrdiff_t)i : colon;
	}
	uint64_t port;
	if (colon <= 0 || !str_to_uint64(str_skip(text, (size_t)colon + 1), &port) ||
		port > UINT16_MAX) {
		return false;
	}
	struct str name = str_head(text, (size_t)colon);
	if (name.at[0] == '[' && name.at[name.len - 1] == ']') {
		name = str_range(name.at + 1, name.len - 2);
	}
	if (name.len >= size) {
		return false;
	}
	(void)snprintf(address, size, "%" STR_FMT, STR_ARG(name));
	*out_port = (uint16_t)port;
	return true;
}

static void check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	const struct http_config *http = config;
	char address[64];
	uint16_t port;
	(void)arena;
	if (!str_is(http->listen, "auto") && !str_is(http->listen, "off") &&
		!parse_listen(http->listen, address, sizeof(address), &port)) {
		problems_add(problems, place,
			"listen in [http] is \"%" STR_FMT "\"; it must be ADDRESS:PORT like "
			"\"127.0.0.1:2662\", \"auto\" or \"off\"",
			STR_ARG(http->listen));
	}
}

const struct section http_section = {
	.name = "http",
	.summary = "Metrics and health over HTTP on a loopback address.",
	.rows = http_options,
	.size = sizeof(struct http_config),
	.check = check,
	.example = "[http]\nlisten = \"127.0.0.1:2662\"\n",
};

// --- ends of a connection ---

static void forget(struct connection *connection) {
	struct http_server *server = connection->server;
	task_cancel(&connection->leave);
	list_remove(&connection->node);
	buf_finish(&connection->input);
	server->stats.connections--;
	if (list_is_empty(&server->connections)) {
		timer_stop(&server->look);
	}
	free(connection);
}

static void drop(struct connection *connection) {
	stream_close(connection->stream);
	forget(connection);
}

static void finish(void *arg) {
	struct connection *connection = arg;
	stream_finish(connection->stream, FINISH_NS);
	forget(connection);
}

// The last answer is written. What the peer still sends is thrown away until it has ended too or
// FINISH_NS have passed; all this time the connection counts as one.
static void end(struct connection *connection) {
	connection->is_closing = true;
	connection->settled_ns = loop_now(connection->server->loop);
	stream_pause(connection->stream, false);
	stream_end(connection->stream);
	if (connection->has_ended) {
		task_post(&connection->leave, connection->server->loop, finish, connection);
	}
}

// --- answers ---

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
static void append_date(struct buf *out, int64_t wall_ns) {
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	struct tm tm;
	if (gmtime_r(&seconds, &tm)) {
		buf_appendf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
			tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
			tm.tm_sec);
	}
}

static void append_head(
	struct buf *out, const struct response *response, bool keep_alive, int64_t wall_ns) {
	buf_appendf(out, "HTTP/1.1 %d %s\r\n", response->status, http1_reason(response->status));
	append_date(out, wall_ns);
	buf_appendf(out,
		"Content-Type: %s\r\nContent-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n"
		"Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; "
		"style-src 'unsafe-inline'; frame-ancestors 'none'\r\n%sConnection: %s\r\n\r\n",
		response->content_type, response->body.len,
		response->status == 405 ? "Allow: GET, HEAD\r\n" : "",
		keep_alive ? "keep-alive" : "close");
}

static void respond(struct connection *connection, const struct response *response, bool is_head,
	bool keep_alive) {
	struct http_server *server = connection->server;
	struct buf *out = &server->answer;
	buf_clear(out);
	append_head(out, response, keep_alive, clock_wall(loop_clock(server->loop)));
	if (!is_head) {
		buf_append_str(out, buf_str(&response->body));
	}
	stream_write(connection->stream, buf_str(out));
	if (out->cap > CONGESTED) {
		buf_finish(out);
	}
	connection->settled_ns = loop_now(server->loop);
	connection->is_congested = stream_pending(connection->stream) > CONGESTED;
	if (!keep_alive) {
		end(connection);
	}
}

static void respond_error(struct connection *connection, int status, const char *text, bool is_head,
	bool keep_alive) {
	struct response response = {
		.status = status, .content_type = "text/plain; charset=utf-8", .body = BUF_INIT};
	connection->server->stats.bad_requests += status >= 400 && status != 404;
	buf_appendf(&response.body, "%d %s: %s\n", status, http1_reason(status), text);
	respond(connection, &response, is_head, keep_alive);
	buf_finish(&response.body);
}

static const struct route *find_route(struct str path) {
	for (size_t i = 0; i < route_count; i++) {
		if (str_is(path, route_table[i]->path)) {
			return route_table[i];
		}
	}
	return NULL;
}

// Answers that peers have not read yet.
static size_t unread_bytes(const struct http_server *server) {
	size_t bytes = 0;
	list_for_each (node, &server->connections) {
		bytes += stream_pending(list_item(node, struct connection, node)->stream);
	}
	return bytes;
}

static void respond_route(
	struct connection *connection, const struct http1_request *request, bool is_head) {
	if (unread_bytes(connection->server) >= OUTPUT_TOTAL_MAX) {
		connection->server->stats.refused_answers++;
		respond_error(connection, 503,
			"as many answers as may be wait for clients that do not read them", is_head,
			false);
		return;
	}
	const struct route *route = find_route(request->path);
	if (!route) {
		respond_error(connection, 404,
			"there is nothing at this path; / names what there is", is_head,
			request->keep_alive);
		return;
	}
	struct web_request web_request = {connection->server->anna, request->path, request->query};
	struct response response = {
		.status = 200, .content_type = "text/plain; charset=utf-8", .body = BUF_INIT};
	route->handle(&web_request, &response);
	respond(connection, &response, is_head, request->keep_alive);
	buf_finish(&response.body);
}

static void handle_request(struct connection *connection, const struct http1_request *request) {
	struct err err = ERR_INIT;
	struct http_server *server = connection->server;
	bool is_head = str_is(request->method, "HEAD");
	server->stats.requests++;
	if (request->content_length > 0) {
		respond_error(connection, 413, "requests here have no body", is_head, false);
		return;
	}
	int refused = guard_check(request, server->port, &server->hosts, &err);
	if (refused) {
		respond_error(connection, refused, err.message, is_head, false);
	} else if (!is_head && !str_is(request->method, "GET")) {
		respond_error(connection, 405, "only GET and HEAD are answered here", false,
			request->keep_alive);
	} else {
		respond_route(connection, request, is_head);
	}
}

// --- input ---

// Answers the whole requests at the front of the input, as far as the peer takes the answers.
static void handle_input(struct connection *connection) {
	size_t at = 0;
	while (!connection->is_closing && !connection->is_congested && at < connection->input.len) {
		struct http1_request request;
		struct err err = ERR_INIT;
		int status = 400;
		enum http1_result result = http1_parse(
			str_skip(buf_str(&connection->input), at), &request, &status, &err);
		if (result == HTTP1_MORE) {
			break;
		}
		if (result == HTTP1_BAD) {
			respond_error(connection, status, err.message, false, false);
			break;
		}
		at += request.head_len;
		handle_request(connection, &request);
	}
	if (connection->is_closing) {
		at = connection->input.len;
	}
	buf_consume(&connection->input, at);
	if (connection->input.len == 0 && connection->input.cap > HTTP1_HEAD_MAX) {
		buf_finish(&connection->input);
	}
	if (connection->input.len == 0 || connection->is_congested) {
		connection->begun_ns = 0;
	} else if (at > 0 || connection->begun_ns == 0) {
		connection->begun_ns = loop_now(connection->server->loop);
	}
	if (!connection->is_closing) {
		stream_pause(connection->stream,
			connection->is_congested || connection->input.len >= INPUT_MAX);
	}
}

static void on_data(void *arg, struct str bytes) {
	struct connection *connection = arg;
	if (!connection->is_closing) {
		buf_append_str(&connection->input, bytes);
		handle_input(connection);
	}
}

static void on_drain(void *arg) {
	struct connection *connection = arg;
	connection->is_congested = false;
	if (!connection->is_closing) {
		handle_input(connection);
	}
	if (connection->has_ended && !connection->is_closing && !connection->is_congested) {
		end(connection);
	}
}

static void on_end(void *arg, const struct err *err) {
	struct connection *connection = arg;
	if (err) {
		log_debug("an HTTP connection ends: %s", err->message);
		drop(connection);
		return;
	}
	connection->has_ended = true;
	if (connection->is_closing) {
		finish(connection);
	} else if (!connection->is_congested) {
		end(connection);
	}
}

// --- time limits ---

static void look_at(struct connection *connection, int64_t now) {
	struct http_server *server = connection->server;
	uint64_t sent = stream_sent(connection->stream);
	if (stream_pending(connection->stream) == 0 || sent != connection->seen_sent) {
		connection->seen_sent = sent;
		connection->moved_ns = now;
	}
	if (now - connection->moved_ns >= STALLED_NS) {
		drop(connection);
	} else if (connection->begun_ns && now - connection->begun_ns >= HEAD_NS) {
		respond_error(connection, 408, "the head of the request took longer than 10 s",
			false, false);
	} else if (!connection->begun_ns && stream_pending(connection->stream) == 0 &&
		now - connection->settled_ns >= server->idle_timeout_ns) {
		finish(connection);
	}
}

static void on_look(void *arg) {
	struct http_server *server = arg;
	int64_t now = loop_now(server->loop);
	timer_start(&server->look, server->loop, LOOK_EVERY_NS, on_look, server);
	list_for_each (node, &server->connections) {
		struct connection *connection = list_item(node, struct connection, node);
		if (!connection->is_closing) {
			look_at(connection, now);
		} else if (now - connection->settled_ns >=
			(stream_pending(connection->stream) ? STALLED_NS : FINISH_NS)) {
			drop(connection);
		}
	}
}

// --- accepting ---

static void refuse(void *arg, int fd) {
	static const char answer[] =
		"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		"Content-Length: 52\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
		"503 Service Unavailable: too many connections open.\n";
	struct http_server *server = arg;
	server->stats.refused_connections++;
	// One try: the buffer of a new socket is empty, and a peer that is gone needs no word.
	(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void http_server_serve(struct http_server *server, int fd) {
	struct err err = ERR_INIT;
	if (server->stats.connections >= server->max_connections) {
		refuse(server, fd);
		close(fd);
		return;
	}
	struct connection *connection = xcalloc(1, sizeof(*connection));
	struct stream_handlers handlers = {
		.on_data = on_data, .on_end = on_end, .on_drain = on_drain, .arg = connection};
	connection->server = server;
	connection->stream = stream_open(server->loop, fd, &handlers, OUTPUT_MAX, &err);
	if (!connection->stream) {
		log_debug("an HTTP connection was refused: %s", err.message);
		free(connection);
		return;
	}
	connection->settled_ns = connection->moved_ns = loop_now(server->loop);
	list_add_last(&server->connections, &connection->node);
	server->stats.connections++;
	if (!timer_is_set(&server->look)) {
		timer_start(&server->look, server->loop, LOOK_EVERY_NS, on_look, server);
	}
}

static void on_accept(void *arg, int fd, const struct peer *peer) {
	(void)peer;
	http_server_serve(arg, fd);
}

// --- life cycle ---

static void collect(void *arg, struct exposition *out) {
	const struct http_stats *stats = &((const struct http_server *)arg)->stats;
	exposition_family(out, "anna_http_requests_total", "counter", "HTTP requests.");
	exposition_sample(out, (double)stats->requests, NULL);
	exposition_family(out, "anna_http_bad_requests_total", "counter",
		"HTTP requests answered with an error, but for unknown paths.");
	exposition_sample(out, (double)stats->bad_requests, NULL);
	exposition_family(out, "anna_http_answers_refused_total", "counter",
		"Requests refused because too many answers were not read.");
	exposition_sample(out, (double)stats->refused_answers, NULL);
	exposition_family(out, "anna_http_connections", "gauge", "Open HTTP connections.");
	exposition_sample(out, (double)stats->connections, NULL);
	exposition_family(out, "anna_http_connections_refused_total", "counter",
		"HTTP connections refused: too many, or no file descriptor left.");
	exposition_sample(out, (double)stats->refused_connections, NULL);
}

void http_server_configure(struct http_server *server, const struct http_config *config) {
	server->idle_timeout_ns = config->idle_timeout;
	server->max_connections = (size_t)config->max_connections;
	arena_clear(server->arena);
	server->hosts.n = config->hosts.n;
	server->hosts.items = arena_array(server->arena, config->hosts.n, sizeof(struct str));
	for (size_t i = 0; i < config->hosts.n; i++) {
		server->hosts.items[i] = arena_copy_str(server->arena, config->hosts.items[i]);
	}
}

// The default port, or the next free one after it.
static bool listen_anywhere(
	struct http_server *server, const struct listener_handlers *handlers, struct err *err) {
	for (uint16_t i = 0; i <= HTTP_DEFAULT_TRIES; i++) {
		struct err failure = ERR_INIT;
		uint16_t port = (uint16_t)(HTTP_DEFAULT_PORT + i);
		server->listener = listener_open_tcp(
			server->loop, "127.0.0.1", port, handlers, &failure);
		if (server->listener) {
			if (i > 0) {
				log_info("port %d is taken; HTTP is on %s", HTTP_DEFAULT_PORT,
					listener_address(server->listener));
			}
			return true;
		}
		if (failure.code != ERR_BUSY) {
			*err = failure;
			return false;
		}
	}
	return err_set(err, ERR_BUSY,
		"the ports %d to %d of 127.0.0.1 are all taken; name another with listen in "
		"[http], or "
		"\"off\"",
		HTTP_DEFAULT_PORT, HTTP_DEFAULT_PORT + HTTP_DEFAULT_TRIES);
}

static bool listen_on(struct http_server *server, struct str where, struct err *err) {
	struct listener_handlers handlers = {
		.on_accept = on_accept, .on_refuse = refuse, .arg = server};
	char address[64];
	uint16_t port;
	if (str_is(where, "off")) {
		return true;
	}
	if (str_is(where, "auto")) {
		return listen_anywhere(server, &handlers, err);
	}
	if (!parse_listen(where, address, sizeof(address), &port)) {
		return err_set(err, ERR_INVALID,
			"\"%" STR_FMT "\" is not ADDRESS:PORT (like 127.0.0.1:2662), \"auto\" or "
			"\"off\"",
			STR_ARG(where));
	}
	server->listener = listener_open_tcp(server->loop, address, port, &handlers, err);
	return server->listener != NULL;
}

struct http_server *http_server_open(struct loop *loop, struct anna *anna,
	const struct http_config *config, const char *listen, struct err *err) {
	struct http_server *server = xcalloc(1, sizeof(*server));
	server->loop = loop;
	server->anna = anna;
	server->arena = arena_create();
	list_init(&server->connections);
	http_server_configure(server, config);
	meters_add(anna_services(anna)->meters, &server->meter, collect, server);
	if (!listen_on(server, listen ? str_from(listen) : config->listen, err)) {
		http_server_close(server);
		return NULL;
	}
	server->port = server->listener ? listener_port(server->listener) : HTTP_DEFAULT_PORT;
	return server;
}

void http_server_close(struct http_server *server) {
	if (!server) {
		return;
	}
	listener_close(server->listener);
	list_for_each (node, &server->connections) {
		finish(list_item(node, struct connection, node));
	}
	timer_stop(&server->look);
	meters_remove(&server->meter);
	arena_destroy(server->arena);
	buf_finish(&server->answer);
	free(server);
}

const char *http_server_address(const struct http_server *server) {
	return server->listener ? listener_address(server->listener) : "off";
}
