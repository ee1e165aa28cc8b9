// SPDX-License-Identifier: Apache-2.0
// The simulator itself: a seed fixes every byte, the guarantees hold, and each mistake planted is
// found.
#include "tests/check.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "tests/sim/sim.h"

static struct sim_result play(uint64_t seed, double hours, enum sim_bug bug) {
	struct sim_options options = {.seed = seed, .hours = hours, .bug = bug};
	struct sim_result result;
	(void)sim_run(&options, &result);
	return result;
}

TEST(the_same_seed_gives_the_same_disk_byte_for_byte) {
	for (uint64_t seed = 7; seed < 12; seed++) {
		struct sim_result first = play(seed, 0.25, SIM_NO_BUG);
		(void)play(seed + 100, 0.01, SIM_NO_BUG); // nothing of one run reaches the next
		struct sim_result second = play(seed, 0.25, SIM_NO_BUG);
		CHECK_INT(second.disk, first.disk);
		CHECK_INT(second.events, first.events);
		CHECK_INT(second.acks, first.acks);
		CHECK_INT(second.crashes, first.crashes);
	}
}

TEST(other_seeds_give_other_disks) {
	CHECK(play(1, 0.02, SIM_NO_BUG).disk != play(2, 0.02, SIM_NO_BUG).disk);
}

TEST(the_guarantees_hold) {
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sim_result result = play(seed, 0.5, SIM_NO_BUG);
		if (result.is_violated) {
			print_error("seed %llu: %s\n", (unsigned long long)seed, result.violation);
		}
		CHECK(!result.is_violated);
		CHECK(result.events > 0 && result.acks > 0);
	}
}

TEST(a_machine_that_is_well_has_nothing_to_complain_about_for_24_hours) {
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct sim_options options = {.seed = seed, .hours = 24, .is_well = true};
		struct sim_result result;
		if (!sim_run(&options, &result)) {
			print_error("seed %llu: %s\n", (unsigned long long)seed, result.violation);
		}
		CHECK(!result.is_violated);
		CHECK(result.events > 1000);
	}
}

static void check_found(enum sim_bug bug, const char *invariant) {
	struct sim_result result = {0};
	for (uint64_t seed = 1; seed <= 1000 && !result.is_violated; seed++) {
		result = play(seed, 0.5, bug);
	}
	CHECK(result.is_violated);
	CHECK(strncmp(result.violation, invariant, strlen(invariant)) == 0);
}

TEST(acking_before_the_sync_is_found) {
	check_found(SIM_ACK_BEFORE_SYNC, "Acked means durable");
}

TEST(not_syncing_directories_is_found) {
	check_found(SIM_NO_DIRECTORY_SYNC, "Acked means durable");
}

TEST(a_cursor_that_runs_ahead_is_found) {
	check_found(SIM_EARLY_CURSOR, "Gapless");
}

TEST(mappings_that_stay_after_a_reload_are_found) {
	check_found(SIM_STALE_MAPPINGS, "Gapless");
}

TEST(keys_that_are_forgotten_over_a_restart_are_found) {
	check_found(SIM_FORGOTTEN_KEYS, "Acked means durable");
}

int main(void) {
	(void)setenv("TZ", "UTC", 1);
	tzset();
	log_set_fd(-1);
	return TESTS(RUN(the_same_seed_gives_the_same_disk_byte_for_byte),
		RUN(other_seeds_give_other_disks), RUN(the_guarantees_hold),
		RUN(a_machine_that_is_well_has_nothing_to_complain_about_for_24_hours),
		RUN(acking_before_the_sync_is_found), RUN(not_syncing_directories_is_found),
		RUN(a_cursor_that_runs_ahead_is_found),
		RUN(mappings_that_stay_after_a_reload_are_found),
		RUN(keys_that_are_forgotten_over_a_restart_are_found));
}
