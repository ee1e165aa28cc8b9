// SPDX-License-Identifier: Apache-2.0
// The unit file in force, found where systemd looks for it (systemd.unit(5)), against the one the
// package brought; and its drop-ins, which are an operator's own and only told.
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "doctor/look.h"

#define UNIT_MAX (64 * 1024)

// Lines that say something: no comments, no blank ones. Appends them.
static void strip(struct str text, struct buf *out) {
	struct str line;
	while (str_split(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.len > 0 && line.at[0] != '#' && line.at[0] != ';') {
			buf_append_str(out, line);
			buf_append_char(out, '\n');
		}
	}
}

// The first line of `a` that is not the same in `b`.
static struct str first_difference(struct str a, struct str b) {
	struct str line, other;
	while (str_split(&a, '\n', &line)) {
		if (!str_split(&b, '\n', &other) || !str_equal(line, other)) {
			return line;
		}
	}
	return STR("");
}

static void write_dropins(const char *unit, struct json_writer *w) {
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system"};
	json_key(w, "dropins");
	json_begin_array(w);
	for (size_t i = 0; i < 2; i++) {
		char path[512];
		(void)snprintf(path, sizeof(path), "%s/%s.d", folders[i], unit);
		DIR *dir = opendir(path);
		struct dirent *entry;
		for (int n = 0; dir && n < 20 && (entry = readdir(dir)); n++) {
			if (str_ends(str_from(entry->d_name), STR(".conf"))) {
				struct buf full = BUF_INIT;
				buf_appendf(&full, "%s/%s", path, entry->d_name);
				json_str(w, buf_str(&full));
				buf_finish(&full);
			}
		}
		if (dir) {
			closedir(dir);
		}
	}
	json_end_array(w);
}

static void gather(const struct places *places, struct look_report *out) {
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
		"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"};
	struct buf shipped = BUF_INIT, used = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	char path[512] = "";
	struct stat status;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folders[i], places->unit);
		if (lstat(path, &status) == 0) {
			break;
		}
		path[0] = '\0';
	}
	if (!path[0]) {
		look_report_missing(out, "no unit %s is installed", places->unit);
	} else if (!look_read_file(path, UNIT_MAX, &used)) {
		look_report_missing(out, "%s: %s", path, strerror(errno));
	} else if (!look_read_file(places->shipped_unit, UNIT_MAX, &shipped)) {
		look_report_missing(out, "%s: %s", places->shipped_unit, strerror(errno));
	} else {
		strip(buf_str(&used), &a);
		strip(buf_str(&shipped), &b);
		bool is_same = str_equal(buf_str(&a), buf_str(&b));
		json_member_text(&out->w, "path", path);
		json_member_text(&out->w, "shipped", places->shipped_unit);
		json_member_bool(&out->w, "is_same", is_same);
		json_member_str(&out->w, "in_force", first_difference(buf_str(&a), buf_str(&b)));
		json_member_str(&out->w, "in_package", first_difference(buf_str(&b), buf_str(&a)));
		write_dropins(places->unit, &out->w);
	}
	buf_finish(&shipped);
	buf_finish(&used);
	buf_finish(&a);
	buf_finish(&b);
}

DEFINE_LOOK(unit) = {.name = "unit", .gather = gather};
