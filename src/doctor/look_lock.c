// SPDX-License-Identifier: Apache-2.0
// The lock of the state folder: what it says, and who holds it by the kernel's word (/proc/locks,
// proc_locks(5)). Takes no lock: a daemon that is just starting must not notice.
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "doctor/look.h"

#define LOCKS_MAX (256 * 1024)

// "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". 0: nobody; -1: not shown here.
static int64_t find_holder(const struct stat *status) {
	struct buf text = BUF_INIT;
	int64_t holder = -1;
	char place[32];
	(void)snprintf(place, sizeof(place), ":%llu", (unsigned long long)status->st_ino);
	if (look_read_file("/proc/locks", LOCKS_MAX, &text)) {
		struct str rest = buf_str(&text), line;
		holder = 0;
		while (str_split(&rest, '\n', &line)) {
			struct str words[6] = {{0}};
			size_t n = 0;
			int64_t pid;
			while (n < 6 && str_word(&line, &words[n])) {
				n++;
			}
			if (n == 6 && str_is(words[1], "FLOCK") &&
				str_ends(words[5], str_from(place)) &&
				str_to_int64(words[4], &pid)) {
				holder = pid;
			}
		}
	}
	buf_finish(&text);
	return holder;
}

static void gather(const struct places *places, struct look_report *out) {
	struct json_writer *w = &out->w;
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct stat status;
	int64_t pid = 0;
	buf_appendf(&path, "%s/lock", places->state_folder);
	json_member_text(w, "path", buf_text(&path));
	if (lstat(buf_text(&path), &status) < 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			json_member_bool(w, "exists", false);
		} else {
			look_report_missing(out, "%s: %s", buf_text(&path), strerror(errno));
		}
	} else if (!S_ISREG(status.st_mode) || !look_read_own_file(buf_text(&path), 4096, &text)) {
		look_report_missing(out, "%s: %s", buf_text(&path),
			S_ISREG(status.st_mode) ? strerror(errno) : "not a file");
	} else {
		struct str said = str_trim(buf_str(&text));
		bool is_pid = str_to_int64(said, &pid) && pid > 0 && pid < INT32_MAX;
		int64_t holder = find_holder(&status);
		json_member_bool(w, "exists", true);
		json_member_str(w, "text", str_head(said, 64));
		json_member_int(w, "pid", is_pid ? pid : 0);
		json_member_bool(w, "is_garbage", said.len > 0 && !is_pid);
		if (holder >= 0) {
			json_member_int(w, "holder", holder);
		}
	}
	buf_finish(&path);
	buf_finish(&text);
}

DEFINE_LOOK(lock) = {.name = "lock", .gather = gather};
