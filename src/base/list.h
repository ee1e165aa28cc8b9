// SPDX-License-Identifier: Apache-2.0
// An intrusive doubly linked ring. The head is a node too: list_init(&head) is the empty list.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

// The struct that holds this node as its `member`.
#define list_item(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
// Walks the list; `node` may be removed during its own turn.
#define list_for_each(node, head) \
	for (struct list *node = (head)->next, *next_##node = node->next; node != (head); \
		node = next_##node, next_##node = node->next)

static inline void list_init(struct list *head) {
	head->next = head->prev = head;
}
static inline bool list_is_empty(const struct list *head) {
	return head->next == head;
}
static inline void list_add_last(struct list *head, struct list *node) {
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}
static inline void list_add_first(struct list *head, struct list *node) {
	list_add_last(head->next, node);
}
// Takes the node out and leaves it an empty list of its own, so removing twice is harmless.
static inline void list_remove(struct list *node) {
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}
