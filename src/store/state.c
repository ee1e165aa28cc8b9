// SPDX-License-Identifier: Apache-2.0
// The state file; see state.h. Both generations are whole files at every moment: the old newest is
// renamed to previous before the new newest is renamed into place, and each rename is synced.
#include "store/state.h"

#include <errno.h>

#include "base/crc32c.h"
#include "io/draft.h"

#define STATE_SIZE_MAX (16 * 1024 * 1024)

static void path_in(struct buf *out, const char *folder, const char *name) {
	buf_clear(out);
	buf_appendf(out, "%s/%s", folder, name);
}

// Appends the payload of one file. ERR_NOT_FOUND when there is none.
static bool load(struct fs *fs, const char *path, struct buf *out, struct err *err) {
	_cleanup_(buf_finish) struct buf file = BUF_INIT;
	if (!fs_read_file(fs, path, STATE_SIZE_MAX, &file, err)) {
		return false;
	}
	struct str rest = buf_str(&file), magic, version, sum, length;
	ptrdiff_t line = str_find_char(rest, '\n');
	struct str head = str_head(rest, line < 0 ? 0 : (size_t)line);
	if (line < 0 || !str_word(&head, &magic) || !str_word(&head, &version) ||
		!str_word(&head, &sum) || !str_word(&head, &length) ||
		!str_is(magic, "anna-state")) {
		return err_set(err, ERR_STORAGE, "%s is not a state file", path);
	}
	if (!str_is(version, "1")) {
		return err_set(err, ERR_STORAGE,
			"%s is of format %" STR_FMT ": written by another version", path,
			STR_ARG(version));
	}
	struct str payload = str_skip(rest, (size_t)line + 1);
	uint64_t expected;
	char crc[9];
	(void)snprintf(crc, sizeof(crc), "%08x", crc32c(0, payload.at, payload.len));
	if (!str_to_uint64(length, &expected) || expected != payload.len) {
		return err_set(err, ERR_STORAGE,
			"%s is cut: %zu bytes of payload where it says %" STR_FMT, path,
			payload.len, STR_ARG(length));
	}
	if (!str_is(sum, crc)) {
		return err_set(err, ERR_STORAGE,
			"%s is damaged: checksum %s where it says %" STR_FMT, path, crc,
			STR_ARG(sum));
	}
	buf_append_str(out, payload);
	return true;
}

bool state_save(struct fs *fs, const char *folder, struct str payload, struct err *err) {
	_cleanup_(buf_finish) struct buf newest = BUF_INIT;
	_cleanup_(buf_finish) struct buf previous = BUF_INIT;
	_cleanup_(buf_finish) struct buf content = BUF_INIT;
	if (payload.len > STATE_SIZE_MAX - 64) {
		return err_set(err, ERR_LIMIT, "a state of %zu bytes is too large", payload.len);
	}
	path_in(&newest, folder, "state");
	path_in(&previous, folder, "state.previous");
	// A damaged newest must not push out a whole previous one.
	struct err ignored;
	if (load(fs, buf_text(&newest), &content, &ignored)) {
		int result = fs->rename(fs, buf_text(&newest), buf_text(&previous));
		result = result < 0 ? result : fs->sync_directory(fs, folder);
		if (result < 0) {
			errno = -result;
			return err_errno(
				err, "cannot keep the previous state %s", buf_text(&previous));
		}
	}
	buf_clear(&content);
	buf_appendf(&content, "anna-state %d %08x %zu\n", STATE_FORMAT,
		crc32c(0, payload.at, payload.len), payload.len);
	buf_append_str(&content, payload);
	return draft_replace(fs, buf_text(&newest), buf_str(&content), err);
}

enum state_source state_load(struct fs *fs, const char *folder, struct buf *out, struct err *err) {
	_cleanup_(buf_finish) struct buf path = BUF_INIT;
	struct err newest = ERR_INIT, previous = ERR_INIT;
	path_in(&path, folder, "state");
	if (load(fs, buf_text(&path), out, &newest)) {
		return STATE_NEWEST;
	}
	path_in(&path, folder, "state.previous");
	if (load(fs, buf_text(&path), out, &previous)) {
		(void)err_set(err, newest.code, "%s", newest.message);
		return STATE_PREVIOUS;
	}
	if (newest.code == ERR_NOT_FOUND && previous.code == ERR_NOT_FOUND) {
		if (err) {
			*err = (struct err)ERR_INIT;
		}
	} else {
		(void)err_set(err, newest.code, "%.230s; %.230s", newest.message, previous.message);
	}
	return STATE_NONE;
}
