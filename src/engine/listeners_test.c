// SPDX-License-Identifier: Apache-2.0
// The index gives what looking at every mapping would give, in the same order.
#include "engine/listeners.h"

#include "base/alloc.h"
#include "base/random.h"
#include "engine/mapping.h"
#include "tests/check.h"

static const char *const parts[] = {"test.a", "test.b", "test.*", "*", "user.?", "action.*",
	"action.started", "*.a", "mapping.x"};
static const char *const kinds[] = {"test.a", "test.b", "test.c", "user.a", "user.bb",
	"action.started", "action.finished", "mapping.x", "x.a"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAPPINGS 50

static void make_mappings(struct random *random, struct mapping *mappings, struct str (*on)[3]) {
	for (size_t i = 0; i < MAPPINGS; i++) {
		size_t n = 1 + random_below(random, 3);
		for (size_t k = 0; k < n; k++) {
			on[i][k] = str_from(parts[random_below(random, COUNT(parts))]);
		}
		mappings[i] = (struct mapping){
			.on = {on[i], n}, .enabled = random_below(random, 10) != 0};
	}
}

TEST(the_index_agrees_with_a_plain_search) {
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct random random;
		struct mapping mappings[MAPPINGS];
		struct str on[MAPPINGS][3];
		random_init(&random, seed);
		make_mappings(&random, mappings, on);
		struct listeners *listeners = listeners_create(mappings, MAPPINGS);
		for (size_t k = 0; k < COUNT(kinds) * 2; k++) {
			struct str kind = str_from(kinds[k % COUNT(kinds)]);
			const struct match_list *list = listeners_find(listeners, kind);
			uint32_t n = 0;
			for (uint32_t i = 0; i < MAPPINGS; i++) {
				if (mappings[i].enabled && mapping_listens(&mappings[i], kind)) {
					if (n >= list->n || list->items[n] != i) {
						print_error("seed %d\n", (int)seed);
					}
					CHECK(n < list->n);
					CHECK_INT(list->items[n++], i);
				}
			}
			CHECK_INT(list->n, n);
			listeners_done(listeners, list);
		}
		listeners_unref(listeners);
	}
}

TEST(kinds_without_end_do_not_fill_memory_nor_disturb_a_lookup) {
	struct str on[] = {STR_INIT("user.*")};
	struct mapping mapping = {.on = {on, 1}, .enabled = true};
	struct listeners *listeners = listeners_create(&mapping, 1);
	const struct match_list *held = listeners_find(listeners, STR("user.held"));

	for (int i = 0; i < 5000; i++) {
		char kind[32];
		int n = snprintf(kind, sizeof(kind), "user.k%d", i);
		const struct match_list *list = listeners_find(
			listeners, str_range(kind, (size_t)n));
		CHECK_INT(list->n, 1);
		listeners_done(listeners, list);
	}

	CHECK_INT(held->n, 1);
	CHECK_INT(held->items[0], 0);
	listeners_done(listeners, held);
	listeners_unref(listeners);
}

int main(void) {
	return TESTS(RUN(the_index_agrees_with_a_plain_search),
		RUN(kinds_without_end_do_not_fill_memory_nor_disturb_a_lookup));
}
