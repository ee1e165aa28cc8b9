// SPDX-License-Identifier: Apache-2.0
// `annactl upgrade FILE.deb`: checks, keeps the previous package, installs, verifies the running
// daemon over RPC, and goes back by itself when the new one does not get ready. Only one at a time:
// a lock is held by us and by every dpkg we start, so a dpkg that outlives us is waited for.
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "ctl/upgrade_parts.h"
#include "formats/json.h"

#define LOCK UPGRADE_FOLDER "/lock"
#define LOCK_WAIT_NS (600 * NS_PER_SECOND)
#define LOOK_AGAIN_MS 200

static bool make_folder(struct err *err) {
	struct stat status;
	if (mkdir(UPGRADE_FOLDER, 0711) < 0 && errno != EEXIST) {
		return err_errno(err, "cannot make %s", UPGRADE_FOLDER);
	}
	if (lstat(UPGRADE_FOLDER, &status) < 0) {
		return err_errno(err, "cannot look at %s", UPGRADE_FOLDER);
	}
	if (!S_ISDIR(status.st_mode) || status.st_uid != 0 || (status.st_mode & 022)) {
		return err_set(err, ERR_DENIED,
			"%s must be a folder that only root may write to: what is in it is run by "
			"root",
			UPGRADE_FOLDER);
	}
	return chmod(UPGRADE_FOLDER, 0711) == 0 ||
		err_errno(err, "cannot set the mode of %s", UPGRADE_FOLDER);
}

static bool take_lock(struct upgrade *u, struct err *err) {
	int64_t deadline_ns = clock_monotonic(u->in->clock) + LOCK_WAIT_NS;
	bool was_said = false;
	u->lock_fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (u->lock_fd < 0) {
		return err_errno(err, "cannot open %s", LOCK);
	}
	while (flock(u->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return err_errno(err, "cannot lock %s", LOCK);
		}
		if (clock_monotonic(u->in->clock) >= deadline_ns) {
			return err_set(
				err, ERR_BUSY, "another upgrade, or the dpkg of one, still runs");
		}
		if (!was_said && !u->in->output.is_json) {
			output_text(&u->in->output, "  waiting for the upgrade that runs\n");
			(void)output_flush(&u->in->output);
			was_said = true;
		}
		u->in->client.wait_ms(&u->in->client, LOOK_AGAIN_MS);
	}
	return true;
}

static int fail(struct upgrade *u, const struct err *err) {
	struct failure failure = FAILURE_INIT;
	failure_from_err(&failure, err);
	return invocation_fail(u->in, &failure);
}

static int fail_checks(struct upgrade *u) {
	struct failure failure = FAILURE_INIT;
	failure_set(&failure, ERR_INVALID, "not every check holds; nothing was changed");
	failure_set_next(&failure, "mend what failed above, then again: annactl upgrade --check");
	return invocation_fail(u->in, &failure);
}

static int check_and_install(struct upgrade *u, struct json_writer *w) {
	bool is_good = upgrade_check(u, w);
	bool is_json = u->in->output.is_json;
	if (is_json) {
		json_member_bool(w, "all_hold", is_good);
	}
	if (u->options->only_check || !is_good) {
		upgrade_remove_tree(UPGRADE_NEW_TREE);
		(void)unlink(UPGRADE_NEW); // in the way at most
		if (!is_good) {
			return fail_checks(u);
		}
		if (!is_json) {
			output_text(&u->in->output, "all checks hold; nothing was changed\n");
		}
		return 0;
	}
	int status = upgrade_install(u, w);
	if (status == 0 && !is_json) {
		output_printf(&u->in->output,
			"upgraded to %" STR_FMT "; the way back: annactl upgrade --back\n",
			STR_ARG(u->to.package));
	}
	return status;
}

static int run_locked(struct upgrade *u, struct json_writer *w) {
	struct err err = ERR_INIT;
	bool did = false;
	if (!upgrade_resume(u, &did, &err)) {
		struct failure failure = FAILURE_INIT;
		failure_from_err(&failure, &err);
		failure_set_next(
			&failure, "journalctl -u annad -n 50; by hand: dpkg -i " UPGRADE_PREVIOUS);
		return invocation_fail(u->in, &failure);
	}
	if (u->in->output.is_json) {
		json_member_bool(w, "resumed", did);
	}
	u->event = 0;
	if (u->options->resume) {
		if (!did && !u->in->output.is_json) {
			output_text(&u->in->output, "no upgrade was interrupted\n");
		}
		return 0;
	}
	return u->options->back ? upgrade_go_back(u, w) : check_and_install(u, w);
}

static int run(struct invocation *in, const void *options) {
	struct upgrade u = {.in = in, .options = options, .arena = in->arena, .lock_fd = -1};
	const struct upgrade_options *asked = options;
	int wanted = asked->verify + asked->resume + asked->back + (asked->file.len > 0);
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT;
	struct json_writer w;
	if (wanted != 1) {
		return invocation_misuse(
			in, "give a package file, or one of --resume, --back and --verify");
	}
	if (asked->verify) {
		return verify_installed(&u);
	}
	if (geteuid() != 0) {
		err_set(&err, ERR_DENIED, "only root installs packages");
		return fail(&u, &err);
	}
	int status;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	status = make_folder(&err) && take_lock(&u, &err) ? run_locked(&u, &w) : fail(&u, &err);
	json_end_object(&w);
	if (in->output.is_json) {
		output_json_line(&in->output, buf_str(&json));
	}
	buf_finish(&json);
	if (u.lock_fd >= 0) {
		close(u.lock_fd);
	}
	return status;
}

static const struct option rows[] = {
	{.key = "FILE",
		.type = OPTION_STRING,
		.is_positional = true,
		.unit = "file",
		.offset = offsetof(struct upgrade_options, file),
		.help = "The package, as make deb builds it."},
	{.key = "check",
		.letter = 'n',
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, only_check),
		.help = "Only look whether it would go well; change nothing."},
	{.key = "sha256",
		.type = OPTION_STRING,
		.min = 64,
		.max = 64,
		.unit = "hex",
		.offset = offsetof(struct upgrade_options, sha256),
		.help = "What the file must be."},
	{.key = "allow-downgrade",
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, allow_downgrade),
		.help = "Also take one that is not newer."},
	{.key = "one-way",
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, one_way),
		.help = "Also take one whose files on disk the old one could not read."},
	{.key = "wait",
		.type = OPTION_DURATION,
		.min = 0,
		.max = 600e9,
		.fallback = "20s",
		.unit = "time",
		.offset = offsetof(struct upgrade_options, wait_ns),
		.help = "How long the daemon may take to answer as it should."},
	{.key = "back",
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, back),
		.help = "Go back to the package before the last upgrade."},
	{.key = "resume",
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, resume),
		.help = "Repair what an interrupted upgrade left; every other run does so first."},
	{.key = "verify",
		.type = OPTION_BOOL,
		.offset = offsetof(struct upgrade_options, verify),
		.help = "Only ask the running daemon whether it is the one installed."},
	{0},
};

DEFINE_COMMAND(upgrade) = {
	.name = "upgrade",
	.summary = "Install a new Anna; go back by itself when she does not run.",
	.usage = "[--check] FILE | --back | --resume | --verify",
	.examples = (const char *const[]){"annactl upgrade --check ./anna_0.2.0_amd64.deb",
		"annactl upgrade ./anna_0.2.0_amd64.deb", "annactl upgrade --back", NULL},
	.options = rows,
	.options_size = sizeof(struct upgrade_options),
	.run = run,
};
