// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/lock.h"

static char folder[64];

static void make_folder(void) {
	(void)snprintf(folder, sizeof(folder), "/tmp/anna-lock-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void) {
	char path[96];
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	unlink(path);
	rmdir(folder);
}

TEST(a_second_owner_is_refused_with_the_pid_of_the_first) {
	struct err err = ERR_INIT;
	char pid[32];
	make_folder();
	int first = lock_take(folder, &err);
	CHECK(first >= 0);

	int second = lock_take(folder, &err);

	CHECK_INT(second, -1);
	CHECK_INT(err.code, ERR_BUSY);
	(void)snprintf(pid, sizeof(pid), "pid %d", (int)getpid());
	CHECK(strstr(err.message, pid) != NULL);
	lock_release(first);
	remove_folder();
}

TEST(the_lock_of_a_dead_owner_is_free) {
	struct err err = ERR_INIT;
	make_folder();
	pid_t child = fork();
	if (child == 0) {
		_exit(lock_take(folder, NULL) >= 0 ? 0 : 1);
	}
	int status;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);

	int fd = lock_take(folder, &err);

	CHECK(fd >= 0);
	lock_release(fd);
	remove_folder();
}

TEST(a_symlink_in_place_of_the_lock_is_refused) {
	struct err err = ERR_INIT;
	char path[96];
	make_folder();
	(void)snprintf(path, sizeof(path), "%s/lock", folder);
	CHECK_INT(symlink("/dev/null", path), 0);

	CHECK_INT(lock_take(folder, &err), -1);

	remove_folder();
}

TEST(a_folder_others_may_write_to_is_refused) {
	struct err err = ERR_INIT;
	make_folder();
	CHECK_INT(chmod(folder, 0770), 0);

	CHECK_INT(lock_take(folder, &err), -1);

	CHECK_INT(err.code, ERR_DENIED);
	remove_folder();
}

int main(void) {
	return TESTS(RUN(a_second_owner_is_refused_with_the_pid_of_the_first),
		RUN(the_lock_of_a_dead_owner_is_free),
		RUN(a_symlink_in_place_of_the_lock_is_refused),
		RUN(a_folder_others_may_write_to_is_refused));
}
