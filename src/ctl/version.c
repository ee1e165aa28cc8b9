// SPDX-License-Identifier: Apache-2.0
// `annactl version`: this client, the daemon that runs, and the annad that is installed, which
// after an upgrade is not the one that runs.
#include "ctl/annad.h"
#include "build_id.h"
#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/summary.h"
#include "formats/json.h"

struct versions {
	struct str running, running_build; // empty: no daemon could be asked
	struct str pid;
	struct str installed; // empty: no annad binary was found
	struct str installed_path;
	struct failure failure;
};

static void ask_running(struct invocation *in, struct versions *out) {
	struct request request = {.method = "status", .is_repeatable = true};
	const struct value *status = client_call(&in->client, &request, in->arena, &out->failure);
	out->running = field_str(status, "version");
	out->running_build = field_str(status, "build");
	out->pid = str_from(
		arena_printf(in->arena, "%lld", (long long)field_int(status, "pid", 0)));
}

static void ask_installed(struct invocation *in, struct versions *out) {
	struct failure ignored = FAILURE_INIT;
	struct buf path = BUF_INIT, said = BUF_INIT;
	if (annad_find(&path, &ignored) && annad_version(buf_text(&path), &said)) {
		// "annad 0.1.0 (build abc)", told as "0.1.0 (abc)"
		struct str text = buf_str(&said);
		ptrdiff_t build = str_find(text, STR("(build "));
		text = str_skip(text, str_starts(text, STR("annad ")) ? 6 : 0);
		build -= text.at - said.at;
		out->installed = build < 0
			? arena_copy_str(in->arena, text)
			: str_from(arena_printf(in->arena, "%" STR_FMT "(%" STR_FMT,
				  STR_ARG(str_head(text, (size_t)build)),
				  STR_ARG(str_skip(text, (size_t)build + 7))));
		out->installed_path = arena_copy_str(in->arena, buf_str(&path));
	}
	buf_finish(&path);
	buf_finish(&said);
}

// "0.1.0 (abc)": what running says of itself, in the words of --version.
static struct str running_text(struct arena *arena, const struct versions *v) {
	return str_from(arena_printf(arena, "%" STR_FMT " (%" STR_FMT ")", STR_ARG(v->running),
		STR_ARG(v->running_build)));
}

static bool must_restart(struct arena *arena, const struct versions *v) {
	return v->running.len > 0 && v->installed.len > 0 &&
		!str_equal(running_text(arena, v), v->installed);
}

static void print_json(struct invocation *in, const struct versions *v) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_key(&w, "client");
	json_begin_object(&w);
	json_member_text(&w, "version", ANNA_VERSION);
	json_member_text(&w, "build", ANNA_BUILD);
	json_end_object(&w);
	json_key(&w, "running");
	if (v->running.len > 0) {
		json_begin_object(&w);
		json_member_str(&w, "version", v->running);
		json_member_str(&w, "build", v->running_build);
		json_end_object(&w);
	} else {
		json_null(&w);
	}
	json_key(&w, "installed");
	if (v->installed.len > 0) {
		json_begin_object(&w);
		json_member_str(&w, "version", v->installed);
		json_member_str(&w, "path", v->installed_path);
		json_end_object(&w);
	} else {
		json_null(&w);
	}
	json_member_bool(&w, "restart_needed", must_restart(in->arena, v));
	json_end_object(&w);
	output_json_line(&in->output, buf_str(&json));
	buf_finish(&json);
}

static void print_text(struct invocation *in, const struct versions *v) {
	struct table *list = list_create(in->arena);
	list_row(list, "annactl", "%s (%s)", ANNA_VERSION, ANNA_BUILD);
	if (v->running.len > 0) {
		struct str running = running_text(in->arena, v);
		list_row(list, "running", "%" STR_FMT ", pid %" STR_FMT, STR_ARG(running),
			STR_ARG(v->pid));
	} else {
		list_row(list, "running", "%s", v->failure.err.message);
	}
	if (v->installed.len > 0) {
		list_row(list, "installed", "%" STR_FMT, STR_ARG(v->installed));
	} else {
		list_row(list, "installed", "no annad beside annactl, in ../sbin or on PATH");
	}
	table_print(list, &in->output);
	if (must_restart(in->arena, v)) {
		output_text(&in->output, "\n");
		output_style(&in->output, STYLE_WARN,
			STR("the installed annad is not the one that runs"));
		output_text(&in->output, "\n  next: systemctl restart annad\n");
	}
}

static int run(struct invocation *in, const void *options) {
	struct versions versions = {.failure = FAILURE_INIT};
	(void)options;
	ask_running(in, &versions);
	ask_installed(in, &versions);
	if (in->output.is_json) {
		print_json(in, &versions);
	} else {
		print_text(in, &versions);
	}
	return 0; // no daemon is an answer here
}

DEFINE_COMMAND(version) = {
	.name = "version",
	.summary = "This annactl, the annad that runs, and the one installed.",
	.examples = (const char *const[]){"annactl version", NULL},
	.run = run,
};
