// SPDX-License-Identifier: Apache-2.0
// The source `packages`: what was installed, removed and upgraded, from the package manager's own
// database. The kernel says when its folder changes; a job reads it and compares it with the
// last look. dpkg and pacman are read; of rpm it is only told that something changed.
#include <sys/inotify.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "sources/folder_watch.h"
#include "sources/gathering.h"
#include "sources/packages_read.h"

#define SETTLE (2 * NS_PER_SECOND) // apt runs dpkg several times in a row
#define SETTLE_MOST (60 * NS_PER_SECOND)
#define SINGLE_MAX 20	// more changes at once are one event
#define BATCH_NAMES 200 // told in it

struct packages_config {
	bool is_enabled;
};

struct packages {
	const struct services *services;
	struct outbox outbox;
	struct folder_watch watch;
	struct gathering gathering;
	struct err complaint;
	bool is_blind; // no database, or it cannot be watched
};

// --- telling ---

static bool is_rpm(const struct fact_change *change) {
	return str_is(change->key, "rpm");
}

static const char *verb_of(const struct fact_change *change) {
	return !change->before.at ? "installed" : !change->after.at ? "removed" : "upgraded";
}

static void publish_rpm(struct packages *packages) {
	struct event *event = event_create("package.changed", "packages", STR("rpm"));
	event_set_text(event, "manager", "rpm");
	outbox_send(&packages->outbox, event);
}

// The key is "manager name:architecture" or "manager name".
static void split_key(struct str key, struct str *manager, struct str *name, struct str *machine) {
	struct str rest = key;
	(void)str_split(&rest, ' ', manager);
	(void)str_split(&rest, ':', name);
	*machine = rest;
}

static void on_change(void *arg, const struct fact_change *change) {
	struct packages *packages = arg;
	struct str manager, name, machine;
	char kind[32];
	if (is_rpm(change)) {
		publish_rpm(packages);
		return;
	}
	split_key(change->key, &manager, &name, &machine);
	snprintf(kind, sizeof(kind), "package.%s", verb_of(change));
	struct buf subject = BUF_INIT;
	buf_append_str(&subject, name);
	struct event *event = event_create(kind, "packages", buf_str(&subject));
	buf_finish(&subject);
	outbox_set_clean(event, "package", name);
	outbox_set_clean(event, "version", change->after.at ? change->after : change->before);
	if (change->before.at && change->after.at) {
		outbox_set_clean(event, "from", change->before);
	}
	outbox_set_clean(event, "architecture", machine);
	outbox_set_clean(event, "manager", manager);
	outbox_send(&packages->outbox, event);
}

static void format_name(const struct fact_change *change, struct buf *out) {
	struct str manager, name, machine;
	split_key(change->key, &manager, &name, &machine);
	buf_appendf(out, "%s %" STR_FMT " ", verb_of(change), STR_ARG(name));
	if (change->before.at && change->after.at) {
		buf_appendf(out, "%" STR_FMT " to ", STR_ARG(change->before));
	}
	buf_append_str(out, change->after.at ? change->after : change->before);
}

static bool on_changes(void *arg, const struct fact_changes *changes) {
	struct packages *packages = arg;
	if (changes->n <= SINGLE_MAX) {
		return false;
	}
	int64_t installed = 0, removed = 0, upgraded = 0;
	struct value items[BATCH_NAMES];
	struct value names = {.type = VALUE_ARRAY, .array = {items, 0}};
	struct arena *arena = arena_create();
	for (size_t i = 0; i < changes->n; i++) {
		const struct fact_change *change = &changes->items[i];
		installed += !change->before.at;
		removed += !change->after.at;
		upgraded += change->before.at && change->after.at && !is_rpm(change);
		if (names.array.n < BATCH_NAMES && !is_rpm(change)) {
			struct buf text = BUF_INIT;
			format_name(change, &text);
			items[names.array.n++] = value_of_string(
				arena_copy_str(arena, str_head(buf_str(&text), 300)));
			buf_finish(&text);
		}
	}
	struct event *event = event_create("package.batch", "packages", STR(""));
	event_set_int(event, "installed", installed);
	event_set_int(event, "removed", removed);
	event_set_int(event, "upgraded", upgraded);
	event_set_value(event, "packages", &names);
	outbox_send(&packages->outbox, event);
	arena_destroy(arena);
	return true;
}

// --- noticing ---

static bool starts_with(const char *name, const char *prefix) {
	return str_starts(str_from(name), str_from(prefix));
}

static void on_hint(void *arg, size_t folder, const char *name) {
	struct packages *packages = arg;
	bool is_ours = !name || folder == FOLDER_PACMAN ||
		(folder == FOLDER_DPKG && strcmp(name, "status") == 0) ||
		(folder >= FOLDER_RPM &&
			(starts_with(name, "rpmdb.sqlite") || starts_with(name, "Packages")));
	if (is_ours) {
		gathering_hint(&packages->gathering);
	}
}

static void watch_folders(struct packages *packages, const char *root) {
	static const uint32_t masks[PACKAGE_FOLDERS] = {
		[FOLDER_DPKG] = IN_MOVED_TO, // status is written anew and renamed
		[FOLDER_PACMAN] = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM,
		[FOLDER_RPM] = IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO,
		[FOLDER_RPM_NEW] = IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO,
	};
	bool is_any = false;
	struct err err = ERR_INIT;
	packages->is_blind = !folder_watch_open(&packages->watch, packages->services->loop, on_hint,
		packages, &packages->complaint);
	for (size_t i = 0; i < PACKAGE_FOLDERS && !packages->is_blind; i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", root, package_folders[i]);
		err = (struct err)ERR_INIT;
		is_any = folder_watch_add(&packages->watch, path, masks[i], &err) || is_any;
		if (err.code != ERR_NONE && err.code != ERR_NOT_FOUND) {
			packages->complaint = err;
		}
	}
	if (!is_any && !packages->is_blind) {
		packages->is_blind = true;
		if (packages->complaint.code == ERR_NONE) {
			err_set(&packages->complaint, ERR_NOT_FOUND,
				"no package database of dpkg, pacman or rpm is here; without one, "
				"switch this off: [packages] enabled = false");
		}
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)config, (void)err; // what cannot be watched degrades
	struct packages *packages = xcalloc(1, sizeof(*packages));
	const char *root = services->sysroot ? services->sysroot : "";
	packages->services = services;
	outbox_init(&packages->outbox, services, "packages");
	watch_folders(packages, root);
	packages->gathering = (struct gathering){.services = services,
		.outbox = &packages->outbox,
		.settle_ns = SETTLE,
		.most_ns = SETTLE_MOST,
		.spec = root,
		.gather = packages_read,
		.on_changes = on_changes,
		.on_change = on_change,
		.arg = packages};
	gathering_start(&packages->gathering);
	return packages;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	(void)self, (void)config; // there is nothing but `enabled`
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct packages *packages = self;
	gathering_stop(&packages->gathering);
	folder_watch_close(&packages->watch);
	outbox_finish(&packages->outbox);
	free(packages);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct packages_config *)config->config)->is_enabled;
}

static void health(void *self, struct capability_health *out) {
	const struct packages *packages = self;
	const char *reason = packages->is_blind ? packages->complaint.message
						: buf_text(&packages->gathering.trouble);
	out->state = reason[0] ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
	snprintf(out->reason, sizeof(out->reason), "%.255s", reason);
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct packages_config, is_enabled), "true",
		.help = "Tell of packages that are installed, removed and upgraded."},
	{NULL},
};

static const struct kind_attribute package_attributes[] = {
	{"package", "string", NULL, "its name"},
	{"version", "string", NULL, "the version that is installed now, or was removed"},
	{"from", "string", NULL, "of an upgrade: the version before"},
	{"architecture", "string", NULL, "of dpkg: its architecture"},
	{"manager", "string", NULL, "dpkg or pacman"},
	{NULL},
};

static const struct kind_attribute batch_attributes[] = {
	{"installed", "integer", NULL, "how many"},
	{"removed", "integer", NULL, "how many"},
	{"upgraded", "integer", NULL, "how many"},
	{"packages", "array", NULL, "the first 200, as \"upgraded NAME VERSION to VERSION\""},
	{NULL},
};

static const struct kind_attribute changed_attributes[] = {
	{"manager", "string", NULL, "rpm"},
	{NULL},
};

static const struct kind kinds[] = {
	{"package.installed", STREAM_NORMAL, "A package was installed.", package_attributes},
	{"package.removed", STREAM_NORMAL, "A package was removed.", package_attributes},
	{"package.upgraded", STREAM_NORMAL, "A package has another version, higher or lower.",
		package_attributes},
	{"package.batch", STREAM_NORMAL, "More than 20 packages changed at once.",
		batch_attributes},
	{"package.changed", STREAM_NORMAL,
		"The database of a manager that Anna cannot read has changed.", changed_attributes},
	{NULL},
};

DEFINE_SOURCE(packages) = {
	.name = "packages",
	.summary = "Packages that are installed, removed and upgraded.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "packages",
			.summary = "Events of the package manager (dpkg, pacman; rpm: only that "
				   "something changed).",
			.rows = rows,
			.size = sizeof(struct packages_config),
			.example = "[packages]\nenabled = true\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
