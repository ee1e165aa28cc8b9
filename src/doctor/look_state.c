// SPDX-License-Identifier: Apache-2.0
// The state folder: whose it is, and the file system under it (statvfs(3), statfs(2)).
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "doctor/look.h"

#define CORES_MAX 5

static const char *type_name(int64_t type) {
	switch (type) {
	case TMPFS_MAGIC:
		return "tmpfs";
	case RAMFS_MAGIC:
		return "ramfs";
	case OVERLAYFS_SUPER_MAGIC:
		return "overlay";
	case NFS_SUPER_MAGIC:
		return "nfs";
	case FUSE_SUPER_MAGIC:
		return "fuse";
	default:
		return "other";
	}
}

// "core", "core.123": what a crash left here.
static void write_cores(const char *folder, struct json_writer *w) {
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;
	json_key(w, "cores");
	json_begin_array(w);
	while (dir && n < CORES_MAX && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, "core") == 0 || strncmp(entry->d_name, "core.", 5) == 0) {
			json_text(w, entry->d_name);
			n++;
		}
	}
	json_end_array(w);
	if (dir) {
		closedir(dir);
	}
}

static void gather(const struct places *places, struct look_report *out) {
	struct json_writer *w = &out->w;
	const char *folder = places->state_folder;
	struct stat status;
	struct statvfs space;
	struct statfs kind;
	bool exists = stat(folder, &status) == 0;
	if (!exists && errno != ENOENT && errno != ENOTDIR) {
		look_report_missing(out, "%s: %s", folder, strerror(errno));
		return;
	}
	json_member_text(w, "path", folder);
	json_member_bool(w, "exists", exists);
	if (!exists) {
		return;
	}
	look_write_stat(w, &status);
	json_member_bool(w, "is_readable", access(folder, R_OK | X_OK) == 0);
	if (access(folder, R_OK | X_OK) == 0) {
		char journal[4096];
		(void)snprintf(journal, sizeof(journal), "%s/journal", folder);
		bool has_journal = lstat(journal, &status) == 0;
		json_member_bool(w, "has_journal", has_journal);
		if (has_journal) {
			json_member_uint(w, "journal_uid", status.st_uid);
		}
	}
	if (statvfs(folder, &space) == 0) {
		int64_t block = (int64_t)space.f_frsize;
		json_member_bool(w, "is_read_only", (space.f_flag & ST_RDONLY) != 0);
		json_member_int(w, "total_bytes", (int64_t)space.f_blocks * block);
		json_member_int(w, "available_bytes", (int64_t)space.f_bavail * block);
		json_member_int(w, "files_total", (int64_t)space.f_files);
		json_member_int(w, "files_available", (int64_t)space.f_favail);
	}
	if (statfs(folder, &kind) == 0) {
		json_member_text(w, "file_system", type_name((int64_t)kind.f_type));
	}
	write_cores(folder, w);
}

DEFINE_LOOK(state) = {.name = "state", .gather = gather};
