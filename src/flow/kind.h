// SPDX-License-Identifier: Apache-2.0
// Kinds of event are declared: name, journal stream, attributes with types and units, text. Whoever
// publishes a kind declares it (a capability, an action, or the core in flow/kinds.c); daemon/
// collects them. Only `user.*` and `test.*` are free-form.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

// Which journal stream, and so which budget, keeps it.
enum kind_stream {
	STREAM_NORMAL,
	STREAM_AUDIT,
	STREAM_TELEMETRY
};

struct kind_attribute {
	const char *name;
	const char *type; // "string", "integer", "number", "boolean", "object", "array"
	const char *unit; // "percent", "bytes", "ns"…, or NULL
	const char *help;
};

struct kind {
	const char *name;
	enum kind_stream stream;
	const char *help;			 // one sentence: when it happens
	const struct kind_attribute *attributes; // ends with an all-zero row; NULL: none
};

// A set of declarations; a table of kinds ends with an all-zero row.
struct kinds;

struct kinds *kinds_create(void);
void kinds_destroy(struct kinds *kinds);
void kinds_add(struct kinds *kinds, const struct kind *table);
// NULL when it is not declared.
const struct kind *kinds_find(const struct kinds *kinds, struct str name);
size_t kinds_count(const struct kinds *kinds);
const struct kind *kinds_get(const struct kinds *kinds, size_t i);

// user.* and test.*: what anyone may emit.
bool kind_is_free(struct str name);
// Lower-case letters, digits, '_' and '-', in parts joined by '.', at least two parts, at most 100 bytes.
bool kind_is_valid(struct str name);
const char *kind_stream_name(enum kind_stream stream);
// All streams of the journal: those of kinds, in their order, then the state of the journal itself.
#define JOURNAL_STREAM_COUNT 4
extern const char *const journal_stream_names[JOURNAL_STREAM_COUNT];

// The kinds of the daemon itself (daemon.*, config.*, capability.*, source.*, mapping.*).
extern const struct kind core_kinds[];
