// SPDX-License-Identifier: Apache-2.0
// What is at the socket's path, its folder, and whether the kernel knows a listener of that name
// (/proc/net/unix, proc_net(5): flag 0x10000 is a listening socket). Never connects.
#include <errno.h>
#include <sys/stat.h>

#include "doctor/look.h"

#define NET_UNIX_MAX (512 * 1024)
#define LISTENS "00010000"

static void write_folder(const char *socket, struct json_writer *w) {
	const char *slash = strrchr(socket, '/');
	struct stat status;
	char folder[4096];
	(void)snprintf(folder, sizeof(folder), "%.*s",
		slash && slash > socket ? (int)(slash - socket) : 1, slash ? socket : ".");
	json_key(w, "folder");
	json_begin_object(w);
	json_member_text(w, "path", folder);
	json_member_bool(w, "exists", lstat(folder, &status) == 0);
	if (lstat(folder, &status) == 0) {
		look_write_stat(w, &status);
	}
	json_end_object(w);
}

// How many sockets listen under this name; -1 when that is not shown here.
static int count_listeners(const char *socket) {
	struct buf text = BUF_INIT;
	int n = -1;
	if (look_read_file("/proc/net/unix", NET_UNIX_MAX, &text)) {
		struct str rest = buf_str(&text), line;
		n = 0;
		while (str_split(&rest, '\n', &line)) {
			struct str word, flags = STR(""), last = STR("");
			for (int column = 0; str_word(&line, &word); column++) {
				flags = column == 3 ? word : flags;
				last = word;
			}
			n += str_is(last, socket) && str_is(flags, LISTENS);
		}
	}
	buf_finish(&text);
	return n;
}

static void gather(const struct places *places, struct look_report *out) {
	struct stat status;
	struct json_writer *w = &out->w;
	bool exists = lstat(places->socket, &status) == 0;
	if (!exists && errno != ENOENT && errno != ENOTDIR) {
		look_report_missing(out, "%s: %s", places->socket, strerror(errno));
		return;
	}
	int listeners = count_listeners(places->socket);
	json_member_text(w, "path", places->socket);
	json_member_bool(w, "exists", exists);
	if (exists) {
		look_write_stat(w, &status);
	}
	if (listeners >= 0) {
		json_member_int(w, "listeners", listeners);
	}
	write_folder(places->socket, w);
}

DEFINE_LOOK(socket) = {.name = "socket", .gather = gather};
