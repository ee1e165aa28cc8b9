// SPDX-License-Identifier: Apache-2.0
// An event as the payload of a journal record, little-endian:
//
//	u8 version (1) · u8 trace flags · u16 depth · u32 generation · 16 trace id · 8 span id
//	then kind, source, subject, key, attributes, each u32 length + bytes (attributes: JSON)
//
// Sequence, cause and time are the record's own. Everything is checked on reading: a journal is
// bytes from a disk.
#include <string.h>

#include "flow/event.h"

#define HEAD_LEN 32
#define VERSION 1

static void put_u16(char *at, uint16_t value) {
	at[0] = (char)value;
	at[1] = (char)(value >> 8);
}

static void put_u32(char *at, uint32_t value) {
	put_u16(at, (uint16_t)value);
	put_u16(at + 2, (uint16_t)(value >> 16));
}

static uint32_t get_u32(const char *at) {
	const unsigned char *u = (const unsigned char *)at;
	return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

static void put_text(struct buf *out, struct str text) {
	put_u32(buf_reserve(out, 4), (uint32_t)text.len);
	out->len += 4;
	buf_append_str(out, text);
}

void event_encode(const struct event *event, struct buf *out) {
	char *head = buf_reserve(out, HEAD_LEN);
	head[0] = VERSION;
	head[1] = (char)event->trace.flags;
	put_u16(head + 2, event->depth > UINT16_MAX ? UINT16_MAX : (uint16_t)event->depth);
	put_u32(head + 4, (uint32_t)event->generation);
	memcpy(head + 8, event->trace.trace_id, 16);
	memcpy(head + 24, event->trace.span_id, 8);
	out->len += HEAD_LEN;
	put_text(out, event->kind);
	put_text(out, event->source);
	put_text(out, event->subject);
	put_text(out, event->key);
	size_t at = out->len;
	put_text(out, STR(""));
	json_format(out, &event->attributes);
	put_u32(out->at + at, (uint32_t)(out->len - at - 4));
}

static bool get_text(struct str *rest, struct str *out) {
	if (rest->len < 4) {
		return false;
	}
	uint32_t len = get_u32(rest->at);
	*rest = str_skip(*rest, 4);
	if (len > rest->len) {
		return false;
	}
	*out = str_head(*rest, len);
	*rest = str_skip(*rest, len);
	return true;
}

bool event_peek_kind(struct str payload, struct str *out) {
	if (payload.len < HEAD_LEN || payload.at[0] != VERSION) {
		return false;
	}
	struct str rest = str_skip(payload, HEAD_LEN);
	return get_text(&rest, out);
}

struct event *event_decode(const struct record *record, struct err *err) {
	struct str kind, source, subject, key, attributes;
	if (record->type != RECORD_EVENT || !event_peek_kind(record->payload, &kind)) {
		err_set(err, ERR_INVALID, "record %llu is not an event",
			(unsigned long long)record->sequence);
		return NULL;
	}
	const char *head = record->payload.at;
	struct str rest = str_skip(record->payload, HEAD_LEN);
	if (!get_text(&rest, &kind) || !get_text(&rest, &source) || !get_text(&rest, &subject) ||
		!get_text(&rest, &key) || !get_text(&rest, &attributes) || rest.len) {
		err_set(err, ERR_INVALID, "the event in record %llu is cut off",
			(unsigned long long)record->sequence);
		return NULL;
	}
	struct event *event = event_create_str(kind, source, subject);
	event->key = arena_copy_str(event->arena, key);
	const struct value *value = json_parse(
		event->arena, arena_copy_str(event->arena, attributes), JSON_DEPTH, err);
	if (!value || value->type != VALUE_TABLE) {
		if (value) {
			err_set(err, ERR_INVALID, "the attributes in record %llu are not an object",
				(unsigned long long)record->sequence);
		}
		event_unref(event);
		return NULL;
	}
	event->attributes = *value;
	event->id = record->sequence;
	event->cause = record->cause;
	event->time_ns = record->time_ns;
	event->trace.flags = (uint8_t)head[1];
	event->depth = (uint32_t)(get_u32(head) >> 16);
	event->generation = get_u32(head + 4);
	memcpy(event->trace.trace_id, head + 8, 16);
	memcpy(event->trace.span_id, head + 24, 8);
	return event;
}
