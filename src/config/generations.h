// SPDX-License-Identifier: Apache-2.0
// Numbered configurations in the state folder: generations/NNNNNNNN.conf holds number, hash, time,
// author and verdict in its first line, and every file as it was below. The newest 100
// are kept (the active and the last good one always). Each write survives power loss before it
// returns. Blocking: for jobs and start.
#pragma once

#include "config/snapshot.h"

#define GENERATION_FORMAT 2

enum verdict {
	VERDICT_ACTIVE,	  // it is the one in force
	VERDICT_GOOD,	  // it was, and nothing was wrong with it
	VERDICT_UNDONE,	  // someone went back from it
	VERDICT_REJECTED, // it failed its checks (kept so that its hash is known)
	VERDICT_PENDING	  // --confirm: in force until confirmed or its deadline
};

struct generation {
	uint64_t number; // from 1
	char hash[65];
	int64_t time_ns;
	const char *author; // "uid 0", "start", "file change", "undo of 7"
	const char *writer; // version of the annad that added it; "" when it did not say so yet
	enum verdict verdict;
	int64_t confirm_by_ns; // wall; PENDING only
	uint64_t previous;     // what to go back to; PENDING only
};

struct generations; // the list, newest last; no file texts

// Damaged and foreign files are left alone and told in *problems (NULL: not told) as warnings.
_must_use_ struct generations *generations_open(
	struct fs *fs, const char *state_folder, struct problems *problems, struct err *err);
// The same to look at, beside the process that writes there: changes nothing on the disk; NULL when there
// is no such folder. Nothing may be added or changed in it.
_must_use_ struct generations *generations_look(
	struct fs *fs, const char *state_folder, struct problems *problems, struct err *err);
void generations_close(struct generations *generations);
// True when the disk failed in such a way that after a power loss (or, where taking it back failed
// too, after any restart) there may be a generation or verdict that this list does not show. The
// change that failed said so; every later one tries to settle it first.
bool generations_in_doubt(const struct generations *generations);
size_t generations_count(const struct generations *generations);
const struct generation *generations_get(const struct generations *generations, size_t i);
const struct generation *generations_find(const struct generations *generations, uint64_t number);
// The newest with this hash, or NULL.
const struct generation *generations_find_hash(
	const struct generations *generations, const char *hash);
// The one in force when the daemon last ran: a PENDING one counts before its deadline and gives way
// to its `previous` from then on. Without any, the newest GOOD one; NULL when there is none.
const struct generation *generations_active(
	const struct generations *generations, int64_t now_wall_ns);

// Adds one in two steps, for a caller who checks it while the disk writes: `stage` writes it under a
// name no reader looks at, `put` makes it one of the list, durable when it returns true
// (and ends the staged one either way), `drop` makes it never have been. One at a time.
struct staged;
_must_use_ struct staged *generations_stage(struct generations *generations,
	const struct config_files *files, const struct generation *wanted, struct err *err);
_must_use_ bool generations_put(struct generations *generations, struct staged *staged,
	const struct generation **out, struct err *err);
void generations_drop(struct generations *generations, struct staged *staged); // NULL is fine

// The two in one: number and hash are filled in, all else is wanted's (its time too). ACTIVE and PENDING
// make the one before GOOD. *out borrowed until the next change.
_must_use_ bool generations_add(struct generations *generations, const struct config_files *files,
	const struct generation *wanted, const struct generation **out, struct err *err);
// Durable when it returns true. ACTIVE makes the one before GOOD; PENDING only comes by add.
_must_use_ bool generations_set_verdict(
	struct generations *generations, uint64_t number, enum verdict verdict, struct err *err);
// The files of one, as they were (NOT_FOUND, or STORAGE when damaged); the caller finishes *out.
_must_use_ bool generations_read(struct generations *generations, uint64_t number,
	struct config_files *out, struct err *err);
const char *verdict_name(enum verdict verdict);
