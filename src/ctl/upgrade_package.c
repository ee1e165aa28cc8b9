// SPDX-License-Identifier: Apache-2.0
// Packages for annactl upgrade. To go back, the files installed now are made a package again: then
// going back is dpkg's own installing, and its database stays true. Conffiles go into it as they
// were shipped, or dpkg would take the admin's changes for ours from then on.
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "ctl/annad.h"
#include "ctl/upgrade_parts.h"
#include "io/draft.h"

#define ASK_NS (60 * NS_PER_SECOND)
#define INSTALL_NS (600 * NS_PER_SECOND)
#define ARGUMENTS_MAX 16
#define LOCK_TRIES 60
#define LIST_MAX ((size_t)1024 * 1024)
#define PRISTINE "/usr/share/anna/config.toml"
#define KEPT_TREE UPGRADE_FOLDER "/kept"
#define KEPT_NEW UPGRADE_FOLDER "/previous.deb.new"

bool upgrade_ask(struct buf *out, struct err *err, const char *tool, ...) {
	const char *argv[ARGUMENTS_MAX] = {tool};
	struct buf ignored = BUF_INIT;
	va_list args;
	va_start(args, tool);
	for (size_t i = 1; i + 1 < ARGUMENTS_MAX && (argv[i] = va_arg(args, const char *)); i++) {
	}
	va_end(args);
	struct program program = {.argv = argv, .limit_ns = ASK_NS};
	bool ok = program_ask(&program, out ? out : &ignored, err);
	buf_finish(&ignored);
	return ok;
}

bool package_field(
	struct upgrade *u, const char *file, const char *field, struct str *out, struct err *err) {
	struct buf said = BUF_INIT;
	bool ok = upgrade_ask(&said, err, "dpkg-deb", "--field", file, field, NULL);
	*out = ok ? arena_copy_str(u->arena, str_trim(buf_str(&said))) : STR("");
	buf_finish(&said);
	return ok;
}

bool package_installed(
	struct upgrade *u, struct str *out_state, struct str *out_version, struct err *err) {
	const char *argv[] = {"dpkg-query", "--show",
		"--showformat=${db:Status-Abbrev}\t${Version}\n", "anna", NULL};
	struct program program = {.argv = argv, .limit_ns = ASK_NS};
	struct buf said = BUF_INIT;
	int status = 0;
	*out_state = *out_version = STR("");
	if (!program_run(&program, false, &said, &status, err)) {
		buf_finish(&said);
		return false;
	}
	struct str line = arena_copy_str(u->arena, str_trim(buf_str(&said)));
	if (status == 0 && str_split(&line, '\t', out_state)) {
		*out_version = line;
	}
	buf_finish(&said);
	return true;
}

bool release_ask(struct upgrade *u, const char *annad, struct release *out, struct err *err) {
	struct buf said = BUF_INIT;
	bool ok = annad_version(annad, &said) && release_parse(buf_str(&said), u->arena, out);
	buf_finish(&said);
	return ok || err_set(err, ERR_IO, "%s --version does not say what it is", annad);
}

void upgrade_remove_tree(const char *folder) {
	// What is left is in the way at most.
	(void)!upgrade_ask(NULL, NULL, "rm", "-rf", "--one-file-system", "--", folder, NULL);
}

bool package_take(struct upgrade *u, struct err *err) {
	const char *file = arena_copy(u->arena, u->options->file);
	if (!upgrade_ask(NULL, err, "cp", "--", file, UPGRADE_NEW, NULL)) {
		return false;
	}
	// 0644: apt reads it as a user of its own.
	return chmod(UPGRADE_NEW, 0644) == 0 ||
		err_errno(err, "cannot set the mode of %s", UPGRADE_NEW);
}

bool package_unpack(struct err *err) {
	const char *sums[] = {"md5sum", "--check", "--strict", "--quiet", "DEBIAN/md5sums", NULL};
	struct program program = {.argv = sums, .folder = UPGRADE_NEW_TREE, .limit_ns = ASK_NS};
	struct buf said = BUF_INIT;
	upgrade_remove_tree(UPGRADE_NEW_TREE);
	bool ok = upgrade_ask(NULL, err, "dpkg-deb", "--raw-extract", UPGRADE_NEW, UPGRADE_NEW_TREE,
			  NULL) &&
		program_ask(&program, &said, err);
	buf_finish(&said);
	// anna herself must be able to run the new annad, to check her configuration with it.
	return ok &&
		(chmod(UPGRADE_NEW_TREE, 0755) == 0 ||
			err_errno(err, "cannot set the mode of %s", UPGRADE_NEW_TREE));
}

// The control file: dpkg's status of the package without what is dpkg's own.
static bool write_control(const char *path, struct err *err) {
	struct buf said = BUF_INIT, control = BUF_INIT;
	bool is_skipped = false;
	bool ok = upgrade_ask(&said, err, "dpkg-query", "--status", "anna", NULL);
	struct str rest = buf_str(&said), line;
	while (ok && str_split(&rest, '\n', &line)) {
		if (!str_starts(line, STR(" "))) {
			is_skipped = str_starts(line, STR("Status:")) ||
				str_starts(line, STR("Conffiles:")) ||
				str_starts(line, STR("Config-Version:"));
		}
		if (!is_skipped && line.len) {
			buf_append_str(&control, line);
			buf_append_char(&control, '\n');
		}
	}
	ok = ok && draft_replace(fs_system(), path, buf_str(&control), err) &&
		(chmod(path, 0644) == 0 || err_errno(err, "cannot set the mode of %s", path));
	buf_finish(&said);
	buf_finish(&control);
	return ok;
}

static bool copy_if_there(const char *from, const char *to, struct err *err) {
	return access(from, F_OK) != 0 || upgrade_ask(NULL, err, "cp", "--", from, to, NULL);
}

// Every path of the package, relative and one a line, for tar.
static bool write_list(const char *path, struct err *err) {
	struct buf said = BUF_INIT, list = BUF_INIT;
	bool ok = upgrade_ask(&said, err, "dpkg-query", "--listfiles", "anna", NULL);
	struct str rest = buf_str(&said), line;
	while (ok && str_split(&rest, '\n', &line)) {
		if (line.len > 1 && line.at[0] == '/' && !str_is(line, "/.")) {
			buf_appendf(&list, ".%" STR_FMT "\n", STR_ARG(line));
		}
	}
	ok = ok && draft_replace(fs_system(), path, buf_str(&list), err);
	buf_finish(&said);
	buf_finish(&list);
	return ok;
}

static bool copy_files(struct err *err) {
	return write_list(UPGRADE_FOLDER "/list", err) &&
		upgrade_ask(NULL, err, "tar", "--create", "--file", UPGRADE_FOLDER "/kept.tar",
			"--directory", "/", "--no-recursion", "--files-from",
			UPGRADE_FOLDER "/list", NULL) &&
		upgrade_ask(NULL, err, "tar", "--extract", "--file", UPGRADE_FOLDER "/kept.tar",
			"--directory", KEPT_TREE, "--preserve-permissions", NULL) &&
		copy_if_there(PRISTINE, KEPT_TREE "/etc/anna/config.toml", err);
}

// One control file of the installed package, if it has it.
static bool copy_control_file(const char *name, struct err *err) {
	char path[128];
	struct buf content = BUF_INIT;
	bool is_script = strncmp(name, "p", 1) == 0;
	snprintf(path, sizeof(path), "%s/DEBIAN/%s", KEPT_TREE, name);
	bool ok = upgrade_ask(&content, err, "dpkg-query", "--control-show", "anna", name, NULL) &&
		draft_replace(fs_system(), path, buf_str(&content), err) &&
		(chmod(path, is_script ? 0755 : 0644) == 0 ||
			err_errno(err, "cannot set the mode of %s", path));
	buf_finish(&content);
	return ok;
}

// The list leaves out the conffiles, which every anna has.
static bool copy_control(struct err *err) {
	static const char *const names[] = {
		"md5sums", "preinst", "postinst", "prerm", "postrm", "triggers"};
	struct buf list = BUF_INIT;
	bool ok = write_control(KEPT_TREE "/DEBIAN/control", err) &&
		copy_control_file("conffiles", err) &&
		upgrade_ask(&list, err, "dpkg-query", "--control-list", "anna", NULL);
	struct str rest = buf_str(&list), name;
	while (ok && str_word(&rest, &name)) {
		for (size_t i = 0; ok && i < sizeof(names) / sizeof(names[0]); i++) {
			ok = !str_is(name, names[i]) || copy_control_file(names[i], err);
		}
	}
	buf_finish(&list);
	return ok;
}

// The copy must not be a way to come back to something else.
static bool check_kept(struct upgrade *u, struct err *err) {
	struct str version;
	return package_field(u, KEPT_NEW, "Version", &version, err) &&
		(str_equal(version, u->from.package) ||
			err_set(err, ERR_STORAGE,
				"the package kept says it is %" STR_FMT " and not %" STR_FMT,
				STR_ARG(version), STR_ARG(u->from.package)));
}

bool package_keep_installed(struct upgrade *u, struct err *err) {
	struct fs *fs = fs_system();
	upgrade_remove_tree(KEPT_TREE);
	bool ok = fs_make_directories(fs, KEPT_TREE "/DEBIAN", err) &&
		chmod(KEPT_TREE, 0755) == 0 && chmod(KEPT_TREE "/DEBIAN", 0755) == 0 &&
		copy_files(err) && copy_control(err) &&
		upgrade_ask(NULL, err, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build",
			KEPT_TREE, KEPT_NEW, NULL) &&
		check_kept(u, err) &&
		upgrade_ask(NULL, err, "cp", "--", INSTALLED_ANNACTL, UPGRADE_CTL, NULL) &&
		upgrade_ask(NULL, err, "sync", KEPT_NEW, UPGRADE_CTL, NULL);
	if (ok) {
		int status = fs->rename(fs, KEPT_NEW, UPGRADE_PREVIOUS);
		errno = -status;
		ok = (status >= 0 && fs->sync_directory(fs, UPGRADE_FOLDER) >= 0) ||
			err_errno(err, "cannot keep %s", UPGRADE_PREVIOUS);
	}
	upgrade_remove_tree(KEPT_TREE);
	(void)unlink(UPGRADE_FOLDER "/kept.tar"); // in the way at most
	(void)unlink(UPGRADE_FOLDER "/list");
	return ok;
}

static bool is_locked(struct str said) {
	return str_find(said, STR("locked by another process")) >= 0;
}

// The last thing worth showing of a log: an error line of dpkg's, else the last line.
static struct str worst_line(struct str log) {
	struct str line, rest = str_trim(log), worst = {0}, last = {0};
	while (str_split(&rest, '\n', &line)) {
		bool is_error = str_starts(line, STR("anna: FAILED")) ||
			(!worst.len && str_find(line, STR("error")) >= 0);
		worst = is_error ? line : worst;
		last = str_trim(line).len ? line : last;
	}
	return worst.len ? worst : last;
}

bool package_install(struct upgrade *u, const char *file, struct err *err) {
	const char *argv[] = {
		"dpkg", "--force-confdef", "--force-confold", "--install", file, NULL};
	struct program program = {.argv = argv,
		.limit_ns = INSTALL_NS,
		.log_path = UPGRADE_LOG,
		.held_fd = u->lock_fd};
	struct buf none = BUF_INIT, log = BUF_INIT;
	int status = 1;
	bool ok = false;
	for (int i = 0; i < LOCK_TRIES; i++) {
		(void)unlink(UPGRADE_LOG); // of the try before
		buf_clear(&log);
		ok = program_run(&program, true, &none, &status, err);
		(void)!fs_read_file(fs_system(), UPGRADE_LOG, LIST_MAX, &log, NULL);
		if (!ok || status == 0 || !is_locked(buf_str(&log))) {
			break;
		}
		u->in->client.wait_ms(&u->in->client, 1000); // somebody else's dpkg or apt
	}
	if (ok && status != 0) {
		struct str said = worst_line(buf_str(&log));
		err_set(err, ERR_IO, "dpkg ended with %d: %.*s (all of it: %s)", status,
			(int)(said.len < 240 ? said.len : 240), said.at ? said.at : "",
			UPGRADE_LOG);
		ok = false;
	}
	buf_finish(&none);
	buf_finish(&log);
	return ok;
}
