// SPDX-License-Identifier: Apache-2.0
// /proc/net/sockstat and sockstat6: how many sockets are in use, and the memory they take.
#include <unistd.h>

#include "formats/exposition.h"
#include "sources/host_collector.h"

#define FIELDS_MAX 64

struct field {
	char protocol[16], state[16];
	uint64_t value;
};

struct host_sockstat {
	struct proc_file v4, v6;
	struct field fields[FIELDS_MAX];
	size_t n;
};

static bool copy_name(struct str name, char out[16]) {
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_')) {
			return false;
		}
	}
	if (!name.len || name.len >= 16) {
		return false;
	}
	memcpy(out, name.at, name.len);
	out[name.len] = '\0';
	return true;
}

static bool is_known(const struct host_sockstat *stat, const struct field *new) {
	for (size_t i = 0; i < stat->n; i++) {
		const struct field *field = &stat->fields[i];
		if (strcmp(field->protocol, new->protocol) == 0 &&
			strcmp(field->state, new->state) == 0) {
			return true;
		}
	}
	return false;
}

// "TCP: inuse 8 orphan 0 tw 23 alloc 11 mem 2"
static void parse(struct host_sockstat *stat, struct str text) {
	struct str line, protocol, state, number;
	while (str_split(&text, '\n', &line)) {
		if (!str_word(&line, &protocol) || !str_ends(protocol, STR(":"))) {
			continue;
		}
		protocol.len--;
		while (stat->n < FIELDS_MAX && str_word(&line, &state) &&
			str_word(&line, &number)) {
			struct field *field = &stat->fields[stat->n];
			stat->n += copy_name(protocol, field->protocol) &&
				copy_name(state, field->state) &&
				str_to_uint64(number, &field->value) && !is_known(stat, field);
		}
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_sockstat *stat = arg;
	stat->n = 0;
	(void)turn_try(turn, &stat->v4, "/proc/net/sockstat");
	parse(stat, buf_str(&turn->text));
	(void)turn_try(turn, &stat->v6, "/proc/net/sockstat6");
	parse(stat, buf_str(&turn->text));
}

static void write_field(
	const struct field *field, const char *suffix, double value, struct exposition *out) {
	char name[64], help[80];
	snprintf(
		name, sizeof(name), "node_sockstat_%s_%s%s", field->protocol, field->state, suffix);
	snprintf(help, sizeof(help), "Number of %s sockets in state %s%s.", field->protocol,
		field->state, suffix);
	bool is_sum = strcmp(field->protocol, "sockets") == 0;
	exposition_family(out, name, "gauge", is_sum ? "Number of IPv4 sockets in use." : help);
	exposition_sample(out, value, NULL);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_sockstat *stat = arg;
	double page = (double)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < stat->n; i++) {
		const struct field *field = &stat->fields[i];
		write_field(field, "", (double)field->value, out);
		if (strcmp(field->state, "mem") == 0) { // in pages
			write_field(field, "_bytes", (double)field->value * page, out);
		}
	}
}

static void finish(void *arg) {
	struct host_sockstat *stat = arg;
	proc_file_finish(&stat->v4);
	proc_file_finish(&stat->v6);
}

DEFINE_HOST_COLLECTOR(sockstat) = {
	.name = "sockstat",
	.summary = "Sockets in use by protocol.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_sockstat),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
