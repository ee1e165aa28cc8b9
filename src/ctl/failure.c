// SPDX-License-Identifier: Apache-2.0
// Failures as people and programs read them; see failure.h. Text that came from the daemon is
// sanitised when printed, never trusted to be free of terminal escapes.
#include "ctl/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "ctl/diagnose.h"
#include "ctl/fields.h"
#include "ctl/output.h"
#include "formats/json.h"

bool failure_set(struct failure *failure, enum err_code code, const char *format, ...) {
	va_list args;
	*failure = (struct failure)FAILURE_INIT;
	failure->err.code = code;
	failure->is_retryable = err_row(code)->retryable;
	va_start(args, format);
	vsnprintf(failure->err.message, sizeof(failure->err.message), format, args);
	va_end(args);
	return false;
}

bool failure_from_err(struct failure *failure, const struct err *err) {
	return failure_set(failure, err->code, "%s", err->message);
}

static void copy_text(char *out, size_t size, const struct value *text) {
	if (text && text->type == VALUE_STRING) {
		snprintf(out, size, "%" STR_FMT, STR_ARG(str_head(text->string, size - 1)));
	}
}

bool failure_from_answer(struct failure *failure, const struct value *error) {
	const struct value *code = value_get(error, STR("code"));
	const struct value *detail = value_get(error, STR("data"));
	const struct value *retryable = value_get(detail, STR("retryable"));
	const struct value *retry_after = value_get(detail, STR("retry_after_ms"));
	int rpc_code = code && code->type == VALUE_INT ? (int)code->integer : 0;

	failure_set(failure, err_from_rpc(rpc_code), "the daemon refused without a reason");
	failure->rpc_code = rpc_code;
	copy_text(failure->err.message, sizeof(failure->err.message),
		value_get(error, STR("message")));
	copy_text(failure->name, sizeof(failure->name), value_get(detail, STR("name")));
	copy_text(failure->next, sizeof(failure->next), value_get(detail, STR("hint")));
	failure->problems = value_get(detail, STR("problems"));
	if (retryable && retryable->type == VALUE_BOOL) {
		failure->is_retryable = retryable->boolean;
	}
	if (retry_after && retry_after->type == VALUE_INT && retry_after->integer > 0 &&
		retry_after->integer < 60 * 1000) {
		failure->retry_after_ms = (int)retry_after->integer;
	}
	return false;
}

bool failure_set_next(struct failure *failure, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(failure->next, sizeof(failure->next), format, args);
	va_end(args);
	return false;
}

int failure_exit_status(const struct failure *failure) {
	return failure->exit_status ? failure->exit_status
				    : err_row(failure->err.code)->exit_status;
}

const char *failure_name(const struct failure *failure) {
	return failure->name[0] ? failure->name : err_row(failure->err.code)->name;
}

const char *failure_next(const struct failure *failure) {
	return failure->next[0] ? failure->next : err_row(failure->err.code)->hint;
}

static void format_json(
	struct buf *out, const struct failure *failure, const struct diagnosis *diagnosis) {
	const struct err_row *row = err_row(failure->err.code);
	struct json_writer w;
	json_writer_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "error");
	json_begin_object(&w);
	json_member_int(&w, "code", failure->rpc_code ? failure->rpc_code : row->rpc_code);
	json_member_text(&w, "name", failure_name(failure));
	json_member_text(&w, "message", failure->err.message);
	json_member_text(&w, "where", failure->where[0] ? failure->where : NULL);
	json_member_text(&w, "hint", failure_next(failure));
	json_member_bool(&w, "retryable", failure->is_retryable);
	json_member_int(&w, "exit_status", failure_exit_status(failure));
	if (failure->problems) {
		json_key(&w, "problems");
		json_value(&w, failure->problems);
	}
	if (diagnosis) {
		json_key(&w, "diagnosis");
		diagnosis_format_json(diagnosis, &w);
	}
	json_end_object(&w);
	json_end_object(&w);
}

// "file:line:column: error: message", one a line, as compilers and editors know it.
void print_problems(struct output *output, const struct value *problems) {
	for (size_t i = 0; i < field_count(problems); i++) {
		const struct value *problem = field_item(problems, i);
		struct buf place = BUF_INIT;
		bool is_warning = str_is(field_str(problem, "severity"), "warning");
		if (field_str(problem, "file").len > 0) {
			buf_appendf(&place,
				"%" STR_FMT ":%lld:%lld: ", STR_ARG(field_str(problem, "file")),
				(long long)field_int(problem, "line", 0),
				(long long)field_int(problem, "column", 0));
		}
		output_text(output, "  ");
		output_str(output, buf_str(&place));
		output_style(output, is_warning ? STYLE_WARN : STYLE_BAD,
			is_warning ? STR("warning:") : STR("error:"));
		output_wrapped(output, field_str(problem, "message"),
			text_width(buf_str(&place)) + (is_warning ? 11 : 9), 4);
		buf_finish(&place);
	}
}

// The first line, then the others under it; with a list of problems these repeat what it says.
static void print_message(struct output *output, const struct failure *failure) {
	struct str rest = str_from(failure->err.message), line;
	bool is_first = true;
	while (str_split(&rest, '\n', &line)) {
		line = str_trim(line);
		if (is_first) {
			if (failure->problems && str_ends(line, STR(":"))) {
				line = str_head(line, line.len - 1);
			}
			output_wrapped(output, line, 9, 2);
		} else if (!failure->problems && line.len > 0) {
			output_text(output, "  ");
			output_wrapped(output, line, 2, 4);
		}
		is_first = false;
	}
}

void failure_print(const struct failure *failure, const struct diagnosis *diagnosis,
	const struct output *output) {
	struct output errors;
	output_init_errors(&errors, output);
	if (output->is_json) {
		struct buf json = BUF_INIT;
		format_json(&json, failure, diagnosis);
		output_json_line(&errors, buf_str(&json));
		buf_finish(&json);
	} else {
		output_style(&errors, STYLE_BAD, STR("annactl:"));
		print_message(&errors, failure);
		if (failure->where[0] && !diagnosis) { // a diagnosis names it too
			output_text(&errors, "  ");
			output_wrapped(&errors, str_from(failure->where), 2, 2);
		}
		print_problems(&errors, failure->problems);
		if (diagnosis) {
			diagnosis_format(diagnosis, &errors);
		}
		if (failure_next(failure)[0]) { // some messages say it all
			output_text(&errors, "  next:");
			output_wrapped(&errors, str_from(failure_next(failure)), 8, 8);
		}
	}
	(void)output_flush(&errors); // stderr is gone: nobody is left to tell
	output_finish(&errors);
}
