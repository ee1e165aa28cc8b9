// SPDX-License-Identifier: Apache-2.0
// Files that appear as one step: whole, or not at all. Mode 0600, written as path.tmp first, never
// through a link that somebody left under that name. All of it blocks: for jobs and start.
#pragma once

#include "io/fs.h"

// All in one, over the file that is there, if one is: path.tmp is written and synced, renamed, and the
// folder synced. The old content stays whole when anything fails.
_must_use_ bool draft_replace(struct fs *fs, const char *path, struct str content, struct err *err);

// A file of a name that nothing has yet, in two halves, for a caller who has other work to do while the
// disk has its own. draft_begin writes path.tmp and lets the disk begin; NULL with *err when it
// cannot be written. draft_commit gives it its name and makes both durable with one wait instead of
// draft_replace's two: a power loss in it may leave a part of the content under the name, so the
// content must tell by itself that it is whole. draft_drop makes it never have been.
struct draft;
_must_use_ struct draft *draft_begin(
	struct fs *fs, const char *path, struct str head, struct str body, struct err *err);
// Both end it. After a commit that failed the file may be there all the same, and survive or not.
_must_use_ bool draft_commit(struct draft *draft, struct err *err);
void draft_drop(struct draft *draft); // NULL is fine
