// SPDX-License-Identifier: Apache-2.0
// The databases of dpkg and pacman, and the times of rpm's; see packages_read.h.
#include "sources/packages_read.h"

#include "base/alloc.h"
#include "io/fs.h"

#define STATUS_MAX (64 * 1024 * 1024) // 60,000 packages are about 50 MiB

const char *const package_folders[PACKAGE_FOLDERS] = {
	"/var/lib/dpkg", "/var/lib/pacman/local", "/var/lib/rpm", "/usr/lib/sysimage/rpm"};

// Databases of rpm, by age: sqlite, ndb, Berkeley DB.
static const char *const rpm_files[] = {
	"rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages"};

static bool cut_field(struct str line, const char *name, struct str *out) {
	size_t n = strlen(name);
	if (line.len <= n || memcmp(line.at, name, n) != 0 || line.at[n] != ':') {
		return false;
	}
	*out = str_trim(str_skip(line, n + 1));
	return true;
}

struct stanza {
	struct str package, status, architecture, version;
};

// Only what is really there: half-installed packages and left-over configuration are not.
static void keep(const struct stanza *stanza, struct buf *key, struct facts *out) {
	if (!stanza->package.len || !stanza->version.len ||
		!str_ends(stanza->status, STR(" installed"))) {
		return;
	}
	buf_clear(key);
	buf_appendf(key, "dpkg %" STR_FMT ":%" STR_FMT, STR_ARG(stanza->package),
		STR_ARG(stanza->architecture));
	facts_add(out, buf_str(key), stanza->version);
}

void packages_parse_dpkg(struct str text, struct facts *out) {
	struct stanza stanza = {0};
	struct buf key = BUF_INIT;
	struct str line;
	while (text.len && str_split(&text, '\n', &line)) {
		if (!line.len) {
			keep(&stanza, &key, out);
			stanza = (struct stanza){0};
		} else if (!cut_field(line, "Package", &stanza.package) &&
			!cut_field(line, "Status", &stanza.status) &&
			!cut_field(line, "Architecture", &stanza.architecture)) {
			(void)cut_field(line, "Version", &stanza.version); // others do not count
		}
	}
	keep(&stanza, &key, out);
	buf_finish(&key);
}

// The version and the release hold no '-', the name may (PKGBUILD(5)).
void packages_parse_pacman(struct str name, struct facts *out) {
	size_t dashes = 0, at = name.len;
	while (at > 0 && dashes < 2) {
		dashes += name.at[--at] == '-';
	}
	if (dashes < 2 || at == 0) {
		return; // ALPM_DB_VERSION, or no package
	}
	struct buf key = BUF_INIT;
	struct str package = str_head(name, at);
	buf_appendf(&key, "pacman %" STR_FMT, STR_ARG(package));
	facts_add(out, buf_str(&key), str_skip(name, at + 1));
	buf_finish(&key);
}

static void on_pacman_name(void *arg, const char *name) {
	packages_parse_pacman(str_from(name), arg);
}

static void read_dpkg(const char *root, struct facts *out, struct buf *trouble) {
	struct fs *fs = fs_system();
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	_cleanup_(freep) char *path = xasprintf("%s%s/status", root, package_folders[FOLDER_DPKG]);
	if (fs_read_file(fs, path, STATUS_MAX, &text, &err)) {
		packages_parse_dpkg(buf_str(&text), out);
	} else if (err.code != ERR_NOT_FOUND) {
		buf_append_text(trouble, err.message);
	}
	buf_finish(&text);
}

// What changes whenever rpm writes.
static void read_rpm(const char *root, struct facts *out) {
	struct fs *fs = fs_system();
	struct buf value = BUF_INIT;
	for (size_t i = FOLDER_RPM; i <= FOLDER_RPM_NEW; i++) {
		for (size_t j = 0; j < sizeof(rpm_files) / sizeof(rpm_files[0]); j++) {
			struct fs_stat stat;
			_cleanup_(freep) char *path = xasprintf(
				"%s%s/%s", root, package_folders[i], rpm_files[j]);
			if (fs->stat(fs, path, &stat) >= 0) {
				buf_appendf(&value, "%lld ", (long long)stat.mtime_ns);
			}
		}
	}
	if (value.len) {
		facts_add(out, STR("rpm"), buf_str(&value));
	}
	buf_finish(&value);
}

void packages_read(const char *root, struct facts *out, struct buf *trouble) {
	struct fs *fs = fs_system();
	_cleanup_(freep) char *pacman = xasprintf("%s%s", root, package_folders[FOLDER_PACMAN]);
	read_dpkg(root, out, trouble);
	(void)fs->list(fs, pacman, on_pacman_name, out); // mostly not there
	read_rpm(root, out);
}
