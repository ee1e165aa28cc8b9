// SPDX-License-Identifier: Apache-2.0
// The helper's process; see helper_process.h.
#include "daemon/helper_process.h"

#include <pwd.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notify.h"
#include "helper/helper.h"
#include "io/child.h"
#include "io/loop.h"

#define LOG_FOLDER "helper"

static void stop(void *arg) {
	loop_stop(arg);
}

static void on_signal(void *arg, uint32_t events) {
	(void)events;
	loop_stop(arg);
}

static bool watch_signals(struct watch *watch, struct loop *loop, struct err *err) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		return err_errno(err, "cannot receive signals");
	}
	return watch_start(watch, loop, fd, LOOP_READABLE, on_signal, loop, err);
}

bool helper_process_run(const struct arguments *arguments) {
	struct err err = ERR_INIT;
	struct watch signals = {.fd = -1};
	struct helper *helper = NULL;
	struct child_runner *children = NULL;
	const struct passwd *user = getpwnam(arguments->user);
	struct loop *loop = loop_create(clock_system(), NULL, &err);
	if (!user) {
		(void)err_set(&err, ERR_NOT_FOUND,
			"there is no user %s: name who may ask with --user", arguments->user);
	} else if (loop && watch_signals(&signals, loop, &err)) {
		int socket_fd = notify_take_socket();
		children = child_runner_create(loop);
		struct helper_options options = {.loop = loop,
			.children = children,
			.socket_fd = socket_fd,
			.path = arguments->socket_path,
			.grants = arguments->grants,
			.uid = user->pw_uid,
			.gid = user->pw_gid,
			.on_idle = socket_fd >= 0 ? stop : NULL,
			.arg = loop};
		helper = helper_create(&options, &err);
	}
	if (helper) {
		notify_send("READY=1\nSTATUS=serves uid %u", (unsigned)user->pw_uid);
		loop_run(loop);
	} else {
		log_error("%s", err.message);
	}
	bool was_running = helper != NULL;
	helper_destroy(helper);
	child_runner_destroy(children);
	int fd = signals.fd;
	watch_stop(&signals);
	if (fd >= 0) {
		close(fd);
	}
	loop_destroy(loop);
	return was_running;
}
