// SPDX-License-Identifier: Apache-2.0
// The unit and the container of a process, from /proc/PID/cgroup (cgroups(7)): a line a hierarchy,
// "0::PATH" of v2 and "N:CONTROLLERS:PATH" of v1. systemd keeps its units in the v1 hierarchy
// name=systemd where there is one, else in v2; the tree is slices, then the unit, then what the
// unit made itself (systemd.resource-control(5), "Delegate="). The kernel refuses cgroup names with
// a newline, so lines are lines.
#include "sources/containers.h"
#include "sources/processes.h"
#include "sources/text.h"

#define UNIT_NAME_MAX 255

static bool is_unit(struct str name) {
	static const struct str ends[] = {STR_INIT(".service"), STR_INIT(".scope"),
		STR_INIT(".socket"), STR_INIT(".mount"), STR_INIT(".swap")};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (str_ends(name, ends[i]) && name.len > ends[i].len) {
			return name.len <= UNIT_NAME_MAX;
		}
	}
	return false;
}

// The unit at the front of a path, behind its slices; *path is what follows.
static bool take_unit(struct str *path, struct str *out) {
	struct str name;
	while (path->at && str_split(path, '/', &name)) {
		if (name.len > 1 && name.at[0] == '_') {
			name = str_skip(name, 1); // systemd's escape of names the kernel has taken
		}
		// ".." where our own cgroup is the root of what we see (cgroup_namespaces(7))
		bool is_above = name.len == 0 || str_is(name, "..");
		if (is_above || (str_ends(name, STR(".slice")) && name.len > 6)) {
			continue;
		}
		*out = name;
		return is_unit(name);
	}
	return false;
}

static bool parse_unit(struct str path, struct buf *out) {
	struct str unit, inner;
	if (!take_unit(&path, &unit)) {
		return false;
	}
	clean_text(out, unit);
	// A user's own manager is a unit that has units.
	if (str_starts(unit, STR("user@")) && take_unit(&path, &inner)) {
		buf_append_char(out, '/');
		clean_text(out, inner);
	}
	return true;
}

// "0::/a" or "9:name=systemd:/a (deleted)": the controllers and the path.
static bool split_line(struct str line, struct str *out_controllers, struct str *out_path) {
	struct str number;
	if (!str_split(&line, ':', &number) || !line.at ||
		!str_split(&line, ':', out_controllers) || !line.at || line.len == 0 ||
		line.at[0] != '/') {
		return false;
	}
	*out_path = line;
	if (str_ends(line, STR(" (deleted)"))) {
		out_path->len -= 10;
	}
	return true;
}

void process_place_parse(struct str cgroup, struct buf *out_unit, struct buf *out_container) {
	struct str line, controllers, path, rest = cgroup;
	struct str v2 = {NULL, 0};
	bool has_unit = false, has_container = false;
	while (str_split(&rest, '\n', &line)) {
		struct container_id id;
		if (!split_line(line, &controllers, &path)) {
			continue;
		}
		if (str_is(controllers, "name=systemd") && !has_unit) {
			has_unit = parse_unit(path, out_unit);
		} else if (controllers.len == 0) {
			v2 = path;
		}
		if (!has_container && container_id_find(path, &id, NULL)) {
			has_container = true;
			buf_appendf(out_container, "%s:", id.runtime);
			clean_text(out_container, container_short_id(&id));
		}
	}
	if (!has_unit && v2.len) {
		(void)parse_unit(v2, out_unit);
	}
}
