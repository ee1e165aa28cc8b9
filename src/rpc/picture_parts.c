// SPDX-License-Identifier: Apache-2.0
// What is measured of the parts: journal, loop, process, RPC, mailboxes, jobs, actions; how much of its
// memory budget each uses; and the last minutes for a screen.
#include "rpc/picture.h"

static void write_journal(struct json_writer *w, const struct picture *picture) {
	const struct writer_stats *writer = &picture->writer;
	const struct vitals *vitals = &picture->vitals;
	json_key(w, "journal");
	if (!picture->has_writer) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_member_bool(w, "is_failing", writer->is_failing);
	json_member_text(w, "reason", writer->reason[0] ? writer->reason : NULL);
	json_member_uint(w, "depth", writer->depth);
	json_member_uint(w, "deepest", writer->deepest);
	json_member_uint(w, "capacity", writer->capacity);
	json_member_int(w, "size_bytes", writer->journal.size_bytes);
	picture_int(w, "budget_bytes", vitals->journal_budget_bytes);
	json_member_uint(w, "appended_records", writer->journal.appended_records);
	json_member_uint(w, "appended_bytes", writer->journal.appended_bytes);
	picture_double(
		w, "records_per_sec", vitals->minute_s > 0 ? vitals->per_second[RATE_RECORDS] : -1);
	picture_double(
		w, "bytes_per_sec", vitals->minute_s > 0 ? vitals->per_second[RATE_BYTES] : -1);
	json_member_uint(w, "oldest_id", writer->journal.oldest_sequence);
	json_key(w, "oldest_time");
	if (vitals->journal_oldest_ns) {
		struct buf time = BUF_INIT;
		time_format(&time, vitals->journal_oldest_ns);
		json_str(w, buf_str(&time));
		buf_finish(&time);
	} else {
		json_null(w);
	}
	json_member_uint(w, "dropped_segments", writer->journal.dropped_segments);
	json_member_uint(w, "syncs", writer->journal.syncs);
	json_member_uint(w, "failed_syncs", writer->journal.failed_syncs);
	json_member_double(w, "records_per_sync", histogram_mean(&writer->batch));
	json_key(w, "sync");
	json_begin_object(w);
	picture_write_spread(w, &picture->syncs);
	json_end_object(w);
	json_end_object(w);
}

// Where the program was loaded, as the linker says (ld(1)).
extern const char __executable_start[];

// Which function it was: `addr2line -f -e annad OFFSET` names it. Not its address, which nobody else
// needs to know.
static void write_function(struct json_writer *w, const void *function) {
	struct buf text = BUF_INIT;
	buf_appendf(&text, "0x%llx",
		(unsigned long long)((uintptr_t)function - (uintptr_t)__executable_start));
	json_member_text(w, "offset", buf_text(&text));
	buf_finish(&text);
}

static void write_loop(struct json_writer *w, const struct picture *picture) {
	const struct loop_worst *worst = &picture->worst;
	json_key(w, "loop_lag");
	json_begin_object(w);
	picture_write_spread(w, &picture->lag);
	json_key(w, "worst");
	if (worst->what) {
		json_begin_object(w);
		json_member_double(w, "took_us", (double)worst->took_ns / 1e3);
		json_member_text(w, "what", worst->what);
		write_function(w, worst->function);
		json_member_time(
			w, "time", picture->now_ns - (picture->monotonic_ns - worst->at_ns));
		json_end_object(w);
	} else {
		json_null(w);
	}
	json_member_uint(w, "rounds", picture->loop.rounds);
	json_member_uint(w, "timers", picture->loop.timers);
	json_end_object(w);
}

static void write_process(struct json_writer *w, const struct picture *picture) {
	const struct vitals *vitals = &picture->vitals;
	const struct footprint *f = &vitals->footprint;
	json_key(w, "cpu");
	json_begin_object(w);
	picture_int(w, "user_us", f->cpu_user_us);
	picture_int(w, "system_us", f->cpu_system_us);
	picture_double(w, "percent", vitals->cpu_percent);
	picture_double(w, "percent_last_minute",
		vitals->minute_s > 0 ? vitals->per_second[RATE_CPU_US] / 1e4 : -1);
	json_end_object(w);
	json_key(w, "fds");
	json_begin_object(w);
	picture_int(w, "open", f->fds);
	picture_int(w, "limit", f->fd_limit);
	json_end_object(w);
	json_key(w, "context_switches");
	json_begin_object(w);
	picture_int(w, "voluntary", f->voluntary_switches);
	picture_int(w, "involuntary", f->involuntary_switches);
	json_end_object(w);
	json_key(w, "page_faults");
	json_begin_object(w);
	picture_int(w, "minor", f->minor_faults);
	picture_int(w, "major", f->major_faults);
	json_end_object(w);
}

static void write_methods(struct json_writer *w, const struct picture *picture) {
	json_key(w, "methods");
	json_begin_array(w);
	for (size_t i = 0; i < picture->method_count; i++) {
		const struct picture_method *method = &picture->methods[i];
		json_begin_object(w);
		json_member_text(w, "method", method->timing.name);
		json_member_uint(w, "calls", method->timing.calls);
		json_member_uint(w, "failed", method->timing.failures); // of all time
		picture_write_spread(w, &method->spread);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_rpc(struct json_writer *w, const struct picture *picture) {
	const struct rpc_stats *rpc = &picture->rpc;
	json_key(w, "rpc");
	json_begin_object(w);
	json_member_uint(w, "calls", rpc->calls);
	json_member_uint(w, "failures", rpc->failures);
	picture_double(w, "calls_per_sec",
		picture->vitals.minute_s > 0 ? picture->vitals.per_second[RATE_CALLS] : -1);
	json_member_uint(w, "connections", rpc->sessions);
	json_member_uint(w, "connections_max", rpc->max_sessions);
	json_member_uint(w, "refused_connections", rpc->refused_sessions);
	json_member_uint(w, "evicted_connections", rpc->evicted_sessions);
	json_member_uint(w, "broken_connections", rpc->broken_outputs);
	json_member_uint(w, "calls_in_flight", rpc->calls_in_flight);
	json_member_uint(w, "input_bytes", rpc->input_bytes);
	write_methods(w, picture);
	json_end_object(w);
}

static void write_box(struct json_writer *w, const char *name, const struct mailbox_stats *box) {
	json_begin_object(w);
	json_member_text(w, "name", name);
	json_member_uint(w, "depth", box->depth);
	json_member_uint(w, "deepest", box->deepest);
	json_member_uint(w, "capacity", box->capacity);
	json_member_uint(w, "posted", box->posted);
	json_member_uint(w, "dropped", box->refused);
	json_end_object(w);
}

static void write_queues(struct json_writer *w, const struct picture *picture) {
	static const char *const names[] = {"jobs", "slow jobs"};
	json_key(w, "mailboxes");
	json_begin_array(w);
	if (picture->has_writer) {
		write_box(w, "journal in", &picture->writer.inbox);
		write_box(w, "journal out", &picture->writer.outbox);
	}
	write_box(w, "jobs done", &picture->jobs_done[0]);
	write_box(w, "slow jobs done", &picture->jobs_done[1]);
	json_end_array(w);
	json_key(w, "jobs");
	json_begin_array(w);
	for (size_t i = 0; i < 2; i++) {
		const struct jobs_stats *jobs = &picture->jobs[i];
		int64_t age = jobs->oldest_ns ? picture->monotonic_ns - jobs->oldest_ns : 0;
		json_begin_object(w);
		json_member_text(w, "name", names[i]);
		json_member_uint(w, "depth", jobs->depth);
		json_member_uint(w, "waiting", jobs->waiting);
		json_member_uint(w, "deepest", jobs->deepest);
		json_member_uint(w, "capacity", jobs->capacity);
		json_member_uint(w, "threads", jobs->threads);
		json_member_uint(w, "total", jobs->posted);
		json_member_uint(w, "refused", jobs->refused);
		picture_double(w, "oldest_sec", jobs->oldest_ns ? (double)age / 1e9 : -1);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_actions(struct json_writer *w, const struct engine_stats *engine) {
	json_key(w, "actions");
	json_begin_object(w);
	json_member_uint(w, "running", engine->running);
	json_member_uint(w, "running_max", engine->running_max);
	json_member_uint(w, "waiting", engine->waiting);
	json_member_uint(w, "waiting_deepest", engine->waiting_deepest);
	json_member_uint(w, "waiting_max", engine->waiting_max);
	json_member_bool(w, "is_behind", engine->is_behind);
	json_member_uint(w, "started", engine->started);
	json_member_uint(w, "failed", engine->failed);
	json_member_uint(w, "refused", engine->refused);
	json_end_object(w);
}

// One part's memory budget: what it uses of it now, and at most so far.
static void write_budget(struct json_writer *w, const char *part, size_t used, size_t most,
	size_t limit, uint64_t refused) {
	json_begin_object(w);
	json_member_text(w, "part", part);
	json_member_uint(w, "used_bytes", used);
	json_member_uint(w, "most_bytes", most);
	json_member_uint(w, "limit_bytes", limit);
	json_member_uint(w, "refused", refused);
	json_end_object(w);
}

static void write_budgets(struct json_writer *w, const struct picture *picture) {
	const struct rpc_stats *rpc = &picture->rpc;
	const struct bus_stats *bus = &picture->bus;
	const struct engine_stats *engine = &picture->engine;
	json_key(w, "budgets");
	json_begin_array(w);
	write_budget(w, "events on their way to the disk", bus->bytes, bus->bytes_deepest,
		bus->bytes_max, bus->refused);
	write_budget(w, "actions that wait", engine->waiting_bytes, engine->waiting_bytes_deepest,
		engine->waiting_bytes_max, engine->refused);
	write_budget(w, "unfinished requests", rpc->input_bytes, rpc->input_deepest,
		rpc->max_input_bytes, rpc->evicted_sessions);
	write_budget(w, "requests in flight", rpc->held_bytes, rpc->held_deepest,
		rpc->max_input_bytes, rpc->held_refused);
	write_budget(w, "answers not read", rpc->output_bytes, rpc->output_deepest,
		rpc->max_output_bytes, rpc->broken_outputs);
	json_end_array(w);
}

static void sample_or_null(struct json_writer *w, double value) {
	if (value < 0) {
		json_null(w);
	} else {
		json_double(w, (double)(int64_t)(value * 10 + 0.5) / 10);
	}
}

// The fields of one sample, in the order of the arrays.
static double sample_field(const struct vitals_sample *sample, size_t field) {
	const double fields[] = {(double)sample->rpc_p99_us, (double)sample->rss_kib * 1024,
		(double)sample->cpu_percent, (double)sample->queue_deepest,
		(double)sample->lag_p99_us, (double)sample->sync_p99_us};
	return fields[field];
}

static void write_history(struct json_writer *w, const struct picture *picture) {
	static const char *const names[] = {"rpc_p99_us", "rss_bytes", "cpu_percent", "queue_depth",
		"loop_lag_p99_us", "sync_p99_us"};
	json_key(w, "history");
	json_begin_object(w);
	json_member_int(w, "every_sec", VITALS_EVERY_S);
	for (size_t field = 0; field < sizeof(names) / sizeof(*names); field++) {
		json_key(w, names[field]);
		json_begin_array(w);
		for (size_t i = 0; i < picture->history_count; i++) {
			sample_or_null(w, sample_field(&picture->history[i], field));
		}
		json_end_array(w);
	}
	json_end_object(w);
}

void picture_write_parts(struct json_writer *w, const struct picture *picture) {
	write_journal(w, picture);
	write_loop(w, picture);
	write_process(w, picture);
	write_rpc(w, picture);
	write_queues(w, picture);
	write_actions(w, &picture->engine);
	write_budgets(w, picture);
	json_member_uint(w, "log_dropped", picture->log_dropped);
	if (picture->history_count) {
		write_history(w, picture);
	}
}
