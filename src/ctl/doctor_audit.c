// SPDX-License-Identifier: Apache-2.0
// Telling what was done; see doctor_audit.h.
#include "ctl/doctor_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "formats/json.h"

#define LOG_NAME "doctor.log"
#define LOG_MAX 65536 // more is not taken at the next start
#define TELL_NS (2 * NS_PER_SECOND)

static void write_text(struct json_writer *w, const char *key, const char *text) {
	json_member_str(w, key, str_head(str_from(text), 1024));
}

static void format(const struct treatment *treatment, bool is_done, struct json_writer *w) {
	const struct check *check = treatment->finding->check;
	json_member_text(w, "id", check->id);
	write_text(w, "what", check->remedy->summary);
	write_text(w, "before", treatment->before ? treatment->before : "");
	write_text(w, "after", treatment->after ? treatment->after : "");
	write_text(w, "undo", treatment->undo ? treatment->undo : "");
	json_member_bool(w, "done", is_done);
}

static bool tell_daemon(struct invocation *in, const struct treatment *treatment, bool is_done) {
	struct request request = {.method = "doctor.fixed"};
	struct failure ignored = FAILURE_INIT;
	struct buf params = BUF_INIT;
	struct json_writer w;
	int64_t usual_ns = in->client.timeout_ns;
	json_writer_init(&w, &params);
	json_begin_object(&w);
	format(treatment, is_done, &w);
	write_text(&w, "subject", treatment->finding->subject);
	json_end_object(&w);
	request.params = buf_str(&params);
	in->client.timeout_ns = usual_ns < TELL_NS ? usual_ns : TELL_NS;
	bool ok = client_call(&in->client, &request, in->arena, &ignored) != NULL;
	in->client.timeout_ns = usual_ns;
	buf_finish(&params);
	return ok;
}

// The log belongs to whom the folder belongs to: root may be the doctor, annad must read it.
static int open_log(const char *state_folder, struct err *err) {
	struct buf path = BUF_INIT;
	struct stat folder, file;
	buf_appendf(&path, "%s/" LOG_NAME, state_folder);
	int fd = open(buf_text(&path),
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	bool ok = fd >= 0 && fstat(fd, &file) == 0 && stat(state_folder, &folder) == 0;
	if (!ok) {
		err_errno(err, "cannot open %s", buf_text(&path));
	} else if (!S_ISREG(file.st_mode) || file.st_nlink != 1) {
		ok = err_set(err, ERR_DENIED, "%s is not a file of its own", buf_text(&path));
	} else if (file.st_size > LOG_MAX - 8192) {
		ok = err_set(
			err, ERR_LIMIT, "%s is full; start annad, which takes it", buf_text(&path));
	} else if (file.st_uid != folder.st_uid && fchown(fd, folder.st_uid, folder.st_gid) < 0) {
		ok = err_errno(err, "cannot give %s to annad's user", buf_text(&path));
	}
	buf_finish(&path);
	if (!ok && fd >= 0) {
		close(fd);
	}
	return ok ? fd : -1;
}

static bool append_line(struct invocation *in, const char *state_folder,
	const struct treatment *treatment, bool is_done, struct err *err) {
	struct buf line = BUF_INIT;
	struct json_writer w;
	int fd = open_log(state_folder, err);
	if (fd < 0) {
		return false;
	}
	json_writer_init(&w, &line);
	json_begin_object(&w);
	json_member_time(&w, "time", clock_wall(in->clock));
	format(treatment, is_done, &w);
	write_text(&w, "about", treatment->finding->subject);
	json_member_uint(&w, "uid", geteuid());
	json_end_object(&w);
	buf_append_char(&line, '\n');
	bool ok = write(fd, line.at, line.len) == (ssize_t)line.len && fsync(fd) == 0;
	if (!ok) {
		err_errno(err, "cannot write %s/" LOG_NAME, state_folder);
	}
	close(fd);
	buf_finish(&line);
	return ok;
}

bool doctor_audit(struct invocation *in, const char *state_folder,
	const struct treatment *treatment, bool is_done, struct err *err) {
	return tell_daemon(in, treatment, is_done) ||
		append_line(in, state_folder, treatment, is_done, err);
}
