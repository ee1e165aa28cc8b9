// SPDX-License-Identifier: Apache-2.0
// A watched file or folder: what is remembered of it, and what became different. Private to the
// source `file`. Owns an inotify descriptor of its own, so that one busy tree overflows only its
// own queue. Everything here touches the disk: it runs in jobs, never on the loop, and never twice
// at a time for one tree.
//
// inotify (inotify(7)) says where to look; what is told is the difference between what is there
// and what is remembered. So a lost, doubled or late hint makes no wrong event, and a rescan after
// an overflow finds what the hints would have said.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

enum file_change_kind {
	CHANGE_CREATED,
	CHANGE_MODIFIED,
	CHANGE_REMOVED,
	CHANGE_MOVED,
	CHANGE_ATTRIBUTES,
	CHANGE_KINDS
};

struct file_change {
	enum file_change_kind kind;
	char *path; // bytes as the file system has them
	char *from; // MOVED only
	bool is_folder;
	bool is_there; // size and uid are known
	int64_t size;
	uint32_t uid;
};
struct file_changes {
	struct file_change *items;
	size_t n, cap;
};
void file_changes_finish(struct file_changes *changes);

struct file_tree_spec {
	struct str path; // absolute
	bool is_recursive;
	const struct str *ignored; // globs over names and over paths relative to the tree
	size_t ignored_count;
	size_t max_files;
};

struct file_tree;

// Copies the spec. NULL with *err when there is no inotify instance left.
_must_use_ struct file_tree *file_tree_create(const struct file_tree_spec *spec, struct err *err);
void file_tree_destroy(struct file_tree *tree);
// For a loop to wait on and read from.
int file_tree_fd(const struct file_tree *tree);

enum file_tree_work {
	WORK_HINTS,  // look where the hints point
	WORK_VERIFY, // and make sure that the path still leads to what is watched
	WORK_SCAN    // look at everything
};
struct file_tree_result {
	bool has_overflowed; // hints were lost; everything was looked at instead
	bool wants_more;     // call again soon, also without hints: half a move may follow
};
// Takes hints as read from the descriptor and appends what is different to *changes. The first
// call scans and changes nothing.
void file_tree_work(struct file_tree *tree, enum file_tree_work work, struct str hints,
	struct file_changes *changes, struct file_tree_result *out);
// False, with a sentence in *out, when not all is watched.
bool file_tree_is_well(const struct file_tree *tree, struct buf *out);
