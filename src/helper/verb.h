// SPDX-License-Identifier: Apache-2.0
// A verb of the helper: one file in src/helper/ that ends in its descriptor, one row in verbs.def.
// A verb only says what would be run: it checks what was asked against what root has granted and
// fills a command. Running it is the helper's. The list is closed: what is no verb cannot be asked.
#pragma once

#include "base/arena.h"
#include "config/option.h"
#include "helper/grants.h"

struct helper_command {
	const char *const *argv; // argv[0] is a whole path
	const char *user;	 // who runs it; NULL: root
	const char *directory;
	int64_t timeout_ns;
	size_t output_limit;
};

struct verb {
	const char *name; // "unit.restart"
	const char *summary;
	const struct option *params;
	size_t params_size;
	// False with *err (ERR_DENIED: not granted) when it may not be done. Pure.
	bool (*prepare)(const struct verb *verb, const void *params, const struct grants *grants,
		struct arena *arena, struct helper_command *out, struct err *err);
};

#define DEFINE_VERB(name) const struct verb verb_##name

// The table, ended by NULL.
extern const struct verb *const verb_table[];
