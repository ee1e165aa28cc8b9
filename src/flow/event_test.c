// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include "flow/event.h"

static struct event *sample(void) {
	struct event *event = event_create("host.filesystem", "host", STR("/var"));
	event_set_text(event, "mount", "/var");
	event_set_double(event, "used_percent", 93.5);
	event_set_int(event, "avail_bytes", INT64_C(9007199254740993));
	event_set_bool(event, "readonly", false);
	event->id = 42;
	event->time_ns = INT64_C(1767225600123456789);
	event->generation = 3;
	memset(event->trace.trace_id, 0xab, 16);
	memset(event->trace.span_id, 0xcd, 8);
	event->trace.flags = 1;
	return event;
}

static char *as_json(const struct event *event) {
	struct buf text = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &text);
	event_format_json(event, &writer);
	return buf_take(&text);
}

TEST(the_public_form_has_the_fields_of_the_contract) {
	struct event *event = sample();

	char *text = as_json(event);

	CHECK_TEXT(text,
		"{\"id\":42,\"time\":\"2026-01-01T00:00:00.123456Z\","
		"\"kind\":\"host.filesystem\",\"source\":\"host\",\"subject\":\"/var\","
		"\"attributes\":{\"mount\":\"/var\",\"used_percent\":93.5,"
		"\"avail_bytes\":9007199254740993,\"readonly\":false},\"cause\":null,"
		"\"trace\":\"00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01\","
		"\"generation\":3}");
	free(text);
	event_unref(event);
}

TEST(an_event_comes_back_from_its_record_as_it_was) {
	struct event *event = sample();
	event->cause = 41;
	event->depth = 2;
	struct buf payload = BUF_INIT;
	event_encode(event, &payload);
	struct record record = {.sequence = 42,
		.cause = 41,
		.time_ns = event->time_ns,
		.type = RECORD_EVENT,
		.payload = buf_str(&payload)};
	struct err err = ERR_INIT;

	struct event *back = event_decode(&record, &err);

	CHECK(back != NULL);
	CHECK_INT(back->depth, 2);
	char *before = as_json(event), *after = as_json(back);
	CHECK_TEXT(after, before);
	free(before);
	free(after);
	event_unref(back);
	event_unref(event);
	buf_finish(&payload);
}

TEST(a_record_cut_at_any_byte_is_refused_and_never_read_beyond) {
	struct event *event = sample();
	struct buf payload = BUF_INIT;
	event_encode(event, &payload);
	struct err err = ERR_INIT;

	for (size_t n = 0; n < payload.len; n++) {
		char *copy = malloc(n + 1);
		memcpy(copy, payload.at, n);
		struct record record = {.sequence = 1, .type = RECORD_EVENT, .payload = {copy, n}};
		struct event *back = event_decode(&record, &err);
		CHECK(back == NULL);
		free(copy);
	}
	event_unref(event);
	buf_finish(&payload);
}

TEST(an_effect_takes_over_cause_depth_and_trace) {
	struct event *cause = sample();
	struct event *effect = event_create("test.effect", "test", STR(""));

	event_set_cause(effect, cause);

	CHECK_INT(effect->cause, 42);
	CHECK_INT(effect->depth, 1);
	CHECK(memcmp(effect->trace.trace_id, cause->trace.trace_id, 16) == 0);
	event_unref(cause);
	event_unref(effect);
}

TEST(fields_and_attributes_are_found_by_name) {
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"kind", "host.filesystem"},
		{"subject", "/var"},
		{"id", "42"},
		{"mount", "/var"},
		{"attributes.mount", "/var"},
		{"used_percent", "93.5"},
		{"readonly", "false"},
		{"time", "2026-01-01T00:00:00.123456Z"},
		{"disk.free", "7"},
	};
	struct event *event = sample();
	struct member member = {.key = STR("free"), .value = value_of_int(7)};
	struct value table = {.type = VALUE_TABLE, .table = {&member, 1}};
	event->id = 0;
	event_set_value(event, "disk", &table);
	event->id = 42;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf text = BUF_INIT;
		CHECK(event_lookup_text(event, str_from(rows[i].name), &text));
		CHECK_TEXT(buf_text(&text), rows[i].text);
		buf_finish(&text);
	}
	struct value none;
	CHECK(!event_lookup(event, STR("nothing"), &none));
	CHECK(!event_lookup(event, STR("disk.none"), &none));
	event_unref(event);
}

TEST(as_many_attributes_as_allowed_are_kept_in_order) {
	struct event *event = event_create("test.many", "test", STR(""));
	char name[8];

	for (int i = 0; i < EVENT_ATTRIBUTES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		event_set_int(event, name, i);
	}

	CHECK_INT(event->attributes.table.n, EVENT_ATTRIBUTES_MAX);
	for (int i = 0; i < EVENT_ATTRIBUTES_MAX; i++) {
		CHECK_INT(event->attributes.table.members[i].value.integer, i);
	}
	event_unref(event);
}

int main(void) {
	return TESTS(RUN(the_public_form_has_the_fields_of_the_contract),
		RUN(an_event_comes_back_from_its_record_as_it_was),
		RUN(a_record_cut_at_any_byte_is_refused_and_never_read_beyond),
		RUN(an_effect_takes_over_cause_depth_and_trace),
		RUN(fields_and_attributes_are_found_by_name),
		RUN(as_many_attributes_as_allowed_are_kept_in_order));
}
