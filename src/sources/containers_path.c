// SPDX-License-Identifier: Apache-2.0
// Whose cgroup it is, from its path alone. The forms are those that the makers use: scopes named
// PREFIX-ID.scope (docker, podman, containerd, cri-o under systemd), folders named by the id
// (docker, kubernetes without systemd), SLICE:PREFIX:ID (runc below a unit of its own),
// lxc.payload.NAME (lxc), machine-NAME.scope and systemd-nspawn@NAME.service (systemd).
#include "sources/containers.h"

#include <stdio.h>

#define ID_DIGITS 64
#define SHORT_DIGITS 12

static bool is_id(struct str s) {
	for (size_t i = 0; i < s.len; i++) {
		if (!((s.at[i] >= '0' && s.at[i] <= '9') || (s.at[i] >= 'a' && s.at[i] <= 'f'))) {
			return false;
		}
	}
	return s.len == ID_DIGITS;
}

static int hex_digit(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void unit_unescape(struct buf *out, struct str name) {
	while (name.len) {
		int high = name.len >= 4 ? hex_digit(name.at[2]) : -1;
		int low = name.len >= 4 ? hex_digit(name.at[3]) : -1;
		bool is_escape = name.at[0] == '\\' && high >= 0 && low >= 0 && name.at[1] == 'x';
		buf_append_char(out, is_escape ? (char)(high << 4 | low) : name.at[0]);
		name = str_skip(name, is_escape ? 4 : 1);
	}
}

static bool set_id(struct container_id *out, const char *runtime, struct str id, bool is_name) {
	if (id.len == 0 || id.len >= sizeof(out->id) || str_find_char(id, '\0') >= 0) {
		return false;
	}
	*out = (struct container_id){.is_name = is_name};
	(void)snprintf(out->runtime, sizeof(out->runtime), "%s", runtime);
	memcpy(out->id, id.at, id.len);
	return true;
}

static bool set_named(struct container_id *out, const char *runtime, struct str escaped) {
	struct buf name = BUF_INIT;
	unit_unescape(&name, escaped);
	bool is_set = set_id(out, runtime, buf_str(&name), true);
	buf_finish(&name);
	return is_set;
}

// The runtime behind the word before an id.
static bool set_prefixed(struct container_id *out, struct str prefix, struct str id) {
	static const struct {
		const char *prefix, *runtime; // runtime NULL: the watcher of a container, not one
	} rows[] = {{"docker", "docker"}, {"libpod", "podman"}, {"libpod-conmon", NULL},
		{"cri-containerd", "containerd"}, {"nerdctl", "containerd"}, {"crio", "cri-o"},
		{"crio-conmon", NULL}};
	if (!is_id(id)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_is(prefix, rows[i].prefix)) {
			return rows[i].runtime && set_id(out, rows[i].runtime, id, false);
		}
	}
	return set_id(out, "oci", id, false);
}

static bool cut_end(struct str *s, struct str end) {
	bool has_end = str_ends(*s, end) && s->len > end.len;
	s->len -= has_end ? end.len : 0;
	return has_end;
}

static ptrdiff_t find_last(struct str s, char c) {
	ptrdiff_t i = (ptrdiff_t)s.len - 1;
	while (i >= 0 && s.at[i] != c) {
		i--;
	}
	return i;
}

static bool parse_scope(struct str body, struct container_id *out) {
	ptrdiff_t dash = find_last(body, '-');
	if (str_starts(body, STR("machine-"))) {
		struct str name = str_skip(body, 8);
		bool is_vm = str_starts(name, STR("qemu\\x2d"));
		return set_named(out, is_vm ? "vm" : "nspawn", name);
	}
	return dash > 0 &&
		set_prefixed(out, str_head(body, (size_t)dash), str_skip(body, (size_t)dash + 1));
}

static bool parse_plain(
	struct str parents, struct str parent, struct str name, struct container_id *out) {
	if (is_id(name)) {
		const char *runtime = str_is(parent, "docker")	  ? "docker"
			: str_find(parents, STR("kubepods")) >= 0 ? "kubernetes"
			: str_starts(parent, STR("libpod"))	  ? "podman"
								  : "oci";
		return set_id(out, runtime, name, false);
	}
	if (str_starts(name, STR("libpod-"))) {
		return set_prefixed(out, STR("libpod"), str_skip(name, 7));
	}
	if (str_starts(name, STR("lxc.payload."))) {
		return set_id(out, "lxc", str_skip(name, 12), true);
	}
	if (str_is(parent, "lxc")) {
		return set_id(out, "lxc", name, true);
	}
	struct str prefix = name, rest = name, slice;
	return str_split(&rest, ':', &slice) && str_split(&rest, ':', &prefix) && rest.at &&
		set_prefixed(out, prefix, rest);
}

bool container_id_parse(struct str path, struct container_id *out) {
	ptrdiff_t slash = find_last(path, '/');
	struct str name = str_skip(path, (size_t)(slash + 1));
	struct str parents = str_head(path, slash > 0 ? (size_t)slash : 0);
	struct str parent = str_skip(parents, (size_t)(find_last(parents, '/') + 1));
	if (name.len > 1 && name.at[0] == '_') {
		name = str_skip(name, 1); // systemd's escape of names the kernel has taken
	}
	struct str body = name;
	if (cut_end(&body, STR(".scope"))) {
		return parse_scope(body, out);
	}
	if (cut_end(&body, STR(".service"))) {
		return str_starts(body, STR("systemd-nspawn@")) &&
			set_named(out, "nspawn", str_skip(body, 15));
	}
	if (str_ends(name, STR(".slice"))) {
		return false;
	}
	return parse_plain(parents, parent, name, out);
}

bool container_id_find(struct str path, struct container_id *out, size_t *out_len) {
	for (size_t i = 1; i <= path.len; i++) {
		if ((i < path.len && path.at[i] != '/') || path.at[i - 1] == '/') {
			continue;
		}
		if (container_id_parse(str_head(path, i), out)) {
			if (out_len) {
				*out_len = i;
			}
			return true;
		}
	}
	return false;
}

struct str container_short_id(const struct container_id *id) {
	struct str whole = str_from(id->id);
	return id->is_name ? whole : str_head(whole, SHORT_DIGITS);
}
