// SPDX-License-Identifier: Apache-2.0
// Candidates. The snapshot in force is borrowed from the loop by a reference taken and dropped
// there; the job only reads it.
#include "rpc/candidate.h"

#include "rpc/anna.h"

const struct option candidate_rows[] = {
	{.key = "path",
		.type = OPTION_STRING,
		.offset = offsetof(struct candidate_params, path),
		.max = 4096,
		.is_positional = true,
		.help = "A config file (admins only); else the daemon's own."},
	{.key = "text",
		.type = OPTION_STRING,
		.offset = offsetof(struct candidate_params, text),
		.max = 1048576,
		.help = "The text of a config file itself (admins only)."},
	{0}};

static bool read_files(struct question *question, struct config_files *out, struct err *err) {
	const struct candidate_params *params = question->params;
	struct anna *anna = question->anna;
	if (params->text.len) {
		*out = (struct config_files){
			.arena = arena_create(), .n = 1, .fs = anna_services(anna)->fs};
		out->items = ARENA_NEW(out->arena, struct config_file);
		*out->items = (struct config_file){
			STR("(text)"), arena_copy_str(out->arena, params->text)};
		return true;
	}
	const char *path = params->path.len ? arena_copy(question->arena, params->path)
					    : anna_config_path(anna);
	return config_files_read(anna_services(anna)->fs, path, params->path.len > 0, out, err);
}

bool candidate_read(struct question *question, struct err *err) {
	struct candidate *candidate = question->own;
	struct config_files files;
	if (!read_files(question, &files, err)) {
		return false;
	}
	candidate->snapshot = snapshot_create(
		anna_schema(question->anna), &files, &candidate->problems);
	problems_sort(&candidate->problems);
	config_files_finish(&files);
	return true;
}

static void finish(struct question *question) {
	struct candidate *candidate = question->own;
	snapshot_unref(candidate->snapshot);
	if (candidate->active) {
		snapshot_unref(candidate->active);
	}
	problems_finish(&candidate->problems);
}

void candidate_ask(struct call *call,
	bool (*ask)(struct question *question, struct json_writer *writer, struct err *err)) {
	const struct candidate_params *params = call_params(call);
	struct anna *anna = call_anna(call);
	struct err err = ERR_INIT;
	if ((params->path.len || params->text.len) && call_caller(call)->role < ROLE_ADMIN) {
		err_set(&err, ERR_DENIED,
			"only admins may have a file or text of their own checked by the daemon");
		call_fail(call, &err);
		return;
	}
	struct candidate *candidate = ARENA_NEW(call_arena(call), struct candidate);
	if (anna_snapshot(anna)) {
		candidate->active = snapshot_ref(anna_snapshot(anna));
		candidate->generation = anna_generation(anna);
	}
	question_ask(call, candidate, ask, finish);
}
