// SPDX-License-Identifier: Apache-2.0
// An engine with all it stands on, in simulated time over a real journal in a temporary folder:
//
//	struct fake_engine fake;
//	fake_engine_init(&fake, 42);
//	fake_engine_start(&fake, "[[mappings]]\nname = \"m\" …", true);
//	uint64_t id = fake_engine_emit(&fake, "test.a", "{\"level\":3}");
//	fake_engine_settle(&fake);
//	CHECK_TEXT(buf_text(&fake.noted), "1:m;");
//	fake_engine_crash(&fake); // as kill -9, once all that was queued is on disk
//	fake_engine_start(…);     // the same journal again
//	fake_engine_finish(&fake);
//
// Two actions beside those of Anna: `note` writes its run's key to `noted` and is done; `hold`
// stays until fake_engine_release.
#pragma once

#include "engine/engine.h"
#include "flow/bus.h"
#include "store/writer.h"
#include "tests/fakes/fake_children.h"
#include "tests/fakes/fake_loop.h"

struct fake_engine {
	struct fake_loop loop;
	struct fake_children children;
	char folder[64];
	char *journal_folder;
	struct kinds *kinds;
	struct meters *meters;
	struct jobs *jobs;
	struct journal *journal;
	struct writer *writer;
	struct bus *bus;
	struct services services;
	struct engine *engine;
	struct arena *schema_arena;
	struct schema schema;
	struct snapshot *snapshot;
	size_t bus_capacity; // of the next start; 0: 4096
	bool was_recovered;
	struct subscription subscription;
	struct buf noted;  // "key;" of each run of note, "key#attempt;" when it is not the first
	struct buf events; // "kind(mapping reason…) " of each accepted event but test.*
	struct action_call *held[256];
	size_t held_count;
};

void fake_engine_init(struct fake_engine *fake, uint64_t seed);
void fake_engine_finish(struct fake_engine *fake);
// Opens the journal and makes everything; asserts that the configuration is valid. With `recovers`
// engine_recover is called as well.
void fake_engine_start(struct fake_engine *fake, const char *config, bool recovers);
void fake_engine_configure(struct fake_engine *fake, const char *config);
// Without a word to the journal beyond what was queued.
void fake_engine_crash(struct fake_engine *fake);
// In order: the engine says goodbye.
void fake_engine_stop(struct fake_engine *fake);
// attributes: JSON, or NULL. The event's id, or 0 when the bus refused it.
uint64_t fake_engine_emit(struct fake_engine *fake, const char *kind, const char *attributes);
// 200 ms of simulated time: enough for the journal and for what has no time of its own.
void fake_engine_settle(struct fake_engine *fake);
// Ends the oldest held run; error NULL: it worked.
void fake_engine_release(struct fake_engine *fake, const char *error);
// The snapshot of a configuration of [[mappings]]; problems are for the caller to look at.
_must_use_ struct snapshot *fake_engine_read_config(
	struct fake_engine *fake, const char *config, struct problems *problems);
