// SPDX-License-Identifier: Apache-2.0
// A capability: a part of Anna that can be switched on, fail and be switched off by itself. A
// source is a capability that publishes events (src/sources/), the others are in
// src/capabilities/. Each is one file ending in its descriptor, and one row in a .def.
//
// The descriptor has the part's config section, and a few functions. The daemon starts them in the
// order of the tables and stops them in reverse; a start that fails leaves Anna running with that
// capability `failed`.
#pragma once

#include "base/err.h"
#include "base/random.h"
#include "config/snapshot.h"
#include "flow/bus.h"
#include "flow/meter.h"

struct anna;
struct board;
struct jobs;
struct child_runner;
struct fs;
struct loop;

// What every part is given; borrowed for its whole life.
struct services {
	struct loop *loop;
	struct jobs *jobs;
	struct jobs *slow_jobs; // for work on paths that may never answer; may lose its threads
	struct fs *fs;
	struct child_runner *children;
	struct random *random;
	struct bus *bus;
	struct meters *meters;
	struct board *board;
	struct anna *anna; // the whole, as its doors see it (rpc/anna.h)
	const char *state_folder;
	const char *sysroot;	   // "" or a folder that holds recorded proc/ and sys/ trees
	const char *helper_socket; // of the helper (flow/helper_client.h)
	const char *cgroup;	   // delegated cgroup folder for sub-cgroups of actions; NULL: none
};

enum capability_state {
	CAPABILITY_ACTIVE,
	CAPABILITY_DEGRADED,
	CAPABILITY_DISABLED,
	CAPABILITY_FAILED
};

enum capability_maturity {
	MATURITY_STABLE,
	MATURITY_EXPERIMENTAL
};

struct capability_health {
	enum capability_state
		state;	     // ACTIVE, DEGRADED, FAILED; DISABLED: nothing to do on this host
	char reason[256];    // a sentence; of an active one what it has to do without, or empty
	char next_step[160]; // what to do about it; empty: the usual
};

// What reconfigure answers.
enum reconfigured {
	RECONFIGURE_ADAPTED,
	RECONFIGURE_RESTART
};

// The config of one capability: of a table section the filled struct, of a list section the items.
struct capability_config {
	const void *config;
	struct item_list list;
	struct snapshot *snapshot; // take a reference to keep config beyond a reconfigure
};

struct capability {
	const char *name; // as shown in `annactl capabilities`; also its config section
	const char *summary;
	enum capability_maturity maturity;
	bool is_essential; // Anna does not start without it
	const struct section
		*section; // its name is `name`; a source writes &(const struct section){…}
	const struct kind *kinds; // it publishes these; ends with an all-zero row; may be NULL
	// False: switched off by this config (state disabled). NULL: always on.
	bool (*is_enabled)(const struct capability_config *config);
	// Opens everything inside its own scope. NULL with *err when it cannot.
	void *(*start)(const struct services *services, const struct capability_config *config,
		struct err *err);
	// Takes on a new config in place: what did not change must not notice. NULL: always RESTART.
	// Answering RESTART must have changed nothing.
	enum reconfigured (*reconfigure)(void *self, const struct capability_config *config);
	void (*stop)(void *self);
	// NULL: active while started.
	void (*health)(void *self, struct capability_health *out);
};

// For files in src/sources/ and src/capabilities/; no per-part header is needed.
#define DEFINE_SOURCE(name) const struct capability source_##name
#define DEFINE_CAPABILITY(name) const struct capability capability_##name

const char *capability_state_name(enum capability_state state);
