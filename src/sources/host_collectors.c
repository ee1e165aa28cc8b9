// SPDX-License-Identifier: Apache-2.0
// The table of collectors: every row of host_collectors.def is declared, then listed.
#include "sources/host_collector.h"

#define HOST_COLLECTOR(name) extern const struct host_collector host_collector_##name;
#include "sources/host_collectors.def"
#undef HOST_COLLECTOR

const struct host_collector *const host_collectors[] = {
#define HOST_COLLECTOR(name) &host_collector_##name,
#include "sources/host_collectors.def"
#undef HOST_COLLECTOR
};

const char *const host_collector_names[] = {
#define HOST_COLLECTOR(name) #name,
#include "sources/host_collectors.def"
#undef HOST_COLLECTOR
	NULL,
};

const size_t host_collector_count = sizeof(host_collectors) / sizeof(host_collectors[0]);
