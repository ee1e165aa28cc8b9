// SPDX-License-Identifier: Apache-2.0
// Asking file systems; see host_statfs.h. Invariant: a job owns every byte it touches while it
// runs, and learns only on the loop whether anyone still wants its answer.
#include "sources/host_statfs.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "io/child.h"
#include "io/fs.h"
#include "io/worker.h"

#define ASKING_MAX 4			   // processes at a time
#define UNDEAD_MAX 8			   // processes that do not die; then no new ones
#define REMOTE_PERIOD (10 * NS_PER_SECOND) // a process a mount is too dear for every second
#define SILENT_PERIOD (60 * NS_PER_SECOND)
#define ANSWER_MAX 4096

struct answer {
	char *point;
	int error; // errno, or 0
	struct space space;
};

struct statfs_job {
	struct statfs *owner; // NULL: nobody waits for it
	char *recorded;
	struct answer *answers;
	size_t n;
	uint64_t version; // of the set it was made for
	bool is_running;
	int64_t started_ns;
	_Atomic size_t at; // which one it is asking
};

static void job_free(struct statfs_job *job) {
	for (size_t i = 0; i < job->n; i++) {
		free(job->answers[i].point);
	}
	free(job->answers);
	free(job->recorded);
	free(job);
}

static void ask_kernel(struct answer *answer) {
	struct statvfs numbers;
	if (statvfs(answer->point, &numbers) != 0) {
		answer->error = errno;
		return;
	}
	uint64_t unit = numbers.f_frsize ? numbers.f_frsize : numbers.f_bsize;
	answer->error = 0;
	answer->space = (struct space){.size_bytes = unit * numbers.f_blocks,
		.free_bytes = unit * numbers.f_bfree,
		.avail_bytes = unit * numbers.f_bavail,
		.files = numbers.f_files,
		.files_free = numbers.f_ffree};
	// Not ST_RDONLY: in a sandbox that is the sandbox's, and the mount table tells the machine's.
}

static void ask_record(struct str text, struct answer *answer) {
	struct str line, point;
	answer->error = ENOENT;
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &point) && str_is(point, answer->point)) {
			answer->error = space_parse(line, &answer->space) ? 0 : EIO;
			return;
		}
	}
}

// On a thread of the pool.
static void job_run(void *arg) {
	struct statfs_job *job = arg;
	struct buf text = BUF_INIT;
	if (job->recorded) {
		// Without the file every answer is "not found".
		(void)!fs_read_file(fs_system(), job->recorded, 1024 * 1024, &text, NULL);
	}
	for (size_t i = 0; i < job->n; i++) {
		atomic_store_explicit(&job->at, i, memory_order_relaxed);
		if (job->recorded) {
			ask_record(buf_str(&text), &job->answers[i]);
		} else {
			ask_kernel(&job->answers[i]);
		}
	}
	buf_finish(&text);
}

static bool is_asked_by_job(const struct statfs *statfs, const struct filesystem *filesystem) {
	return statfs->recorded || (!filesystem->may_block && !statfs->is_pool_lost);
}

static void job_done(void *arg) {
	struct statfs_job *job = arg;
	struct statfs *statfs = job->owner;
	job->is_running = false;
	if (!statfs) {
		job_free(job);
		return;
	}
	for (size_t i = 0; i < job->n; i++) {
		const struct answer *answer = &job->answers[i];
		struct filesystem *filesystem = map_get(
			&statfs->set->by_point, str_from(answer->point));
		if (!filesystem || !is_asked_by_job(statfs, filesystem)) {
			continue; // unmounted meanwhile
		}
		filesystem->error = answer->error;
		filesystem->verdict = answer->error ? SPACE_FAILED : SPACE_KNOWN;
		if (!answer->error) {
			filesystem->space = answer->space;
		}
		statfs->on_answer(statfs->arg, filesystem);
	}
}

static struct statfs_job *job_create(struct statfs *statfs) {
	struct statfs_job *job = xcalloc(1, sizeof(*job));
	job->owner = statfs;
	job->version = statfs->set->version;
	job->recorded = statfs->recorded ? xstrdup(statfs->recorded) : NULL;
	job->answers = xcalloc(map_count(&statfs->set->by_point) + 1, sizeof(*job->answers));
	list_for_each (node, &statfs->set->list) {
		struct filesystem *filesystem = list_item(node, struct filesystem, node);
		if (is_asked_by_job(statfs, filesystem)) {
			job->answers[job->n++].point = xstrdup(filesystem->point);
		}
	}
	return job;
}

// The job hangs in one local file system: that one and all others go to processes from now on.
static void give_up_pool(struct statfs *statfs) {
	struct statfs_job *job = statfs->job;
	size_t at = atomic_load_explicit(&job->at, memory_order_relaxed);
	struct filesystem *culprit = map_get(
		&statfs->set->by_point, str_from(job->answers[at].point));
	statfs->is_pool_lost = true;
	job->owner = NULL;
	statfs->job = NULL;
	if (culprit) {
		culprit->verdict = SPACE_SILENT;
		culprit->ask_again_ns = loop_now(statfs->loop) + SILENT_PERIOD;
		statfs->on_answer(statfs->arg, culprit);
	}
}

static void tick_job(struct statfs *statfs) {
	struct statfs_job *job = statfs->job;
	int64_t now = loop_now(statfs->loop);
	if (job && job->is_running) {
		if (now - job->started_ns > statfs->limit_ns) {
			give_up_pool(statfs);
		}
		return;
	}
	if (statfs->is_pool_lost) {
		return;
	}
	if (job && job->version != statfs->set->version) {
		job_free(job);
		job = statfs->job = NULL;
	}
	if (!job) {
		job = statfs->job = job_create(statfs);
	}
	statfs->is_refused = job->n && !jobs_run(statfs->jobs, job_run, job_done, job);
	if (job->n && !statfs->is_refused) {
		job->is_running = true;
		job->started_ns = now;
	}
}

// stat(1) under LC_ALL=C says "stat: cannot read …: <strerror>".
static int error_of(struct str message) {
	static const struct {
		const char *text;
		int error;
	} errors[] = {{"No such file", ENOENT}, {"Permission denied", EACCES},
		{"not connected", ENOTCONN}, {"Stale", ESTALE}, {"timed out", ETIMEDOUT},
		{"Host is down", EHOSTDOWN}};
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (str_find(message, str_from(errors[i].text)) >= 0) {
			return errors[i].error;
		}
	}
	return EIO;
}

static void on_output(void *arg, struct str bytes) {
	struct filesystem *filesystem = arg;
	if (filesystem->answer.len + bytes.len <= ANSWER_MAX) {
		buf_append_str(&filesystem->answer, bytes);
	}
}

static void on_exit_of(void *arg, const struct child_result *result) {
	struct filesystem *filesystem = arg;
	struct statfs *statfs = filesystem->asker;
	struct str text = str_trim(buf_str(&filesystem->answer));
	struct space space;
	statfs->children->release(filesystem->child);
	filesystem->child = NULL;
	*(filesystem->is_killed ? &statfs->undead : &statfs->asking) -= 1;
	bool is_silent = filesystem->is_killed && result->was_signalled;
	filesystem->is_killed = false;
	if (is_silent) {
		return; // told when it was killed
	}
	if (!result->was_signalled && result->exit_status == 0 && space_parse(text, &space)) {
		filesystem->verdict = SPACE_KNOWN;
		filesystem->space = space;
		filesystem->error = 0;
	} else {
		filesystem->verdict = SPACE_FAILED;
		filesystem->error = error_of(text);
	}
	statfs->on_answer(statfs->arg, filesystem);
}

static void ask_by_child(struct statfs *statfs, struct filesystem *filesystem) {
	static const char *const environment[] = {"LC_ALL=C", NULL};
	const char *const argv[] = {
		"/usr/bin/stat", "-f", "--printf=%S %b %f %a %c %d", "--", filesystem->point, NULL};
	struct child_spec spec = {.argv = argv,
		.environment = environment,
		.on_output = on_output,
		.on_exit = on_exit_of,
		.arg = filesystem};
	int64_t now = loop_now(statfs->loop);
	filesystem->asker = statfs;
	filesystem->asked_ns = now;
	filesystem->ask_again_ns = now + REMOTE_PERIOD;
	buf_clear(&filesystem->answer);
	filesystem->child = statfs->children->spawn(statfs->children, &spec, NULL);
	if (filesystem->child) {
		statfs->asking++;
		return;
	}
	filesystem->verdict = SPACE_FAILED;
	filesystem->error = ENOEXEC;
	statfs->on_answer(statfs->arg, filesystem);
}

static void tick_child(struct statfs *statfs, struct filesystem *filesystem) {
	int64_t now = loop_now(statfs->loop);
	if (!filesystem->child) {
		if (now >= filesystem->ask_again_ns && statfs->asking < ASKING_MAX &&
			statfs->undead < UNDEAD_MAX) {
			ask_by_child(statfs, filesystem);
		}
	} else if (!filesystem->is_killed && now - filesystem->asked_ns > statfs->limit_ns) {
		filesystem->is_killed = true;
		filesystem->verdict = SPACE_SILENT;
		filesystem->ask_again_ns = now + SILENT_PERIOD;
		statfs->asking--;
		statfs->undead++;
		statfs->children->kill(filesystem->child, SIGKILL);
		statfs->on_answer(statfs->arg, filesystem);
	}
}

void statfs_tick(struct statfs *statfs) {
	tick_job(statfs);
	if (!statfs->children || statfs->recorded) {
		return;
	}
	list_for_each (node, &statfs->set->list) {
		struct filesystem *filesystem = list_item(node, struct filesystem, node);
		if (!is_asked_by_job(statfs, filesystem)) {
			tick_child(statfs, filesystem);
		}
	}
}

void statfs_forget(struct statfs *statfs, struct filesystem *filesystem) {
	if (filesystem->child) {
		*(filesystem->is_killed ? &statfs->undead : &statfs->asking) -= 1;
		statfs->children->release(filesystem->child);
		filesystem->child = NULL;
		filesystem->is_killed = false;
	}
}

void statfs_finish(struct statfs *statfs) {
	list_for_each (node, &statfs->set->list) {
		statfs_forget(statfs, list_item(node, struct filesystem, node));
	}
	if (statfs->job && statfs->job->is_running) {
		statfs->job->owner = NULL; // freed when it returns
	} else if (statfs->job) {
		job_free(statfs->job);
	}
	statfs->job = NULL;
	free(statfs->recorded);
	statfs->recorded = NULL;
}
