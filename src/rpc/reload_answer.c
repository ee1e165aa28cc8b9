// SPDX-License-Identifier: Apache-2.0
// One shape for every answer about a reload.
#include "rpc/reload_answer.h"

#include "rpc/anna.h"

// The predecessor's grades: up to 20, 50, 100, 200 ms, and above.
static const char *grade(int64_t total_us) {
	return total_us <= 20000     ? "A"
		: total_us <= 50000  ? "B"
		: total_us <= 100000 ? "C"
		: total_us <= 200000 ? "D"
				     : "F";
}

void reload_write_changes(struct json_writer *w, const struct changes *changes) {
	json_key(w, "changes");
	json_begin_array(w);
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->items[i];
		json_begin_object(w);
		json_member_text(w, "path", change->path);
		json_member_text(w, "before", change->before);
		json_member_text(w, "after", change->after);
		json_member_bool(w, "needs_restart", change->needs_restart);
		json_end_object(w);
	}
	json_end_array(w);
	json_key(w, "restart_needed");
	json_begin_array(w);
	for (size_t i = 0; i < changes->n; i++) {
		if (changes->items[i].needs_restart) {
			json_text(w, changes->items[i].path);
		}
	}
	json_end_array(w);
}

static void write_phases(struct json_writer *w, const struct reload_result *result) {
	json_key(w, "microseconds");
	json_begin_object(w);
	json_member_int(w, "parse", result->parse_us);
	json_member_int(w, "check", result->check_us);
	json_member_int(w, "apply", result->apply_us);
	json_member_int(w, "commit", result->commit_us); // beside the total: the disk's time
	json_member_int(w, "total", result->total_us);
	json_end_object(w);
	json_member_text(w, "grade", grade(result->total_us));
}

static void write_statistics(struct json_writer *w, const struct histogram *ns) {
	json_key(w, "statistics");
	json_begin_object(w);
	json_member_uint(w, "count", ns->count);
	json_member_int(w, "min", ns->count ? ns->min / NS_PER_US : 0);
	json_member_double(w, "mean", histogram_mean(ns) / (double)NS_PER_US);
	json_member_int(w, "p50", histogram_percentile(ns, 50) / NS_PER_US);
	json_member_int(w, "p99", histogram_percentile(ns, 99) / NS_PER_US);
	json_member_int(w, "max", ns->count ? ns->max / NS_PER_US : 0);
	json_end_object(w);
}

static void write_result(
	struct json_writer *w, const struct anna *anna, const struct reload_result *result) {
	json_begin_object(w);
	json_member_bool(w, "ok", result->ok);
	json_member_bool(w, "changed", result->changed);
	json_member_bool(w, "dry_run", result->dry_run);
	json_member_bool(w, "pending", result->is_pending);
	json_member_uint(w, "generation", result->generation);
	reload_write_changes(w, &result->changes);
	json_key(w, "problems");
	problems_write(w, &result->problems);
	write_phases(w, result);
	write_statistics(w, anna_reload_ns(anna));
	json_end_object(w);
}

void reload_answer(void *arg, const struct reload_result *result, const struct err *err) {
	struct call *call = arg;
	if (err && result && result->problems.n) {
		call_fail_problems(call, err, &result->problems);
	} else if (err) {
		call_fail(call, err);
	} else {
		write_result(call_result(call), call_anna(call), result);
		call_reply(call);
	}
}
