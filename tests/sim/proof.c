// SPDX-License-Identifier: Apache-2.0
// The journal, read back, against what was seen and promised: the five guarantees. Each record is
// decoded the first time it is met; later readings see that it is still there, byte for byte.
#include "base/alloc.h"
#include "base/crc32c.h"
#include "engine/mapping.h"
#include "io/worker.h"
#include "memory/why.h"
#include "store/reader.h"
#include "tests/sim/sim.h"

#define JOURNAL SIM_STATE "/journal"
#define LATELY 4096 // ids before the last reading: more than a crash can reach back

// --- Bounded ---

void proof_bounds(struct sim *sim) {
	struct bus_stats bus;
	struct engine_stats engine;
	struct writer_stats writer;
	struct rpc_stats rpc;
	bus_get_stats(sim->anna->services.bus, &bus);
	engine_get_stats(sim->anna->engine, &engine);
	writer_get_stats(sim->anna->writer, &writer);
	rpc_get_stats(sim->anna->rpc, &rpc);
	size_t jobs = jobs_depth(sim->anna->services.jobs);
	size_t files = sim_fs_open_files(sim->platter);
	if (bus.in_flight > SIM_QUEUE || bus.deepest > SIM_QUEUE) {
		sim_violate(sim, "Bounded", "%zu events are in flight", bus.in_flight);
	} else if (engine.waiting > 65536 || engine.running > 512) {
		sim_violate(
			sim, "Bounded", "%zu runs wait, %zu run", engine.waiting, engine.running);
	} else if (writer.journal.size_bytes > 4 * (SIM_BUDGET + SIM_SEGMENT)) {
		sim_violate(sim, "Bounded", "the journal has %lld bytes",
			(long long)writer.journal.size_bytes);
	} else if (rpc.sessions > 128 || rpc.input_bytes > 32u << 20 ||
		rpc.calls_in_flight > 128 * 100) {
		sim_violate(sim, "Bounded", "%zu sessions, %zu bytes of input, %zu calls",
			rpc.sessions, rpc.input_bytes, rpc.calls_in_flight);
	} else if (jobs > 256 || files > 64) {
		sim_violate(sim, "Bounded", "%zu jobs, %zu open files", jobs, files);
	}
}

// --- reading ---

static void add_gap(struct sim *sim, const struct event *event) {
	const struct value *from = event_attribute(event, STR("from"));
	const struct value *to = event_attribute(event, STR("to"));
	const struct value *reason = event_attribute(event, STR("reason"));
	if (!str_is(event->source, "journal") || !from || !to || !reason) {
		return; // of another source
	}
	if (str_is(reason->string, "damaged on disk")) {
		sim_violate(sim, "Acked means durable",
			"the journal says it is damaged, events %lld to %lld; nothing damaged it",
			(long long)from->integer, (long long)to->integer);
	}
	if (sim->gap_count == sim->gap_cap) {
		sim->gap_cap = sim->gap_cap ? sim->gap_cap * 2 : 64;
		sim->gaps = xreallocarray(sim->gaps, sim->gap_cap, sizeof(*sim->gaps));
	}
	sim->gaps[sim->gap_count++] = (struct sim_gap){.id = event->id,
		.from = (uint64_t)from->integer,
		.to = (uint64_t)to->integer,
		.is_unclean = str_is(reason->string, "unclean stop"),
		.life = watch_id(sim, event->id)->life};
	watch_id(sim, event->id)->flags |= ID_GAP;
}

static int64_t integer_of(const struct event *event, const char *name) {
	const struct value *value = event_attribute(event, str_from(name));
	return value && value->type == VALUE_INT ? value->integer : -1;
}

static void meet_emit(struct sim *sim, const struct event *event) {
	int64_t number = integer_of(event, "u");
	if (number < 0) {
		return; // one of nonsense, which asks for no answer
	}
	struct sim_emit *emit = &sim->emits[number];
	if ((size_t)number >= sim->emit_count || integer_of(event, "level") != emit->level ||
		event->kind.at[event->kind.len - 1] != emit->kind ||
		integer_of(event, "c") != emit->client) {
		sim_violate(sim, "Acked means durable", "event %llu is not as it was emitted",
			(unsigned long long)event->id);
		return;
	}
	emit->found++;
	if (emit->found > 1 && !emit->is_doubtful) {
		sim_violate(sim, "Acked means durable",
			"emit %lld%s is %d events: %llu is the last", (long long)number,
			emit->is_keyed ? ", which has a key," : "", emit->found,
			(unsigned long long)event->id);
	}
	if (emit->state == EMIT_ACKED && emit->id != event->id && !emit->is_doubtful) {
		sim_violate(sim, "Acked means durable", "emit %lld was acked as %llu and is %llu",
			(long long)number, (unsigned long long)emit->id,
			(unsigned long long)event->id);
	}
	struct sim_client *client = &sim->clients[emit->client];
	if (emit->is_plain && client->last_plain_emit > (uint32_t)number) {
		sim_violate(sim, "Gapless", "client %d: emit %lld comes after %u, event %llu",
			emit->client, (long long)number, client->last_plain_emit,
			(unsigned long long)event->id);
	}
	client->last_plain_emit = emit->is_plain ? (uint32_t)number : client->last_plain_emit;
}

static void meet_finished(struct sim *sim, const struct event *event) {
	const struct value *key = event_attribute(event, STR("key"));
	const struct value *class = event_attribute(event, STR("class"));
	uint64_t cause;
	unsigned mapping;
	if (!key || !class || !watch_parse_key(key->string, &cause, &mapping)) {
		sim_violate(
			sim, "Explained", "event %llu has no key", (unsigned long long)event->id);
		return;
	}
	struct sim_run *run = watch_run(sim, cause, mapping);
	run->class = str_is(class->string, "reflex") ? CLASS_REFLEX : CLASS_ASSURED;
	run->found_any++;
	run->found += !event_attribute(event, STR("cancelled"));
	if (run->class == CLASS_REFLEX && run->found_any > 1) {
		sim_violate(sim, "Gapless", "the reflex of event %llu by m%u acted twice",
			(unsigned long long)cause, mapping);
	}
}

// Which runs an event must have, by the configuration that was in force.
static void expect_runs(struct sim *sim, const struct event *event) {
	const struct sim_version *version = config_of(sim, event->generation);
	if (!version || !version->snapshot) {
		return; // of the time before the first that was looked at
	}
	struct item_list list = snapshot_list(version->snapshot, &mappings_section);
	const struct mapping *mapping = list.items;
	for (size_t i = 0; i < list.n; i++, mapping++) {
		uint64_t number;
		if (!mapping_listens(mapping, event->kind) ||
			!condition_holds(mapping->condition, event) ||
			!str_to_uint64(str_skip(mapping->name, 1), &number)) {
			continue;
		}
		if (mapping->class == CLASS_ASSURED && event->depth <= mapping->max_depth) {
			watch_run(sim, event->id, (unsigned)number)->is_expected = true;
		}
		if (mapping->stop) {
			break;
		}
	}
}

static void meet(struct sim *sim, const struct record *record, struct sim_id *id) {
	struct err err = ERR_INIT;
	struct event *event = event_decode(record, &err);
	if (!event) {
		sim_violate(sim, "Acked means durable", "record %llu is no event: %s",
			(unsigned long long)record->sequence, err.message);
		return;
	}
	const struct kind *kind = kinds_find(sim->shadow.kinds, event->kind);
	id->flags |= ID_FOUND;
	id->stream = (uint8_t)(kind ? kind->stream : STREAM_NORMAL);
	id->cause = event->cause;
	id->depth = event->depth;
	if (str_is(event->kind, "source.gap")) {
		add_gap(sim, event);
	} else if (str_is(event->kind, "action.finished")) {
		id->flags |= ID_ACTION;
		meet_finished(sim, event);
	} else if (str_is(event->kind, "action.started")) {
		id->flags |= ID_ACTION;
	} else if (str_is(event->source, "emit")) {
		meet_emit(sim, event);
	}
	expect_runs(sim, event);
	event_unref(event);
}

static void read_record(struct sim *sim, const struct record *record) {
	struct sim_id *id = watch_id(sim, record->sequence);
	uint32_t sum = crc32c(0, record->payload.at, record->payload.len);
	if (id->pass == sim->pass) {
		sim_violate(sim, "Acked means durable", "record %llu is there twice",
			(unsigned long long)record->sequence);
	}
	id->pass = sim->pass;
	// After a sync that failed what was written can be seen until it is taken back: no promise yet.
	bool is_promised = (id->flags & (ID_DURABLE | ID_FOUND)) || id->life != sim->life;
	if (record->type == RECORD_EVENT && !is_promised) {
		return;
	}
	if (record->type == RECORD_STATE) {
		id->flags |= ID_STATE;
		id->stream = SIM_STATE_STREAM;
	} else if (!(id->flags & ID_FOUND)) {
		id->sum = sum;
		meet(sim, record, id);
	} else if (id->sum != sum) {
		sim_violate(sim, "Acked means durable", "record %llu has changed",
			(unsigned long long)record->sequence);
	}
	if (sim->oldest[id->stream] > record->sequence) {
		sim->oldest[id->stream] = record->sequence;
	}
}

// For whoever looks for the reason: what each stream holds.
void proof_show(struct sim *sim) {
	static const char *const streams[] = {"normal", "audit", "telemetry", "state"};
	for (size_t i = 0; i < 4; i++) {
		struct reader_query query = {.stream = streams[i]};
		struct reader *reader = reader_open(sim_fs(sim->platter), JOURNAL, &query, NULL);
		struct record record;
		uint64_t from = 0, to = 0;
		struct buf text = BUF_INIT;
		while (reader && reader_next(reader, &record, NULL) > 0) {
			if (record.sequence != to + 1) {
				if (to) {
					buf_appendf(&text, " %llu-%llu", (unsigned long long)from,
						(unsigned long long)to);
				}
				from = record.sequence;
			}
			to = record.sequence;
		}
		buf_appendf(&text, " %llu-%llu", (unsigned long long)from, (unsigned long long)to);
		sim_say(sim, "%s:%s", streams[i], buf_text(&text));
		buf_finish(&text);
		if (reader) {
			reader_close(reader);
		}
	}
}

// An event as the journal has it, for messages.
static void describe(struct sim *sim, uint64_t id, struct buf *out) {
	struct record record;
	struct buf payload = BUF_INIT;
	int found = reader_find(sim_fs(sim->platter), JOURNAL, id, &payload, &record, NULL);
	struct event *event = found > 0 ? event_decode(&record, NULL) : NULL;
	struct json_writer writer;
	if (event) {
		json_writer_init(&writer, out);
		event_format_json(event, &writer);
	}
	event_unref(event);
	buf_finish(&payload);
}

static bool read_all(struct sim *sim, uint64_t after) {
	struct reader_query query = {.after = after};
	struct err err = ERR_INIT;
	struct record record;
	struct reader *reader = reader_open(sim_fs(sim->platter), JOURNAL, &query, &err);
	int result = -1;
	for (int i = 0; i < 4; i++) {
		sim->oldest[i] = UINT64_MAX;
	}
	sim->pass++;
	while (reader && !sim_is_over(sim) && (result = reader_next(reader, &record, &err)) > 0) {
		if (record.type == RECORD_DAMAGE) {
			sim_violate(sim, "Acked means durable",
				"the journal is damaged from %llu to %llu, and nothing damaged it",
				(unsigned long long)record.sequence,
				(unsigned long long)record.cause);
		} else {
			read_record(sim, &record);
		}
	}
	if (reader) {
		reader_close(reader);
	}
	if (result < 0 && !sim_is_over(sim)) {
		sim_violate(
			sim, "Acked means durable", "the journal cannot be read: %s", err.message);
	}
	return !sim_is_over(sim);
}

// --- holding it against what was seen ---

static bool is_told(const struct sim *sim, uint64_t id, uint16_t life) {
	for (size_t i = sim->gap_count; i > 0; i--) {
		const struct sim_gap *gap = &sim->gaps[i - 1];
		if (gap->from <= id && id <= gap->to && gap->id != id && gap->life >= life) {
			return true;
		}
	}
	return false;
}

static void check_ids(struct sim *sim, uint64_t after) {
	struct bus_stats bus;
	bus_get_stats(sim->anna->services.bus, &bus);
	struct writer_stats writer;
	writer_get_stats(sim->anna->writer, &writer);
	// Only a journal near its budget drops anything.
	bool may_drop = writer.journal.size_bytes > SIM_BUDGET / 2;
	bool can_tell = !bus.is_failing && sim->running_since_ns >= 0 &&
		sim_now(sim) - sim->running_since_ns > NS_PER_SECOND && !sim->has_fault;
	for (uint64_t i = after + 1; i <= sim->last_id && !sim_is_over(sim); i++) {
		struct sim_id *id = &sim->ids[i];
		bool is_there = id->pass == sim->pass;
		bool is_dropped = (id->flags & ID_FOUND) && sim->oldest[id->stream] > i && may_drop;
		if (is_there || is_dropped || !id->flags || (id->flags & ID_EXCUSED)) {
			continue;
		}
		if (id->flags & (ID_DURABLE | ID_FOUND)) {
			sim_violate(sim, "Acked means durable",
				"event %llu of life %d was %s and is not in the journal",
				(unsigned long long)i, id->life,
				id->flags & ID_FOUND ? "found before" : "durable");
		} else if ((id->flags & ID_ACCEPTED) && i <= bus.durable_id && can_tell) {
			if (is_told(sim, i, id->life)) {
				id->flags |= ID_EXCUSED;
			} else if (!(id->flags & ID_GAP)) {
				sim_violate(sim, "Gapless",
					"event %llu of life %d was accepted and is lost, and no "
					"source.gap tells it",
					(unsigned long long)i, id->life);
			}
		}
	}
}

static void check_emits(struct sim *sim) {
	for (size_t i = 0; i < sim->emit_count; i++) {
		const struct sim_emit *emit = &sim->emits[i];
		if (emit->state == EMIT_ACKED && !emit->found) {
			sim_violate(sim, "Acked means durable",
				"emit %zu was acked as %llu and is not in the journal", i,
				(unsigned long long)emit->id);
			return;
		}
	}
}

static void check_chains(struct sim *sim) {
	for (uint64_t i = 1; i <= sim->last_id; i++) {
		const struct sim_id *id = &sim->ids[i];
		if (!(id->flags & ID_FOUND) || !(id->flags & ID_ACTION)) {
			continue;
		}
		const struct sim_id *effect = id;
		for (uint64_t at = i; effect->cause;) {
			const struct sim_id *cause = &sim->ids[effect->cause];
			if (effect->cause >= at ||
				!(cause->flags & (ID_FOUND | ID_EXCUSED | ID_ACCEPTED))) {
				sim_violate(sim, "Explained",
					"event %llu leads to %llu, whose cause %llu does not exist",
					(unsigned long long)i, (unsigned long long)at,
					(unsigned long long)effect->cause);
				return;
			}
			if (!(cause->flags & ID_FOUND)) {
				break; // lost, which check_ids wants to be told
			}
			if (cause->depth + 1 != effect->depth) {
				sim_violate(sim, "Explained", "event %llu is %u deep, its cause %u",
					(unsigned long long)at, effect->depth, cause->depth);
				return;
			}
			at = effect->cause;
			effect = cause;
		}
	}
}

// A few actions explained as a person would ask for it.
static void ask_why(struct sim *sim) {
	struct why_sources sources = {.fs = sim_fs(sim->platter),
		.journal_folder = JOURNAL,
		.state_folder = SIM_STATE,
		.schema = &sim->shadow.schema,
		.mappings = &mappings_section};
	for (int i = 0, asked = 0; i < 50 && asked < 2 && sim->last_id; i++) {
		uint64_t at = 1 + sim_below(sim, sim->last_id);
		const struct sim_id *id = &sim->ids[at];
		if (!(id->flags & ID_ACTION) || id->pass != sim->pass) {
			continue;
		}
		asked++;
		struct buf text = BUF_INIT;
		struct json_writer writer;
		struct err err = ERR_INIT;
		json_writer_init(&writer, &text);
		if (!why_event(&sources, at, &writer, &err)) {
			sim_violate(sim, "Explained", "why %llu: %s", (unsigned long long)at,
				err.message);
		} else {
			arena_clear(sim->scratch);
			const struct value *told = json_parse(
				sim->scratch, buf_str(&text), JSON_DEPTH, NULL);
			const struct value *causes = value_get(told, STR("causes"));
			const struct sim_id *cause = &sim->ids[id->cause];
			bool is_lost = cause->pass != sim->pass;
			if (!causes || (causes->array.n == 0 && !is_lost) ||
				(causes->array.n != id->depth && !is_lost && (cause->depth == 0))) {
				sim_violate(sim, "Explained", "why %llu tells no root: %.300s",
					(unsigned long long)at, buf_text(&text));
			}
		}
		buf_finish(&text);
	}
}

// Every expected run up to `cursor` must have ended, but those whose mapping changed meanwhile.
static void check_runs(struct sim *sim, uint64_t cursor) {
	for (size_t i = 0; i < sim->run_cap; i++) {
		const struct sim_run *run = &sim->runs[i];
		if (!run->event || !run->is_expected || run->found || run->event > cursor ||
			sim->changed_at[run->mapping] >= run->event) {
			continue;
		}
		const struct sim_id *id = &sim->ids[run->event];
		if (!(id->flags & ID_FOUND)) {
			continue;
		}
		// Its end was accepted, and lies on the way to the disk, or was lost and told.
		bool is_accepted = run->finish &&
			(run->accepted_life == sim->life ||
				is_told(sim, run->finish, run->accepted_life));
		if (!is_accepted) {
			struct buf text = BUF_INIT;
			describe(sim, run->event, &text);
			sim_violate(sim, "Gapless",
				"event %llu (life %d, flags %d) matched the assured mapping m%u, "
				"which "
				"never ended (%d processes, last in life %d; accepted end %llu in "
				"life "
				"%d, %d cancelled); cursor %llu; %.400s; %s",
				(unsigned long long)run->event, id->life, id->flags, run->mapping,
				run->spawns, run->spawned_life, (unsigned long long)run->finish,
				run->accepted_life, run->found_any, (unsigned long long)cursor,
				buf_text(&text),
				buf_text(&sim->versions[sim->in_force].mappings[run->mapping]));
			buf_finish(&text);
			return;
		}
	}
}

void proof_journal(struct sim *sim, bool is_whole) {
	uint64_t after = is_whole || sim->proved_id < LATELY ? 0 : sim->proved_id - LATELY;
	struct sim_fs_faults none = {0};
	struct engine_stats engine;
	if (sim_is_over(sim) || !sim->anna) {
		return;
	}
	sim_fs_set_faults(sim->platter, &none);
	sim->result->checks++;
	if (read_all(sim, after)) {
		sim->proved_id = sim->last_id;
		check_ids(sim, after);
		check_emits(sim);
		check_chains(sim);
		ask_why(sim);
	}
	engine_get_stats(sim->anna->engine, &engine);
	if (!sim_is_over(sim) && sim->running_since_ns >= 0) {
		check_runs(sim, engine.cursor);
	}
}

void proof_all(struct sim *sim) {
	proof_journal(sim, true);
	if (!sim_is_over(sim)) {
		check_runs(sim, sim->settled_id);
	}
}
