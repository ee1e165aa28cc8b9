// SPDX-License-Identifier: Apache-2.0
// The doctor's log of what was done while the daemon could not be told; see finding.h. Lines that are
// not what annactl writes are counted and left out; a file that is too large is taken up to the bound.
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "io/worker.h"
#include "rpc/anna.h"
#include "rpc/finding.h"

#define LOG_FOLDER "rpc"
#define LINES_MAX 100

struct taking {
	struct anna *anna;
	char *path;
	struct buf text;
	size_t waiting; // events that are not durable yet
	bool is_whole;	// none was refused
	struct err err;
};

static void end(struct taking *taking) {
	buf_finish(&taking->text);
	free(taking->path);
	free(taking);
}

static void run_remove(void *arg) {
	struct taking *taking = arg;
	struct fs *fs = anna_services(taking->anna)->fs;
	(void)fs->unlink(fs, taking->path); // at worst it is told twice
}

static void on_removed(void *arg) {
	end(arg);
}

static void settle(struct taking *taking) {
	if (taking->waiting > 0) {
		return;
	}
	if (!taking->is_whole ||
		!jobs_run(anna_services(taking->anna)->jobs, run_remove, on_removed, taking)) {
		end(taking); // the next start takes it
	}
}

static void on_durable(void *arg, const struct event *event, const struct err *err) {
	struct taking *taking = arg;
	(void)event;
	taking->waiting--;
	taking->is_whole = taking->is_whole && !err;
	settle(taking);
}

static void copy_text(struct event *event, const char *name, const struct value *line) {
	const struct value *text = value_get(line, str_from(name));
	if (text && text->type == VALUE_STRING) {
		event_set_str(event, name, str_head(text->string, 1024));
	}
}

static bool publish_line(struct taking *taking, struct str text) {
	struct arena *arena = arena_create();
	const struct value *line = json_parse(arena, text, JSON_DEPTH, NULL);
	const struct value *id = value_get(line, STR("id"));
	const struct value *done = value_get(line, STR("done"));
	const struct value *uid = value_get(line, STR("uid"));
	const struct value *time = value_get(line, STR("time"));
	bool ok = id && id->type == VALUE_STRING && id->string.len > 0 && id->string.len <= 100;
	if (ok) {
		struct event *event = event_create_str(
			STR("doctor.fixed"), STR("doctor"), id->string);
		copy_text(event, "what", line);
		copy_text(event, "about", line);
		copy_text(event, "before", line);
		copy_text(event, "after", line);
		copy_text(event, "undo", line);
		event_set_bool(event, "done", done && done->type == VALUE_BOOL && done->boolean);
		if (uid && uid->type == VALUE_INT) {
			event_set_int(event, "uid", uid->integer);
		}
		if (time && time->type == VALUE_STRING) {
			event_set_str(event, "at", str_head(time->string, 40));
		}
		taking->waiting++;
		if (!bus_publish(anna_services(taking->anna)->bus, event, on_durable, taking,
			    &taking->err)) {
			taking->waiting--;
			taking->is_whole = false;
		}
	}
	arena_destroy(arena);
	return ok;
}

static void run_read(void *arg) {
	struct taking *taking = arg;
	struct fs *fs = anna_services(taking->anna)->fs;
	if (!fs_read_file(fs, taking->path, FINDING_LOG_MAX, &taking->text, &taking->err)) {
		buf_clear(&taking->text);
	}
}

static void on_read(void *arg) {
	struct taking *taking = arg;
	struct str rest = buf_str(&taking->text), line;
	size_t strange = 0;
	if (rest.len == 0) {
		if (taking->err.code != ERR_NONE && taking->err.code != ERR_NOT_FOUND) {
			log_warn("what the doctor did cannot be read: %s", taking->err.message);
		}
		end(taking);
		return;
	}
	taking->waiting = 1; // held until all lines are published
	taking->is_whole = true;
	for (size_t i = 0; i < LINES_MAX && str_split(&rest, '\n', &line); i++) {
		line = str_trim(line);
		strange += line.len > 0 && !publish_line(taking, line);
	}
	if (strange > 0) {
		log_warn("%zu lines of %s are not the doctor's", strange, taking->path);
	}
	taking->waiting--;
	settle(taking);
}

void finding_take_log(struct anna *anna) {
	struct taking *taking = xcalloc(1, sizeof(*taking));
	taking->anna = anna;
	taking->path = xasprintf("%s/%s", anna_state_folder(anna), FINDING_LOG);
	if (!jobs_run(anna_services(anna)->jobs, run_read, on_read, taking)) {
		end(taking);
	}
}
