// SPDX-License-Identifier: Apache-2.0
// annad-sim: plays seeds and says what came of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "tests/sim/sim.h"

static const char usage[] =
	"usage: annad-sim [--seed N | --seeds FROM..TO] [--hours H] [--bug NAME] [--well] "
	"[--verbose|--trace]\n"
	"Plays annad on a simulated machine. Exit status 0: every guarantee was kept;\n"
	"1: one was not (the seed plays it again); 2: usage.\n";

struct choice {
	struct sim_options options;
	uint64_t from, to;
};

static bool parse_range(const char *text, struct choice *out) {
	struct str all = str_from(text);
	ptrdiff_t dots = str_find(all, STR(".."));
	if (dots < 0) {
		return str_to_uint64(all, &out->from) && str_to_uint64(all, &out->to);
	}
	return str_to_uint64(str_head(all, (size_t)dots), &out->from) &&
		str_to_uint64(str_skip(all, (size_t)dots + 2), &out->to);
}

static bool parse_bug(const char *text, struct choice *out) {
	for (int i = 0; i < SIM_BUGS; i++) {
		if (strcmp(text, sim_bug_names[i]) == 0) {
			out->options.bug = (enum sim_bug)i;
			return true;
		}
	}
	(void)fprintf(stderr, "annad-sim: bugs are:");
	for (int i = 0; i < SIM_BUGS; i++) {
		(void)fprintf(stderr, " %s", sim_bug_names[i]);
	}
	(void)fputc('\n', stderr);
	return false;
}

static bool parse(int argc, char **argv, struct choice *out) {
	*out = (struct choice){.options = {.hours = 1}, .from = 1, .to = 1};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		bool ok = true;
		if (strcmp(argv[i], "--well") == 0) {
			out->options.is_well = true;
			continue;
		}
		if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "--trace") == 0) {
			out->options.is_traced = strcmp(argv[i], "--trace") == 0;
			out->options.is_verbose = true;
			continue;
		}
		if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0) {
			ok = parse_range(value, out);
		} else if (strcmp(argv[i], "--hours") == 0) {
			ok = str_to_double(str_from(value), &out->options.hours);
		} else if (strcmp(argv[i], "--bug") == 0) {
			ok = parse_bug(value, out);
		} else {
			ok = false;
		}
		if (!ok) {
			return false;
		}
		i++;
	}
	return true;
}

static void report(const struct sim_options *options, struct sim_result *result) {
	if (result->is_violated) {
		for (char *at = result->violation; *at; at++) {
			*at = *at == '\n' ? ' ' : *at; // a line a seed
		}
		(void)printf("seed %llu: VIOLATED after %.6f s: %s\n",
			(unsigned long long)options->seed, (double)result->at_ns / 1e9,
			result->violation);
		(void)printf("seed %llu: again: annad-sim --seed %llu --hours %g%s%s --verbose\n",
			(unsigned long long)options->seed, (unsigned long long)options->seed,
			options->hours, options->bug ? " --bug " : "",
			options->bug ? sim_bug_names[options->bug] : "");
	} else {
		(void)printf("seed %llu: ok, %llu events, %llu acks, %llu runs, %llu reloads, %llu "
			     "undos, %llu crashes, %llu stops, %llu checks, disk %016llx\n",
			(unsigned long long)options->seed, (unsigned long long)result->events,
			(unsigned long long)result->acks, (unsigned long long)result->runs,
			(unsigned long long)result->reloads, (unsigned long long)result->undos,
			(unsigned long long)result->crashes, (unsigned long long)result->stops,
			(unsigned long long)result->checks, (unsigned long long)result->disk);
	}
	(void)fflush(stdout);
}

int main(int argc, char **argv) {
	struct choice choice;
	if (!parse(argc, argv, &choice)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)setenv("TZ", "UTC", 1); // calendars are local time
	tzset();
	if (!choice.options.is_verbose) {
		log_set_fd(-1);
	}
	for (uint64_t seed = choice.from; seed <= choice.to; seed++) {
		struct sim_result result;
		choice.options.seed = seed;
		bool ok = sim_run(&choice.options, &result);
		report(&choice.options, &result);
		if (!ok) {
			return 1;
		}
	}
	return 0;
}
