// SPDX-License-Identifier: Apache-2.0
// One question to the helper; see helper_client.h.
#include "flow/helper_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "formats/json.h"
#include "io/loop.h"
#include "io/stream.h"

#define ANSWER_MAX (4 * 1024 * 1024) // 256 KiB of output, each byte escaped at worst

struct helper_question {
	struct stream *stream;
	struct timer limit;
	struct buf input;
	helper_answer_fn *on_answer;
	void *arg;
};

void helper_forget(struct helper_question *question) {
	timer_stop(&question->limit);
	stream_close(question->stream);
	buf_finish(&question->input);
	free(question);
}

static void finish(struct helper_question *question, const struct helper_answer *answer,
	const struct err *err) {
	helper_answer_fn *on_answer = question->on_answer;
	void *arg = question->arg;
	struct buf kept = question->input; // the answer's texts borrow from it
	question->input = (struct buf)BUF_INIT;
	helper_forget(question);
	on_answer(arg, answer, err);
	buf_finish(&kept);
}

static void fail(struct helper_question *question, enum err_code code, const char *text) {
	struct err err;
	(void)err_set(&err, code, "%s", text);
	finish(question, NULL, &err);
}

static int64_t integer_of(const struct value *answer, const char *key) {
	const struct value *value = value_get(answer, str_from(key));
	return value && value->type == VALUE_INT ? value->integer : 0;
}

static struct str string_of(const struct value *answer, const char *key) {
	const struct value *value = answer ? value_get(answer, str_from(key)) : NULL;
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

static bool is_true(const struct value *answer, const char *key) {
	const struct value *value = value_get(answer, str_from(key));
	return value && value->type == VALUE_BOOL && value->boolean;
}

static enum err_code code_of(struct str name) {
	static const enum err_code codes[] = {
		ERR_DENIED, ERR_CONFIG, ERR_BUSY, ERR_SLOW, ERR_NOT_FOUND, ERR_INVALID, ERR_LIMIT};
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (str_is(name, err_row(codes[i])->name)) {
			return codes[i];
		}
	}
	return ERR_INTERNAL;
}

static void take_line(struct helper_question *question, struct str line) {
	struct arena *arena = arena_create();
	struct err err = ERR_INIT;
	const struct value *root = json_parse(arena, line, 8, &err);
	const struct value *error = root ? value_get(root, STR("error")) : NULL;
	if (!root || (!is_true(root, "ok") && !error)) {
		fail(question, ERR_INTERNAL, "the helper's answer is not understood");
	} else if (error) {
		(void)err_set(&err, code_of(string_of(error, "name")), "the helper: %" STR_FMT,
			STR_ARG(string_of(error, "message")));
		finish(question, NULL, &err);
	} else {
		struct helper_answer answer = {.exit_status = integer_of(root, "exit_status"),
			.output = string_of(root, "output"),
			.is_cut = is_true(root, "output_cut"),
			.duration_ms = integer_of(root, "duration_ms")};
		finish(question, &answer, NULL);
	}
	arena_destroy(arena);
}

static void on_data(void *arg, struct str bytes) {
	struct helper_question *question = arg;
	buf_append_str(&question->input, bytes);
	struct str input = buf_str(&question->input);
	const char *end = memchr(input.at + input.len - bytes.len, '\n', bytes.len);
	if (end) {
		take_line(question, str_head(input, (size_t)(end - input.at)));
	} else if (input.len > ANSWER_MAX) {
		fail(question, ERR_LIMIT, "the helper's answer is too long");
	}
}

static void on_end(void *arg, const struct err *err) {
	(void)err;
	fail(arg, ERR_CLOSED,
		"the helper went away before it answered: look at its log, journalctl -u "
		"anna-helper");
}

static void on_limit(void *arg) {
	fail(arg, ERR_SLOW,
		"the helper has not answered in time; what was asked may still be under way");
}

static int connect_to(const char *path, struct err *err) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	if (!path || !path[0] || strlen(path) >= sizeof(address.sun_path)) {
		(void)err_set(err, ERR_INVALID, "the path of the helper's socket is too long");
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
		if (peer.uid == 0 || peer.uid == geteuid()) {
			return fd;
		}
		close(fd);
		(void)err_set(err, ERR_DENIED,
			"%s belongs to uid %u and not to root: it is not the helper", path,
			(unsigned)peer.uid);
		return -1;
	}
	int saved = errno;
	if (fd >= 0) {
		close(fd);
	}
	errno = saved;
	bool is_missing = saved == ENOENT || saved == ECONNREFUSED;
	(void)(is_missing ? err_set(err, ERR_DISABLED,
				    "the helper is not there (%s): systemctl enable --now "
				    "anna-helper.socket",
				    path)
			: saved == EAGAIN
			? err_set(err, ERR_BUSY, "the helper is busy with other requests")
			: err_errno(err, "cannot reach the helper at %s", path));
	return -1;
}

struct helper_question *helper_ask(struct loop *loop, const char *socket_path, const char *verb,
	struct str params, int64_t limit_ns, helper_answer_fn *on_answer, void *arg,
	struct err *err) {
	int fd = connect_to(socket_path, err);
	if (fd < 0) {
		return NULL;
	}
	struct helper_question *question = xcalloc(1, sizeof(*question));
	const struct stream_handlers handlers = {on_data, on_end, NULL, question};
	question->on_answer = on_answer;
	question->arg = arg;
	question->stream = stream_open(loop, fd, &handlers, 0, err);
	if (!question->stream) {
		free(question);
		return NULL;
	}
	struct buf line = BUF_INIT;
	struct json_writer writer;
	json_writer_init(&writer, &line);
	json_begin_object(&writer);
	json_member_text(&writer, "verb", verb);
	json_key(&writer, "params");
	json_raw(&writer, params);
	json_end_object(&writer);
	buf_append_char(&line, '\n');
	stream_write(question->stream, buf_str(&line));
	buf_finish(&line);
	timer_start(&question->limit, loop, limit_ns, on_limit, question);
	return question;
}
