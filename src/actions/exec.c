// SPDX-License-Identifier: Apache-2.0
// exec: runs a program, in a process group (and, where delegated, a cgroup) of its own, with a time
// limit, and keeps what it writes. What is left of group and cgroup when the program ends is killed,
// unless the config says to keep it: a run that is over uses nothing any more. Values of the event
// reach it as whole arguments or in its environment; a shell runs only the text of the
// configuration, never an expanded one.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "actions/exec_environment.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/action.h"
#include "formats/template.h"
#include "io/child.h"
#include "io/loop.h"

#define LOG_FOLDER "actions"
#define OUTPUT_MAX (128 * 1024)		// of the 160 KiB of an event
#define GIVE_UP_NS (10 * NS_PER_SECOND) // a killed process that does not end hangs in the kernel
#define SWEEP_EVERY 64 // runs: old cgroups that were still in use at their run's end

struct exec_config {
	struct strings argv;
	struct str shell;
	const struct value *env;
	struct str directory;
	int64_t timeout_ns;
	int64_t kill_after_ns;
	int64_t output_limit;
	bool keep_children;
	// Compiled by the check.
	const struct template **arguments; // argv.n
	struct exec_variable *variables;
	size_t variable_count;
};

// What has been sent to a program that is over its time.
enum exec_stage {
	STAGE_RUNNING,
	STAGE_TERMINATED,
	STAGE_KILLED
};

struct exec {
	struct action_call *call;
	struct child *child;
	struct timer timer;
	enum exec_stage stage;
	struct buf output;
	bool is_cut;
	char *cgroup;
};

static const struct option exec_rows[] = {
	{"argv", OPTION_STRINGS, offsetof(struct exec_config, argv), NULL, 1, 256,
		.help = "The program and its arguments. In the arguments {name} stands for the "
			"event's"
			" fields and attributes; each stays one argument, whatever it holds."},
	{"shell", OPTION_STRING, offsetof(struct exec_config, shell), NULL, 1, 65536,
		.help = "Instead of argv: a text for /bin/sh -c. It is no template: values are in "
			"the"
			" environment, as \"$ANNA_EVENT_SUBJECT\"."},
	{"env", OPTION_VALUE, offsetof(struct exec_config, env),
		.help = "A table of more environment variables; their values are templates."},
	{"directory", OPTION_STRING, offsetof(struct exec_config, directory), "/", 1, 4096,
		.help = "The working directory, as a whole path."},
	{"timeout", OPTION_DURATION, offsetof(struct exec_config, timeout_ns), "30s",
		(double)NS_PER_MS, 7.0 * (double)NS_PER_DAY,
		.help = "When it has run this long its process group gets SIGTERM."},
	{"kill_after", OPTION_DURATION, offsetof(struct exec_config, kill_after_ns), "2s", 0,
		3600.0 * (double)NS_PER_SECOND, .help = "From SIGTERM to SIGKILL."},
	{"output_limit", OPTION_SIZE, offsetof(struct exec_config, output_limit), "64KiB", 0,
		OUTPUT_MAX, .help = "How much of its output is kept with the event."},
	{"keep_children", OPTION_BOOL, offsetof(struct exec_config, keep_children), "false",
		.help = "True: processes it leaves running when it ends in time are left alone, "
			"and nothing limits them any more. False: they are killed."},
	{NULL},
};

// --- checking ---

static void refuse_name(void *arg, struct str name) {
	*(struct str *)arg = name;
}

static void check_arguments(struct exec_config *exec, struct place place, struct arena *arena,
	struct problems *problems) {
	exec->arguments = arena_array(arena, exec->argv.n, sizeof(*exec->arguments));
	for (size_t i = 0; i < exec->argv.n; i++) {
		struct err err = ERR_INIT;
		exec->arguments[i] = template_compile(arena, exec->argv.items[i], &err);
		if (!exec->arguments[i]) {
			problems_add(problems, place, "argv[%zu]: %s", i, err.message);
		}
	}
	struct str name = {NULL, 0};
	if (exec->arguments[0]) {
		template_names(exec->arguments[0], refuse_name, &name);
	}
	if (name.at) {
		problems_add(problems, place,
			"argv[0] must name the program itself: an event may not choose it with"
			" {%" STR_FMT "}",
			STR_ARG(name));
	}
	if (str_is_empty(exec->argv.items[0])) {
		problems_add(problems, place, "argv[0] names no program");
	}
}

static bool is_variable_name(struct str name) {
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) {
			return false;
		}
	}
	return name.len > 0 && name.len <= 100;
}

static void check_variable(struct exec_config *exec, const struct member *member,
	struct arena *arena, struct problems *problems) {
	struct err err = ERR_INIT;
	struct exec_variable *variable = &exec->variables[exec->variable_count];
	struct str shown = str_head(member->key, 60);
	if (!is_variable_name(member->key)) {
		problems_add(problems, member->place,
			"env: \"%" STR_FMT "\" is no name of a variable: letters, digits and _",
			STR_ARG(shown));
	} else if (str_starts(member->key, STR("ANNA_")) || str_is(member->key, "TRACEPARENT")) {
		problems_add(problems, member->place, "env: %" STR_FMT " is set by Anna herself",
			STR_ARG(shown));
	} else if (member->value.type != VALUE_STRING) {
		problems_add(problems, member->value.place,
			"env: %" STR_FMT " must be a string, not %s", STR_ARG(shown),
			value_type_name(member->value.type));
	} else {
		variable->name = arena_copy_str(arena, member->key);
		variable->value = template_compile(arena, member->value.string, &err);
		exec->variable_count += variable->value != NULL;
		if (!variable->value) {
			problems_add(problems, member->value.place, "env: %" STR_FMT ": %s",
				STR_ARG(shown), err.message);
		}
	}
}

static void check_environment(
	struct exec_config *exec, struct arena *arena, struct problems *problems) {
	const struct value *env = exec->env;
	if (!env) {
		return;
	}
	if (env->type != VALUE_TABLE || env->table.n > 64) {
		problems_add(problems, env->place,
			"env must be a table of at most 64 strings, like { LEVEL = \"{level}\" }");
		return;
	}
	exec->variables = arena_array(arena, env->table.n, sizeof(*exec->variables));
	for (size_t i = 0; i < env->table.n; i++) {
		check_variable(exec, &env->table.members[i], arena, problems);
	}
}

static void exec_check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	struct exec_config *exec = config;
	bool has_argv = exec->argv.n > 0, has_shell = exec->shell.len > 0;
	if (has_argv == has_shell) {
		problems_add(problems, place,
			has_argv ? "an exec action has either argv or shell, not both"
				 : "an exec action needs argv = [\"/path/to/program\", …], or "
				   "shell");
	}
	if (has_argv) {
		check_arguments(exec, place, arena, problems);
	}
	if (has_shell && memchr(exec->shell.at, '\0', exec->shell.len)) {
		problems_add(problems, place, "shell: a NUL byte would end the command early");
	}
	if (exec->directory.len && exec->directory.at[0] != '/') {
		problems_add(problems, place, "directory must be a whole path, beginning with /");
	}
	check_environment(exec, arena, problems);
}

// --- sub-cgroups ---

// Removes the empty ones of runs before: rmdir refuses those in use.
static void sweep_cgroups(const char *parent) {
	DIR *directory = opendir(parent);
	if (!directory) {
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "run-", 4) == 0) {
			(void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(directory);
}

// NULL where nothing is delegated, or when it cannot be made: the action runs all the same.
static char *make_cgroup(const struct action_call *call) {
	const char *parent = call->services->cgroup;
	if (!parent) {
		return NULL;
	}
	if (call->event->id % SWEEP_EVERY == 0) {
		sweep_cgroups(parent);
	}
	char *folder = xasprintf("%s/run-%llu-%llx-%llu", parent,
		(unsigned long long)call->event->id, (unsigned long long)str_hash(call->key),
		(unsigned long long)call->attempt);
	if (mkdir(folder, 0755) == 0 || errno == EEXIST) {
		return folder;
	}
	log_warn("%s: no cgroup of its own at %s: %s; it runs in Anna's", call->mapping, folder,
		strerror(errno));
	free(folder);
	return NULL;
}

// --- output ---

// The length of the UTF-8 sequence at the front; 0 when there is none.
static size_t sequence_len(struct str text) {
	for (size_t len = 1; len <= 4 && len <= text.len; len++) {
		if (str_is_utf8(str_head(text, len))) {
			return len;
		}
	}
	return 0;
}

// Output as a text: broken sequences become U+FFFD, and may make it longer than an event can be.
static void clean_output(struct str text, struct buf *out, bool *out_cut) {
	while (text.len > 0 && out->len < OUTPUT_MAX) {
		size_t len = sequence_len(text);
		if (len == 0) {
			buf_append_text(out, "\xef\xbf\xbd");
		} else {
			buf_append(out, text.at, len);
		}
		text = str_skip(text, len ? len : 1);
	}
	*out_cut = *out_cut || text.len > 0;
}

// A sequence that the limit cut in two is left out, rather than shown as broken.
static struct str without_half_sequence(struct str text) {
	for (size_t back = 1; back <= 3 && back <= text.len; back++) {
		unsigned char c = (unsigned char)text.at[text.len - back];
		if (c >= 0xc0) {
			size_t wanted = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
			return wanted > back ? str_head(text, text.len - back) : text;
		}
		if (c < 0x80) {
			return text;
		}
	}
	return text;
}

static void report_output(struct exec *exec) {
	struct buf clean = BUF_INIT;
	struct str kept = buf_str(&exec->output);
	clean_output(exec->is_cut ? without_half_sequence(kept) : kept, &clean, &exec->is_cut);
	event_set_str(exec->call->result, "output", buf_str(&clean));
	if (exec->is_cut) {
		event_set_bool(exec->call->result, "output_cut", true);
	}
	buf_finish(&clean);
}

static void on_output(void *arg, struct str bytes) {
	struct exec *exec = arg;
	const struct exec_config *config = exec->call->config;
	size_t room = (size_t)config->output_limit - exec->output.len;
	exec->is_cut = exec->is_cut || bytes.len > room;
	buf_append_str(&exec->output, str_head(bytes, room)); // the rest is read and dropped
}

// --- ending ---

// Everything of the run goes, and the engine hears how it ended.
static void exec_end(struct exec *exec, const struct err *err) {
	struct action_call *call = exec->call;
	struct err kept = err ? *err : (struct err)ERR_INIT;
	timer_stop(&exec->timer);
	if (exec->child) {
		call->services->children->release(exec->child);
	}
	if (exec->cgroup) {
		(void)rmdir(exec->cgroup); // in use still: sweep_cgroups takes it later
		free(exec->cgroup);
	}
	buf_finish(&exec->output);
	free(exec);
	call->state = NULL;
	call->on_done(call, err ? &kept : NULL);
}

static bool explain_end(
	const struct exec *exec, const struct child_result *result, struct err *err) {
	const struct exec_config *config = exec->call->config;
	if (exec->stage != STAGE_RUNNING) {
		struct buf limit = BUF_INIT;
		duration_format(&limit, config->timeout_ns);
		err_set(err, ERR_SLOW, "it did not end within its time limit of %s and was %s",
			buf_text(&limit),
			exec->stage == STAGE_KILLED ? "killed" : "asked to end (SIGTERM)");
		buf_finish(&limit);
		return false;
	}
	if (result->was_signalled) {
		return err_set(err, ERR_INTERNAL, "the program was killed by signal %d (%s)",
			result->signal, strsignal(result->signal));
	}
	return result->exit_status == 0 ||
		err_set(err, ERR_INTERNAL, "the program ended with exit status %d",
			result->exit_status);
}

static void on_exit_of_child(void *arg, const struct child_result *result) {
	struct exec *exec = arg;
	struct event *event = exec->call->result;
	struct err err = ERR_INIT;
	const struct exec_config *config = exec->call->config;
	bool is_late = exec->stage != STAGE_RUNNING;
	// Its descendants may be left, or have ignored SIGTERM: out of time is out of time for all.
	if (is_late || !config->keep_children) {
		exec->call->services->children->kill(exec->child, SIGKILL);
	}
	if (is_late) {
		event_set_bool(event, "timed_out", true);
	}
	if (result->was_signalled) {
		event_set_int(event, "signal", result->signal);
	} else {
		event_set_int(event, "exit_status", result->exit_status);
	}
	report_output(exec);
	event_set_int(event, "cpu_us", (result->user_ns + result->system_ns) / NS_PER_US);
	event_set_int(event, "max_rss_bytes", result->max_rss_bytes);
	bool ok = explain_end(exec, result, &err);
	exec_end(exec, ok ? NULL : &err);
}

static void on_timer(void *arg) {
	struct exec *exec = arg;
	const struct exec_config *config = exec->call->config;
	struct child_runner *children = exec->call->services->children;
	struct loop *loop = exec->call->services->loop;
	struct err err;
	switch (exec->stage) {
	case STAGE_RUNNING:
		exec->stage = STAGE_TERMINATED;
		children->kill(exec->child, SIGTERM);
		timer_start(&exec->timer, loop, config->kill_after_ns, on_timer, exec);
		return;
	case STAGE_TERMINATED:
		exec->stage = STAGE_KILLED;
		children->kill(exec->child, SIGKILL);
		timer_start(&exec->timer, loop, GIVE_UP_NS, on_timer, exec);
		return;
	case STAGE_KILLED:
		event_set_bool(exec->call->result, "timed_out", true);
		report_output(exec);
		err_set(&err, ERR_SLOW,
			"it was killed because of its time limit and does not end:"
			" it hangs in the kernel");
		exec_end(exec, &err);
		return;
	}
}

// --- starting ---

static const char *const *make_arguments(struct arena *arena, const struct action_call *call) {
	const struct exec_config *config = call->config;
	if (config->shell.len) {
		const char **argv = arena_array(arena, 4, sizeof(*argv));
		argv[0] = "/bin/sh";
		argv[1] = "-c";
		argv[2] = arena_copy(arena, config->shell);
		return argv;
	}
	const char **argv = arena_array(arena, config->argv.n + 1, sizeof(*argv));
	for (size_t i = 0; i < config->argv.n; i++) {
		argv[i] = exec_expand(arena, config->arguments[i], call);
	}
	return argv;
}

// A cgroup that cannot be joined costs the limits it was for, not the action.
static struct child *spawn(struct exec *exec, struct child_spec *spec, struct err *err) {
	struct child_runner *children = exec->call->services->children;
	struct child *child = children->spawn(children, spec, err);
	if (child || !exec->cgroup) {
		return child;
	}
	struct err first = *err;
	(void)rmdir(exec->cgroup); // nothing of ours is in it
	free(take_ptr(exec->cgroup));
	spec->cgroup = NULL;
	child = children->spawn(children, spec, err);
	if (child) {
		log_warn("%s: %s; it runs in Anna's", exec->call->mapping, first.message);
	}
	return child;
}

static void exec_run(struct action_call *call) {
	const struct exec_config *config = call->config;
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	struct exec *exec = xcalloc(1, sizeof(*exec));
	struct err err = ERR_INIT;
	exec->call = call;
	exec->cgroup = make_cgroup(call);
	call->state = exec;
	struct child_spec spec = {
		.argv = make_arguments(arena, call),
		.environment = exec_environment(
			arena, call, config->variables, config->variable_count),
		.directory = arena_copy(arena, config->directory),
		.cgroup = exec->cgroup,
		.on_output = on_output,
		.on_exit = on_exit_of_child,
		.arg = exec,
	};
	exec->child = spawn(exec, &spec, &err);
	if (!exec->child) {
		exec_end(exec, &err);
		return;
	}
	event_set_int(call->result, "pid", call->services->children->pid(exec->child));
	timer_start(&exec->timer, call->services->loop, config->timeout_ns, on_timer, exec);
}

static void exec_cancel(struct action_call *call) {
	struct exec *exec = call->state;
	struct err err;
	if (!exec) {
		return;
	}
	call->services->children->kill(exec->child, SIGKILL);
	report_output(exec);
	err_set(&err, ERR_UNAVAILABLE, "cancelled: Anna stops, and it was killed");
	exec_end(exec, &err);
}

DEFINE_ACTION(exec) = {
	.name = "exec",
	.summary = "Runs a program, with a time limit.",
	.rows = exec_rows,
	.size = sizeof(struct exec_config),
	.check = exec_check,
	.run = exec_run,
	.cancel = exec_cancel,
};
