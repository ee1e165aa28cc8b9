// SPDX-License-Identifier: Apache-2.0
// The board: where parts pin what the others may ask them for without knowing them. Three things:
//   figures   numbers of this moment by which thresholds judge ("memory.available_percent")
//   culprits  who is behind a figure: the process, unit, mount or interface, with its share
//   views     what an RPC method of the same name answers, as one JSON value ("top", "host")
// Everything is answered at once from what was last measured; what is not known is left out, never
// zero. All on the main loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

struct board;
struct json_writer;

struct figure {
	const char *name;  // "disk.busy_percent": a resource, a dot, what of it
	const char *label; // which one: "sda", "/var", "eth0"; "" when there is one only
	const char *unit;  // "percent", "bytes", "celsius", "per_second", … as in option rows
	double value;
};
typedef void figure_fn(void *arg, const struct figure *figure);

struct culprit {
	char kind[16];	// process, unit, mount, interface, device
	char name[128]; // "postgres", "backup.service", "/var", "eth0": printable text
	pid_t pid;	// of a process; 0: none
	char unit[128]; // the unit a process belongs to; "" when unknown
	double value;	// its share of the figure; NaN: not known
	char value_unit[24];
};

// Embedded in its owner; zeroed memory is a pin that hangs nowhere. Take it off before the owner goes.
struct pin {
	struct list node;
	const char *name; // of figures and culprits: the resource before the dot, or NULL for any
	void (*figures)(void *arg, figure_fn *on_figure, void *on_figure_arg);
	bool (*culprit)(void *arg, const struct figure *figure, struct culprit *out);
	bool (*view)(void *arg, struct json_writer *out, struct err *err);
	void *arg;
};

struct board *board_create(void);
void board_destroy(struct board *board);
// The caller has set name, arg and one or more of the functions.
void board_pin(struct board *board, struct pin *pin);
void board_unpin(struct pin *pin);

// Every figure of every pin, in the order they were pinned.
void board_each_figure(struct board *board, figure_fn *on_figure, void *arg);
// Who is behind it, by the first pin that knows. False: nobody knows.
_must_use_ bool board_find_culprit(
	struct board *board, const struct figure *figure, struct culprit *out);
// Writes the view called name. False with *err: nobody offers it (ERR_NOT_FOUND), or it has nothing
// yet (ERR_BUSY); nothing was written then.
_must_use_ bool board_write_view(
	struct board *board, const char *name, struct json_writer *out, struct err *err);
