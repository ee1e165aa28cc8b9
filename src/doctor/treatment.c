// SPDX-License-Identifier: Apache-2.0
// What remedies share; see treatment.h.
#include "doctor/treatment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "doctor/process.h"

#define ASIDE_MAX 1000

const char *treatment_text(struct treatment *treatment, const char *path) {
	return arena_copy(treatment->arena, patient_str(treatment->patient, path));
}

bool treatment_restart(struct treatment *treatment, struct err *err) {
	const struct patient *patient = treatment->patient;
	int64_t main_pid = patient_int(patient, "systemd.MainPID", 0);
	int64_t daemon = patient_int(patient, "processes.daemon.pid", 0);
	if (main_pid <= 0 || (daemon > 0 && daemon != main_pid)) {
		return err_set(err, ERR_UNAVAILABLE,
			daemon > 0 ? "annad (pid %lld) was not started by systemd: stop it, and "
				     "start it again where you started it"
				   : "systemd does not run annad here%.0lld: start it where you "
				     "started it",
			(long long)daemon);
	}
	const char *unit = treatment_text(treatment, "systemd.unit");
	const char *const argv[] = {"systemctl", "restart", unit, NULL};
	if (!treatment->run(treatment, argv, err)) {
		return false;
	}
	treatment->before = arena_printf(treatment->arena, "pid %lld", (long long)main_pid);
	treatment->after = "restarted by systemctl";
	return true;
}

bool treatment_move_aside(struct treatment *treatment, const char *path, struct err *err) {
	for (int i = 1; i <= ASIDE_MAX; i++) {
		const char *aside = arena_printf(treatment->arena, "%s.aside-%d", path, i);
		// Never over something that is there.
		if (renameat2(AT_FDCWD, path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0) {
			treatment->before = path;
			treatment->after = aside;
			treatment->undo = arena_printf(treatment->arena, "mv %s %s",
				quoted(treatment->arena, aside), quoted(treatment->arena, path));
			return true;
		}
		if (errno != EEXIST) {
			return err_errno(err, "cannot move %s aside", path);
		}
	}
	return err_set(err, ERR_LIMIT, "%s was moved aside %d times already", path, ASIDE_MAX);
}

// Opened without following a link, so that what was looked at is what is changed.
static int open_it(const char *path, struct stat *out, struct err *err) {
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, out) < 0 || S_ISLNK(out->st_mode)) {
		if (fd >= 0 && S_ISLNK(out->st_mode)) {
			errno = ELOOP;
		}
		err_errno(err, "cannot open %s", path);
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	return fd;
}

bool treatment_chmod(struct treatment *treatment, const char *path, unsigned take, unsigned give,
	struct err *err) {
	struct stat status;
	char self[64];
	int fd = open_it(path, &status, err);
	if (fd < 0) {
		return false;
	}
	unsigned before = status.st_mode & 07777, after = (before & ~take) | give;
	// fchmod refuses O_PATH descriptors; by /proc it is the same inode all the same.
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	bool ok = chmod(self, after) == 0;
	if (!ok) {
		err_errno(err, "cannot change the mode of %s", path);
	}
	close(fd);
	treatment->before = arena_printf(treatment->arena, "mode %04o", before);
	treatment->after = arena_printf(treatment->arena, "mode %04o", after);
	treatment->undo = arena_printf(
		treatment->arena, "chmod %04o %s", before, quoted(treatment->arena, path));
	return ok;
}

bool treatment_chown(struct treatment *treatment, const char *path, int64_t uid, struct err *err) {
	struct stat status;
	int fd = open_it(path, &status, err);
	if (fd < 0) {
		return false;
	}
	bool ok = fchownat(fd, "", (uid_t)uid, (gid_t)-1, AT_EMPTY_PATH) == 0;
	if (!ok) {
		err_errno(err, "cannot change the owner of %s", path);
	}
	close(fd);
	treatment->before = arena_printf(treatment->arena, "uid %u", (unsigned)status.st_uid);
	treatment->after = arena_printf(treatment->arena, "uid %lld", (long long)uid);
	treatment->undo = arena_printf(treatment->arena, "chown %u %s", (unsigned)status.st_uid,
		quoted(treatment->arena, path));
	return ok;
}

bool treatment_signal(
	struct treatment *treatment, int64_t start_ticks, int signal, struct err *err) {
	int pid = (int)treatment->finding->pid;
	struct process process;
	// The descriptor names the process for good; what it is, is looked at after it is open.
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd < 0) {
		return err_set(err, ERR_NOT_FOUND, "process %d is not there any more", pid);
	}
	bool ok = process_read(pid, &process) && process.start_ticks == start_ticks;
	if (!ok) {
		err_set(err, ERR_NOT_FOUND, "process %d is another one now; it is left alone", pid);
	} else if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0) {
		ok = err_errno(err, "cannot send signal %d to process %d", signal, pid);
	}
	close(fd);
	treatment->before = arena_printf(treatment->arena, "pid %d, state %c", pid, process.state);
	treatment->after = arena_printf(treatment->arena, "signal %d sent", signal);
	return ok;
}
