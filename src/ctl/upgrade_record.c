// SPDX-License-Identifier: Apache-2.0
// The record as one JSON object; see upgrade_record.h.
#include "ctl/upgrade_record.h"

#include <errno.h>

#include "ctl/fields.h"
#include "formats/json.h"
#include "io/draft.h"

#define FORMAT 1
#define RECORD_MAX 65536

static const char *const names[] = {"none", "keeping", "installing", "verifying", "returning"};

const char *upgrade_phase_name(enum upgrade_phase phase) {
	return names[phase];
}

bool release_parse(struct str said, struct arena *arena, struct release *out) {
	struct str first, name, number;
	if (!str_split(&said, '\n', &first) || !str_word(&first, &name) || !str_is(name, "annad") ||
		!str_word(&first, &number)) {
		return false;
	}
	struct str build = str_trim(first);
	if (!str_starts(build, STR("(build ")) || !str_ends(build, STR(")"))) {
		return false;
	}
	out->number = arena_copy_str(arena, number);
	out->build = arena_copy_str(arena, str_head(str_skip(build, 7), build.len - 8));
	return true;
}

static void write_release(struct json_writer *w, const char *key, const struct release *release) {
	json_key(w, key);
	json_begin_object(w);
	json_member_str(w, "package", release->package);
	json_member_str(w, "number", release->number);
	json_member_str(w, "build", release->build);
	json_end_object(w);
}

bool upgrade_record_write(
	struct fs *fs, const char *path, const struct upgrade_record *record, struct err *err) {
	struct buf text = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &text);
	json_begin_object(&w);
	json_member_int(&w, "format", FORMAT);
	json_member_text(&w, "phase", names[record->phase]);
	write_release(&w, "from", &record->from);
	write_release(&w, "to", &record->to);
	json_member_int(&w, "event", record->event);
	json_member_str(&w, "reason", record->reason);
	json_end_object(&w);
	buf_append_char(&text, '\n');
	bool is_written = draft_replace(fs, path, buf_str(&text), err);
	buf_finish(&text);
	return is_written;
}

static struct release read_release(const struct value *value) {
	return (struct release){.package = field_str(value, "package"),
		.number = field_str(value, "number"),
		.build = field_str(value, "build")};
}

bool upgrade_record_read(struct fs *fs, const char *path, struct arena *arena,
	struct upgrade_record *out, struct err *err) {
	struct buf text = BUF_INIT;
	struct fs_stat stat;
	*out = (struct upgrade_record){.phase = PHASE_NONE};
	if (fs->stat(fs, path, &stat) == -ENOENT) {
		return true;
	}
	if (!fs_read_file(fs, path, RECORD_MAX, &text, err)) {
		buf_finish(&text);
		return false;
	}
	const struct value *value = json_parse(
		arena, arena_copy_str(arena, buf_str(&text)), 4, NULL);
	buf_finish(&text);
	struct str phase = field_str(value, "phase");
	enum upgrade_phase found = PHASE_NONE;
	for (enum upgrade_phase i = PHASE_KEEPING; i <= PHASE_RETURNING; i++) {
		found = str_is(phase, names[i]) ? i : found;
	}
	if (found == PHASE_NONE || field_int(value, "format", 0) != FORMAT) {
		return err_set(err, ERR_STORAGE, "%s is not a record of an upgrade", path);
	}
	*out = (struct upgrade_record){.phase = found,
		.from = read_release(value_get(value, STR("from"))),
		.to = read_release(value_get(value, STR("to"))),
		.event = field_int(value, "event", 0),
		.reason = field_str(value, "reason")};
	return true;
}
