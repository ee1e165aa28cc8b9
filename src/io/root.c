// SPDX-License-Identifier: Apache-2.0
// Files below "/" or below a recorded tree; see root.h.
#include "io/root.h"

#include <errno.h>
#include <limits.h>

#include "base/alloc.h"
#include "io/fs.h"

#define SHORT_MAX (1024 * 1024)

static _printf_(2, 0) char *path_of(
	const struct root *root, const char *format, va_list arguments) {
	struct buf path = BUF_INIT;
	buf_append_text(&path, root->sysroot);
	buf_vappendf(&path, format, arguments);
	char *copy = arena_copy(root->arena, buf_str(&path));
	buf_finish(&path);
	return copy;
}

char *root_path(const struct root *root, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	return path;
}

static bool read_whole(struct root *root, const char *path, size_t limit, struct str *out) {
	struct buf bytes = BUF_INIT;
	root->err = (struct err)ERR_INIT;
	if (!fs_read_file(root->fs, path, limit, &bytes, &root->err)) {
		buf_finish(&bytes);
		return false;
	}
	*out = arena_copy_str(root->arena, buf_str(&bytes));
	buf_finish(&bytes);
	return true;
}

// Straight to where it stays: a database of megabytes is not held twice. Files of /proc say that they
// have no size.
bool root_read_large(struct root *root, const char *path, size_t limit, struct str *out) {
	struct fs_stat stat;
	char *whole = root_path(root, "%s", path);
	if (root->fs->stat(root->fs, whole, &stat) < 0 || stat.size <= 0 || stat.is_directory) {
		return read_whole(root, whole, limit, out);
	}
	if ((uint64_t)stat.size > limit) {
		return err_set(&root->err, ERR_LIMIT, "%s is larger than %zu bytes", whole, limit);
	}
	int fd = root->fs->open(root->fs, whole, O_RDONLY, 0);
	ssize_t n = fd < 0 ? fd : 0;
	char *at = arena_alloc(root->arena, (size_t)stat.size);
	if (fd >= 0) {
		n = fs_read_all(root->fs, fd, at, (size_t)stat.size, 0);
		(void)root->fs->close(root->fs, fd); // only read
	}
	if (n < 0) {
		errno = (int)-n;
		return err_errno(&root->err, "cannot read %s", whole);
	}
	*out = str_range(at, (size_t)n);
	return true;
}

bool root_read(struct root *root, struct str *out, const char *format, ...) {
	va_list arguments;
	struct str text;
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	if (!read_whole(root, path, SHORT_MAX, &text)) {
		return false;
	}
	*out = str_trim(text);
	return true;
}

static int nibble_of(char c) {
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static bool hex_to_int64(struct str digits, int64_t *out) {
	int64_t value = 0;
	for (size_t i = 0; i < digits.len; i++) {
		int nibble = nibble_of(digits.at[i]);
		if (nibble < 0 || digits.len > 15) {
			return false;
		}
		value = value << 4 | nibble;
	}
	*out = value;
	return digits.len > 0;
}

bool root_read_number(struct root *root, int64_t *out, const char *format, ...) {
	va_list arguments;
	struct str text;
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	if (!read_whole(root, path, SHORT_MAX, &text)) {
		return false;
	}
	text = str_trim(text);
	bool is_number = str_starts(text, STR("0x")) ? hex_to_int64(str_skip(text, 2), out)
						     : str_to_int64(text, out);
	return is_number || err_set(&root->err, ERR_INVALID, "%s does not hold a number", path);
}

struct names {
	struct arena *arena;
	char **items;
	size_t n;
};

static void on_name(void *arg, const char *name) {
	struct names *names = arg;
	if (names->n < ROOT_NAMES_MAX) {
		names->items[names->n++] = arena_copy(names->arena, str_from(name));
	}
}

static int compare_names(const void *a, const void *b) {
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

size_t root_list(struct root *root, char ***out_names, const char *format, ...) {
	va_list arguments;
	struct names names = {.arena = root->arena};
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	root->err = (struct err)ERR_INIT;
	names.items = xcalloc(ROOT_NAMES_MAX, sizeof(*names.items));
	int result = root->fs->list(root->fs, path, on_name, &names);
	if (result < 0) {
		errno = -result;
		err_errno(&root->err, "cannot list %s", path);
	}
	qsort(names.items, names.n, sizeof(*names.items), compare_names);
	*out_names = arena_array(root->arena, names.n + 1, sizeof(**out_names));
	memcpy(*out_names, names.items, names.n * sizeof(*names.items));
	free(names.items);
	return names.n;
}

// The seam of files knows no links (nothing that must survive is one), so the kernel is asked.
bool root_link(struct root *root, struct str *out, const char *format, ...) {
	va_list arguments;
	char target[PATH_MAX];
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	ssize_t n = readlink(path, target, sizeof(target));
	if (n <= 0) {
		return err_errno(&root->err, "cannot read the link %s", path);
	}
	struct str rest = str_range(target, (size_t)n), part, last = rest;
	while (str_split(&rest, '/', &part)) {
		last = part;
	}
	*out = arena_copy_str(root->arena, last);
	return true;
}

bool root_has(const struct root *root, const char *format, ...) {
	va_list arguments;
	struct fs_stat stat;
	va_start(arguments, format);
	char *path = path_of(root, format, arguments);
	va_end(arguments);
	return root->fs->stat(root->fs, path, &stat) >= 0;
}
