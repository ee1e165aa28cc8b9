// SPDX-License-Identifier: Apache-2.0
// Asking file systems how full they are, when any of them may never answer. Private to `host`.
//
// Local ones (their statfs answers from memory) are asked together in one job a tick. The others,
// and whatever stands below them, are asked by a disposable process each (stat -f), on a slower
// beat; one that has not answered within the limit is killed, reported as silent and asked again
// later. If a local one hangs the job all the same, one thread of the pool is lost and no more:
// from then on all are asked by processes. Nothing here ever waits.
#pragma once

#include "io/loop.h"
#include "sources/host_filesystem.h"

struct child_runner;
struct jobs;
struct statfs_job;

struct statfs {
	struct loop *loop;
	struct jobs *jobs;	       // slow ones
	struct child_runner *children; // NULL: those that may block stay unknown
	struct filesystems *set;
	char *recorded;	  // file with recorded answers ("MOUNT six numbers" a line), or NULL: then
			  // nobody else is asked
	int64_t limit_ns; // for an answer
	filesystem_fn *on_answer; // on the loop; verdict and space are set
	void *arg;
	struct statfs_job *job; // idle or running; NULL: none yet
	bool is_pool_lost;
	bool is_refused; // the pool is full; asked again with the next tick
	size_t asking;	 // processes within their limit
	size_t undead;	 // processes killed that did not go yet
};

// The caller has set the fields down to arg.
void statfs_tick(struct statfs *statfs);
// Before a file system leaves the set.
void statfs_forget(struct statfs *statfs, struct filesystem *filesystem);
// Ends all questions; a job that still hangs touches nothing of the owner's any more.
void statfs_finish(struct statfs *statfs);
