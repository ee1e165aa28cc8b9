// SPDX-License-Identifier: Apache-2.0
// Readings, sorted into families when all are known; see host_readings.h.
#include "sources/host_readings.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/text.h"

void readings_clear(struct readings *readings) {
	if (readings->memory) {
		arena_clear(readings->memory);
	} else {
		readings->memory = arena_create();
	}
	readings->n = 0;
}

const char *readings_text(struct readings *readings, struct str bytes) {
	struct buf text = BUF_INIT;
	clean_text(&text, bytes);
	const char *copy = arena_copy(readings->memory, buf_str(&text));
	buf_finish(&text);
	return copy;
}

const char *readings_name(struct readings *readings, const char *format, ...) {
	struct buf name = BUF_INIT;
	va_list args;
	va_start(args, format);
	buf_vappendf(&name, format, args);
	va_end(args);
	const char *copy = arena_copy(readings->memory, buf_str(&name));
	buf_finish(&name);
	return copy;
}

struct reading *readings_add(struct readings *readings, const char *family, const char *type,
	const char *help, double value, ...) {
	if (readings->n == READINGS_MAX) {
		return NULL;
	}
	if (readings->n == readings->cap) {
		readings->cap = readings->cap ? readings->cap * 2 : 64;
		readings->items = xreallocarray(
			readings->items, readings->cap, sizeof(struct reading *));
	}
	struct reading *reading = ARENA_NEW(readings->memory, struct reading);
	*reading = (struct reading){.family = family, .type = type, .help = help, .value = value};
	va_list labels;
	va_start(labels, value);
	for (size_t i = 0; i < 2 * READING_LABELS; i++) {
		reading->labels[i] = va_arg(labels, const char *);
		if (!reading->labels[i]) {
			break;
		}
	}
	va_end(labels);
	readings->items[readings->n++] = reading;
	return reading;
}

struct order {
	const struct reading *reading;
	size_t at;
};

static int compare_order(const void *a, const void *b) {
	const struct order *left = a, *right = b;
	int difference = strcmp(left->reading->family, right->reading->family);
	return difference ? difference : (left->at > right->at) - (left->at < right->at);
}

static void write_sample(const struct reading *reading, struct exposition *out) {
	const char *const *l = reading->labels; // a NULL before the end ends them
	exposition_sample(out, reading->value, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8],
		l[9], l[10], l[11], l[12], l[13], l[14], l[15], l[16], l[17], l[18], l[19], l[20],
		l[21], l[22], l[23], NULL);
}

void readings_collect(const struct readings *readings, struct exposition *out) {
	struct order *orders = xcalloc(readings->n + 1, sizeof(*orders));
	for (size_t i = 0; i < readings->n; i++) {
		orders[i] = (struct order){readings->items[i], i};
	}
	qsort(orders, readings->n, sizeof(*orders), compare_order);
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *reading = orders[i].reading;
		if (i == 0 || strcmp(orders[i - 1].reading->family, reading->family) != 0) {
			exposition_family(out, reading->family, reading->type, reading->help);
		}
		write_sample(reading, out);
	}
	free(orders);
}

void readings_finish(struct readings *readings) {
	arena_destroy(readings->memory);
	free(readings->items);
	*readings = (struct readings){0};
}
