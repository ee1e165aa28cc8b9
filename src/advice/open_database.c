// SPDX-License-Identifier: Apache-2.0
// A service that trusts everybody listens to everybody.
#include "advice/rule.h"

static const struct {
	unsigned port;
	const char *name;
} services[] = {{6379, "Redis"}, {27017, "MongoDB"}, {9200, "Elasticsearch"}, {11211, "memcached"},
	{5984, "CouchDB"}, {2375, "Docker without TLS"}, {2379, "etcd"}, {7000, "Cassandra"},
	{10250, "kubelet"}};

static bool is_hex(struct str text, unsigned *out) {
	unsigned value = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
			: c >= 'A' && c <= 'F'	      ? (unsigned)(c - 'A') + 10
						      : 16;
		if (digit > 15 || text.len > 4) {
			return false;
		}
		value = value << 4 | digit;
	}
	*out = value;
	return text.len > 0;
}

// "  0: 00000000:18EB 00000000:0000 0A …": local address, peer, state; 0A is LISTEN.
static bool is_open(struct str line, unsigned *out_port) {
	struct str number, local, peer, state;
	if (!str_word(&line, &number) || !str_word(&line, &local) || !str_word(&line, &peer) ||
		!str_word(&line, &state) || !str_is(state, "0A")) {
		return false;
	}
	ptrdiff_t colon = str_find_char(local, ':');
	if (colon < 0 || !is_hex(str_skip(local, (size_t)colon + 1), out_port)) {
		return false;
	}
	for (ptrdiff_t i = 0; i < colon; i++) {
		if (local.at[i] != '0') {
			return false; // one address, not every one
		}
	}
	return true;
}

static void judge(struct survey *survey, const char *file, bool seen[]) {
	struct str text, line;
	unsigned port;
	if (!root_read(&survey->root, &text, "%s", file)) {
		return;
	}
	while (str_split(&text, '\n', &line)) {
		for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
			if (is_open(line, &port) && port == services[i].port && !seen[i]) {
				seen[i] = true;
				survey_find(survey,
					"%s: port %u, usually %s, listens on every address", file,
					port, services[i].name);
			}
		}
	}
}

static void look(struct survey *survey) {
	bool seen[sizeof(services) / sizeof(services[0])] = {false};
	judge(survey, "/proc/net/tcp", seen);
	judge(survey, "/proc/net/tcp6", seen);
}

DEFINE_RULE(open_database) = {
	.id = "database-open",
	.level = ADVICE_WARN,
	.category = "network",
	.title = "A service that asks for no password by default listens on every address",
	.reads = "/proc/net/tcp, /proc/net/tcp6",
	.reason = "Such ports are found within minutes where the network reaches them; data is "
		  "then taken or deleted.",
	.fix = "ss -ltnp",
	.risk = "The command only looks. Bind the service to 127.0.0.1 in its own "
		"configuration, or close the port in the firewall.",
	.references = (const char *const[]){"ss(8)", "proc_pid_net(5)", NULL},
	.explain = "Fires for Redis, MongoDB, Elasticsearch, memcached, CouchDB, Docker without "
		   "TLS, etcd, Cassandra and kubelet ports that listen on 0.0.0.0 or ::. Whether a "
		   "firewall or a password protects them is not looked at; services on one address "
		   "alone are not reported.",
	.look = look,
};
