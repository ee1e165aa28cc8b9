// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include "tests/check.h"

struct thing {
	int number;
	struct list node;
};

static int digits_of(struct list *head) {
	int digits = 0;
	list_for_each (node, head) {
		digits = digits * 10 + list_item(node, struct thing, node)->number;
	}
	return digits;
}

TEST(things_stand_in_the_order_they_were_added) {
	struct list head;
	struct thing a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	list_init(&head);
	CHECK(list_is_empty(&head));
	list_add_last(&head, &b.node);
	list_add_last(&head, &c.node);
	list_add_first(&head, &a.node);
	CHECK_INT(digits_of(&head), 123);
}

TEST(a_thing_may_be_removed_during_its_turn) {
	struct list head;
	struct thing things[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
	list_init(&head);
	for (int i = 0; i < 3; i++) {
		list_add_last(&head, &things[i].node);
	}
	list_for_each (node, &head) {
		if (list_item(node, struct thing, node)->number == 2) {
			list_remove(node);
		}
	}
	CHECK_INT(digits_of(&head), 13);
}

TEST(removing_twice_is_harmless) {
	struct list head;
	struct thing a = {.number = 1};
	list_init(&head);
	list_add_last(&head, &a.node);
	list_remove(&a.node);
	list_remove(&a.node);
	CHECK(list_is_empty(&head));
	CHECK(list_is_empty(&a.node));
}

int main(void) {
	return TESTS(RUN(things_stand_in_the_order_they_were_added),
		RUN(a_thing_may_be_removed_during_its_turn), RUN(removing_twice_is_harmless));
}
