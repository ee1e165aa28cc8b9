// SPDX-License-Identifier: Apache-2.0
// What is different between two snapshots. Equal fill hashes end the comparison at once, so the
// cost follows the size of the change; equal parts with different hashes (a default written out)
// are compared and found equal.
#include "config/snapshot_parts.h"

#include "base/map.h"

#define MOVED_SHOWN 10 // names told when the order of a list has changed

struct diff {
	struct arena *arena;
	struct change *items;
	size_t n;
	size_t cap;
	bool needs_restart; // of all that is inside the row at hand
};

// The items of a list, from either side.
struct side {
	const char *items;
	size_t n;
	const uint64_t *hashes; // or NULL
};

// A list as both sides have it.
struct pairing {
	const struct option *rows;
	size_t item_size;
	struct side a, b;
};

static void add(struct diff *diff, const struct buf *path, const char *before, const char *after,
	bool needs_restart) {
	if (diff->n == diff->cap) {
		size_t cap = diff->cap ? diff->cap * 2 : 8;
		struct change *items = arena_array(diff->arena, cap, sizeof(*items));
		if (diff->n) {
			memcpy(items, diff->items, diff->n * sizeof(*items));
		}
		diff->items = items;
		diff->cap = cap;
	}
	diff->items[diff->n++] = (struct change){arena_copy(diff->arena, buf_str(path)), before,
		after, needs_restart || diff->needs_restart};
}

static void cut(struct buf *path, size_t len) {
	path->len = len;
	path->at[len] = '\0';
}

static const char *text_of(struct diff *diff, const struct option *row, const void *field) {
	struct buf text = BUF_INIT;
	option_format_value(row, field, &text);
	const char *copy = text.len ? arena_copy(diff->arena, buf_str(&text)) : NULL;
	buf_finish(&text);
	return copy;
}

static const char *inline_of(struct diff *diff, const struct option *rows, const void *config) {
	struct buf text = BUF_INIT;
	option_format_inline(rows, config, &text);
	const char *copy = arena_copy(diff->arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

static void diff_rows(struct diff *diff, const struct option *rows, const void *a, const void *b,
	struct buf *path);

static const void *item_at(const struct pairing *pair, const struct side *side, size_t i) {
	return side->items + i * pair->item_size;
}

static bool items_equal(const struct pairing *pair, size_t i, size_t j) {
	if (pair->a.hashes && pair->b.hashes && pair->a.hashes[i] == pair->b.hashes[j]) {
		return true;
	}
	return option_equal(pair->rows, item_at(pair, &pair->a, i), item_at(pair, &pair->b, j));
}

static void diff_item(
	struct diff *diff, const struct pairing *pair, size_t i, size_t j, struct buf *path) {
	if (items_equal(pair, i, j)) {
		return;
	}
	size_t len = path->len;
	option_format_index(pair->rows, item_at(pair, &pair->b, j), j, path);
	diff_rows(diff, pair->rows, item_at(pair, &pair->a, i), item_at(pair, &pair->b, j), path);
	cut(path, len);
}

static void add_whole(struct diff *diff, const struct pairing *pair, const struct side *side,
	size_t i, struct buf *path) {
	size_t len = path->len;
	const void *item = item_at(pair, side, i);
	const char *text = inline_of(diff, pair->rows, item);
	bool is_new = side == &pair->b;
	option_format_index(pair->rows, item, i, path);
	add(diff, path, is_new ? NULL : text, is_new ? text : NULL, false);
	cut(path, len);
}

// The key an item is matched by: its name, or its number where it has none.
static struct str item_key(
	struct diff *diff, const struct pairing *pair, const struct side *side, size_t i) {
	const struct option *row = option_name_row(pair->rows);
	const struct str *name = row ? option_field_const(row, item_at(pair, side, i)) : NULL;
	return name && name->len ? *name : str_from(arena_printf(diff->arena, "\n%zu", i));
}

// Which items, of those on both sides, stand in another order: their names, old and new.
static void add_order(struct diff *diff, const struct pairing *pair, const size_t *matches,
	size_t first, size_t end, struct buf *path) {
	bool *is_kept = arena_array(diff->arena, pair->a.n, sizeof(bool));
	size_t highest = 0;
	bool is_moved = false;
	for (size_t j = first; j < end; j++) {
		if (matches[j]) { // the number in a, plus 1
			is_moved |= matches[j] < highest;
			highest = matches[j] > highest ? matches[j] : highest;
			is_kept[matches[j] - 1] = true;
		}
	}
	if (!is_moved) {
		return;
	}
	struct buf texts[2] = {BUF_INIT, BUF_INIT};
	for (int which = 0; which < 2; which++) {
		const struct side *side = which ? &pair->b : &pair->a;
		size_t shown = 0;
		for (size_t i = 0; i < side->n; i++) {
			bool is_common = which ? i >= first && i < end && matches[i] : is_kept[i];
			if (!is_common || shown++ >= MOVED_SHOWN) {
				continue;
			}
			struct value name = value_of_string(item_key(diff, pair, side, i));
			struct buf one = BUF_INIT;
			option_format_value(
				&(struct option){.type = OPTION_STRING}, &name.string, &one);
			buf_appendf(&texts[which], "%s%s", shown > 1 ? ", " : "[", buf_text(&one));
			buf_finish(&one);
		}
		buf_append_text(&texts[which], shown > MOVED_SHOWN ? ", ...]" : "]");
	}
	size_t len = path->len;
	buf_append_text(path, ".order");
	add(diff, path, arena_copy(diff->arena, buf_str(&texts[0])),
		arena_copy(diff->arena, buf_str(&texts[1])), false);
	cut(path, len);
	buf_finish(&texts[0]);
	buf_finish(&texts[1]);
}

// The middle of two lists, by name: what a and b have in common at both ends has been left out.
static void diff_middle(struct diff *diff, const struct pairing *pair, size_t first, size_t end_a,
	size_t end_b, struct buf *path) {
	struct map numbers = MAP_INIT;
	size_t *matches = arena_array(diff->arena, pair->b.n, sizeof(size_t));
	bool *is_matched = arena_array(diff->arena, pair->a.n, sizeof(bool));
	for (size_t i = first; i < end_a; i++) {
		map_put(&numbers, item_key(diff, pair, &pair->a, i), (void *)(i + 1));
	}
	for (size_t j = first; j < end_b; j++) {
		matches[j] = (size_t)map_get(&numbers, item_key(diff, pair, &pair->b, j));
		if (matches[j]) {
			is_matched[matches[j] - 1] = true;
		}
	}
	map_finish(&numbers);
	for (size_t i = first; i < end_a; i++) {
		if (!is_matched[i]) {
			add_whole(diff, pair, &pair->a, i, path);
		}
	}
	for (size_t j = first; j < end_b; j++) {
		if (matches[j]) {
			diff_item(diff, pair, matches[j] - 1, j, path);
		} else {
			add_whole(diff, pair, &pair->b, j, path);
		}
	}
	add_order(diff, pair, matches, first, end_b, path);
}

static void diff_list(struct diff *diff, const struct pairing *pair, struct buf *path) {
	size_t first = 0, end_a = pair->a.n, end_b = pair->b.n;
	while (first < end_a && first < end_b && items_equal(pair, first, first)) {
		first++;
	}
	while (end_a > first && end_b > first && items_equal(pair, end_a - 1, end_b - 1)) {
		end_a--;
		end_b--;
	}
	if (first < end_a || first < end_b) {
		diff_middle(diff, pair, first, end_a, end_b, path);
	}
}

static void diff_tagged(struct diff *diff, const struct option *row, const struct tagged *a,
	const struct tagged *b, struct buf *path) {
	if (a->variant && a->variant == b->variant) {
		diff_rows(diff, a->variant->rows, a->config, b->config, path);
	} else {
		add(diff, path, text_of(diff, row, a), text_of(diff, row, b), false);
	}
}

static void diff_row(struct diff *diff, const struct option *row, const void *a, const void *b,
	struct buf *path) {
	const struct item_list *list_a = a, *list_b = b;
	if (row->is_secret) {
		// That it changed is told, never what it was.
		add(diff, path, text_of(diff, row, a), text_of(diff, row, b), false);
		return;
	}
	switch (row->type) {
	case OPTION_TABLE:
		diff_rows(diff, row->rows, a, b, path);
		break;
	case OPTION_TAGGED:
		diff_tagged(diff, row, a, b, path);
		break;
	case OPTION_LIST:
		diff_list(diff,
			&(struct pairing){row->rows, row->item_size,
				{list_a->items, list_a->n, NULL}, {list_b->items, list_b->n, NULL}},
			path);
		break;
	default:
		add(diff, path, text_of(diff, row, a), text_of(diff, row, b), false);
		break;
	}
}

static void diff_rows(struct diff *diff, const struct option *rows, const void *a, const void *b,
	struct buf *path) {
	size_t len = path->len;
	bool outer = diff->needs_restart;
	for (const struct option *row = rows; row->type; row++) {
		const void *field_a = option_field_const(row, a);
		const void *field_b = option_field_const(row, b);
		if (option_field_equal(row, field_a, field_b)) {
			continue;
		}
		buf_appendf(path, ".%s", row->key);
		diff->needs_restart = outer || row->apply == APPLY_RESTART;
		diff_row(diff, row, field_a, field_b, path);
		diff->needs_restart = outer;
		cut(path, len);
	}
}

static struct side side_of(const struct part *part) {
	return (struct side){part->list.items, part->list.n, part->hashes};
}

void snapshot_diff(const struct snapshot *before, const struct snapshot *after, struct arena *arena,
	struct changes *out) {
	assert(before->schema == after->schema);
	struct diff diff = {.arena = arena};
	struct buf path = BUF_INIT;
	for (size_t i = 0; i < before->schema->section_count; i++) {
		const struct section *section = before->schema->sections[i];
		const struct part *a = &before->parts[i], *b = &after->parts[i];
		if (a->hash == b->hash) {
			continue;
		}
		buf_clear(&path);
		buf_append_text(&path, section->name);
		if (section->is_list) {
			diff_list(&diff,
				&(struct pairing){
					section->rows, section->size, side_of(a), side_of(b)},
				&path);
		} else {
			diff_rows(&diff, section->rows, a->config, b->config, &path);
		}
	}
	buf_finish(&path);
	*out = (struct changes){diff.items, diff.n};
}

bool snapshot_section_equal(
	const struct snapshot *a, const struct snapshot *b, const struct section *section) {
	const struct part *ours = snapshot_part(a, section), *theirs = snapshot_part(b, section);
	if (ours->hash == theirs->hash) {
		return true;
	}
	if (!section->is_list) {
		return option_equal(section->rows, ours->config, theirs->config);
	}
	struct pairing pair = {section->rows, section->size, side_of(ours), side_of(theirs)};
	bool is_equal = pair.a.n == pair.b.n;
	for (size_t i = 0; is_equal && i < pair.a.n; i++) {
		is_equal = items_equal(&pair, i, i);
	}
	return is_equal;
}
