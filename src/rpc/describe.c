// SPDX-License-Identifier: Apache-2.0
// Tables as JSON; see describe.h.
#include "rpc/describe.h"

#include "config/schema.h"

static void write_method(struct json_writer *w, const struct method *method) {
	json_begin_object(w);
	json_member_text(w, "name", method->name);
	json_key(w, "aliases");
	json_begin_array(w);
	for (const char *const *alias = method->aliases; alias && *alias; alias++) {
		json_text(w, *alias);
	}
	json_end_array(w);
	json_member_text(w, "summary", method->summary);
	json_member_text(w, "role", role_name(method->role));
	json_member_bool(w, "idempotent", method->is_idempotent);
	json_member_bool(w, "audited", method->is_audited);
	json_member_text(w, "result", method->result);
	schema_write_options(w, method->params);
	json_end_object(w);
}

void describe_methods(struct json_writer *w, const struct method *const *methods, size_t n) {
	json_begin_array(w);
	for (size_t i = 0; i < n; i++) {
		write_method(w, methods[i]);
	}
	json_end_array(w);
}

void describe_errors(struct json_writer *w) {
	json_begin_array(w);
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		const struct err_row *row = err_row((enum err_code)code);
		json_begin_object(w);
		json_member_int(w, "code", row->rpc_code);
		json_member_text(w, "name", row->name);
		json_member_int(w, "http_status", row->http_status);
		json_member_int(w, "exit_status", row->exit_status);
		json_member_bool(w, "retryable", row->retryable);
		json_member_int(w, "retry_after_ms", row->retry_after_ms);
		json_member_text(w, "text", row->text);
		json_member_text(w, "hint", row->hint);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_kind(struct json_writer *w, const struct kind *kind) {
	json_begin_object(w);
	json_member_text(w, "name", kind->name);
	json_member_text(w, "stream", kind_stream_name(kind->stream));
	json_member_text(w, "help", kind->help);
	json_key(w, "attributes");
	json_begin_array(w);
	for (const struct kind_attribute *a = kind->attributes; a && a->name; a++) {
		json_begin_object(w);
		json_member_text(w, "name", a->name);
		json_member_text(w, "type", a->type);
		json_member_text(w, "unit", a->unit);
		json_member_text(w, "help", a->help);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

void describe_kinds(struct json_writer *w, const struct kinds *kinds) {
	json_begin_array(w);
	for (size_t i = 0; i < kinds_count(kinds); i++) {
		write_kind(w, kinds_get(kinds, i));
	}
	json_end_array(w);
}
