// SPDX-License-Identifier: Apache-2.0
// The disk as the daemon sees it: sim_fs, counted call by call, so that the power goes in the
// middle of a commit as well as between two.
#include "tests/sim/sim.h"

static struct fs *below(struct fs *fs, bool may_die) {
	struct sim *sim = ((struct sim_disk *)fs)->sim;
	if (may_die && !sim->is_dead && sim->calls_left >= 0 && sim->calls_left-- == 0) {
		const struct anna *anna = sim->anna;
		sim->was_uncertain = sim->is_creating || config_is_changing(anna);
		if (!sim->was_uncertain) {
			config_keep(sim);
		}
		sim->is_dead = true;
		if (sim->loses_power) {
			sim_fs_crash(sim->platter);
		} else {
			sim_fs_kill(sim->platter);
		}
	}
	return sim_fs(sim->platter);
}

// For whoever looks for the reason: what was asked of the disk, and what it said.
static int64_t trace(struct fs *fs, const char *call, int fd, const char *path, int64_t a,
	int64_t b, int64_t result) {
	struct sim *sim = ((struct sim_disk *)fs)->sim;
	if (sim->options.is_traced) {
		sim_say(sim, "disk: %s(%d %s, %lld, %lld) = %lld", call, fd, path, (long long)a,
			(long long)b, (long long)result);
	}
	return result;
}

static int disk_open(struct fs *fs, const char *path, int flags, int mode) {
	struct fs *real = below(fs, (flags & O_CREAT) != 0);
	return (int)trace(fs, "open", -1, path, flags, 0, real->open(real, path, flags, mode));
}

static int disk_close(struct fs *fs, int fd) {
	fs = below(fs, false);
	return fs->close(fs, fd);
}

static ssize_t disk_pread(struct fs *fs, int fd, void *bytes, size_t n, int64_t offset) {
	fs = below(fs, false);
	return fs->pread(fs, fd, bytes, n, offset);
}

static ssize_t disk_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, int64_t offset) {
	struct fs *real = below(fs, true);
	return trace(
		fs, "pwrite", fd, "", (int64_t)n, offset, real->pwrite(real, fd, bytes, n, offset));
}

static int disk_truncate(struct fs *fs, int fd, int64_t size) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "truncate", fd, "", size, 0, real->truncate(real, fd, size));
}

static int disk_sync(struct fs *fs, int fd) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "sync", fd, "", 0, 0, real->sync(real, fd));
}

static int disk_sync_data(struct fs *fs, int fd) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "sync_data", fd, "", 0, 0, real->sync_data(real, fd));
}

static int disk_sync_directory(struct fs *fs, const char *path) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "sync_directory", -1, path, 0, 0, real->sync_directory(real, path));
}

static int disk_stat(struct fs *fs, const char *path, struct fs_stat *out) {
	fs = below(fs, false);
	return fs->stat(fs, path, out);
}

static int disk_rename(struct fs *fs, const char *from, const char *to) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "rename", -1, from, 0, 0, real->rename(real, from, to));
}

static int disk_unlink(struct fs *fs, const char *path) {
	struct fs *real = below(fs, true);
	return (int)trace(fs, "unlink", -1, path, 0, 0, real->unlink(real, path));
}

static int disk_mkdir(struct fs *fs, const char *path, int mode) {
	fs = below(fs, true);
	return fs->mkdir(fs, path, mode);
}

static int disk_list(
	struct fs *fs, const char *path, void (*on_name)(void *arg, const char *name), void *arg) {
	fs = below(fs, false);
	return fs->list(fs, path, on_name, arg);
}

static int64_t disk_free_bytes(struct fs *fs, const char *path) {
	fs = below(fs, false);
	return fs->free_bytes(fs, path);
}

void disk_init(struct sim *sim) {
	sim->platter = sim_fs_create(sim->options.seed ^ 0xd15c);
	sim->disk = (struct sim_disk){
		.fs = {disk_open, disk_close, disk_pread, disk_pwrite, disk_truncate, disk_sync,
			disk_sync_data, disk_sync_directory, disk_stat, disk_rename, disk_unlink,
			disk_mkdir, disk_list, disk_free_bytes},
		.sim = sim};
	sim->calls_left = -1;
	sim_fs_skip_syncs(sim->platter, sim->options.bug == SIM_ACK_BEFORE_SYNC);
	sim_fs_skip_directory_syncs(sim->platter, sim->options.bug == SIM_NO_DIRECTORY_SYNC);
}
