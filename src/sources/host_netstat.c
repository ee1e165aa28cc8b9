// SPDX-License-Identifier: Apache-2.0
// /proc/net/snmp, snmp6 and netstat (RFC 1213, RFC 4293): counters of the network protocols;
// node_exporter's default fields.
#include "formats/exposition.h"
#include "sources/host_collector.h"

#define FIELDS_MAX 256
#define NAME_MAX_LEN 63

struct field {
	char name[NAME_MAX_LEN + 1]; // "Tcp_InSegs"
	double value;
};

struct host_netstat {
	struct proc_file netstat, snmp, snmp6;
	struct field fields[FIELDS_MAX];
	size_t n;
};

// The fields of a protocol, as globs, ended by NULL; InErrors and InErrs are wanted of all.
static const struct {
	struct str protocol;
	const char *fields[8];
} wanted[] = {
	{STR_INIT("Ip"), {"Forwarding"}},
	{STR_INIT("Ip6"), {"InOctets", "OutOctets"}},
	{STR_INIT("IpExt"), {"InOctets", "OutOctets"}},
	{STR_INIT("Icmp"), {"InMsgs", "OutMsgs"}},
	{STR_INIT("Icmp6"), {"InMsgs", "OutMsgs"}},
	{STR_INIT("TcpExt"), {"Listen*", "Syncookies*", "TCPSynRetrans", "TCPTimeouts"}},
	{STR_INIT("Tcp"),
		{"ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs",
			"CurrEstab"}},
	{STR_INIT("Udp"),
		{"InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"}},
	{STR_INIT("Udp6"),
		{"InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"}},
};

static bool is_wanted(struct str protocol, struct str field) {
	if (str_starts(field, STR("InErr"))) {
		return str_is(field, "InErrors") || str_is(field, "InErrs");
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!str_equal(protocol, wanted[i].protocol)) {
			continue;
		}
		for (size_t j = 0; j < 8 && wanted[i].fields[j]; j++) {
			if (str_glob(str_from(wanted[i].fields[j]), field)) {
				return true;
			}
		}
	}
	return false;
}

static bool is_name(struct str text) {
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
			return false;
		}
	}
	return text.len > 0;
}

static bool is_known(const struct host_netstat *stat, const char *name) {
	for (size_t i = 0; i < stat->n; i++) {
		if (strcmp(stat->fields[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static void add_field(
	struct host_netstat *stat, struct str protocol, struct str name, struct str number) {
	struct field *field = &stat->fields[stat->n];
	if (stat->n == FIELDS_MAX || !is_wanted(protocol, name) || !is_name(protocol) ||
		!is_name(name) || protocol.len + 1 + name.len > NAME_MAX_LEN ||
		!str_to_double(number, &field->value)) {
		return;
	}
	snprintf(field->name, sizeof(field->name), "%" STR_FMT "_%" STR_FMT, STR_ARG(protocol),
		STR_ARG(name));
	stat->n += !is_known(stat, field->name);
}

// Two lines each: "Tcp: RtoAlgorithm …", "Tcp: 1 …".
static void parse_pairs(struct host_netstat *stat, struct str text) {
	struct str names, numbers, name, number, again;
	while (str_split(&text, '\n', &names) && str_split(&text, '\n', &numbers)) {
		struct str protocol;
		if (!str_word(&names, &protocol) || !str_word(&numbers, &again) ||
			!str_equal(protocol, again) || !str_ends(protocol, STR(":"))) {
			continue;
		}
		protocol.len--;
		while (str_word(&names, &name) && str_word(&numbers, &number)) {
			add_field(stat, protocol, name, number);
		}
	}
}

// One a line: "Ip6InReceives 2". The protocol ends with the 6.
static void parse_lines(struct host_netstat *stat, struct str text) {
	struct str line, name, number;
	while (str_split(&text, '\n', &line)) {
		if (!str_word(&line, &name) || !str_word(&line, &number)) {
			continue;
		}
		ptrdiff_t end = str_find_char(name, '6');
		if (end > 0) {
			add_field(stat, str_head(name, (size_t)end + 1),
				str_skip(name, (size_t)end + 1), number);
		}
	}
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_netstat *stat = arg;
	stat->n = 0;
	(void)turn_try(turn, &stat->netstat, "/proc/net/netstat");
	parse_pairs(stat, buf_str(&turn->text));
	(void)turn_try(turn, &stat->snmp, "/proc/net/snmp");
	parse_pairs(stat, buf_str(&turn->text));
	(void)turn_try(turn, &stat->snmp6, "/proc/net/snmp6");
	parse_lines(stat, buf_str(&turn->text));
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_netstat *stat = arg;
	char name[96], help[96];
	for (size_t i = 0; i < stat->n; i++) {
		const struct field *field = &stat->fields[i];
		const char *under = strchr(field->name, '_');
		snprintf(name, sizeof(name), "node_netstat_%s", field->name);
		snprintf(help, sizeof(help), "Statistic %.*s%s.", (int)(under - field->name),
			field->name, under + 1);
		exposition_family(out, name, "untyped", help);
		exposition_sample(out, field->value, NULL);
	}
}

static void finish(void *arg) {
	struct host_netstat *stat = arg;
	proc_file_finish(&stat->netstat);
	proc_file_finish(&stat->snmp);
	proc_file_finish(&stat->snmp6);
}

DEFINE_HOST_COLLECTOR(netstat) = {
	.name = "netstat",
	.summary = "Counters of IP, ICMP, TCP and UDP.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_netstat),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
