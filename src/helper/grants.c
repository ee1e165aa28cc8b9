// SPDX-License-Identifier: Apache-2.0
// Reading what root has granted; see grants.h. Everything is opened step by step without following
// links, and judged by the descriptor that is then read: what is checked is what is used.
#include "helper/grants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/toml.h"

const char *const unit_verb_names[] = {"start", "stop", "restart", "reload", NULL};

static const struct option command_rows[] = {
	{"name", OPTION_STRING, offsetof(struct command_grant, name), .min = 1, .max = 64,
		.is_required = true, .help = "How it is asked for."},
	{"argv", OPTION_STRINGS, offsetof(struct command_grant, argv), .min = 1, .max = 64,
		.is_required = true, .help = "The program, as a whole path, and its arguments."},
	{"user", OPTION_STRING, offsetof(struct command_grant, user), "root", 1, 32,
		.help = "Who runs it."},
	{"directory", OPTION_STRING, offsetof(struct command_grant, directory), "/", 1, 4096,
		.help = "The working directory, as a whole path."},
	{"timeout", OPTION_DURATION, offsetof(struct command_grant, timeout_ns), "5m",
		(double)NS_PER_SECOND, (double)NS_PER_DAY,
		.help = "When it has run this long it is killed."},
	{NULL},
};

static const struct option unit_rows[] = {
	{"unit", OPTION_STRING, offsetof(struct unit_grant, unit), .min = 1, .max = 255,
		.is_required = true, .help = "The unit, or a glob."},
	{"do", OPTION_STRINGS, offsetof(struct unit_grant, verbs), .min = 1, .max = 4,
		.is_required = true, .help = "Of start, stop, restart and reload."},
	{NULL},
};

struct grant_file {
	struct item_list commands, units;
};

static const struct option file_rows[] = {
	{"commands", OPTION_LIST, offsetof(struct grant_file, commands), .rows = command_rows,
		.item_size = sizeof(struct command_grant), .help = "Programs."},
	{"units", OPTION_LIST, offsetof(struct grant_file, units), .rows = unit_rows,
		.item_size = sizeof(struct unit_grant), .help = "Units."},
	{NULL},
};

// Root's, or of the user a test runs as.
static bool is_owned(const struct stat *stat_now) {
	return (stat_now->st_uid == 0 || stat_now->st_uid == geteuid()) &&
		!(stat_now->st_mode & (S_IWGRP | S_IWOTH));
}

static bool refuse(struct err *err, const char *path) {
	return err_set(err, ERR_DENIED,
		"%s could be changed by others than root: it and every folder above it must belong "
		"to root and be writable by nobody else",
		path);
}

// A sticky folder like /tmp does not let others replace what is in it.
static bool is_safe_above(const struct stat *stat_now) {
	return is_owned(stat_now) || (stat_now->st_uid == 0 && (stat_now->st_mode & S_ISVTX));
}

// Opens an absolute path component by component, no link followed; all but the last are judged.
static int open_path(const char *path, int flags, struct err *err) {
	struct str rest = str_from(path), part;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (path[0] != '/') {
		close(fd);
		(void)err_set(err, ERR_INVALID, "%s is no whole path, beginning with /", path);
		return -1;
	}
	while (fd >= 0 && rest.at && str_split(&rest, '/', &part)) {
		if (str_is_empty(part)) {
			continue;
		}
		struct stat stat_now;
		char name[256];
		bool is_last = !rest.at || !rest.len;
		(void)snprintf(name, sizeof(name), "%" STR_FMT, STR_ARG(part));
		int next = -1;
		if (part.len < sizeof(name) && fstat(fd, &stat_now) == 0) {
			if (!is_safe_above(&stat_now)) {
				close(fd);
				(void)refuse(err, path);
				return -1;
			}
			next = openat(fd, name,
				O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
					(is_last ? flags : O_RDONLY | O_DIRECTORY));
		}
		int saved = errno;
		close(fd);
		errno = saved;
		fd = next;
	}
	if (fd < 0) {
		(void)err_errno(err, "cannot open %s (links are not followed)", path);
	}
	return fd;
}

bool grants_is_roots_own(const char *path, struct err *err) {
	struct stat stat_now;
	_cleanup_(freep) char *real = realpath(path, NULL); // /bin may be a link: judge what it is
	if (!real) {
		return err_errno(err, "cannot find %s", path);
	}
	int fd = open_path(real, O_PATH, err);
	if (fd < 0) {
		return false;
	}
	bool ok = fstat(fd, &stat_now) == 0 && S_ISREG(stat_now.st_mode) && is_owned(&stat_now);
	close(fd);
	return ok || refuse(err, real);
}

static bool read_whole(int fd, struct buf *out) {
	for (;;) {
		char *to = buf_reserve(out, 4096);
		ssize_t n = read(fd, to, 4096);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n == 0;
		}
		out->len += (size_t)n;
		if (out->len > GRANT_FILE_SIZE_MAX) {
			errno = EFBIG;
			return false;
		}
	}
}

static void check_file(const struct grant_file *file, struct place place, struct problems *out) {
	const struct command_grant *commands = file->commands.items;
	const struct unit_grant *units = file->units.items;
	for (size_t i = 0; i < file->commands.n; i++) {
		struct str program = commands[i].argv.items[0];
		if (program.len == 0 || program.at[0] != '/') {
			problems_add(out, place,
				"command %" STR_FMT ": argv[0] must be a whole path",
				STR_ARG(commands[i].name));
		}
	}
	for (size_t i = 0; i < file->units.n; i++) {
		for (size_t k = 0; k < units[i].verbs.n; k++) {
			struct str verb = units[i].verbs.items[k];
			bool is_known = false;
			for (size_t v = 0; v < UNIT_VERBS; v++) {
				is_known = is_known || str_is(verb, unit_verb_names[v]);
			}
			if (!is_known) {
				problems_add(out, place,
					"unit %" STR_FMT ": \"%" STR_FMT
					"\" is none of start, stop, restart and reload",
					STR_ARG(units[i].unit), STR_ARG(verb));
			}
		}
	}
}

static void append(void *to, size_t *n, const struct item_list *from, size_t size) {
	void **items = to;
	if (from->n) {
		*items = xreallocarray(*items, *n + from->n, size);
		memcpy((char *)*items + *n * size, from->items, from->n * size);
		*n += from->n;
	}
}

static void read_file(int folder, const char *name, struct arena *arena, struct grants *grants,
	struct problems *problems) {
	struct place place = {.file = name};
	struct stat stat_now;
	struct buf text = BUF_INIT;
	struct problems own = PROBLEMS_INIT;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat_now) != 0) {
		problems_add(problems, place, "cannot be opened: %s", strerror(errno));
	} else if (!S_ISREG(stat_now.st_mode) || !is_owned(&stat_now)) {
		problems_add(problems, place,
			"grants nothing: it must be a plain file of root's, writable by nobody "
			"else");
	} else if (!read_whole(fd, &text)) {
		problems_add(problems, place, "cannot be read: %s", strerror(errno));
	} else {
		struct grant_file file = {0};
		struct option_reader reader = {.arena = arena, .problems = &own};
		const struct value *root = toml_parse(
			arena, arena_copy(arena, str_from(name)), buf_str(&text), &own);
		if (!own.errors && option_fill(&reader, file_rows, root, place, &file)) {
			check_file(&file, place, &own);
		}
		if (!own.errors) {
			append(&grants->commands, &grants->command_count, &file.commands,
				sizeof(*grants->commands));
			append(&grants->units, &grants->unit_count, &file.units,
				sizeof(*grants->units));
		}
		for (size_t i = 0; i < own.n; i++) {
			struct place at = {name, own.items[i].line, own.items[i].column};
			problems_add(problems, at, "%s", own.items[i].message);
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	problems_finish(&own);
	buf_finish(&text);
}

static int is_toml(const struct dirent *entry) {
	size_t len = strlen(entry->d_name);
	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".toml") == 0;
}

// The lists move from the heap into the arena, where the rest of them is.
static void settle(struct arena *arena, void *list, size_t n, size_t size) {
	void **items = list;
	void *kept = n ? arena_array(arena, n, size) : NULL;
	if (n) {
		memcpy(kept, *items, n * size);
	}
	free(*items);
	*items = kept;
}

bool grants_read(const char *folder, struct arena *arena, struct grants *out,
	struct problems *problems, struct err *err) {
	struct stat stat_now;
	struct dirent **entries = NULL;
	*out = (struct grants){0};
	if (access(folder, F_OK) != 0 && errno == ENOENT) {
		return true;
	}
	int fd = open_path(folder, O_RDONLY | O_DIRECTORY, err);
	if (fd < 0) {
		return false;
	}
	if (fstat(fd, &stat_now) != 0 || !is_owned(&stat_now)) {
		close(fd);
		return refuse(err, folder);
	}
	int n = scandirat(fd, ".", &entries, is_toml, alphasort);
	if (n < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return err_errno(err, "cannot list %s", folder);
	}
	for (int i = 0; i < n; i++) {
		if (i < GRANT_FILES_MAX) {
			read_file(fd, arena_copy(arena, str_from(entries[i]->d_name)), arena, out,
				problems);
		}
		free(entries[i]);
	}
	free(entries);
	close(fd);
	if (n > GRANT_FILES_MAX) {
		problems_add(problems, (struct place){.file = folder},
			"only the first %d files are read", GRANT_FILES_MAX);
	}
	settle(arena, &out->commands, out->command_count, sizeof(*out->commands));
	settle(arena, &out->units, out->unit_count, sizeof(*out->units));
	return true;
}
