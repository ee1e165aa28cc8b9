// SPDX-License-Identifier: Apache-2.0
// Sessions of the helper; see helper.h. Small on purpose: this is what runs as root.
#include "helper/helper.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "formats/json.h"
#include "helper/verb.h"
#include "io/child.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/stream.h"

#define LOG_FOLDER "helper"
#define REQUEST_LIMIT_NS (5 * NS_PER_SECOND)
#define KILL_AFTER_NS (5 * NS_PER_SECOND)
#define FINISH_NS (5 * NS_PER_SECOND)
#define IDLE_NS (60 * NS_PER_SECOND)
#define GROUPS_MAX 64

struct helper {
	struct helper_options options;
	struct listener *listener;
	struct list sessions;
	size_t session_count;
	struct timer idle;
};

struct session {
	struct list node;
	struct helper *helper;
	struct stream *stream; // NULL: the asker is gone
	struct peer peer;
	struct timer timer; // for the request, then for the command
	struct buf input, output;
	size_t output_limit;
	bool is_cut;
	struct child *child;
	bool is_over_time;
	char verb[32];
	int64_t started_ns;
};

static void on_idle(void *arg) {
	struct helper *helper = arg;
	helper->options.on_idle(helper->options.arg);
}

static void end_session(struct session *session) {
	struct helper *helper = session->helper;
	timer_stop(&session->timer);
	if (session->stream) {
		stream_finish(session->stream, FINISH_NS);
	}
	if (session->child) {
		helper->options.children->release(session->child);
	}
	list_remove(&session->node);
	buf_finish(&session->input);
	buf_finish(&session->output);
	free(session);
	if (--helper->session_count == 0 && helper->options.on_idle) {
		timer_start(&helper->idle, helper->options.loop, IDLE_NS, on_idle, helper);
	}
}

static void answer_line(struct session *session, struct buf *line) {
	buf_append_char(line, '\n');
	if (session->stream) {
		stream_write(session->stream, buf_str(line));
	}
	buf_finish(line);
	end_session(session);
}

static void fail(struct session *session, const struct err *err) {
	struct buf line = BUF_INIT;
	struct json_writer writer;
	log_warn("uid %u, pid %d: %s refused or failed: %s", (unsigned)session->peer.uid,
		(int)session->peer.pid, session->verb[0] ? session->verb : "a request",
		err->message);
	json_writer_init(&writer, &line);
	json_begin_object(&writer);
	json_member_bool(&writer, "ok", false);
	json_key(&writer, "error");
	json_begin_object(&writer);
	json_member_text(&writer, "name", err_row(err->code)->name);
	json_member_text(&writer, "message", err->message);
	json_end_object(&writer);
	json_end_object(&writer);
	answer_line(session, &line);
}

// --- the command ---

static void on_output(void *arg, struct str bytes) {
	struct session *session = arg;
	size_t room = session->output_limit - session->output.len;
	session->is_cut = session->is_cut || bytes.len > room;
	buf_append_str(&session->output, str_head(bytes, room));
}

static void on_exit_of_child(void *arg, const struct child_result *result) {
	struct session *session = arg;
	struct loop *loop = session->helper->options.loop;
	struct buf line = BUF_INIT;
	struct json_writer writer;
	int64_t ms = (loop_now(loop) - session->started_ns) / NS_PER_MS;
	struct err err = ERR_INIT;
	if (session->is_over_time) {
		(void)err_set(&err, ERR_SLOW, "it did not end within its time limit and was ended");
	} else if (result->was_signalled) {
		(void)err_set(&err, ERR_INTERNAL, "it was killed by signal %d", result->signal);
	}
	if (err.code != ERR_NONE) {
		fail(session, &err);
		return;
	}
	log_info("uid %u, pid %d: %s ended with status %d after %lld ms",
		(unsigned)session->peer.uid, (int)session->peer.pid, session->verb,
		result->exit_status, (long long)ms);
	json_writer_init(&writer, &line);
	json_begin_object(&writer);
	json_member_bool(&writer, "ok", true);
	json_member_int(&writer, "exit_status", result->exit_status);
	json_member_str(&writer, "output", buf_str(&session->output));
	json_member_bool(&writer, "output_cut", session->is_cut);
	json_member_int(&writer, "duration_ms", ms);
	json_end_object(&writer);
	answer_line(session, &line);
}

static void on_over_time(void *arg) {
	struct session *session = arg;
	struct helper *helper = session->helper;
	helper->options.children->kill(session->child, session->is_over_time ? SIGKILL : SIGTERM);
	session->is_over_time = true;
	timer_start(&session->timer, helper->options.loop, KILL_AFTER_NS, on_over_time, session);
}

// uid, gid and groups of a user; the helper is its own process, so waiting for a name service here
// keeps nobody else from anything but the helper.
static bool find_identity(
	const char *user, struct child_identity *out, gid_t groups[GROUPS_MAX], struct err *err) {
	const struct passwd *entry = getpwnam(user);
	int n = GROUPS_MAX;
	if (!entry) {
		return err_set(err, ERR_NOT_FOUND, "there is no user %s on this machine", user);
	}
	*out = (struct child_identity){.uid = entry->pw_uid, .gid = entry->pw_gid};
	if (getgrouplist(user, entry->pw_gid, groups, &n) < 0) {
		return err_set(
			err, ERR_LIMIT, "user %s is in more than %d groups", user, GROUPS_MAX);
	}
	out->groups = groups;
	out->group_count = (size_t)n;
	return true;
}

static bool run_command(
	struct session *session, const struct helper_command *command, struct err *err) {
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		NULL};
	struct helper *helper = session->helper;
	struct child_identity identity;
	gid_t groups[GROUPS_MAX];
	bool is_other = command->user && strcmp(command->user, "root") != 0;
	if (is_other && !find_identity(command->user, &identity, groups, err)) {
		return false;
	}
	struct child_spec spec = {.argv = command->argv,
		.environment = environment,
		.directory = command->directory,
		.identity = is_other ? &identity : NULL,
		.on_output = on_output,
		.on_exit = on_exit_of_child,
		.arg = session};
	session->output_limit = command->output_limit;
	session->started_ns = loop_now(helper->options.loop);
	session->child = helper->options.children->spawn(helper->options.children, &spec, err);
	if (!session->child) {
		return false;
	}
	log_info("uid %u, pid %d: %s runs %s as %s", (unsigned)session->peer.uid,
		(int)session->peer.pid, session->verb, command->argv[0],
		is_other ? command->user : "root");
	timer_start(
		&session->timer, helper->options.loop, command->timeout_ns, on_over_time, session);
	return true;
}

// --- the request ---

static const struct verb *find_verb(struct str name) {
	for (size_t i = 0; verb_table[i]; i++) {
		if (str_is(name, verb_table[i]->name)) {
			return verb_table[i];
		}
	}
	return NULL;
}

// Of several problems the first is told.
static bool tell_problem(const struct problems *problems, enum err_code code, struct err *err) {
	const struct problem *first = &problems->items[0];
	return err_set(err, code, "%s%s%s", first->file && code == ERR_CONFIG ? first->file : "",
		first->file && code == ERR_CONFIG ? ": " : "", first->message);
}

static bool prepare(struct session *session, struct arena *arena, struct str line,
	struct helper_command *out, struct err *err) {
	const struct value *request = json_parse(arena, line, 4, err);
	const struct value *name = request ? value_get(request, STR("verb")) : NULL;
	if (!request) {
		return false;
	}
	if (!name || name->type != VALUE_STRING) {
		return err_set(err, ERR_REQUEST, "a request is {\"verb\": …, \"params\": {…}}");
	}
	const struct verb *verb = find_verb(name->string);
	if (!verb) {
		return err_set(err, ERR_METHOD, "there is no verb \"%" STR_FMT "\"",
			STR_ARG(str_head(name->string, 64)));
	}
	(void)snprintf(session->verb, sizeof(session->verb), "%s", verb->name);
	struct problems problems = PROBLEMS_INIT;
	struct option_reader reader = {.arena = arena, .problems = &problems, .noun = "parameter"};
	void *params = arena_array(arena, 1, verb->params_size);
	struct grants grants;
	bool ok = option_fill(&reader, verb->params, value_get(request, STR("params")),
		(struct place){0}, params);
	if (!ok) {
		(void)tell_problem(&problems, ERR_PARAMS, err);
	} else {
		ok = grants_read(session->helper->options.grants, arena, &grants, &problems, err);
	}
	if (ok && !verb->prepare(verb, params, &grants, arena, out, err)) {
		ok = false;
		if (err->code == ERR_DENIED && problems.n) {
			(void)tell_problem(&problems, ERR_CONFIG, err); // perhaps the reason
		}
	}
	for (size_t i = 0; ok && i < problems.n; i++) {
		log_warn("%s/%s:%u: %s", session->helper->options.grants, problems.items[i].file,
			problems.items[i].line, problems.items[i].message);
	}
	problems_finish(&problems);
	return ok;
}

static void serve(struct session *session, struct str line) {
	struct arena *arena = arena_create();
	struct helper_command command;
	struct err err = ERR_INIT;
	timer_stop(&session->timer);
	bool ok = prepare(session, arena, line, &command, &err) &&
		run_command(session, &command, &err);
	arena_destroy(arena); // the child has copied what it needs
	if (!ok) {
		fail(session, &err);
	}
}

static void on_data(void *arg, struct str bytes) {
	struct session *session = arg;
	struct err err;
	if (session->child) {
		return; // one request a connection
	}
	buf_append_str(&session->input, str_head(bytes, HELPER_REQUEST_MAX + 1));
	struct str input = buf_str(&session->input);
	const char *end = memchr(input.at, '\n', input.len);
	if (end) {
		serve(session, str_head(input, (size_t)(end - input.at)));
	} else if (input.len > HELPER_REQUEST_MAX) {
		(void)err_set(
			&err, ERR_LIMIT, "a request has at most %d bytes", HELPER_REQUEST_MAX);
		fail(session, &err);
	}
}

static void on_end(void *arg, const struct err *err) {
	struct session *session = arg;
	if (!err && session->child) {
		return; // it has ended its side, and waits for the answer
	}
	stream_close(session->stream);
	session->stream = NULL;
	if (!session->child) {
		end_session(session);
	}
}

static void on_silence(void *arg) {
	struct err err;
	(void)err_set(&err, ERR_TIMEOUT, "no request came");
	fail(arg, &err);
}

static void on_accept(void *arg, int fd, const struct peer *peer) {
	struct helper *helper = arg;
	struct session *session = xcalloc(1, sizeof(*session));
	const struct stream_handlers handlers = {on_data, on_end, NULL, session};
	struct err err = ERR_INIT;
	session->helper = helper;
	session->peer = *peer;
	list_add_last(&helper->sessions, &session->node);
	helper->session_count++;
	timer_stop(&helper->idle);
	session->stream = stream_open(helper->options.loop, fd, &handlers, 0, &err);
	if (!session->stream) {
		log_warn("%s", err.message);
		end_session(session);
	} else if (!peer->is_known || (peer->uid != 0 && peer->uid != helper->options.uid)) {
		(void)err_set(&err, ERR_DENIED, "the helper serves root and uid %u only",
			(unsigned)helper->options.uid);
		fail(session, &err);
	} else if (helper->session_count > HELPER_SESSIONS_MAX) {
		(void)err_set(&err, ERR_BUSY, "%d requests are under way", HELPER_SESSIONS_MAX);
		fail(session, &err);
	} else {
		timer_start(&session->timer, helper->options.loop, REQUEST_LIMIT_NS, on_silence,
			session);
	}
}

struct helper *helper_create(const struct helper_options *options, struct err *err) {
	struct helper *helper = xcalloc(1, sizeof(*helper));
	const struct listener_handlers handlers = {.on_accept = on_accept, .arg = helper};
	helper->options = *options;
	list_init(&helper->sessions);
	helper->listener = options->socket_fd >= 0
		? listener_adopt(options->loop, options->socket_fd, &handlers, err)
		: listener_open_unix(
			  options->loop, options->path, 0660, options->gid, &handlers, err);
	if (!helper->listener) {
		free(helper);
		return NULL;
	}
	if (options->on_idle) {
		timer_start(&helper->idle, options->loop, IDLE_NS, on_idle, helper);
	}
	return helper;
}

void helper_destroy(struct helper *helper) {
	if (!helper) {
		return;
	}
	listener_close(helper->listener);
	helper->options.on_idle = NULL;
	list_for_each (node, &helper->sessions) {
		struct session *session = list_item(node, struct session, node);
		stream_close(session->stream);
		session->stream = NULL;
		end_session(session);
	}
	timer_stop(&helper->idle);
	free(helper);
}
