// SPDX-License-Identifier: Apache-2.0
// What people call a container. Docker keeps the name in containers/ID/config.v2.json of its own
// folder, podman in a list (containers.json, moby's and containers/storage's formats), kubernetes
// in the name of the link to the log: POD_NAMESPACE_CONTAINER-ID.log. Docker's and podman's folders
// are root's: where they may not be read the short id has to do, and says so.
#include "sources/containers.h"

#include <dirent.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "formats/json.h"
#include "io/fs.h"
#include "sources/text.h"

#define STATE_MAX (4 * 1024 * 1024)
#define LINKS_MAX 4096

static bool append_name(struct buf *out, struct str name) {
	if (name.len && name.at[0] == '/') {
		name = str_skip(name, 1); // docker's own way of writing it
	}
	clean_text(out, str_head(name, 100));
	return name.len > 0;
}

bool docker_name_parse(struct str json, struct buf *out) {
	struct arena *arena = arena_create();
	const struct value *name = value_get(
		json_parse(arena, json, JSON_DEPTH, NULL), STR("Name"));
	bool is_known = name && name->type == VALUE_STRING && append_name(out, name->string);
	arena_destroy(arena);
	return is_known;
}

static bool first_name(const struct value *container, struct str id, struct buf *out) {
	const struct value *own = value_get(container, STR("id"));
	const struct value *names = value_get(container, STR("names"));
	return own && own->type == VALUE_STRING && str_equal(own->string, id) && names &&
		names->type == VALUE_ARRAY && names->array.n > 0 &&
		names->array.items[0].type == VALUE_STRING &&
		append_name(out, names->array.items[0].string);
}

bool podman_name_parse(struct str json, struct str id, struct buf *out) {
	struct arena *arena = arena_create();
	const struct value *list = json_parse(arena, json, JSON_DEPTH, NULL);
	bool is_known = false;
	for (size_t i = 0; list && list->type == VALUE_ARRAY && i < list->array.n && !is_known;
		i++) {
		is_known = first_name(&list->array.items[i], id, out);
	}
	arena_destroy(arena);
	return is_known;
}

// "web-5d_shop_nginx-<id>.log": shop/web-5d/nginx, the way kubectl is asked.
bool kubernetes_name_parse(struct str link, struct str id, struct buf *out) {
	struct str pod, space, rest = link;
	if (!str_ends(link, STR(".log")) || link.len < id.len + 6) {
		return false;
	}
	rest.len -= 4;
	struct str end = str_skip(rest, rest.len - id.len);
	rest.len -= id.len + 1;
	if (!str_equal(end, id) || !str_split(&rest, '_', &pod) || !rest.at ||
		!str_split(&rest, '_', &space) || !rest.at || rest.len == 0) {
		return false;
	}
	clean_text(out, space);
	buf_append_char(out, '/');
	clean_text(out, pod);
	buf_append_char(out, '/');
	clean_text(out, rest);
	return true;
}

static bool read_state(const char *path, struct buf *out) {
	return fs_read_file(fs_system(), path, STATE_MAX, out, NULL);
}

static bool find_docker(const char *sysroot, const struct container_id *id, struct buf *out) {
	_cleanup_(freep) char *path = xasprintf(
		"%s/var/lib/docker/containers/%s/config.v2.json", sysroot, id->id);
	struct buf json = BUF_INIT;
	bool is_known = read_state(path, &json) && docker_name_parse(buf_str(&json), out);
	buf_finish(&json);
	return is_known;
}

// The home of a user by number, from passwd(5).
static bool find_home(const char *sysroot, struct str uid, struct buf *out) {
	_cleanup_(freep) char *path = xasprintf("%s/etc/passwd", sysroot);
	struct buf text = BUF_INIT;
	bool is_found = false;
	struct str line;
	bool is_read = read_state(path, &text);
	struct str rest = buf_str(&text);
	while (is_read && !is_found && rest.at && str_split(&rest, '\n', &line)) {
		struct str fields[6] = {{NULL, 0}};
		size_t n = 0;
		while (n < 6 && line.at && str_split(&line, ':', &fields[n])) {
			n++;
		}
		if (n == 6 && str_equal(fields[2], uid)) {
			buf_append_str(out, fields[5]);
			is_found = true;
		}
	}
	buf_finish(&text);
	return is_found;
}

// Root's podman, or that of the user in whose slice it runs.
static bool find_podman(
	const char *sysroot, const struct container_id *id, struct str path, struct buf *out) {
	static const char below[] = "overlay-containers/containers.json";
	struct buf file = BUF_INIT, json = BUF_INIT;
	ptrdiff_t user = str_find(path, STR("/user-"));
	struct str uid = str_skip(path, user < 0 ? path.len : (size_t)user + 6);
	ptrdiff_t dot = str_find_char(uid, '.');
	bool has_home = true;
	buf_append_text(&file, sysroot);
	if (user < 0 || dot < 0) {
		buf_appendf(&file, "/var/lib/containers/storage/%s", below);
	} else {
		has_home = find_home(sysroot, str_head(uid, (size_t)dot), &file);
		buf_appendf(&file, "/.local/share/containers/storage/%s", below);
	}
	bool is_known = has_home && read_state(buf_text(&file), &json) &&
		podman_name_parse(buf_str(&json), str_from(id->id), out);
	buf_finish(&file);
	buf_finish(&json);
	return is_known;
}

static bool find_kubernetes(const char *sysroot, const struct container_id *id, struct buf *out) {
	_cleanup_(freep) char *path = xasprintf("%s/var/log/containers", sysroot);
	const struct dirent *entry;
	bool is_known = false;
	DIR *folder = opendir(path);
	for (size_t i = 0; folder && i < LINKS_MAX && !is_known && (entry = readdir(folder)); i++) {
		is_known = kubernetes_name_parse(str_from(entry->d_name), str_from(id->id), out);
	}
	if (folder) {
		closedir(folder);
	}
	return is_known;
}

bool container_name_find(const char *sysroot, const struct container_id *id, struct str path,
	struct buf *out_name, const char **out_source) {
	if (id->is_name) {
		clean_text(out_name, str_from(id->id));
		*out_source = "cgroup";
		return true;
	}
	if (strcmp(id->runtime, "docker") == 0 && find_docker(sysroot, id, out_name)) {
		*out_source = "docker";
		return true;
	}
	if (strcmp(id->runtime, "podman") == 0 && find_podman(sysroot, id, path, out_name)) {
		*out_source = "podman";
		return true;
	}
	if (find_kubernetes(sysroot, id, out_name)) {
		*out_source = "kubernetes";
		return true;
	}
	return false;
}
