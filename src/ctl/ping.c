// SPDX-License-Identifier: Apache-2.0
// `annactl ping`: whether the daemon answers, and how fast.
#include "base/clock.h"
#include "base/histogram.h"
#include "ctl/command.h"
#include "formats/json.h"

struct ping_options {
	int64_t count;
};

static double ms(int64_t ns) {
	return (double)ns / (double)NS_PER_MS;
}

static void print_json(struct output *output, const struct histogram *times) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_uint(&w, "count", times->count);
	json_member_double(&w, "latency_ms", ms((int64_t)histogram_mean(times)));
	json_member_double(&w, "min_ms", ms(times->min));
	json_member_double(&w, "p50_ms", ms(histogram_percentile(times, 50)));
	json_member_double(&w, "p99_ms", ms(histogram_percentile(times, 99)));
	json_member_double(&w, "max_ms", ms(times->max));
	json_end_object(&w);
	output_json_line(output, buf_str(&json));
	buf_finish(&json);
}

static void print_text(struct output *output, const struct histogram *times) {
	if (times->count == 1) {
		output_printf(output, "annad answered in %.2f ms\n", ms(times->min));
		return;
	}
	output_printf(output, "annad answered %llu times\n\n", (unsigned long long)times->count);
	output_printf(output, "  min %.3f  mean %.3f  p50 %.3f  p99 %.3f  max %.3f ms\n",
		ms(times->min), ms((int64_t)histogram_mean(times)),
		ms(histogram_percentile(times, 50)), ms(histogram_percentile(times, 99)),
		ms(times->max));
}

static int run(struct invocation *in, const void *options) {
	const struct ping_options *asked = options;
	static struct histogram times; // 8 KB, once
	struct request request = {.method = "ping", .is_repeatable = true};
	histogram_init(&times);
	for (int64_t i = 0; i < asked->count; i++) {
		struct failure failure = FAILURE_INIT;
		struct arena *arena = arena_create();
		int64_t start_ns = clock_monotonic(in->clock);
		const struct value *pong = client_call(&in->client, &request, arena, &failure);
		histogram_record(&times, clock_monotonic(in->clock) - start_ns);
		arena_destroy(arena);
		failure.problems = NULL; // it was in the arena
		if (!pong) {
			return invocation_fail(in, &failure);
		}
	}
	if (in->output.is_json) {
		print_json(&in->output, &times);
	} else {
		print_text(&in->output, &times);
	}
	return 0;
}

DEFINE_COMMAND(ping) = {
	.name = "ping",
	.summary = "Does the daemon answer, and how fast.",
	.usage = "[--count N]",
	.examples = (const char *const[]){"annactl ping", "annactl ping --count 100", NULL},
	.options =
		(const struct option[]){
			{.key = "count",
				.letter = 'n',
				.type = OPTION_INT,
				.fallback = "1",
				.min = 1,
				.max = 1000000,
				.offset = offsetof(struct ping_options, count),
				.help = "Ask so many times, one after the other."},
			{0},
		},
	.options_size = sizeof(struct ping_options),
	.run = run,
};
