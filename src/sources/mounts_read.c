// SPDX-License-Identifier: Apache-2.0
// Reading /proc/self/mountinfo; see mounts_read.h.
#include "sources/mounts_read.h"

#include "io/fs.h"

#define TABLE_MAX (32 * 1024 * 1024) // 100,000 mounts, which is the kernel's limit
#define FIELD_MAX 4096		     // PATH_MAX

static bool is_octal(char c) {
	return c >= '0' && c <= '7';
}

// "\040" is a space: the kernel escapes blanks, newlines and backslashes. A newline stays escaped:
// it separates the fields of a fact.
static void append_decoded(struct buf *out, struct str raw) {
	raw = str_head(raw, FIELD_MAX);
	for (size_t i = 0; i < raw.len; i++) {
		bool is_escape = raw.at[i] == '\\' && raw.len - i >= 4 && is_octal(raw.at[i + 1]) &&
			is_octal(raw.at[i + 2]) && is_octal(raw.at[i + 3]);
		int code = is_escape ? (raw.at[i + 1] - '0') << 6 | (raw.at[i + 2] - '0') << 3 |
				(raw.at[i + 3] - '0')
				     : 0;
		if (code > 0 && code < 256 && code != '\n') {
			buf_append_char(out, (char)code);
			i += 3;
		} else {
			buf_append_char(out, raw.at[i]);
		}
	}
}

static bool has_option(struct str options, const char *name) {
	struct str option;
	while (str_split(&options, ',', &option)) {
		if (str_is(option, name)) {
			return true;
		}
	}
	return false;
}

// id parent major:minor root point options [optional …] - type device superoptions
static bool parse_line(struct str line, struct buf *value, struct str *id) {
	struct str head[6], tail[3], field = {NULL, 0};
	struct str rest = line;
	for (size_t i = 0; i < 6; i++) {
		if (!str_split(&rest, ' ', &head[i])) {
			return false;
		}
	}
	while (str_split(&rest, ' ', &field) && !str_is(field, "-")) {
	}
	if (!str_is(field, "-")) {
		return false;
	}
	for (size_t i = 0; i < 3; i++) {
		if (!str_split(&rest, ' ', &tail[i])) {
			return false;
		}
	}
	*id = head[0];
	buf_clear(value);
	append_decoded(value, head[4]);
	buf_append_char(value, '\n');
	append_decoded(value, tail[1]);
	buf_append_char(value, '\n');
	append_decoded(value, tail[0]);
	bool is_readonly = has_option(head[5], "ro") || has_option(tail[2], "ro");
	buf_append_text(value, is_readonly ? "\nro\n" : "\nrw\n");
	append_decoded(value, head[5]);
	buf_append_char(value, ' ');
	append_decoded(value, tail[2]);
	return true;
}

void mounts_parse(struct str text, struct facts *out) {
	struct buf value = BUF_INIT;
	struct str line, id;
	while (text.len && str_split(&text, '\n', &line)) {
		if (parse_line(line, &value, &id)) {
			facts_add(out, id, buf_str(&value));
		}
	}
	buf_finish(&value);
}

void mounts_read(const char *path, struct facts *out, struct buf *trouble) {
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	if (fs_read_file(fs_system(), path, TABLE_MAX, &text, &err)) {
		mounts_parse(buf_str(&text), out);
	} else {
		buf_append_text(trouble, err.message);
	}
	buf_finish(&text);
}

void mount_split(struct str value, struct mount *out) {
	*out = (struct mount){0};
	(void)str_split(&value, '\n', &out->point);
	(void)str_split(&value, '\n', &out->device);
	(void)str_split(&value, '\n', &out->type);
	(void)str_split(&value, '\n', &out->mode);
	out->options = value;
}
