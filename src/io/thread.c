// SPDX-License-Identifier: Apache-2.0
#include "io/thread.h"

#include <signal.h>

#define STACK_BYTES (512 * 1024) // the deepest job is a config parse of bounded depth

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg) {
	sigset_t all, old;
	pthread_attr_t attr;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	int status = pthread_create(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (status == 0) {
		(void)pthread_setname_np(*thread, name); // for ps and top only
	}
	return status;
}
