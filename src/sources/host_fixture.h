// SPDX-License-Identifier: Apache-2.0
// For the tests of collectors: one collector on a machine recorded in a temporary folder, with a
// clock that is set. fixture_write (source_fixture.h) is not needed: no bus, no loop.
#pragma once

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "formats/exposition.h"
#include "io/fs.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "tests/check.h"

struct machine {
	char folder[64];
	const struct host_collector *what;
	void *self;
	struct host_config config;
	struct host_turn turn;
	struct buf metrics;
};

static inline void machine_init(struct machine *machine, const struct host_collector *what) {
	memset(machine, 0, sizeof(*machine));
	snprintf(machine->folder, sizeof(machine->folder), "/tmp/anna-host-XXXXXX");
	CHECK(mkdtemp(machine->folder) != NULL);
	machine->what = what;
	machine->self = xcalloc(1, what->size);
	machine->turn.sysroot = machine->folder;
	machine->turn.config = &machine->config;
	machine->turn.avoided = "";
	machine->turn.memory = arena_create();
	machine->turn.now_ns = 1000 * NS_PER_SECOND;
}

// Replaces a file of the machine's; its folders come with it.
static inline void machine_write(struct machine *machine, const char *path, const char *text) {
	_cleanup_(freep) char *full = xasprintf("%s%s", machine->folder, path);
	for (char *at = full + strlen(machine->folder) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(full, 0700);
		*at = '/';
	}
	FILE *file = fopen(full, "we");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

static inline void machine_link(struct machine *machine, const char *path, const char *target) {
	_cleanup_(freep) char *full = xasprintf("%s%s", machine->folder, path);
	machine_write(machine, path, "");
	CHECK(unlink(full) == 0 && symlink(target, full) == 0);
}

static inline void machine_remove_below(const char *folder);

static inline void machine_remove_name(void *folder, const char *name) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", (const char *)folder, name);
	struct stat entry;
	if (lstat(path, &entry) == 0 && S_ISDIR(entry.st_mode)) {
		machine_remove_below(path);
		(void)rmdir(path);
	} else {
		(void)unlink(path);
	}
}

static inline void machine_remove_below(const char *folder) {
	struct fs *fs = fs_system();
	(void)fs->list(fs, folder, machine_remove_name, (void *)(uintptr_t)folder);
}

static inline void machine_remove(struct machine *machine, const char *path) {
	machine_remove_name(machine->folder, path + 1);
}

// A turn that many seconds after the last one.
static inline void machine_gather(struct machine *machine, double seconds) {
	struct exposition exposition;
	machine->turn.now_ns += (int64_t)(seconds * 1e9);
	machine->turn.complaint = (struct err)ERR_INIT;
	arena_clear(machine->turn.memory);
	machine->what->gather(machine->self, &machine->turn);
	buf_clear(&machine->metrics);
	buf_append_char(&machine->metrics, '\n');
	exposition_init(&exposition, &machine->metrics);
	machine->what->collect(machine->self, &exposition);
}

// Writes one file, then takes a turn a second later.
static inline void machine_read(struct machine *machine, const char *path, const char *text) {
	machine_write(machine, path, text);
	machine_gather(machine, 1);
}

static inline bool machine_shows(const struct machine *machine, const char *line) {
	_cleanup_(freep) char *whole = xasprintf("\n%s\n", line);
	bool shows = str_find(buf_str(&machine->metrics), str_from(whole)) >= 0;
	if (!shows) {
		print_message("not shown: %s\n%s", line, buf_text(&machine->metrics));
	}
	return shows;
}

struct figure_search {
	const char *name, *label;
	double value;
};

static inline void on_searched_figure(void *arg, const struct figure *figure) {
	struct figure_search *search = arg;
	if (strcmp(figure->name, search->name) == 0 && strcmp(figure->label, search->label) == 0) {
		search->value = figure->value;
	}
}

// NAN when it is not told.
static inline double machine_figure(
	const struct machine *machine, const char *name, const char *label) {
	struct figure_search search = {name, label, NAN};
	machine->what->figures(machine->self, on_searched_figure, &search);
	return search.value;
}

static inline void machine_finish(struct machine *machine) {
	if (machine->what->finish) {
		machine->what->finish(machine->self);
	}
	free(machine->self);
	buf_finish(&machine->turn.text);
	buf_finish(&machine->metrics);
	arena_destroy(machine->turn.memory);
	machine_remove_below(machine->folder);
	(void)rmdir(machine->folder);
}
