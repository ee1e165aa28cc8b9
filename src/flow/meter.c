// SPDX-License-Identifier: Apache-2.0
// The list of those who have numbers; see meter.h.
#include "flow/meter.h"

#include <stdlib.h>

#include "base/alloc.h"

struct meters {
	struct list list;
};

struct meters *meters_create(void) {
	struct meters *meters = xmalloc(sizeof(*meters));
	list_init(&meters->list);
	return meters;
}

void meters_destroy(struct meters *meters) {
	free(meters);
}

void meters_add(struct meters *meters, struct meter *meter, meter_collect_fn *collect, void *arg) {
	meter->collect = collect;
	meter->arg = arg;
	list_add_last(&meters->list, &meter->node);
}

void meters_remove(struct meter *meter) {
	if (meter->collect) {
		list_remove(&meter->node);
		meter->collect = NULL;
	}
}

void meters_format(struct meters *meters, struct buf *out) {
	struct exposition exposition;
	exposition_init(&exposition, out);
	list_for_each (node, &meters->list) {
		struct meter *meter = list_item(node, struct meter, node);
		meter->collect(meter->arg, &exposition);
	}
}
