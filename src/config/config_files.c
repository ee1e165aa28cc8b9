// SPDX-License-Identifier: Apache-2.0
// The texts of a configuration from disk. All limits are checked while reading, so a wrong path
// (a device, a pipe, a huge file) costs neither time nor memory. Nothing is ever written.
#include "config/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/sha256.h"

#define READ_STEP 65536

struct reading {
	struct fs *fs;
	struct config_files *files;
	size_t total; // bytes so far
};

struct names {
	const char *suffix;
	char **items;
	size_t n;
	bool is_too_many;
};

// The folders beside the main file, and what is read in each.
static const struct {
	const char *folder, *suffix;
} fragments[] = {{"conf.d/", ".toml"}, {"policies.d/", ".yaml"}};
#define FRAGMENTS (sizeof(fragments) / sizeof(fragments[0]))

void config_files_finish(struct config_files *files) {
	arena_destroy(files->arena);
	*files = (struct config_files){0};
}

// Reads until the end; false with *err. O_NONBLOCK keeps a pipe from holding us up, and pread
// refuses it with ESPIPE.
static bool read_open_file(
	struct reading *reading, int fd, const char *path, struct buf *out, struct err *err) {
	for (;;) {
		char *at = buf_reserve(out, READ_STEP);
		ssize_t n = reading->fs->pread(reading->fs, fd, at, READ_STEP, (int64_t)out->len);
		if (n == -EINTR) {
			continue;
		}
		if (n < 0) {
			errno = (int)-n;
			return n == -ESPIPE ? err_set(err, ERR_CONFIG,
						      "%s is not a regular file; name a file", path)
				: n == -EISDIR
				? err_set(err, ERR_CONFIG, "%s is a folder; name a file", path)
				: err_errno(err, "cannot read %s", path);
		}
		if (n == 0) {
			return true;
		}
		out->len += (size_t)n;
		if (reading->total + out->len > CONFIG_FILE_MAX) {
			return err_set(err, ERR_LIMIT,
				"the configuration is larger than %d MiB at %s; is that the "
				"right file?",
				CONFIG_FILE_MAX / 1024 / 1024, path);
		}
	}
}

// Opens and reads one file; *out_missing instead of an error when it is not there.
static bool read_text(struct reading *reading, const char *path, struct buf *out, bool *out_missing,
	struct err *err) {
	int fd = reading->fs->open(reading->fs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	*out_missing = fd == -ENOENT || fd == -ENOTDIR;
	if (*out_missing) {
		return true;
	}
	if (fd < 0) {
		errno = -fd;
		return err_errno(err,
			"cannot open the configuration file %s (its owner and mode, and those of "
			"its folder, must let this user read it)",
			path);
	}
	bool is_read = read_open_file(reading, fd, path, out, err);
	(void)reading->fs->close(reading->fs, fd); // nothing was written
	return is_read;
}

static void keep(struct reading *reading, const char *path, const struct buf *text) {
	struct config_files *files = reading->files;
	files->items[files->n++] = (struct config_file){
		arena_copy_str(files->arena, str_from(path)),
		arena_copy_str(files->arena, buf_str(text))};
	reading->total += text->len;
}

static bool read_main(
	struct reading *reading, const char *path, bool is_required, struct err *err) {
	struct buf text = BUF_INIT;
	bool is_missing;
	bool is_read = read_text(reading, path, &text, &is_missing, err);
	if (is_read && is_missing && is_required) {
		is_read = err_set(err, ERR_NOT_FOUND,
			"there is no configuration file %s; name another with --config, or leave "
			"--config out",
			path);
	} else if (is_read && !is_missing) {
		keep(reading, path, &text);
	}
	buf_finish(&text);
	return is_read;
}

static void add_name(void *arg, const char *name) {
	struct names *names = arg;
	if (name[0] == '.' || !str_ends(str_from(name), str_from(names->suffix))) {
		return;
	}
	if (names->n >= CONFIG_FILES_MAX) {
		names->is_too_many = true;
		return;
	}
	names->items = xreallocarray(names->items, names->n + 1, sizeof(*names->items));
	names->items[names->n++] = xstrdup(name);
}

static int compare_names(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_fragment(struct reading *reading, const char *path, struct err *err) {
	struct fs_stat stat;
	int status = reading->fs->stat(reading->fs, path, &stat);
	if (status == -ENOENT || (status >= 0 && stat.is_directory)) {
		return true; // gone since it was listed, or no file
	}
	struct buf text = BUF_INIT;
	bool is_missing;
	struct err own = ERR_INIT;
	bool is_read = read_text(reading, path, &text, &is_missing, &own);
	if (is_read && !is_missing) {
		keep(reading, path, &text);
	}
	buf_finish(&text);
	// ERR_CONFIG says that it is no regular file: not one of ours.
	return is_read || own.code == ERR_CONFIG || err_set(err, own.code, "%s", own.message);
}

static bool read_folder(
	struct reading *reading, const char *folder, const char *suffix, struct err *err) {
	struct names names = {.suffix = suffix};
	int status = reading->fs->list(reading->fs, folder, add_name, &names);
	bool is_read = true;
	if (status < 0 && status != -ENOENT) {
		errno = -status;
		is_read = err_errno(err, "cannot list the configuration folder %s", folder);
	} else if (names.is_too_many) {
		is_read = err_set(err, ERR_LIMIT, "there are more than %d *%s files in %s",
			CONFIG_FILES_MAX, suffix, folder);
	}
	if (names.n) {
		qsort(names.items, names.n, sizeof(*names.items), compare_names);
	}
	for (size_t i = 0; is_read && i < names.n; i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", folder, names.items[i]);
		is_read = read_fragment(reading, path, err);
	}
	for (size_t i = 0; i < names.n; i++) {
		free(names.items[i]);
	}
	free(names.items);
	return is_read;
}

static size_t folder_len(struct str path) {
	size_t len = path.len;
	while (len > 0 && path.at[len - 1] != '/') {
		len--;
	}
	return len;
}

// Lengths stand before names and texts, so that nothing can be moved from one into the other. The
// main file's own name and folder do not count: the same text is the same configuration.
void config_files_hash(struct config_files *files) {
	struct buf all = BUF_INIT;
	size_t total = 0;
	for (size_t i = 0; i < files->n; i++) {
		total += files->items[i].text.len + 64;
	}
	(void)buf_reserve(&all, total); // about all of it
	for (size_t i = 0; i < files->n; i++) {
		struct str path = files->items[i].path;
		struct str folder = str_head(path, folder_len(path));
		bool is_fragment = false;
		for (size_t j = 0; j < FRAGMENTS; j++) {
			struct str own = str_from(fragments[j].folder);
			is_fragment = is_fragment ||
				(str_ends(folder, own) &&
					(folder.len == own.len ||
						folder.at[folder.len - own.len - 1] == '/'));
		}
		struct str name = is_fragment ? str_skip(path, folder.len) : STR("");
		buf_appendf(&all, "%zu:%zu:", name.len, files->items[i].text.len);
		buf_append_str(&all, name);
		buf_append_str(&all, files->items[i].text);
	}
	sha256_hex(buf_str(&all), files->hash);
	buf_finish(&all);
}

bool config_files_read(struct fs *fs, const char *path, bool is_required, struct config_files *out,
	struct err *err) {
	struct config_files files = {.arena = arena_create(), .fs = fs};
	files.items = arena_array(
		files.arena, FRAGMENTS * CONFIG_FILES_MAX + 1, sizeof(*files.items));
	struct reading reading = {fs, &files, 0};
	bool is_read = true;
	if (path) {
		struct str whole = str_from(path);
		is_read = read_main(&reading, path, is_required, err);
		for (size_t i = 0; is_read && i < FRAGMENTS; i++) {
			_cleanup_(freep) char *folder = xasprintf("%.*s%.*s",
				(int)folder_len(whole), path, (int)strlen(fragments[i].folder) - 1,
				fragments[i].folder);
			is_read = read_folder(&reading, folder, fragments[i].suffix, err);
		}
	}
	if (!is_read) {
		config_files_finish(&files);
		return false;
	}
	config_files_hash(&files);
	*out = files;
	return true;
}
