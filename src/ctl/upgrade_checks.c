// SPDX-License-Identifier: Apache-2.0
// What is looked at before anything changes. Each check can fail, asks the thing itself (the
// running daemon, the new binary) and not a name or a text about it; one that cannot be done for
// want of an earlier one is unknown, and unknown is not good enough.
#include <grp.h>
#include <pwd.h>
#include <sys/statvfs.h>

#include "base/sha256.h"
#include "ctl/fields.h"
#include "ctl/upgrade_parts.h"
#include "formats/json.h"

#define NEW_ANNAD UPGRADE_NEW_TREE "/usr/sbin/annad"
#define NEW_ANNACTL UPGRADE_NEW_TREE "/usr/bin/annactl"
#define CONFIG "/etc/anna/config.toml"
#define ASK_NS (60 * NS_PER_SECOND)
#define ONE_LOOK_NS (NS_PER_SECOND) // nothing is being restarted: what is wrong stays wrong
#define SPARE_BYTES (INT64_C(16) * 1024 * 1024)

// Appends what was found; false with *err. `err` holds all that is wrong, and what to do.
typedef bool check_fn(struct upgrade *u, struct buf *said, struct err *err);

static bool check_installed(struct upgrade *u, struct buf *said, struct err *err) {
	struct str state;
	struct buf audit = BUF_INIT;
	bool ok = release_ask(u, INSTALLED_ANNAD, &u->from, err) &&
		package_installed(u, &state, &u->from.package, err);
	if (ok && (!str_is(state, "ii ") && !str_is(state, "ii"))) {
		ok = err_set(err, ERR_INVALID,
			"dpkg does not have anna as installed (\"%" STR_FMT
			"\"): install the package with apt, or mend it: dpkg --configure -a",
			STR_ARG(state));
	}
	// Going back is putting these files back: they must be the ones of the package.
	ok = ok && upgrade_ask(&audit, err, "dpkg", "--verify", "anna", NULL);
	struct str rest = buf_str(&audit), line;
	while (ok && str_split(&rest, '\n', &line)) {
		if (line.len > 11 && line.at[10] != 'c') {
			ok = err_set(err, ERR_INVALID,
				"%" STR_FMT " is not as the package had it: there would be nothing "
				"to go back to; first: apt-get install --reinstall anna",
				STR_ARG(str_trim(str_skip(line, 11))));
		}
	}
	buf_finish(&audit);
	if (ok) {
		buf_appendf(said, "%" STR_FMT ", whole; build %" STR_FMT, STR_ARG(u->from.package),
			STR_ARG(u->from.build));
	}
	return ok;
}

static bool check_sum(struct upgrade *u, struct err *err) {
	struct buf said = BUF_INIT;
	struct str wanted = u->options->sha256, sum;
	if (!wanted.len) {
		return true;
	}
	bool ok = upgrade_ask(&said, err, "sha256sum", "--", UPGRADE_NEW, NULL);
	struct str rest = buf_str(&said);
	if (ok && !(str_word(&rest, &sum) && str_equal_nocase(sum, wanted))) {
		ok = err_set(err, ERR_INVALID, "the file's SHA-256 is not the one given");
	}
	buf_finish(&said);
	return ok;
}

static bool check_package(struct upgrade *u, struct buf *said, struct err *err) {
	struct str name, architecture;
	struct buf ours = BUF_INIT;
	bool ok = package_take(u, err) && check_sum(u, err) &&
		package_field(u, UPGRADE_NEW, "Package", &name, err) &&
		package_field(u, UPGRADE_NEW, "Version", &u->to.package, err) &&
		package_field(u, UPGRADE_NEW, "Architecture", &architecture, err) &&
		upgrade_ask(&ours, err, "dpkg", "--print-architecture", NULL);
	if (ok && !str_is(name, "anna")) {
		ok = err_set(err, ERR_INVALID, "it is the package %" STR_FMT ", not anna",
			STR_ARG(name));
	}
	if (ok && !str_equal(architecture, str_trim(buf_str(&ours)))) {
		ok = err_set(err, ERR_INVALID, "it is for %" STR_FMT ", this machine is %" STR_FMT,
			STR_ARG(architecture), STR_ARG(str_trim(buf_str(&ours))));
	}
	ok = ok && package_unpack(err);
	if (ok) {
		buf_appendf(said, "anna %" STR_FMT " for %" STR_FMT ", every file whole",
			STR_ARG(u->to.package), STR_ARG(architecture));
	}
	buf_finish(&ours);
	return ok;
}

static bool check_version(struct upgrade *u, struct buf *said, struct err *err) {
	const char *from = arena_copy(u->arena, u->from.package);
	const char *to = arena_copy(u->arena, u->to.package);
	const char *argv[] = {"dpkg", "--compare-versions", to, "gt", from, NULL};
	struct program program = {.argv = argv, .limit_ns = ASK_NS};
	int status = 0;
	if (!program_run(&program, false, said, &status, err)) {
		return false;
	}
	if (status != 0 && !u->options->allow_downgrade) {
		return err_set(err, ERR_INVALID,
			"%s is not newer than the %s installed; if that is meant: "
			"--allow-downgrade",
			to, from);
	}
	buf_appendf(said, "%s -> %s", from, to);
	return true;
}

static bool check_program(struct upgrade *u, struct buf *said, struct err *err) {
	if (!release_ask(u, NEW_ANNAD, &u->to, err) ||
		!upgrade_ask(NULL, err, NEW_ANNACTL, "help", NULL)) {
		return false;
	}
	if (!str_starts(u->to.package, u->to.number)) {
		return err_set(err, ERR_INVALID,
			"the package says %" STR_FMT ", the annad in it %" STR_FMT,
			STR_ARG(u->to.package), STR_ARG(u->to.number));
	}
	if (str_equal(u->to.build, u->from.build) && str_equal(u->to.number, u->from.number)) {
		return err_set(err, ERR_INVALID,
			"it holds the very build that is installed (%" STR_FMT
			"): nothing would change, and nothing could tell them apart",
			STR_ARG(u->to.build));
	}
	buf_appendf(said, "annad and annactl run here; build %" STR_FMT, STR_ARG(u->to.build));
	return true;
}

static bool check_dependencies(struct upgrade *u, struct buf *said, struct err *err) {
	struct buf plan = BUF_INIT;
	bool ok = upgrade_ask(&plan, err, "apt-get", "--simulate", "--no-install-recommends",
		"--allow-downgrades", "--option", "Debug::NoLocking=1", "install", UPGRADE_NEW,
		NULL);
	struct str rest = buf_str(&plan), line, word;
	(void)u;
	while (ok && str_split(&rest, '\n', &line)) {
		bool is_change = str_starts(line, STR("Inst ")) || str_starts(line, STR("Remv "));
		if (is_change && str_word(&line, &word) && str_word(&line, &word) &&
			!str_is(word, "anna")) {
			ok = err_set(err, ERR_INVALID,
				"it needs the package %" STR_FMT " changed first: apt-get install "
				"%" STR_FMT,
				STR_ARG(word), STR_ARG(word));
		}
	}
	buf_finish(&plan);
	if (ok) {
		buf_append_text(said, "all are installed");
	}
	return ok;
}

// As the user anna: what she cannot read is not valid for her.
static bool check_configuration(struct upgrade *u, struct buf *said, struct err *err) {
	const char *argv[] = {NEW_ANNAD, "--check", "--config", CONFIG, NULL};
	const struct passwd *user = getpwnam("anna");
	struct program program = {.argv = argv, .limit_ns = ASK_NS};
	struct buf out = BUF_INIT;
	int status = 0;
	(void)u;
	if (!user || user->pw_uid == 0) {
		return err_set(err, ERR_NOT_FOUND, "there is no user anna");
	}
	program.uid = user->pw_uid;
	program.gid = user->pw_gid;
	bool ok = program_run(&program, true, &out, &status, err);
	if (ok && status != 0) {
		struct str line = {0}, rest = str_trim(buf_str(&out));
		(void)str_split(&rest, '\n', &line);
		ok = err_set(err, ERR_CONFIG, "the new annad refuses it: %.*s",
			(int)(line.len < 300 ? line.len : 300), line.at ? line.at : "");
	}
	if (ok) {
		buf_append_text(said, CONFIG " and conf.d are valid under the new annad");
	}
	buf_finish(&out);
	return ok;
}

static bool ask_formats(
	struct upgrade *u, const char *annad, const struct value **out, struct err *err) {
	struct buf said = BUF_INIT;
	bool ok = upgrade_ask(&said, err, annad, "--show", "formats", NULL);
	*out = ok ? json_parse(u->arena, arena_copy_str(u->arena, str_trim(buf_str(&said))), 4, err)
		  : NULL;
	buf_finish(&said);
	return *out != NULL;
}

// What the new one writes, the old one must read when it comes back.
static bool check_formats(struct upgrade *u, struct buf *said, struct err *err) {
	static const char *const names[] = {"journal", "state", "generation"};
	const struct value *before = NULL, *after = NULL;
	bool ok = ask_formats(u, INSTALLED_ANNAD, &before, err) &&
		ask_formats(u, NEW_ANNAD, &after, err);
	for (size_t i = 0; ok && i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t old = field_int(before, names[i], 0), new = field_int(after, names[i], 0);
		buf_appendf(said, "%s%s %lld", i ? ", " : "", names[i], (long long)new);
		if (old == 0 || new == 0 || new > old) {
			ok = err_set(err, ERR_INVALID,
				"the new annad writes the %s in format %lld, the old one reads "
				"%lld",
				names[i], (long long)new, (long long)old);
		}
	}
	int64_t old = field_int(before, "journal_features", -1);
	int64_t new = field_int(after, "journal_features", -1);
	if (ok && (old < 0 || new < 0 || (new & ~old) != 0)) {
		ok = err_set(err, ERR_INVALID,
			"the new annad uses features of the journal that the old one does not "
			"know");
	}
	if (!ok && u->options->one_way) {
		buf_clear(said);
		buf_appendf(said, "%s; --one-way: there will be no way back", err->message);
		*err = (struct err)ERR_INIT;
		return true;
	}
	if (!ok) {
		(void)err_prefix(
			err, "going back would not be possible (--one-way to go all the same)");
	}
	return ok;
}

static int64_t free_bytes(const char *path) {
	struct statvfs numbers;
	return statvfs(path, &numbers) == 0
		? (int64_t)(numbers.f_bavail * (numbers.f_frsize ? numbers.f_frsize : 1))
		: 0;
}

static bool check_space(struct upgrade *u, struct buf *said, struct err *err) {
	static const char *const folders[] = {"/usr", "/var/lib/dpkg", UPGRADE_FOLDER, "/etc/anna"};
	struct str text;
	int64_t kib, least = INT64_MAX;
	if (!package_field(u, UPGRADE_NEW, "Installed-Size", &text, err)) {
		return false;
	}
	if (!str_to_int64(text, &kib) || kib < 0 || kib > INT32_MAX) {
		return err_set(err, ERR_INVALID, "the package does not say how large it is");
	}
	// The new files beside the old, the old ones kept, and some to live on.
	int64_t wanted = 3 * kib * 1024 + SPARE_BYTES;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int64_t free = free_bytes(folders[i]);
		least = free < least ? free : least;
		if (free < wanted) {
			return err_set(err, ERR_STORAGE,
				"%s has %lld KiB free, %lld KiB are needed", folders[i],
				(long long)(free / 1024), (long long)(wanted / 1024));
		}
	}
	text_bytes(said, wanted);
	buf_append_text(said, " wanted, ");
	text_bytes(said, least);
	buf_append_text(said, " free");
	return true;
}

static bool check_daemon(struct upgrade *u, struct buf *said, struct err *err) {
	struct buf active = BUF_INIT;
	if (access("/run/systemd/system", F_OK) != 0) {
		return err_set(err, ERR_UNAVAILABLE,
			"systemd does not run here: nothing could be restarted or verified; "
			"dpkg -i installs the package as it is");
	}
	bool ok = upgrade_ask(&active, err, "systemctl", "is-active", "annad.service", NULL) ||
		err_prefix(err, "annad.service is not active (systemctl start annad)");
	buf_finish(&active);
	// The running one must be the installed one, or "healthy before" is said of another.
	ok = ok && verify_running(u, &u->from, ONE_LOOK_NS, err);
	if (!ok) {
		return false;
	}
	struct failure failure = FAILURE_INIT;
	const struct value *status = client_ask(&u->in->client, "status", u->arena, &failure);
	if (!status) {
		*err = failure.err;
		return false;
	}
	if (field_str(status, "confirm_by").len) {
		return err_set(err, ERR_BUSY,
			"a configuration waits for its confirmation: annactl reload confirm, "
			"or annactl undo");
	}
	struct str health = field_str(status, "health");
	buf_appendf(said, "the installed one runs (pid %lld), health %" STR_FMT,
		(long long)field_int(status, "pid", 0), STR_ARG(health));
	return true;
}

static const struct {
	const char *name;
	bool needs_package; // only when "package" held
	check_fn *run;
} checks[] = {
	{"installed", false, check_installed},
	{"package", false, check_package},
	{"version", true, check_version},
	{"program", true, check_program},
	{"dependencies", true, check_dependencies},
	{"configuration", true, check_configuration},
	{"formats", true, check_formats},
	{"space", true, check_space},
	{"daemon", false, check_daemon},
};

static void show(struct upgrade *u, struct json_writer *w, const char *name, const char *verdict,
	const char *text) {
	if (u->in->output.is_json) {
		json_begin_object(w);
		json_member_text(w, "check", name);
		json_member_text(w, "verdict", verdict);
		json_member_text(w, "detail", text);
		json_end_object(w);
		return;
	}
	struct output *output = &u->in->output;
	bool is_ok = strcmp(verdict, "ok") == 0;
	output_text(output, "  ");
	output_style(output, is_ok ? STYLE_GOOD : STYLE_BAD, str_from(verdict));
	output_printf(output, "%*s%-15s", (int)(9 - strlen(verdict)), "", name);
	output_wrapped(output, str_from(text), 26, 26);
	(void)output_flush(output);
}

bool upgrade_check(struct upgrade *u, struct json_writer *w) {
	bool is_good = true, has_package = false;
	if (u->in->output.is_json) {
		json_key(w, "checks");
		json_begin_array(w);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct buf said = BUF_INIT;
		struct err err = ERR_INIT;
		bool is_known = has_package || !checks[i].needs_package;
		bool ok = is_known && checks[i].run(u, &said, &err);
		show(u, w, checks[i].name,
			ok		   ? "ok"
				: is_known ? "failed"
					   : "unknown",
			ok		   ? buf_text(&said)
				: is_known ? err.message
					   : "there is no good package");
		has_package = has_package || (ok && checks[i].run == check_package);
		is_good = is_good && ok;
		buf_finish(&said);
	}
	if (u->in->output.is_json) {
		json_end_array(w);
	}
	return is_good;
}
