// SPDX-License-Identifier: Apache-2.0
// annad: the kernel behind the seam, signals, the watchdog, exit statuses.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "build_id.h"
#include "daemon/arguments.h"
#include "daemon/cgroup.h"
#include "daemon/daemon.h"
#include "daemon/helper_process.h"
#include "daemon/lock.h"
#include "daemon/notify.h"
#include "io/child.h"
#include "io/loop.h"

#define LOG_FOLDER "daemon"

enum {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIG = 5
};

// Signals and the watchdog: what only the real daemon has around the core.
struct process {
	struct anna *anna;
	struct loop *loop;
	int signal_fd;
	struct watch signals;
	struct timer watchdog;
	int64_t watchdog_ns;
	uint64_t journal_progress;
	int64_t journal_moved_ns;
};

static void on_signal(void *arg, uint32_t events) {
	struct process *process = arg;
	struct signalfd_siginfo info;
	(void)events;
	while (read(process->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			daemon_reload(process->anna, "SIGHUP");
			break;
		case SIGUSR1:
			daemon_diagnose(process->anna);
			break;
		case SIGTERM:
			daemon_stop(process->anna, "SIGTERM");
			break;
		case SIGINT:
			daemon_stop(process->anna, "SIGINT");
			break;
		default:
			break;
		}
	}
}

// The loop feeds the watchdog itself, and only while the journal worker gets on too.
static void on_watchdog(void *arg) {
	struct process *process = arg;
	struct writer_stats stats;
	int64_t now = loop_now(process->loop);
	writer_get_stats(anna_writer(process->anna), &stats);
	if (stats.depth == 0 || stats.progress != process->journal_progress) {
		process->journal_moved_ns = now;
	}
	process->journal_progress = stats.progress;
	if (now - process->journal_moved_ns < process->watchdog_ns) {
		notify_send("WATCHDOG=1");
	} else {
		log_error("the journal worker has not moved for %lld s: the watchdog is not fed",
			(long long)((now - process->journal_moved_ns) / NS_PER_SECOND));
	}
	timer_start(
		&process->watchdog, process->loop, process->watchdog_ns / 3, on_watchdog, process);
}

static void on_stopped(void *arg) {
	loop_stop(arg);
}

static bool watch_signals(struct process *process, struct err *err) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	process->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (process->signal_fd < 0) {
		return err_errno(err, "cannot receive signals");
	}
	return watch_start(&process->signals, process->loop, process->signal_fd, LOOP_READABLE,
		on_signal, process, err);
}

static int report(const struct err *err, const struct problems *problems) {
	struct buf text = BUF_INIT;
	problems_format(problems, &text);
	if (text.len) {
		(void)fputs(buf_text(&text), stderr);
	}
	buf_finish(&text);
	log_error("%s", err->message);
	return err->code == ERR_CONFIG ? EXIT_CONFIG : EXIT_OTHER;
}

static int run_loop(struct process *process, struct err *err) {
	struct anna *anna = process->anna;
	anna->on_stopped = on_stopped;
	anna->on_stopped_arg = process->loop;
	if (!daemon_start(anna, err)) {
		return EXIT_OTHER;
	}
	process->watchdog_ns = notify_watchdog_ns();
	if (process->watchdog_ns) {
		process->journal_moved_ns = loop_now(process->loop);
		timer_start(&process->watchdog, process->loop, 0, on_watchdog, process);
	}
	loop_run(process->loop);
	timer_stop(&process->watchdog);
	return EXIT_OK;
}

static int run(const struct arguments *arguments) {
	struct process process = {.signal_fd = -1, .signals.fd = -1};
	struct problems problems = PROBLEMS_INIT;
	struct random random;
	struct err err = ERR_INIT;
	int status = EXIT_OTHER;
	int lock_fd = -1;
	struct child_runner *children = NULL;
	random_init_system(&random);
	map_seed(random_next(&random));
	process.loop = loop_create(clock_system(), NULL, &err);
	if (!process.loop || !watch_signals(&process, &err) ||
		!fs_make_directories(fs_system(), arguments->state_folder, &err)) {
		goto out;
	}
	lock_fd = lock_take(arguments->state_folder, &err);
	if (lock_fd < 0) {
		goto out;
	}
	children = child_runner_create(process.loop);
	struct daemon_seam seam = {.loop = process.loop,
		.fs = fs_system(),
		.random = &random,
		.children = children,
		.job_threads = 2};
	process.anna = daemon_create(&seam, arguments, &problems, &err);
	if (!process.anna) {
		goto out;
	}
	process.anna->socket_fd = notify_take_socket();
	process.anna->cgroup = cgroup_delegated();
	process.anna->services.cgroup = process.anna->cgroup;
	status = run_loop(&process, &err);
out:
	if (err.code != ERR_NONE) {
		status = report(&err, &problems);
	}
	daemon_destroy(process.anna);
	child_runner_destroy(children);
	watch_stop(&process.signals);
	loop_destroy(process.loop);
	if (process.signal_fd >= 0) {
		close(process.signal_fd);
	}
	lock_release(lock_fd);
	problems_finish(&problems);
	if (status == EXIT_OK) {
		log_info("stopped");
	}
	return status;
}

// --check: reads and checks, writes nothing, needs no daemon.
static int check(const struct arguments *arguments) {
	struct buf out = BUF_INIT;
	struct problems problems = PROBLEMS_INIT;
	struct err err = ERR_INIT;
	bool ok = daemon_check_config(arguments, &problems, &err);
	problems_sort(&problems);
	if (arguments->is_json) {
		daemon_format_check(ok, &problems, &err, &out);
		(void)fputs(buf_text(&out), stdout);
	} else {
		problems_format(&problems, &out);
		(void)fputs(buf_text(&out), stderr);
		if (err.code != ERR_NONE && !problems.errors) {
			(void)fprintf(stderr, "annad: %s\n", err.message);
		}
		bool exists = arguments->config_path && access(arguments->config_path, F_OK) == 0;
		if (ok && exists) {
			(void)printf("%s: the configuration is valid\n", arguments->config_path);
		} else if (ok) {
			(void)printf("%s: there is no such file; every option has its default\n",
				arguments->config_path ? arguments->config_path : "none");
		}
	}
	buf_finish(&out);
	problems_finish(&problems);
	return ok ? EXIT_OK : EXIT_CONFIG;
}

static int show(const char *what) {
	struct buf out = BUF_INIT;
	if (strcmp(what, "schema") == 0) {
		daemon_show_schema(&out);
	} else if (strcmp(what, "formats") == 0) {
		daemon_show_formats(&out);
	} else {
		daemon_show_sample(&out);
	}
	(void)fputs(buf_text(&out), stdout);
	buf_finish(&out);
	return EXIT_OK;
}

// Descriptors 0, 1 and 2 must be ours: a socket that got one of these numbers would be logged into.
static void open_standard_descriptors(void) {
	int fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO) {
		fd = dup(fd);
	}
	if (fd > STDERR_FILENO) {
		close(fd);
	}
}

int main(int argc, char **argv) {
	struct arguments arguments;
	struct err err = ERR_INIT;
	open_standard_descriptors();
	umask(0077);
	signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0); // secrets of the configuration stay out of core dumps
	if (!arguments_parse(argc, argv, &arguments, &err)) {
		(void)fprintf(stderr, "annad: %s\n", err.message);
		return EXIT_USAGE;
	}
	int status = EXIT_OK;
	switch (arguments.verb) {
	case VERB_RUN:
		if (arguments.has_log_level) {
			log_set_level(arguments.log_level);
		}
		if (arguments.has_log_format) {
			log_set_format(arguments.log_format);
		} else if (notify_stderr_is_journal()) {
			log_set_format(LOG_JOURNALD);
		}
		status = run(&arguments);
		break;
	case VERB_CHECK:
		status = check(&arguments);
		break;
	case VERB_SHOW:
		status = show(arguments.show);
		break;
	case VERB_HELPER:
		if (notify_stderr_is_journal()) {
			log_set_format(LOG_JOURNALD);
		}
		status = helper_process_run(&arguments) ? EXIT_OK : EXIT_OTHER;
		break;
	case VERB_VERSION:
		(void)printf("annad %s (build %s)\n", ANNA_VERSION, ANNA_BUILD);
		break;
	case VERB_HELP:
		(void)fputs(arguments_help, stdout);
		break;
	}
	arguments_finish(&arguments);
	return fflush(stdout) == 0 ? status : EXIT_OTHER;
}
