// SPDX-License-Identifier: Apache-2.0
// Whether every mount answers statfs(2). Before each one its name is said, so that when one hangs
// and this process with it, the report tells which (/proc/self/mountinfo, proc_pid_mountinfo(5)).
#include <errno.h>
#include <sys/statfs.h>

#include "doctor/look.h"

#define MOUNTINFO_MAX (512 * 1024)
#define MOUNTS_MAX 1000

// Only these can hang: a network or a program answers for them.
static bool may_hang(struct str type) {
	static const char *const types[] = {"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs",
		"glusterfs", "autofs", "virtiofs", "ncpfs", "davfs", "lustre", NULL};
	for (size_t i = 0; types[i]; i++) {
		if (str_is(type, types[i])) {
			return true;
		}
	}
	return str_starts(type, STR("fuse"));
}

// \040 and the like back to bytes, cut to what fits.
static void unescape(struct str text, char *out, size_t size) {
	size_t n = 0;
	for (size_t i = 0; i < text.len && n + 1 < size; i++) {
		if (text.at[i] == '\\' && i + 3 < text.len && text.at[i + 1] >= '0' &&
			text.at[i + 1] <= '3') {
			out[n++] = (char)((text.at[i + 1] - '0') * 64 + (text.at[i + 2] - '0') * 8 +
				(text.at[i + 3] - '0'));
			i += 3;
		} else {
			out[n++] = text.at[i];
		}
	}
	out[n] = '\0';
}

// "36 35 98:0 /root /mount options opt:1 - type source options"
static bool parse_line(struct str line, struct str *out_mount, struct str *out_type) {
	struct str word;
	bool is_after = false;
	for (int column = 0; str_word(&line, &word); column++) {
		if (column == 4) {
			*out_mount = word;
		} else if (is_after) {
			*out_type = word;
			return true;
		}
		is_after = column > 5 && str_is(word, "-");
	}
	return false;
}

static void gather(const struct places *places, struct look_report *out) {
	struct buf text = BUF_INIT;
	struct str rest, line;
	int looked = 0, answered = 0;
	(void)places;
	if (!look_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &text)) {
		look_report_missing(out, "/proc/self/mountinfo: %s", strerror(errno));
		buf_finish(&text);
		return;
	}
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line) && looked < MOUNTS_MAX) {
		struct str mount = STR(""), type = STR("");
		struct statfs ignored;
		char path[4096];
		if (!parse_line(line, &mount, &type) || !may_hang(type)) {
			continue;
		}
		unescape(mount, path, sizeof(path));
		looked++;
		json_member_int(&out->w, "answered", answered);
		json_member_text(&out->w, "waiting_for", path);
		json_member_str(&out->w, "type", type);
		look_report_so_far(out);
		answered += statfs(path, &ignored) == 0 || errno != EIO;
	}
	json_member_int(&out->w, "answered", answered);
	buf_finish(&text);
}

DEFINE_LOOK(mounts) = {.name = "mounts", .gather = gather};
