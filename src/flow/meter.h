// SPDX-License-Identifier: Apache-2.0
// Meters: who has numbers to show registers here; /metrics and `annactl metrics` ask each in turn.
// Numbers are read, never computed, at that moment: a collector must answer at once.
#pragma once

#include "base/list.h"
#include "formats/exposition.h"

struct meters;

typedef void meter_collect_fn(void *arg, struct exposition *out);

// Embedded in its owner; remove before the owner goes.
struct meter {
	struct list node;
	meter_collect_fn *collect;
	void *arg;
};

struct meters *meters_create(void);
void meters_destroy(struct meters *meters);
void meters_add(struct meters *meters, struct meter *meter, meter_collect_fn *collect, void *arg);
void meters_remove(struct meter *meter);
// All of them as text in the Prometheus exposition format.
void meters_format(struct meters *meters, struct buf *out);
