// SPDX-License-Identifier: Apache-2.0
// Looking again when something hints at a change: facts are gathered by a job, compared with those
// of the last look there, and each difference is handed over on the loop, a few at a time and none
// while the outbox waits for the bus. The first look tells nothing: it is what is there.
//
// Embedded in its owner, which fills the first part, then gathering_start; gathering_stop before it
// goes (also when it never started).
#pragma once

#include "io/loop.h"
#include "sources/facts.h"
#include "sources/outbox.h"

struct gathering_job;

struct gathering {
	const struct services *services;
	struct outbox *outbox;
	bool is_slow; // reads what may never answer: the slow pool
	// A hint is followed after settle_ns without another, at most most_ns after the first.
	int64_t settle_ns, most_ns;
	const char *spec; // given to gather; copied
	// On a thread of the pool: adds what is there; *trouble is a sentence when it could not be read,
	// then the facts known stand.
	void (*gather)(const char *spec, struct facts *out, struct buf *trouble);
	// After each look, before its changes (there may be none): true when it has told them itself,
	// as one. May be NULL.
	bool (*on_changes)(void *arg, const struct fact_changes *changes);
	void (*on_change)(void *arg, const struct fact_change *change);
	void *arg;

	// own
	struct gathering_job *job, *telling; // of telling: the changes not yet told
	struct timer timer;
	struct facts known;
	bool has_known, is_hinted;
	int64_t hinted_ns; // the first hint that no look has followed
	int64_t looked_ns; // monotonic: when the last look began
	size_t told;
	struct buf trouble; // of the last look
	struct meter meter; // anna_SOURCE_known: how many facts, once there was a look
	char meter_name[48];
};

// Begins with a look at what is there.
void gathering_start(struct gathering *gathering);
void gathering_stop(struct gathering *gathering);
void gathering_hint(struct gathering *gathering);
