// SPDX-License-Identifier: Apache-2.0
// Schedules against the journal; see journal_schedule.h. What the model knows of a record:
//
//	PENDING  appended, not synced                    a power loss makes it MAYBE
//	ACKED    sync said yes                           must be read back for ever
//	FAILED   sync said no, or recovery cut it        must not be read back; as long as nothing
//	         else was acked in its stream, a restart makes it MAYBE
//	MAYBE    there or not, whole batches only        the restart decides: then ACKED or gone
#include "tests/fakes/journal_schedule_parts.h"

#include "base/alloc.h"

uint64_t schedule_drawn[SIM_FAULTS];

const char *const schedule_streams[STREAMS] = {"normal", "audit", "state"};

bool schedule_broken(struct schedule *schedule, const char *format, ...) {
	va_list args;
	va_start(args, format);
	buf_vappendf(schedule->reason, format, args);
	va_end(args);
	return false;
}

uint64_t schedule_below(struct schedule *schedule, uint64_t bound) {
	return random_below(&schedule->random, bound);
}

void known_make_payload(const struct known *known, struct buf *out) {
	struct random random;
	random_init(&random, known->serial);
	buf_clear(out);
	random_fill(&random, buf_reserve(out, known->len + 8), known->len);
	out->len = known->len;
}

// --- doing things ---

static bool append_known(struct schedule *schedule, struct known *first, size_t n) {
	struct record records[8];
	struct buf payloads[8] = {0};
	struct err err = ERR_INIT;
	for (size_t i = 0; i < n; i++) {
		known_make_payload(&first[i], &payloads[i]);
		records[i] = (struct record){
			.sequence = first[i].sequence,
			.cause = first[i].cause,
			.time_ns = first[i].time_ns,
			.type = RECORD_EVENT,
			.payload = buf_str(&payloads[i]),
		};
	}
	const char *stream = schedule_streams[first->stream];
	bool is_appended = true;
	if (schedule->bug == BUG_BATCH_NOT_ATOMIC) {
		for (size_t i = 0; i < n && is_appended; i++) {
			is_appended = journal_append(
				schedule->journal, stream, &records[i], 1, &err);
		}
	} else {
		is_appended = journal_append(schedule->journal, stream, records, n, &err);
	}
	schedule->err = err;
	for (size_t i = 0; i < n; i++) {
		buf_finish(&payloads[i]);
		first[i].status = is_appended ? PENDING : FAILED;
	}
	if (!is_appended) {
		schedule->has_open_failure[first->stream] = true;
	}
	return is_appended;
}

static bool append(struct schedule *schedule) {
	size_t n = schedule_below(schedule, 3) ? 1 : 1 + schedule_below(schedule, 8);
	int stream = (int)schedule_below(schedule, STREAMS);
	uint64_t batch = ++schedule->last_batch;
	for (size_t i = 0; i < n; i++) {
		if (schedule->n == schedule->cap) {
			schedule->cap = schedule->cap ? schedule->cap * 2 : 64;
			schedule->known = xreallocarray(
				schedule->known, schedule->cap, sizeof(*schedule->known));
		}
		size_t len = (size_t)schedule_below(schedule, 200);
		len = schedule_below(schedule, 20) ? len : (size_t)schedule_below(schedule, 9000);
		uint64_t sequence = ++schedule->last_sequence;
		schedule->known[schedule->n++] = (struct known){
			.sequence = sequence,
			.cause = schedule_below(schedule, 2) ? 0
							     : schedule_below(schedule, sequence),
			.batch = batch,
			.time_ns = schedule->clock.wall_ns,
			.stream = stream,
			.len = len,
			.serial = ++schedule->last_serial,
		};
	}
	bool is_appended = append_known(schedule, &schedule->known[schedule->n - n], n);
	// After a write that failed nothing can be appended before the sync that says so.
	bool is_excused = schedule->has_faults || schedule->is_full || schedule->is_broken;
	schedule->is_broken = schedule->is_broken || !is_appended;
	return is_appended || is_excused ||
		schedule_broken(
			schedule, "an append failed without a fault: %s", schedule->err.message);
}

// Appends what has just failed once more, in new segments.
static void append_again(struct schedule *schedule, size_t first) {
	for (size_t i = first; i < schedule->n;) {
		size_t n = 1;
		while (i + n < schedule->n &&
			schedule->known[i + n].batch == schedule->known[i].batch) {
			n++;
		}
		if (schedule->known[i].status == FAILED) {
			(void)append_known(schedule, &schedule->known[i], n);
		}
		i += n;
	}
}

static bool sync_once(struct schedule *schedule) {
	struct err err = ERR_INIT;
	bool is_synced = journal_sync(schedule->journal, &err);
	bool is_excused = schedule->is_broken && !is_synced;
	schedule->is_broken = false;
	bool was_dirty[STREAMS] = {false};
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		if (known->status == PENDING) {
			known->status = is_synced ? ACKED : FAILED;
			was_dirty[known->stream] = true;
		}
	}
	for (int i = 0; i < STREAMS; i++) {
		if (was_dirty[i]) {
			schedule->has_open_failure[i] = !is_synced;
		}
	}
	schedule->is_excused = is_excused;
	return is_synced;
}

static bool sync_all(struct schedule *schedule) {
	size_t first = 0;
	while (first < schedule->n && schedule->known[first].status != PENDING) {
		first++;
	}
	bool is_synced = sync_once(schedule);
	if (!is_synced && schedule_below(schedule, 2)) {
		append_again(schedule, first);
		is_synced = sync_once(schedule);
	}
	return is_synced || schedule->has_faults || schedule->is_full || schedule->is_excused ||
		schedule_broken(schedule, "a sync failed without a fault");
}

// Maintenance has said durably where the abandoned segments end, but in streams where the next one
// is waiting for its sync.
static void forget_failures(struct schedule *schedule) {
	bool is_waiting[STREAMS] = {false};
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		is_waiting[known->stream] = is_waiting[known->stream] || known->status == PENDING;
	}
	for (int i = 0; i < STREAMS; i++) {
		schedule->has_open_failure[i] = schedule->has_open_failure[i] && is_waiting[i];
	}
}

static bool maintain(struct schedule *schedule) {
	struct err err = ERR_INIT;
	struct journal_stats stats;
	bool is_ready = journal_maintain(schedule->journal, &err);
	if (!is_ready && !schedule->has_faults && !schedule->is_full) {
		return schedule_broken(
			schedule, "maintenance failed without a fault: %s", err.message);
	}
	if (is_ready) {
		forget_failures(schedule);
	}
	journal_get_stats(schedule->journal, &stats);
	int64_t budget = 0;
	for (int i = 0; i < STREAMS; i++) {
		budget += schedule->streams[i].budget_bytes;
	}
	// A segment is as large as its largest frame needs.
	if (is_ready && stats.size_bytes > budget + STREAMS * 4 * 80 * 1024) {
		return schedule_broken(
			schedule, "%lld bytes are far over budget", (long long)stats.size_bytes);
	}
	return true;
}

// --- stopping and starting ---

static bool open_journal(struct schedule *schedule) {
	struct err err = ERR_INIT;
	schedule->journal = journal_open(sim_fs(schedule->sim), &schedule->clock.clock, FOLDER,
		&schedule->options, &schedule->recovery, &err);
	if (!schedule->journal && !schedule->has_faults) {
		return schedule_broken(schedule, "open fails: %s", err.message);
	}
	return true;
}

static void set_faults(struct schedule *schedule, bool has_faults) {
	struct sim_fs_faults faults = {0};
	schedule->has_faults = has_faults;
	if (has_faults) {
		unsigned *all[] = {&faults.short_write, &faults.write_error, &faults.sync_error,
			&faults.no_space, &faults.open_error, &faults.name_error};
		for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
			*all[i] = schedule_below(schedule, 2)
				? 0
				: (unsigned)schedule_below(schedule, 3000);
		}
	}
	sim_fs_set_faults(schedule->sim, &faults);
}

static void set_full(struct schedule *schedule, bool is_full) {
	schedule->is_full = is_full;
	sim_fs_set_capacity(schedule->sim, is_full ? (int64_t)schedule_below(schedule, 40000) : -1);
}

// The model after a restart: what recovery kept is kept, what it cut is gone for good.
static bool settle_model(struct schedule *schedule) {
	size_t n = 0;
	uint64_t last = schedule->recovery.last_sequence;
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		if (known->status == ACKED && known->sequence > last && !known->is_damaged) {
			return schedule_broken(schedule, "recovery ends at %llu, before acked %llu",
				(unsigned long long)last, (unsigned long long)known->sequence);
		}
		if (known->status == MAYBE || known->status == FAILED) {
			known->status = known->is_seen ? ACKED : FAILED;
		}
		// Numbers behind the last that was kept are given out again.
		if (known->sequence <= last) {
			schedule->known[n++] = *known;
		}
	}
	schedule->n = n;
	schedule->last_sequence = last;
	memset(schedule->has_open_failure, 0, sizeof(schedule->has_open_failure));
	return true;
}

static void expect_restart(struct schedule *schedule) {
	for (size_t i = 0; i < schedule->n; i++) {
		struct known *known = &schedule->known[i];
		if (known->status == PENDING ||
			(known->status == FAILED && schedule->has_open_failure[known->stream])) {
			known->was_pending = known->status == PENDING;
			known->status = MAYBE;
		}
	}
}

static void stop(struct schedule *schedule) {
	journal_close(schedule->journal); // the disk is down: this only frees
	schedule->journal = NULL;
	sim_fs_boot(schedule->sim);
}

// Recovery, twice: the second time must find everything as the first left it.
static bool restart(struct schedule *schedule) {
	stop(schedule);
	set_faults(schedule, false);
	set_full(schedule, false);
	expect_restart(schedule);
	// A dead journal is read as it is, too.
	if (schedule_below(schedule, 4) == 0 && !schedule_read_back(schedule)) {
		return false;
	}
	if (!open_journal(schedule)) {
		return false;
	}
	struct journal_recovery first = schedule->recovery;
	uint64_t digest = sim_fs_digest(schedule->sim);
	sim_fs_kill(schedule->sim);
	stop(schedule);
	if (!open_journal(schedule)) {
		return false;
	}
	if (digest != sim_fs_digest(schedule->sim) ||
		first.last_sequence != schedule->recovery.last_sequence ||
		first.damage_count != schedule->recovery.damage_count ||
		schedule->recovery.cut_bytes) {
		return schedule_broken(schedule, "recovery run again changed something");
	}
	if (first.damage_count && !schedule->has_flips) {
		return schedule_broken(schedule, "recovery reports damage where there is none");
	}
	return schedule_read_back(schedule) && settle_model(schedule);
}

static bool crash(struct schedule *schedule) {
	if (schedule_below(schedule, 2)) {
		sim_fs_kill(schedule->sim);
	} else {
		sim_fs_crash(schedule->sim);
	}
	return restart(schedule);
}

// A clean close, faults off: everything must be there, and the close be seen as clean.
static bool close_and_open(struct schedule *schedule) {
	set_faults(schedule, false);
	set_full(schedule, false);
	if (!sync_all(schedule)) {
		return false;
	}
	journal_close(schedule->journal);
	schedule->journal = NULL;
	if (schedule_below(schedule, 2)) {
		sim_fs_crash(schedule->sim);
	} else {
		sim_fs_kill(schedule->sim);
	}
	if (!restart(schedule)) {
		return false;
	}
	return schedule->recovery.was_clean ||
		schedule_broken(schedule, "a clean close is not seen");
}

struct files {
	char *paths[256];
	size_t n;
	const char *folder;
};

static void on_name(void *arg, const char *name) {
	struct files *files = arg;
	if (files->n < sizeof(files->paths) / sizeof(*files->paths)) {
		files->paths[files->n++] = xasprintf("%s/%s", files->folder, name);
	}
}

static void flip_in_file(struct schedule *schedule, const char *path) {
	struct fs_stat found;
	struct fs *fs = sim_fs(schedule->sim);
	if (fs->stat(fs, path, &found) == 0 && found.size > 0) {
		// Mostly where the records are.
		int64_t from = found.size > 1024 && schedule_below(schedule, 8) ? 1024 : 0;
		int64_t at = from +
			(int64_t)schedule_below(schedule, (uint64_t)(found.size - from));
		schedule->has_flips |= sim_fs_flip(
			schedule->sim, path, at, (int)schedule_below(schedule, 8));
	}
}

// Bits flip in a journal at rest: whatever cannot be read any more must be reported.
static bool flip_bits(struct schedule *schedule) {
	set_faults(schedule, false);
	set_full(schedule, false);
	if (!sync_all(schedule) || !maintain(schedule)) {
		return false;
	}
	if (schedule_below(schedule, 2)) {
		journal_close(schedule->journal);
		schedule->journal = NULL;
	}
	sim_fs_kill(schedule->sim);
	sim_fs_settle(schedule->sim);
	stop(schedule);
	struct fs *fs = sim_fs(schedule->sim);
	_cleanup_(freep) char *folder = xasprintf(
		"%s/%s", FOLDER, schedule_streams[schedule_below(schedule, STREAMS)]);
	struct files files = {.folder = folder};
	(void)fs->list(fs, folder, on_name, &files); // may not exist: then nothing is flipped
	// One in a file: two can take the last record together with the MARK that vouches for it.
	for (size_t flips = schedule_below(schedule, 3) ? 1 : 3; flips && files.n; flips--) {
		size_t i = (size_t)schedule_below(schedule, files.n);
		flip_in_file(schedule, files.paths[i]);
		free(files.paths[i]);
		files.paths[i] = files.paths[--files.n];
	}
	for (size_t i = 0; i < files.n; i++) {
		free(files.paths[i]);
	}
	sim_fs_kill(schedule->sim);
	return restart(schedule);
}

static bool recovers_when_freed(struct schedule *schedule) {
	set_faults(schedule, false);
	set_full(schedule, false);
	if (!append(schedule) || !sync_all(schedule) || !maintain(schedule)) {
		return false;
	}
	return true;
}

static bool step(struct schedule *schedule) {
	fake_clock_advance(&schedule->clock, (int64_t)schedule_below(schedule, 1000000000));
	uint64_t what = schedule_below(schedule, 100);
	if (what < 55) {
		return append(schedule);
	}
	if (what < 75) {
		return sync_all(schedule);
	}
	if (what < 85) {
		return maintain(schedule);
	}
	if (what < 88) {
		set_faults(schedule, schedule_below(schedule, 2));
		return true;
	}
	if (what < 90) {
		set_full(schedule, true);
		return true;
	}
	if (what < 92) {
		return recovers_when_freed(schedule);
	}
	if (what < 94) {
		set_faults(schedule, false);
		return schedule_read_back(schedule);
	}
	return what < 96 ? close_and_open(schedule) : crash(schedule);
}

static void begin(struct schedule *schedule, uint64_t seed) {
	random_init(&schedule->random, seed);
	schedule->sim = sim_fs_create(seed + 1);
	sim_fs_put(schedule->sim, "/state/.here", "", 0);
	fake_clock_init(&schedule->clock);
	schedule->has_budget = schedule_below(schedule, 4) == 0;
	for (int i = 0; i < STREAMS; i++) {
		schedule->streams[i] = (struct journal_stream_options){
			.name = schedule_streams[i],
			.budget_bytes = schedule->has_budget ? 40000 : 1 << 30,
			.max_age_ns = schedule->has_budget && schedule_below(schedule, 2)
				? 10 * NS_PER_SECOND
				: 0,
		};
	}
	schedule->options = (struct journal_options){
		.streams = schedule->streams,
		.stream_count = STREAMS,
		.segment_bytes = (int64_t)4096 << schedule_below(schedule, 4),
	};
	sim_fs_skip_directory_syncs(schedule->sim, schedule->bug == BUG_NO_DIRECTORY_SYNC);
	sim_fs_skip_syncs(schedule->sim, schedule->bug == BUG_ACK_BEFORE_SYNC);
}

bool schedule_run(uint64_t seed, enum planted_bug bug, struct buf *out_reason) {
	struct schedule schedule = {.bug = bug, .reason = out_reason};
	begin(&schedule, seed);
	size_t steps = 10 + (size_t)schedule_below(&schedule, 120);
	bool is_good = open_journal(&schedule);
	for (size_t i = 0; i < steps && is_good; i++) {
		is_good = step(&schedule);
	}
	if (is_good) {
		is_good = schedule_below(&schedule, 2) ? flip_bits(&schedule) : crash(&schedule);
	}
	for (int i = 0; i < SIM_FAULTS; i++) {
		schedule_drawn[i] += sim_fs_drawn(schedule.sim, (enum sim_fault)i);
	}
	sim_fs_kill(schedule.sim);
	stop(&schedule);
	sim_fs_destroy(schedule.sim);
	free(schedule.known);
	return is_good;
}

uint64_t schedule_find(uint64_t from, uint64_t n, enum planted_bug bug, struct buf *out_reason) {
	for (uint64_t seed = from; seed < from + n; seed++) {
		buf_clear(out_reason);
		if (!schedule_run(seed, bug, out_reason)) {
			return seed;
		}
	}
	return UINT64_MAX;
}
