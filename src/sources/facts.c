// SPDX-License-Identifier: Apache-2.0
// Sorted sets of key and value, and their difference; see facts.h.
#include "sources/facts.h"

#include "base/alloc.h"

void facts_finish(struct facts *facts) {
	buf_finish(&facts->text);
	free(facts->items);
	*facts = (struct facts){0};
}

struct str facts_key(const struct facts *facts, size_t i) {
	return str_range(facts->text.at + facts->items[i].key_at, facts->items[i].key_len);
}

struct str facts_value(const struct facts *facts, size_t i) {
	return str_range(facts->text.at + facts->items[i].value_at, facts->items[i].value_len);
}

void facts_add(struct facts *facts, struct str key, struct str value) {
	if (facts->n >= FACTS_MAX || facts->text.len + key.len + value.len > FACTS_TEXT_MAX) {
		facts->is_cut = true;
		return;
	}
	if (facts->n == facts->cap) {
		facts->cap = facts->cap ? facts->cap * 2 : 64;
		facts->items = xreallocarray(facts->items, facts->cap, sizeof(*facts->items));
	}
	facts->items[facts->n++] = (struct fact){(uint32_t)facts->text.len, (uint32_t)key.len,
		(uint32_t)(facts->text.len + key.len), (uint32_t)value.len};
	buf_append_str(&facts->text, key);
	buf_append_str(&facts->text, value);
	buf_append_char(&facts->text, '\0'); // so that text.at is there even for empty facts
}

static int compare(const void *a, const void *b, void *text) {
	const struct fact *first = a, *second = b;
	const char *at = text;
	int order = str_compare(str_range(at + first->key_at, first->key_len),
		str_range(at + second->key_at, second->key_len));
	return order ? order : first->key_at < second->key_at ? -1 : 1;
}

void facts_sort(struct facts *facts) {
	if (!facts->n) {
		return;
	}
	qsort_r(facts->items, facts->n, sizeof(*facts->items), compare, facts->text.at);
	size_t kept = 1;
	for (size_t i = 1; i < facts->n; i++) {
		if (!str_equal(facts_key(facts, i), facts_key(facts, kept - 1))) {
			facts->items[kept++] = facts->items[i];
		}
	}
	facts->n = kept;
}

struct str facts_find(const struct facts *facts, struct str key) {
	size_t low = 0, high = facts->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_compare(facts_key(facts, middle), key);
		if (order == 0) {
			return facts_value(facts, middle);
		}
		low = order < 0 ? middle + 1 : low;
		high = order < 0 ? high : middle;
	}
	return (struct str){NULL, 0};
}

static void add_change(struct fact_changes *changes, struct fact_change change) {
	if (changes->n == changes->cap) {
		changes->cap = changes->cap ? changes->cap * 2 : 16;
		changes->items = xreallocarray(
			changes->items, changes->cap, sizeof(*changes->items));
	}
	changes->items[changes->n++] = change;
}

void facts_diff(const struct facts *before, const struct facts *after, struct fact_changes *out) {
	const struct str none = {NULL, 0};
	size_t i = 0, j = 0;
	while (i < before->n || j < after->n) {
		int order = i == before->n ? 1
			: j == after->n	   ? -1
					   : str_compare(facts_key(before, i), facts_key(after, j));
		if (order < 0) {
			add_change(out,
				(struct fact_change){
					facts_key(before, i), facts_value(before, i), none});
		} else if (order > 0) {
			add_change(out,
				(struct fact_change){
					facts_key(after, j), none, facts_value(after, j)});
		} else if (!str_equal(facts_value(before, i), facts_value(after, j))) {
			add_change(out,
				(struct fact_change){facts_key(after, j), facts_value(before, i),
					facts_value(after, j)});
		}
		i += order <= 0;
		j += order >= 0;
	}
}

void fact_changes_finish(struct fact_changes *changes) {
	free(changes->items);
	*changes = (struct fact_changes){0};
}
