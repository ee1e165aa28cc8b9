// SPDX-License-Identifier: Apache-2.0
// The steps of an upgrade: keep, install, ready, verify, and when one of the last three fails, back.
// The record on disk is always a step ahead of the act, so that a run that dies anywhere leaves a
// state the next one repairs: forward when the new daemon answers, else back.
#include <errno.h>

#include "ctl/upgrade_parts.h"
#include "formats/json.h"

static bool set_phase(
	struct upgrade *u, enum upgrade_phase phase, struct str reason, struct err *err) {
	struct upgrade_record record = {
		.phase = phase, .from = u->from, .to = u->to, .event = u->event, .reason = reason};
	return upgrade_record_write(fs_system(), UPGRADE_RECORD, &record, err);
}

// Nothing is under way any more. What was staged goes; what was kept stays.
static bool clear(struct err *err) {
	struct fs *fs = fs_system();
	int status = fs->unlink(fs, UPGRADE_RECORD);
	errno = -status;
	upgrade_remove_tree(UPGRADE_NEW_TREE);
	(void)unlink(UPGRADE_NEW); // in the way at most
	return (status >= 0 || status == -ENOENT) && fs->sync_directory(fs, UPGRADE_FOLDER) >= 0
		? true
		: err_errno(err, "cannot remove %s", UPGRADE_RECORD);
}

static void say(struct upgrade *u, const char *step, const char *text) {
	if (!u->in->output.is_json) {
		output_printf(&u->in->output, "  %-8s %s\n", step, text);
		(void)output_flush(&u->in->output);
	}
}

// Puts the previous package back and proves that its daemon runs. The reason was said.
static bool go_back(struct upgrade *u, struct str reason, struct err *err) {
	say(u, "back", arena_printf(u->arena, "to %" STR_FMT, STR_ARG(u->from.package)));
	if (!set_phase(u, PHASE_RETURNING, reason, err)) {
		return false;
	}
	connection_close(&u->in->client.connection);
	if (!package_install(u, UPGRADE_PREVIOUS, err) ||
		!verify_running(u, &u->from, u->options->wait_ns, err)) {
		return false;
	}
	upgrade_report(u, "rolled_back", reason);
	say(u, "back",
		arena_printf(u->arena, "annad %" STR_FMT " (build %" STR_FMT ") runs and answers",
			STR_ARG(u->from.number), STR_ARG(u->from.build)));
	return clear(err);
}

static bool finish(struct upgrade *u, struct err *err) {
	upgrade_report(u, "finished", STR(""));
	return clear(err);
}

static bool install(struct upgrade *u, struct err *err) {
	say(u, "install", arena_printf(u->arena, "%" STR_FMT, STR_ARG(u->to.package)));
	connection_close(&u->in->client.connection);
	if (!package_install(u, UPGRADE_NEW, err)) {
		return false;
	}
	say(u, "ready", "the new annad is started");
	if (!set_phase(u, PHASE_VERIFYING, STR(""), err) ||
		!verify_running(u, &u->to, u->options->wait_ns, err) || !verify_journal(u, err)) {
		return false;
	}
	say(u, "verify",
		arena_printf(u->arena,
			"annad %" STR_FMT " (build %" STR_FMT
			") runs, answers and reads the journal",
			STR_ARG(u->to.number), STR_ARG(u->to.build)));
	return true;
}

static void write_result(
	struct upgrade *u, struct json_writer *w, const char *result, const char *reason) {
	if (u->in->output.is_json) {
		json_member_text(w, "result", result);
		json_member_text(w, "reason", reason);
		json_member_str(w, "from", u->from.package);
		json_member_str(w, "to", u->to.package);
	}
}

// Neither forward nor back: the one case in which somebody must act.
static int fail_stuck(
	struct upgrade *u, struct json_writer *w, const struct err *why, const struct err *back) {
	struct failure failure = FAILURE_INIT;
	failure_set(&failure, ERR_IO,
		"%.200s; and going back failed: %.200s. annad may not be running", why->message,
		back->message);
	failure_set_next(&failure,
		"journalctl -u annad -n 50; then " UPGRADE_CTL
		" upgrade --resume, or by hand: dpkg -i " UPGRADE_PREVIOUS);
	write_result(u, w, "stuck", failure.err.message);
	return invocation_fail(u->in, &failure);
}

static int fail_back(struct upgrade *u, struct json_writer *w, const struct err *why) {
	struct failure failure = FAILURE_INIT;
	failure_set(&failure, ERR_IO,
		"the upgrade to %" STR_FMT " was undone, %" STR_FMT " runs again: %.300s",
		STR_ARG(u->to.package), STR_ARG(u->from.package), why->message);
	failure_set_next(&failure, "journalctl -u annad -n 100 shows the new one's start");
	write_result(u, w, "rolled_back", why->message);
	return invocation_fail(u->in, &failure);
}

static int fail_before(struct upgrade *u, struct json_writer *w, const struct err *why) {
	struct failure failure = FAILURE_INIT;
	struct err ignored = ERR_INIT;
	failure_from_err(&failure, why);
	(void)clear(&ignored); // the next run clears it
	write_result(u, w, "unchanged", why->message);
	return invocation_fail(u->in, &failure);
}

int upgrade_install(struct upgrade *u, struct json_writer *w) {
	struct err err = ERR_INIT, back = ERR_INIT;
	say(u, "keep", arena_printf(u->arena, "%" STR_FMT, STR_ARG(u->from.package)));
	if (!set_phase(u, PHASE_KEEPING, STR(""), &err) || !package_keep_installed(u, &err)) {
		return fail_before(u, w, &err);
	}
	upgrade_report(u, "started", STR(""));
	if (!set_phase(u, PHASE_INSTALLING, STR(""), &err)) {
		return fail_before(u, w, &err);
	}
	if (install(u, &err)) {
		if (!finish(u, &err)) {
			return fail_before(u, w, &err);
		}
		write_result(u, w, "upgraded", NULL);
		return 0;
	}
	say(u, "failed", err.message);
	return go_back(u, str_from(err.message), &back) ? fail_back(u, w, &err)
							: fail_stuck(u, w, &err, &back);
}

// Whether dpkg has finished with it and the daemon that runs is it.
static bool is_complete(struct upgrade *u, struct err *err) {
	struct str state, version;
	return package_installed(u, &state, &version, err) &&
		((str_starts(state, STR("ii")) && str_equal(version, u->to.package)) ||
			err_set(err, ERR_IO, "it was interrupted while dpkg was at work")) &&
		verify_running(u, &u->to, u->options->wait_ns, err) && verify_journal(u, err);
}

bool upgrade_resume(struct upgrade *u, bool *out_did, struct err *err) {
	struct upgrade_record record;
	*out_did = false;
	if (!upgrade_record_read(fs_system(), UPGRADE_RECORD, u->arena, &record, err)) {
		return err_prefix(err, "look at what dpkg -l anna says, then remove the record");
	}
	if (record.phase == PHASE_NONE) {
		return true;
	}
	*out_did = true;
	u->from = record.from;
	u->to = record.to;
	u->event = record.event;
	say(u, "found",
		arena_printf(u->arena, "an upgrade to %" STR_FMT " that ended while %s",
			STR_ARG(u->to.package), upgrade_phase_name(record.phase)));
	if (record.phase == PHASE_KEEPING) {
		say(u, "clear", "nothing had been changed");
		return clear(err);
	}
	struct err why = ERR_INIT;
	if (record.phase != PHASE_RETURNING && is_complete(u, &why)) {
		say(u, "verify", "the new annad runs and answers: the upgrade is finished");
		return finish(u, err);
	}
	struct str reason = record.reason.len ? record.reason : str_from(why.message);
	return go_back(u, reason, err) ||
		err_prefix(err, "going back to %" STR_FMT " failed", STR_ARG(u->from.package));
}

int upgrade_go_back(struct upgrade *u, struct json_writer *w) {
	struct failure failure = FAILURE_INIT;
	struct str state, installed;
	struct err err = ERR_INIT;
	if (access(UPGRADE_PREVIOUS, R_OK) != 0) {
		failure_set(
			&failure, ERR_NOT_FOUND, "there is no %s to go back to", UPGRADE_PREVIOUS);
		return invocation_fail(u->in, &failure);
	}
	upgrade_remove_tree(UPGRADE_NEW_TREE);
	bool ok = package_installed(u, &state, &installed, &err) &&
		package_field(u, UPGRADE_PREVIOUS, "Version", &u->from.package, &err) &&
		upgrade_ask(NULL, &err, "dpkg-deb", "--extract", UPGRADE_PREVIOUS, UPGRADE_NEW_TREE,
			NULL) &&
		release_ask(u, UPGRADE_NEW_TREE "/usr/sbin/annad", &u->from, &err);
	u->to.package = installed;
	if (!ok || !go_back(u, STR("asked for"), &err)) {
		failure_from_err(&failure, &err);
		failure_set_next(
			&failure, "journalctl -u annad -n 50; by hand: dpkg -i " UPGRADE_PREVIOUS);
		return invocation_fail(u->in, &failure);
	}
	write_result(u, w, "went_back", NULL);
	return 0;
}
