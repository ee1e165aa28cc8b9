// SPDX-License-Identifier: Apache-2.0
// Asking file systems that may never answer, with played processes in simulated time.
#include "sources/host_statfs.h"

#include <errno.h>
#include <signal.h>

#include "sources/source_fixture.h"

struct child {
	struct child_spec spec;
	char point[64];
	bool is_killed, is_released;
};

struct play {
	struct child_runner runner;
	struct fixture fixture;
	struct filesystems set;
	struct statfs statfs;
	struct child children[64];
	size_t n; // started so far
	size_t answers;
	bool is_unable; // to start processes
};

static struct child *spawn(
	struct child_runner *runner, const struct child_spec *spec, struct err *err) {
	struct play *play = (struct play *)(void *)runner;
	if (play->is_unable) {
		err_set(err, ERR_LIMIT, "no processes");
		return NULL;
	}
	CHECK(play->n < 64);
	struct child *child = &play->children[play->n++];
	child->spec = *spec;
	CHECK_TEXT(spec->argv[0], "/usr/bin/stat");
	CHECK_TEXT(spec->argv[3], "--"); // a mount point cannot pass for an option
	snprintf(child->point, sizeof(child->point), "%s", spec->argv[4]);
	return child;
}

static void kill_child(struct child *child, int signal) {
	CHECK_INT(signal, SIGKILL);
	child->is_killed = true;
}

static void release(struct child *child) {
	CHECK(!child->is_released);
	child->is_released = true;
}

static void on_answer(void *arg, struct filesystem *filesystem) {
	struct play *play = arg;
	(void)filesystem;
	play->answers++;
}

static void on_gone(void *arg, struct filesystem *filesystem) {
	statfs_forget(&((struct play *)arg)->statfs, filesystem);
}

static void take_mounts(struct play *play, const char *mountinfo) {
	const struct mount_filter filter = {0};
	filesystems_update(&play->set, str_from(mountinfo), &filter, on_gone, play);
}

static void begin(struct play *play, const char *mountinfo) {
	extern const struct capability source_host;
	memset(play, 0, sizeof(*play));
	fixture_init(&play->fixture, NULL, &source_host);
	play->runner = (struct child_runner){spawn, NULL, kill_child, release};
	filesystems_init(&play->set);
	play->statfs = (struct statfs){.loop = play->fixture.fake.loop,
		.jobs = play->fixture.slow_jobs,
		.children = &play->runner,
		.set = &play->set,
		.limit_ns = 5 * NS_PER_SECOND,
		.on_answer = on_answer,
		.arg = play};
	take_mounts(play, mountinfo);
}

static void tick(struct play *play, int seconds) {
	for (int i = 0; i < seconds; i++) {
		statfs_tick(&play->statfs);
		loop_advance(play->fixture.fake.loop, NS_PER_SECOND);
	}
}

static void answer(struct play *play, size_t i, const char *text, int exit_status) {
	struct child *child = &play->children[i];
	child->spec.on_output(child->spec.arg, str_from(text));
	child->spec.on_exit(child->spec.arg, &(struct child_result){.exit_status = exit_status});
	CHECK(child->is_released);
}

static void die(struct play *play, size_t i) {
	struct child *child = &play->children[i];
	child->spec.on_exit(
		child->spec.arg, &(struct child_result){.was_signalled = true, .signal = SIGKILL});
	CHECK(child->is_released);
}

static const struct filesystem *find(const struct play *play, const char *point) {
	return map_get(&play->set.by_point, str_from(point));
}

static void end(struct play *play) {
	statfs_finish(&play->statfs);
	filesystems_finish(&play->set);
	for (size_t i = 0; i < play->n; i++) {
		CHECK(play->children[i].is_released);
	}
	fixture_finish(&play->fixture);
}

#define NAS "9 1 0:9 / /nas rw - nfs4 n:/x rw\n"
#define TMP "1 0 0:1 / /tmp rw - tmpfs t rw\n"

TEST(a_local_one_is_asked_by_a_job_and_a_remote_one_by_a_process) {
	struct play play;
	begin(&play, TMP NAS);
	tick(&play, 1);
	CHECK_INT(find(&play, "/tmp")->verdict, SPACE_KNOWN);
	CHECK(find(&play, "/tmp")->space.size_bytes > 0);
	CHECK_INT(play.n, 1);
	CHECK_TEXT(play.children[0].point, "/nas");
	answer(&play, 0, "4096 100 50 40 7 6", 0);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_KNOWN);
	CHECK_INT(find(&play, "/nas")->space.avail_bytes, 40 * 4096);
	tick(&play, 8);
	CHECK_INT(play.n, 1); // not every second
	tick(&play, 3);
	CHECK_INT(play.n, 2);
	end(&play);
}

TEST(a_silent_one_is_killed_reported_and_asked_again_later) {
	struct play play;
	begin(&play, TMP NAS);
	tick(&play, 5);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_UNKNOWN);
	tick(&play, 3);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_SILENT);
	CHECK(play.children[0].is_killed);
	die(&play, 0);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_SILENT);
	CHECK_INT(find(&play, "/tmp")->verdict, SPACE_KNOWN);
	tick(&play, 55);
	CHECK_INT(play.n, 1);
	tick(&play, 4);
	CHECK_INT(play.n, 2);
	answer(&play, 1, "4096 100 50 40 7 6", 0);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_KNOWN);
	end(&play);
}

TEST(an_answer_that_crosses_its_kill_counts) {
	struct play play;
	begin(&play, NAS);
	tick(&play, 7);
	CHECK(play.children[0].is_killed);
	answer(&play, 0, "4096 100 50 40 7 6", 0);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_KNOWN);
	CHECK_INT(play.statfs.undead + play.statfs.asking, 0);
	end(&play);
}

TEST(hanging_processes_are_few_and_the_others_go_on) {
	struct play play;
	struct buf table = BUF_INIT;
	for (int i = 0; i < 20; i++) {
		buf_appendf(&table, "%d 0 0:%d / /n%d rw - nfs4 n rw\n", i + 1, i + 1, i);
	}
	buf_append_text(&table, TMP);
	begin(&play, buf_text(&table));
	tick(&play, 1);
	CHECK_INT(play.n, 4);
	size_t before = play.answers;
	tick(&play, 100); // none of them even dies
	CHECK_INT(play.n, 8);
	CHECK(play.answers >= before + 95); // /tmp is asked every second all the while
	CHECK_INT(play.statfs.asking + play.statfs.undead, 8);
	for (size_t i = 0; i < 8; i++) {
		die(&play, i);
	}
	tick(&play, 1);
	CHECK_INT(play.n, 12);
	buf_finish(&table);
	end(&play);
}

TEST(an_error_is_told_by_its_reason) {
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{"stat: cannot read file system information for '/nas': Permission denied", EACCES},
		{"stat: cannot read …: Transport endpoint is not connected", ENOTCONN},
		{"stat: cannot read …: Stale file handle", ESTALE},
		{"nonsense", EIO},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play play;
		begin(&play, NAS);
		tick(&play, 1);
		answer(&play, 0, rows[i].text, 1);
		CHECK_INT(find(&play, "/nas")->verdict, SPACE_FAILED);
		CHECK_INT(find(&play, "/nas")->error, rows[i].error);
		end(&play);
	}
}

TEST(a_machine_without_processes_to_spare_is_no_danger) {
	struct play play;
	begin(&play, NAS);
	play.is_unable = true;
	tick(&play, 30);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_FAILED);
	play.is_unable = false;
	for (int i = 0; i < 11 && !play.n; i++) {
		tick(&play, 1);
	}
	answer(&play, 0, "1 2 1 1 1 1", 0);
	CHECK_INT(find(&play, "/nas")->verdict, SPACE_KNOWN);
	end(&play);
}

TEST(a_local_one_that_hangs_costs_one_thread_and_then_processes_ask) {
	struct play play;
	begin(&play, TMP "2 0 0:2 / /dev/shm rw - tmpfs t rw\n");
	statfs_tick(&play.statfs);
	CHECK(play.statfs.job != NULL);
	play.statfs.limit_ns = -1; // its time is over before it could run
	statfs_tick(&play.statfs);
	CHECK(play.statfs.is_pool_lost && !play.statfs.job);
	CHECK_INT(find(&play, "/tmp")->verdict, SPACE_SILENT);
	CHECK_INT(play.n, 1);
	CHECK_TEXT(play.children[0].point, "/dev/shm");
	play.statfs.limit_ns = 5 * NS_PER_SECOND;
	loop_advance(play.fixture.fake.loop, NS_PER_SECOND); // the lost job comes back: ignored
	CHECK_INT(find(&play, "/dev/shm")->verdict, SPACE_UNKNOWN);
	end(&play);
}

TEST(a_mount_that_goes_takes_its_question_along) {
	struct play play;
	begin(&play, TMP NAS);
	tick(&play, 1);
	CHECK_INT(play.statfs.asking, 1);
	take_mounts(&play, TMP);
	CHECK(play.children[0].is_released);
	CHECK_INT(play.statfs.asking, 0);
	tick(&play, 2);
	end(&play);
}

int main(void) {
	return TESTS(RUN(a_local_one_is_asked_by_a_job_and_a_remote_one_by_a_process),
		RUN(a_silent_one_is_killed_reported_and_asked_again_later),
		RUN(an_answer_that_crosses_its_kill_counts),
		RUN(hanging_processes_are_few_and_the_others_go_on),
		RUN(an_error_is_told_by_its_reason),
		RUN(a_machine_without_processes_to_spare_is_no_danger),
		RUN(a_local_one_that_hangs_costs_one_thread_and_then_processes_ask),
		RUN(a_mount_that_goes_takes_its_question_along));
}
