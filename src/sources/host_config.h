// SPDX-License-Identifier: Apache-2.0
// The section [host], filled, and what the collectors share; private to the source `host`.
#pragma once

#include "config/option.h"

struct services;

struct host_override { // one of [[host.filesystems]]
	struct str mount;
	double used_percent;
};

struct collector_choice { // one of [[host.collectors]]
	int collector;	  // its place in host_collectors
	bool is_enabled;
	int64_t period_ns; // 0: its own
};

struct host_config {
	int64_t interval_ns;
	double used_percent;
	double hysteresis_percent;
	int64_t answer_limit_ns;
	int64_t sensor_limit_ns;
	struct strings ignored_types;
	struct strings ignored_mounts;
	struct strings ignored_devices;
	struct strings ignored_disks;
	bool has_all_disks;
	struct item_list overrides;
	struct item_list choices;
};

// One of the source's for as long as it lives; the config in it changes with a reload.
struct host_world {
	const struct services *services;
	const struct host_config *config;
	uint64_t config_number; // grows with each
	const char *sysroot;	// "" or a folder
};

// Whether a name matches one of the globs.
static inline bool is_among(const struct strings *globs, struct str name) {
	for (size_t i = 0; i < globs->n; i++) {
		if (str_glob(globs->items[i], name)) {
			return true;
		}
	}
	return false;
}

extern const struct section host_section;
