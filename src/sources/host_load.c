// SPDX-License-Identifier: Apache-2.0
// /proc/loadavg (proc(5)): how many tasks want to run, averaged.
#include "sources/host.h"

#include "formats/exposition.h"

void host_load_parse(struct host_load *load, struct str text) {
	double values[3];
	struct str word;
	load->is_known = false;
	for (size_t i = 0; i < 3; i++) {
		if (!str_word(&text, &word) || !str_to_double(word, &values[i]) || values[i] < 0) {
			return;
		}
	}
	memcpy(load->load, values, sizeof(values));
	load->is_known = true;
}

void host_load_collect(const struct host_load *load, struct exposition *out) {
	if (!load->is_known) {
		return;
	}
	exposition_family(out, "node_load1", "gauge", "1m load average.");
	exposition_sample(out, load->load[0], NULL);
	exposition_family(out, "node_load15", "gauge", "15m load average.");
	exposition_sample(out, load->load[2], NULL);
	exposition_family(out, "node_load5", "gauge", "5m load average.");
	exposition_sample(out, load->load[1], NULL);
}
