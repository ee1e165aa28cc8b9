// SPDX-License-Identifier: Apache-2.0
// Reloads of a whole daemon in simulated time, with two parts of its own: one that adapts, and one
// that must be restarted and refuses to start with the value 13.
#include "tests/check.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "daemon/daemon.h"
#include "io/draft.h"
#include "tests/fakes/fake_loop.h"

struct fake_config {
	int64_t value;
};

static const struct option rows[] = {
	{.key = "value",
		.type = OPTION_INT,
		.offset = offsetof(struct fake_config, value),
		.fallback = "1",
		.help = "Any number; 13 is refused."},
	{0},
};

static int64_t seen[2]; // what each part has taken on last

static int64_t value_of(const struct capability_config *config) {
	return ((const struct fake_config *)config->config)->value;
}

static void *start_first(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)services;
	(void)err;
	seen[0] = value_of(config);
	return seen;
}

static enum reconfigured adapt(void *self, const struct capability_config *config) {
	(void)self;
	seen[0] = value_of(config);
	return RECONFIGURE_ADAPTED;
}

static void *start_second(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)services;
	if (value_of(config) == 13) {
		err_set(err, ERR_BUSY, "13 is taken");
		return NULL;
	}
	seen[1] = value_of(config);
	return seen;
}

static enum reconfigured need_restart(void *self, const struct capability_config *config) {
	(void)self;
	return value_of(config) == seen[1] ? RECONFIGURE_ADAPTED : RECONFIGURE_RESTART;
}

static void stop(void *self) {
	(void)self;
}

static const struct capability first = {
	.name = "first",
	.summary = "Adapts.",
	.section = &(const struct section){.name = "first",
		.summary = "",
		.rows = rows,
		.size = sizeof(struct fake_config)},
	.start = start_first,
	.reconfigure = adapt,
	.stop = stop,
};

static const struct capability second = {
	.name = "second",
	.summary = "Restarts.",
	.section = &(const struct section){.name = "second",
		.summary = "",
		.rows = rows,
		.size = sizeof(struct fake_config)},
	.start = start_second,
	.reconfigure = need_restart,
	.stop = stop,
};

struct fixture {
	struct fake_loop fake;
	char folder[32];
	char *config_path;
	struct arguments arguments;
	struct anna *anna;
	bool is_done, ok;
	struct err err;
};

static void write_config(struct fixture *f, const char *text) {
	struct err err = ERR_INIT;
	CHECK(draft_replace(fs_system(), f->config_path, str_from(text), &err));
}

static void set_up(struct fixture *f, const char *config) {
	static const struct capability *const parts[] = {&first, &second};
	memset(f, 0, sizeof(*f));
	memcpy(f->folder, "/tmp/anna-reload-XXXXXX", 24);
	CHECK(mkdtemp(f->folder) != NULL);
	f->config_path = xasprintf("%s/config.toml", f->folder);
	fake_loop_init(&f->fake, 11);
	log_set_level(LOG_ERROR + 1);
	write_config(f, config);
	f->arguments = (struct arguments){.config_path = f->config_path,
		.config_is_named = true,
		.state_folder = xasprintf("%s/state", f->folder),
		.socket_path = xstrdup(""),
		.sysroot = xstrdup(""),
		.has_log_level = true,
		.log_level = LOG_ERROR + 1};
	struct daemon_seam seam = {.loop = f->fake.loop,
		.fs = fs_system(),
		.random = &f->fake.random,
		.job_threads = 1,
		.capabilities = parts,
		.capability_count = 2};
	struct problems problems = PROBLEMS_INIT;
	f->anna = daemon_create(&seam, &f->arguments, &problems, &f->err);
	CHECK(f->anna != NULL);
	CHECK(daemon_start(f->anna, &f->err));
	loop_advance(f->fake.loop, NS_PER_SECOND / 2);
	CHECK_INT(anna_get_state(f->anna), ANNA_RUNNING);
}

static void remove_below(void *arg, const char *name) {
	_cleanup_(freep) char *path = xasprintf("%s/%s", (const char *)arg, name);
	if (fs_system()->unlink(fs_system(), path) < 0) {
		(void)fs_system()->list(fs_system(), path, remove_below, path);
		(void)rmdir(path);
	}
}

static void tear_down(struct fixture *f) {
	daemon_destroy(f->anna);
	fake_loop_finish(&f->fake);
	free(f->arguments.state_folder);
	free(f->arguments.socket_path);
	free(f->arguments.sysroot);
	free(f->config_path);
	(void)fs_system()->list(fs_system(), f->folder, remove_below, f->folder);
	(void)rmdir(f->folder);
}

static void on_done(void *arg, const struct reload_result *result, const struct err *err) {
	struct fixture *f = arg;
	f->is_done = true;
	f->ok = result->ok;
	if (err) {
		f->err = *err;
	}
}

static void reload(struct fixture *f, const char *config) {
	write_config(f, config);
	f->is_done = false;
	CHECK(anna_reload(f->anna, "test", false, 0, on_done, f, &f->err));
	CHECK_INT(anna_get_state(f->anna), ANNA_RELOADING);
	loop_advance(f->fake.loop, NS_PER_SECOND);
	CHECK(f->is_done);
	CHECK_INT(anna_get_state(f->anna), ANNA_RUNNING);
}

static enum verdict verdict_of(struct fixture *f, uint64_t number) {
	return generations_find(anna_generations(f->anna), number)->verdict;
}

TEST(a_good_reload_takes_every_part_to_the_new_configuration) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n[second]\nvalue = 1\n");

	reload(&f, "[first]\nvalue = 2\n[second]\nvalue = 3\n");

	CHECK(f.ok);
	CHECK_INT(seen[0], 2);
	CHECK_INT(seen[1], 3);
	CHECK_INT(anna_generation(f.anna), 2);
	CHECK_INT(verdict_of(&f, 2), VERDICT_ACTIVE);
	CHECK_INT(verdict_of(&f, 1), VERDICT_GOOD);
	tear_down(&f);
}

TEST(a_part_that_refuses_takes_every_part_back_and_the_generation_is_rejected) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n[second]\nvalue = 1\n");

	reload(&f, "[first]\nvalue = 2\n[second]\nvalue = 13\n");

	CHECK(!f.ok);
	CHECK_INT(f.err.code, ERR_RELOAD);
	CHECK_INT(seen[0], 1);
	CHECK_INT(seen[1], 1);
	CHECK_INT(anna_generation(f.anna), 1);
	CHECK_INT(verdict_of(&f, 2), VERDICT_REJECTED);
	CHECK_INT(verdict_of(&f, 1), VERDICT_ACTIVE);
	for (size_t i = 0; i < anna_capability_count(f.anna); i++) {
		struct capability_status status;
		anna_get_capability(f.anna, i, &status);
		CHECK_INT(status.state, CAPABILITY_ACTIVE);
	}
	tear_down(&f);
}

TEST(an_invalid_file_changes_nothing_and_health_says_so) {
	struct fixture f;
	struct health_reason reasons[4];
	size_t n;
	set_up(&f, "[first]\nvalue = 1\n");

	reload(&f, "[first]\nvalue = \"one\"\n");

	CHECK(!f.ok);
	CHECK_INT(f.err.code, ERR_CONFIG);
	CHECK_INT(seen[0], 1);
	CHECK_INT(anna_get_health(f.anna, reasons, 4, &n), HEALTH_DEGRADED);
	CHECK_TEXT(reasons[0].part, "config");
	tear_down(&f);
}

TEST(a_reload_asked_for_during_one_runs_after_it_once) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n");
	write_config(&f, "[first]\nvalue = 2\n");
	CHECK(anna_reload(f.anna, "test", false, 0, on_done, &f, &f.err));

	daemon_reload(f.anna, "SIGHUP");
	daemon_reload(f.anna, "SIGHUP");
	daemon_reload(f.anna, "SIGHUP");
	loop_advance(f.fake.loop, NS_PER_SECOND);

	CHECK_INT(anna_reload_count(f.anna), 2);
	CHECK_INT(anna_get_state(f.anna), ANNA_RUNNING);
	tear_down(&f);
}

TEST(stopping_while_a_reload_runs_ends_and_drops_it) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n");
	write_config(&f, "[first]\nvalue = 2\n");
	CHECK(anna_reload(f.anna, "test", false, 0, on_done, &f, &f.err));

	daemon_stop(f.anna, "test");
	loop_advance(f.fake.loop, NS_PER_SECOND);

	CHECK(f.is_done);
	CHECK(!f.ok);
	CHECK_INT(seen[0], 1);
	CHECK_INT(anna_get_state(f.anna), ANNA_STOPPING);
	tear_down(&f);
}

static void on_undone(void *arg, const struct reload_result *result, const struct err *err) {
	on_done(arg, result, err);
}

TEST(an_unconfirmed_reload_is_undone_when_its_time_is_up) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n");
	write_config(&f, "[first]\nvalue = 2\n");
	CHECK(anna_reload(f.anna, "test", false, 60 * NS_PER_SECOND, on_done, &f, &f.err));
	loop_advance(f.fake.loop, 30 * NS_PER_SECOND);
	CHECK_INT(seen[0], 2);

	loop_advance(f.fake.loop, 31 * NS_PER_SECOND);

	CHECK_INT(seen[0], 1);
	CHECK_INT(anna_generation(f.anna), 1);
	CHECK_INT(verdict_of(&f, 2), VERDICT_UNDONE);
	tear_down(&f);
}

static void on_confirmed(void *arg, const struct err *err) {
	struct fixture *f = arg;
	f->is_done = true;
	f->ok = !err;
}

TEST(a_confirmed_reload_stays) {
	struct fixture f;
	set_up(&f, "[first]\nvalue = 1\n");
	write_config(&f, "[first]\nvalue = 2\n");
	CHECK(anna_reload(f.anna, "test", false, 60 * NS_PER_SECOND, on_done, &f, &f.err));
	loop_advance(f.fake.loop, 30 * NS_PER_SECOND);

	CHECK(anna_confirm(f.anna, "uid 0", on_confirmed, &f, &f.err));
	loop_advance(f.fake.loop, 60 * NS_PER_SECOND);

	CHECK(f.ok);
	CHECK_INT(seen[0], 2);
	CHECK_INT(verdict_of(&f, 2), VERDICT_ACTIVE);
	tear_down(&f);
}

TEST(an_undo_goes_back_and_health_says_that_the_file_is_not_in_force) {
	struct fixture f;
	struct health_reason reasons[4];
	size_t n;
	set_up(&f, "[first]\nvalue = 1\n");
	reload(&f, "[first]\nvalue = 2\n");

	CHECK(anna_undo(f.anna, 0, "test", on_undone, &f, &f.err));
	loop_advance(f.fake.loop, NS_PER_SECOND);

	CHECK_INT(seen[0], 1);
	CHECK_INT(anna_get_health(f.anna, reasons, 4, &n), HEALTH_DEGRADED);
	CHECK_TEXT(reasons[0].part, "config");
	CHECK(!anna_undo(f.anna, 0, "test", on_undone, &f, &f.err));
	CHECK_INT(f.err.code, ERR_NOT_FOUND);
	tear_down(&f);
}

int main(void) {
	return TESTS(RUN(a_good_reload_takes_every_part_to_the_new_configuration),
		RUN(a_part_that_refuses_takes_every_part_back_and_the_generation_is_rejected),
		RUN(an_invalid_file_changes_nothing_and_health_says_so),
		RUN(a_reload_asked_for_during_one_runs_after_it_once),
		RUN(stopping_while_a_reload_runs_ends_and_drops_it),
		RUN(an_unconfirmed_reload_is_undone_when_its_time_is_up),
		RUN(a_confirmed_reload_stays),
		RUN(an_undo_goes_back_and_health_says_that_the_file_is_not_in_force));
}
