// SPDX-License-Identifier: Apache-2.0
// Reading results that an older or newer daemon may have sent: what is missing or of another type
// reads as empty, zero or the fallback, never as an error.
#pragma once

#include "base/buf.h"
#include "formats/value.h"

struct str field_str(const struct value *table, const char *key);
int64_t field_int(const struct value *table, const char *key, int64_t fallback);
double field_double(const struct value *table, const char *key, double fallback);
bool field_bool(const struct value *table, const char *key);
// An RFC 3339 member as wall nanoseconds; 0 when there is none.
int64_t field_time(const struct value *table, const char *key);
// The number of items of an array, or 0; the i-th.
size_t field_count(const struct value *array);
const struct value *field_item(const struct value *array, size_t i);
// Any value as people read it: strings bare, null as "-", the rest as JSON.
void field_format(struct buf *out, const struct value *value);
