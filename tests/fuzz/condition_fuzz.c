// SPDX-License-Identifier: Apache-2.0
// A `where` table as someone may write it: TOML text -> compile -> evaluate, explain, observe. What
// is compiled must agree with its own explanation.
#include "engine/condition.h"

#include "formats/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct event *create_event(void) {
	struct event *event = event_create("test.a", "test", STR("subject"));
	event->time_ns = 1767225600 * INT64_C(1000000000);
	event_set_text(event, "mount", "/var");
	event_set_double(event, "used_percent", 41.5);
	event_set_int(event, "level", 3);
	event_set_bool(event, "on", true);
	return event;
}

static void evaluate(const struct condition *condition) {
	struct event *event = create_event();
	struct condition_verdict verdict;
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	condition_explain(condition, event, &verdict);
	if (verdict.holds != condition_holds(condition, event)) {
		abort();
	}
	condition_observed(condition, event, &writer);
	if (!json_parse(event->arena, buf_str(&text), JSON_DEPTH, NULL) ||
		!str_is_utf8(str_from(verdict.guard))) {
		abort();
	}
	buf_finish(&text);
	event_unref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct arena *arena = arena_create();
	struct problems problems = PROBLEMS_INIT;
	const struct value *root = toml_parse(
		arena, "fuzz", str_range((const char *)bytes, n), &problems);
	const struct condition *condition = condition_compile(
		arena, root, (struct place){"fuzz", 1, 1}, &problems);
	if (condition) {
		evaluate(condition);
	}
	problems_finish(&problems);
	arena_destroy(arena);
	return 0;
}
