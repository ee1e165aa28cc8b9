// SPDX-License-Identifier: Apache-2.0
// The Prometheus text exposition format 0.0.4, writing. A family is begun once, then its samples
// follow: exposition_family(x, "node_load1", "gauge", "1m load average."); exposition_sample(x, 0.5, NULL).
#pragma once

#include "base/buf.h"

struct exposition {
	struct buf *out; // borrowed
	const char *family;
};

void exposition_init(struct exposition *exposition, struct buf *out);
// type: counter, gauge, untyped, summary, histogram. name and help live until the next family.
void exposition_family(
	struct exposition *exposition, const char *name, const char *type, const char *help);
// labels: name, value pairs, ended by NULL: exposition_sample(x, 1, "cpu", "0", "mode", "idle", NULL).
// Label values are escaped (\\, \", \n).
__attribute__((sentinel)) void exposition_sample(struct exposition *exposition, double value, ...);
// As sample with a suffix on the family's name: "_sum", "_count".
__attribute__((sentinel)) void exposition_suffixed(
	struct exposition *exposition, const char *suffix, double value, ...);
