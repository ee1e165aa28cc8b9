// SPDX-License-Identifier: Apache-2.0
// Keeping timers.json; see timer_state.h. Invariant: at most one write is under way, so an older
// content never replaces a newer one.
#include "sources/timer_state.h"

#include "base/alloc.h"
#include "formats/json.h"
#include "io/draft.h"
#include "io/worker.h"

#define STATE_MAX (16 * 1024 * 1024)

struct save_job {
	struct timer_state *owner; // NULL: the source has stopped
	struct fs *fs;
	char *path;
	struct buf content;
	struct buf last_content; // written after it, when the source stopped meanwhile
	bool is_saved;
	struct err err;
};

void timer_state_read(struct timer_state *state, struct remembered *out) {
	struct buf text = BUF_INIT;
	*out = (struct remembered){.arena = arena_create()};
	if (fs_read_file(state->fs, state->path, STATE_MAX, &text, NULL)) {
		struct str copy = arena_copy_str(out->arena, buf_str(&text));
		const struct value *root = json_parse(out->arena, copy, 8, NULL);
		const struct value *clean = value_get(root, STR("clean"));
		const struct value *saved = value_get(root, STR("saved"));
		out->timers = value_get(root, STR("timers"));
		out->is_clean = clean && clean->type == VALUE_BOOL && clean->boolean;
		if (saved && saved->type == VALUE_STRING) {
			// Without it the whole stop counts as uncertain.
			(void)!time_parse(saved->string, &out->saved_wall_ns);
		}
	} // missing, unreadable or damaged: nothing is remembered
	buf_finish(&text);
}

bool remembered_find(const struct remembered *remembered, struct str name, struct str schedule,
	int64_t *out_last_ns) {
	const struct value *item = value_get(remembered->timers, name);
	const struct value *text = value_get(item, STR("schedule"));
	const struct value *last = value_get(item, STR("last"));
	return text && text->type == VALUE_STRING && str_equal(text->string, schedule) && last &&
		last->type == VALUE_STRING && time_parse(last->string, out_last_ns);
}

void remembered_finish(struct remembered *remembered) {
	arena_destroy(remembered->arena);
}

void timer_state_format_item(
	struct json_writer *writer, struct str name, struct str schedule, int64_t last_ns) {
	json_key_str(writer, name);
	json_begin_object(writer);
	json_member_str(writer, "schedule", schedule);
	json_member_time(writer, "last", last_ns);
	json_end_object(writer);
}

static void format_state(struct timer_state *state, bool is_clean, struct buf *out) {
	struct json_writer writer;
	json_writer_init(&writer, out);
	json_begin_object(&writer);
	json_member_time(&writer, "saved", clock_wall(loop_clock(state->loop)));
	json_member_bool(&writer, "clean", is_clean);
	json_key(&writer, "timers");
	json_begin_object(&writer);
	state->format(state->arg, &writer);
	json_end_object(&writer);
	json_end_object(&writer);
	buf_append_char(out, '\n');
}

// On a thread of the pool.
static void save_run(void *arg) {
	struct save_job *job = arg;
	job->is_saved = draft_replace(job->fs, job->path, buf_str(&job->content), &job->err);
}

static void save_free(struct save_job *job) {
	buf_finish(&job->content);
	buf_finish(&job->last_content);
	free(job->path);
	free(job);
}

static void on_due(void *arg);

static void plan_save(struct timer_state *state) {
	int64_t now = loop_now(state->loop);
	int64_t due = state->saved_ns ? state->saved_ns + STATE_PERIOD_NS : now;
	if (state->is_dirty && !state->job && !timer_is_set(&state->due)) {
		timer_start_at(&state->due, state->loop, due > now ? due : now, on_due, state);
	}
}

static void save_done(void *arg) {
	struct save_job *job = arg;
	struct timer_state *state = job->owner;
	if (!state) {
		// Stopping: a short blocking write, in the order that matters.
		(void)!draft_replace(job->fs, job->path, buf_str(&job->last_content), NULL);
		save_free(job);
		return;
	}
	state->job = NULL;
	state->is_failing = !job->is_saved;
	if (state->is_failing) {
		state->err = job->err;
		state->is_dirty = true; // again after a period
	}
	save_free(job);
	plan_save(state);
}

static struct save_job *save_create(struct timer_state *state, bool is_clean) {
	struct save_job *job = xcalloc(1, sizeof(*job));
	job->owner = state;
	job->fs = state->fs;
	job->path = xstrdup(state->path);
	format_state(state, is_clean, &job->content);
	return job;
}

static void on_due(void *arg) {
	struct timer_state *state = arg;
	struct save_job *job = save_create(state, false);
	state->saved_ns = loop_now(state->loop);
	if (jobs_run(state->jobs, save_run, save_done, job)) {
		state->job = job;
		state->is_dirty = false;
	} else {
		save_free(job); // the pool is full: again after a period
		plan_save(state);
	}
}

void timer_state_touch(struct timer_state *state) {
	state->is_dirty = state->is_used = true;
	plan_save(state);
}

void timer_state_finish(struct timer_state *state) {
	timer_stop(&state->due);
	struct save_job *last = save_create(state, true);
	if (state->job) {
		state->job->owner = NULL;
		state->job->last_content = last->content;
		last->content = (struct buf)BUF_INIT;
	} else if (state->is_used) {
		save_run(last);
	}
	save_free(last);
	free(state->path);
}
