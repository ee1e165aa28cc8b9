// SPDX-License-Identifier: Apache-2.0
// Fetching a secret from where it is kept. The bytes go into the arena of the struct they are for
// and into the fill hash; the buffer they passed through is wiped.
#include "config/secret.h"

#define FORMS "{ file = \"...\" } or { credential = \"...\" }"

static const char *file_path(struct arena *arena, const struct value *value) {
	struct str path = value->string;
	const char *slash = value->place.file ? strrchr(value->place.file, '/') : NULL;
	if (str_starts(path, STR("/")) || !slash) {
		return arena_copy(arena, path);
	}
	return arena_printf(arena, "%.*s/%" STR_FMT, (int)(slash - value->place.file),
		value->place.file, STR_ARG(path));
}

static const char *credential_path(struct arena *arena, struct str name, struct err *err) {
	const char *folder = secure_getenv("CREDENTIALS_DIRECTORY");
	if (!folder || folder[0] != '/') {
		err_set(err, ERR_CONFIG,
			"names the credential \"%" STR_FMT
			"\", but there are no credentials: start "
			"annad by a systemd unit with LoadCredential=, or use { file = \"...\" }",
			STR_ARG(name));
		return NULL;
	}
	return arena_printf(arena, "%s/%" STR_FMT, folder, STR_ARG(name));
}

static bool is_file_name(struct str name) {
	return name.len > 0 && name.len < 256 && name.at[0] != '.' &&
		str_find_char(name, '/') < 0 && !memchr(name.at, '\0', name.len);
}

static bool read_trimmed(
	struct fs *fs, struct arena *arena, const char *path, struct str *out, struct err *err) {
	struct buf bytes = BUF_INIT;
	bool is_read = fs_read_file(fs, path, SECRET_MAX, &bytes, err);
	if (is_read) {
		struct str text = buf_str(&bytes);
		if (str_ends(text, STR("\n"))) {
			text.len--;
		}
		if (str_ends(text, STR("\r"))) {
			text.len--;
		}
		*out = arena_copy_str(arena, text);
	} else {
		err_prefix(err, "its secret cannot be read");
	}
	if (bytes.at) {
		explicit_bzero(bytes.at, bytes.cap);
	}
	buf_finish(&bytes);
	return is_read;
}

bool secret_read(struct fs *fs, struct arena *arena, const struct value *table, struct str *out,
	struct err *err) {
	const struct value *file = value_get(table, STR("file"));
	const struct value *credential = value_get(table, STR("credential"));
	const struct value *named = file ? file : credential;
	if (!named || table->table.n != 1 || named->type != VALUE_STRING || !named->string.len ||
		memchr(named->string.at, '\0', named->string.len)) {
		return err_set(err, ERR_CONFIG, "must be a string, " FORMS);
	}
	if (credential && !is_file_name(credential->string)) {
		return err_set(err, ERR_CONFIG,
			"must name a credential as a file name without a slash or a leading dot");
	}
	if (!fs) {
		*out = STR("");
		return true;
	}
	const char *path = file ? file_path(arena, file)
				: credential_path(arena, credential->string, err);
	return path && read_trimmed(fs, arena, path, out, err);
}
