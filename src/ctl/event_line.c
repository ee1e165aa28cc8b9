// SPDX-License-Identifier: Apache-2.0
// Events as lines; see event_line.h. Widths are fixed, since lines come one by one.
#include "ctl/event_line.h"

#include "ctl/fields.h"

#define ID_WIDTH 7
#define KIND_WIDTH 18
// A longer value is cut in the middle of a line on a terminal only.
#define TIME_WIDTH 12

// Blanks and quotes in a value would make it look like two; then it is quoted as JSON does it.
static void append_value(struct buf *out, const struct value *value) {
	struct buf text = BUF_INIT;
	bool must_quote = false;
	if (value->type == VALUE_STRING) {
		must_quote = value->string.len == 0;
		for (size_t i = 0; i < value->string.len; i++) {
			char c = value->string.at[i];
			must_quote = must_quote || c == ' ' || c == '"' || c == '=';
		}
	}
	field_format(&text, value);
	buf_append_text(out, must_quote ? "\"" : "");
	text_sanitise(out, buf_str(&text));
	buf_append_text(out, must_quote ? "\"" : "");
	buf_finish(&text);
}

static bool is_left_out(struct str key, const char *const *left_out) {
	for (; left_out && *left_out; left_out++) {
		if (str_is(key, *left_out)) {
			return true;
		}
	}
	return false;
}

// How it went comes before how it came to that.
static bool is_outcome(const struct member *member) {
	return str_is(member->key, "ok") || str_is(member->key, "exit_status") ||
		str_is(member->key, "signal") || str_is(member->key, "timed_out") ||
		(str_is(member->key, "error") && member->value.type == VALUE_STRING &&
			member->value.string.len > 0);
}

static void append_attributes(struct buf *out, const struct value *event,
	const char *const *left_out, bool wants_outcome, const char **gap) {
	const struct value *attributes = value_get(event, STR("attributes"));
	struct str subject = field_str(event, "subject");
	size_t n = attributes && attributes->type == VALUE_TABLE ? attributes->table.n : 0;
	for (size_t i = 0; i < n; i++) {
		const struct member *member = &attributes->table.members[i];
		bool is_text = member->value.type == VALUE_STRING;
		// The subject once is enough: host.filesystem /var mount=/var says it twice.
		if (is_outcome(member) != wants_outcome || is_left_out(member->key, left_out) ||
			(is_text && str_equal(member->value.string, subject))) {
			continue;
		}
		buf_append_text(out, *gap);
		text_sanitise(out, member->key);
		buf_append_char(out, '=');
		append_value(out, &member->value);
		*gap = " ";
	}
}

void event_format_detail(struct buf *out, const struct value *event, const char *const *left_out) {
	struct str subject = field_str(event, "subject");
	const char *gap = "";
	if (subject.len > 0) {
		text_sanitise(out, subject);
		gap = "  ";
	}
	append_attributes(out, event, left_out, true, &gap);
	append_attributes(out, event, left_out, false, &gap);
}

static enum style style_of_kind(struct str kind) {
	if (str_ends(kind, STR(".gap")) || str_ends(kind, STR(".refused")) ||
		str_ends(kind, STR(".rejected"))) {
		return STYLE_WARN;
	}
	return STYLE_PLAIN;
}

static void print_padded(
	struct output *output, enum style style, struct str text, size_t width, bool is_right) {
	struct buf clean = BUF_INIT;
	size_t used;
	text_sanitise(&clean, text);
	used = text_width(buf_str(&clean));
	if (is_right && used < width) {
		output_pad(output, width - used);
	}
	output_style(output, style, buf_str(&clean));
	if (!is_right && used < width) {
		output_pad(output, width - used);
	}
	buf_finish(&clean);
}

static void print_gap(struct output *output, const struct value *gap) {
	struct buf text = BUF_INIT;
	buf_appendf(&text, "events %lld to %lld are lost: %" STR_FMT,
		(long long)field_int(gap, "from", 0), (long long)field_int(gap, "to", 0),
		STR_ARG(field_str(gap, "reason")));
	output_pad(output, TIME_WIDTH + ID_WIDTH + 4);
	output_style(output, STYLE_WARN, buf_str(&text));
	output_text(output, "\n");
	buf_finish(&text);
}

// Of little use to a person, and in the way on a line that must be short.
static const char *const bookkeeping[] = {
	"guards", "key", "attempt", "class", "cpu_us", "max_rss_bytes", NULL};

void event_print_line(struct output *output, const struct value *event, int64_t now_wall_ns) {
	const struct value *gap = value_get(event, STR("gap"));
	struct buf text = BUF_INIT, cut = BUF_INIT;
	struct str kind = field_str(event, "kind");
	size_t used = TIME_WIDTH + 2 + ID_WIDTH + 2 + 2;
	if (gap) {
		print_gap(output, gap);
		return;
	}
	text_clock(&text, field_time(event, "time"), now_wall_ns);
	output_style(output, STYLE_DIM, buf_str(&text));
	output_text(output, "  ");
	buf_clear(&text);
	buf_append_int64(&text, field_int(event, "id", 0));
	print_padded(output, STYLE_PLAIN, buf_str(&text), ID_WIDTH, true);
	output_text(output, "  ");
	print_padded(output, style_of_kind(kind), kind, KIND_WIDTH, false);
	used += text_width(kind) > KIND_WIDTH ? text_width(kind) : KIND_WIDTH;
	buf_clear(&text);
	event_format_detail(&text, event, output->columns ? bookkeeping : NULL);
	if (text.len > 0) {
		size_t room = output->columns > used ? output->columns - used : 1;
		text_fit(&cut, buf_str(&text), output->columns ? room : SIZE_MAX, output->is_utf8);
		output_text(output, "  ");
		buf_append_str(&output->buf, buf_str(&cut));
	}
	output_text(output, "\n");
	buf_finish(&text);
	buf_finish(&cut);
}
