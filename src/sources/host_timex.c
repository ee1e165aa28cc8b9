// SPDX-License-Identifier: Apache-2.0
// adjtimex(2): whether the kernel says that the clock is synchronised, and how far off it is.
// Below a sysroot its answer is read from <sysroot>/timex ("status 8193", a field a line), and
// absent when it was not recorded; a sandbox that forbids the call makes it absent too.
#include <sys/timex.h>

#include "formats/exposition.h"
#include "sources/host_collector.h"

#define SCALED_PPM (65536 * 1e6) // the unit of frequencies: 2^-16 ppm

struct host_timex {
	struct proc_file file; // the recorded one
	bool is_known, is_synchronised;
	struct timex answer;
};

static void take_field(struct timex *answer, struct str name, int64_t value) {
	const struct {
		const char *name;
		long *field;
	} rows[] = {{"offset", &answer->offset}, {"freq", &answer->freq},
		{"maxerror", &answer->maxerror}, {"esterror", &answer->esterror},
		{"constant", &answer->constant}, {"tick", &answer->tick},
		{"ppsfreq", &answer->ppsfreq}, {"jitter", &answer->jitter},
		{"stabil", &answer->stabil}, {"jitcnt", &answer->jitcnt},
		{"calcnt", &answer->calcnt}, {"errcnt", &answer->errcnt},
		{"stbcnt", &answer->stbcnt}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_is(name, rows[i].name)) {
			*rows[i].field = value;
		}
	}
	if (str_is(name, "status")) {
		answer->status = (int)value;
	} else if (str_is(name, "shift")) {
		answer->shift = (int)value;
	} else if (str_is(name, "tai")) {
		answer->tai = (int)value;
	}
}

static bool parse_record(struct str text, struct timex *out) {
	struct str line, name, number;
	int64_t value;
	bool has_status = false;
	while (str_split(&text, '\n', &line)) {
		if (str_word(&line, &name) && str_word(&line, &number) &&
			str_to_int64(number, &value)) {
			take_field(out, name, value);
			has_status = has_status || str_is(name, "status");
		}
	}
	return has_status;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_timex *clock = arg;
	clock->answer = (struct timex){.modes = 0}; // asks, changes nothing
	if (turn->sysroot[0]) {
		clock->is_known = turn_try(turn, &clock->file, "/timex") &&
			parse_record(buf_str(&turn->text), &clock->answer);
		clock->is_synchronised = !(clock->answer.status & STA_UNSYNC);
		return;
	}
	int state = adjtimex(&clock->answer);
	clock->is_known = state >= 0;
	clock->is_synchronised = state != TIME_ERROR;
}

// Offset and jitter are in µs, or in ns when the kernel says so.
static double second_of(const struct timex *answer) {
	return answer->status & STA_NANO ? 1e9 : 1e6;
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_timex *clock = arg;
	const struct timex *t = &clock->answer;
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{"node_timex_estimated_error_seconds", "gauge", "Estimated error in seconds.",
			(double)t->esterror / 1e6},
		{"node_timex_frequency_adjustment_ratio", "gauge",
			"Local clock frequency adjustment.", 1 + (double)t->freq / SCALED_PPM},
		{"node_timex_loop_time_constant", "gauge", "Phase-locked loop time constant.",
			(double)t->constant},
		{"node_timex_maxerror_seconds", "gauge", "Maximum error in seconds.",
			(double)t->maxerror / 1e6},
		{"node_timex_offset_seconds", "gauge",
			"Time offset in between local system and reference clock.",
			(double)t->offset / second_of(t)},
		{"node_timex_pps_calibration_total", "counter",
			"Pulse per second count of calibration intervals.", (double)t->calcnt},
		{"node_timex_pps_error_total", "counter",
			"Pulse per second count of calibration errors.", (double)t->errcnt},
		{"node_timex_pps_frequency_hertz", "gauge", "Pulse per second frequency.",
			(double)t->ppsfreq / SCALED_PPM},
		{"node_timex_pps_jitter_seconds", "gauge", "Pulse per second jitter.",
			(double)t->jitter / second_of(t)},
		{"node_timex_pps_jitter_total", "counter",
			"Pulse per second count of jitter limit exceeded events.",
			(double)t->jitcnt},
		{"node_timex_pps_shift_seconds", "gauge", "Pulse per second interval duration.",
			(double)t->shift},
		{"node_timex_pps_stability_exceeded_total", "counter",
			"Pulse per second count of stability limit exceeded events.",
			(double)t->stbcnt},
		{"node_timex_pps_stability_hertz", "gauge",
			"Pulse per second stability, average of recent frequency changes.",
			(double)t->stabil / SCALED_PPM},
		{"node_timex_status", "gauge", "Value of the status array bits.", t->status},
		{"node_timex_sync_status", "gauge",
			"Is clock synchronized to a reliable server (1 = yes, 0 = no).",
			clock->is_synchronised},
		{"node_timex_tai_offset_seconds", "gauge",
			"International Atomic Time (TAI) offset.", t->tai},
		{"node_timex_tick_seconds", "gauge", "Seconds between clock ticks.",
			(double)t->tick / 1e6},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && clock->is_known; i++) {
		exposition_family(out, rows[i].name, rows[i].type, rows[i].help);
		exposition_sample(out, rows[i].value, NULL);
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_timex *clock = arg;
	if (clock->is_known) {
		tell_figure(on_figure, on_figure_arg, "clock.is_synchronised", "", "boolean",
			clock->is_synchronised);
		tell_figure(on_figure, on_figure_arg, "clock.offset_ms", "", "ms",
			fabs(1000 * (double)clock->answer.offset / second_of(&clock->answer)));
	}
}

static void finish(void *arg) {
	struct host_timex *clock = arg;
	proc_file_finish(&clock->file);
}

DEFINE_HOST_COLLECTOR(timex) = {
	.name = "timex",
	.summary = "Synchronisation of the clock, as the kernel has it.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_timex),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
