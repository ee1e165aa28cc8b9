// SPDX-License-Identifier: Apache-2.0
// /proc/net/dev (proc(5)): what each network device has sent and received.
#include "sources/host.h"

#include "base/alloc.h"
#include "formats/exposition.h"

// In the order of the columns.
static const char *const counter_names[NETWORK_COUNTERS] = {"receive_bytes", "receive_packets",
	"receive_errs", "receive_drop", "receive_fifo", "receive_frame", "receive_compressed",
	"receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs", "transmit_drop",
	"transmit_fifo", "transmit_colls", "transmit_carrier", "transmit_compressed"};

static bool is_ignored(struct str name, const struct str *ignored, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (str_glob(ignored[i], name)) {
			return true;
		}
	}
	return false;
}

static void add_device(
	struct host_network *network, struct str name, const uint64_t counters[NETWORK_COUNTERS]) {
	if (network->n == network->cap) {
		network->cap = network->cap ? network->cap * 2 : 4;
		network->devices = xreallocarray(
			network->devices, network->cap, sizeof(*network->devices));
	}
	struct network_device *device = &network->devices[network->n++];
	memcpy(device->name, name.at, name.len);
	device->name[name.len] = '\0';
	memcpy(device->counters, counters, sizeof(device->counters));
}

// The last colon ends the name: an alias has one of its own ("eth0:1: 0 0 …").
static ptrdiff_t find_last_colon(struct str line) {
	const char *at = line.len ? memrchr(line.at, ':', line.len) : NULL;
	return at ? at - line.at : -1;
}

void host_network_parse(
	struct host_network *network, struct str text, const struct str *ignored, size_t n) {
	struct str line, word;
	network->n = 0;
	while (str_split(&text, '\n', &line) && network->n < NETWORK_DEVICES) {
		ptrdiff_t colon = find_last_colon(line);
		struct str name = str_trim(str_head(line, colon > 0 ? (size_t)colon : 0));
		struct str rest = str_skip(line, (size_t)(colon + 1));
		if (!name.len || name.len >= sizeof(network->devices->name) ||
			is_ignored(name, ignored, n)) {
			continue; // the two lines of the heading have no colon
		}
		uint64_t counters[NETWORK_COUNTERS];
		size_t i = 0;
		while (i < NETWORK_COUNTERS && str_word(&rest, &word) &&
			str_to_uint64(word, &counters[i])) {
			i++;
		}
		if (i == NETWORK_COUNTERS) {
			add_device(network, name, counters);
		}
	}
}

void host_network_collect(const struct host_network *network, struct exposition *out) {
	char name[64], help[80];
	for (size_t i = 0; i < NETWORK_COUNTERS && network->n; i++) {
		snprintf(name, sizeof(name), "node_network_%s_total", counter_names[i]);
		snprintf(help, sizeof(help), "Network device statistic %s.", counter_names[i]);
		exposition_family(out, name, "counter", help);
		for (size_t j = 0; j < network->n; j++) {
			const struct network_device *device = &network->devices[j];
			exposition_sample(
				out, (double)device->counters[i], "device", device->name, NULL);
		}
	}
}

void host_network_finish(struct host_network *network) {
	free(network->devices);
	*network = (struct host_network){0};
}
