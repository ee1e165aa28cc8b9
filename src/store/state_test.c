// SPDX-License-Identifier: Apache-2.0
#include "store/state.h"

#include "tests/check.h"
#include "tests/fakes/sim_fs.h"

static struct sim_fs *sim;
static struct buf out;
static struct err err;

static void begin(uint64_t seed) {
	sim = sim_fs_create(seed);
	sim_fs_put(sim, "/state/.here", "", 0);
	err = (struct err)ERR_INIT;
}

static void end(void) {
	sim_fs_destroy(sim);
	buf_finish(&out);
}

static enum state_source load(void) {
	buf_clear(&out);
	return state_load(sim_fs(sim), "/state", &out, &err);
}

TEST(no_state_at_all_is_no_error) {
	begin(1);
	CHECK_INT(load(), STATE_NONE);
	CHECK_INT(err.code, ERR_NONE);
	end();
}

TEST(the_newest_state_is_loaded) {
	begin(1);
	CHECK(state_save(sim_fs(sim), "/state", STR("{\"a\":1}"), &err));
	CHECK(state_save(sim_fs(sim), "/state", STR("{\"a\":2}"), &err));
	CHECK_INT(load(), STATE_NEWEST);
	CHECK_TEXT(buf_text(&out), "{\"a\":2}");
	end();
}

TEST(a_damaged_newest_state_gives_the_one_before) {
	begin(1);
	CHECK(state_save(sim_fs(sim), "/state", STR("one"), &err));
	CHECK(state_save(sim_fs(sim), "/state", STR("two"), &err));
	struct fs_stat found;
	CHECK_INT(sim_fs(sim)->stat(sim_fs(sim), "/state/state", &found), 0);
	for (int64_t i = 0; i < found.size * 8; i++) {
		CHECK(sim_fs_flip(sim, "/state/state", i / 8, (int)(i % 8)));
		CHECK_INT(load(), STATE_PREVIOUS);
		CHECK_TEXT(buf_text(&out), "one");
		CHECK(err.message[0] != '\0');
		CHECK(sim_fs_flip(sim, "/state/state", i / 8, (int)(i % 8)));
	}
	end();
}

TEST(a_damaged_newest_state_does_not_push_out_the_whole_one) {
	begin(1);
	CHECK(state_save(sim_fs(sim), "/state", STR("one"), &err));
	CHECK(state_save(sim_fs(sim), "/state", STR("two"), &err));
	CHECK(sim_fs_flip(sim, "/state/state", 25, 1));
	sim_fs_set_capacity(sim, 0);
	CHECK(!state_save(sim_fs(sim), "/state", STR("three"), &err));
	CHECK_INT(load(), STATE_PREVIOUS);
	CHECK_TEXT(buf_text(&out), "one");
	end();
}

TEST(two_damaged_states_are_told_from_none) {
	begin(1);
	sim_fs_put(sim, "/state/state", "anna-state 1 00000000 3\nabc", 27);
	sim_fs_put(sim, "/state/state.previous", "junk", 4);
	CHECK_INT(load(), STATE_NONE);
	CHECK_INT(err.code, ERR_STORAGE);
	CHECK_TEXT(err.message,
		"/state/state is damaged: checksum 364b3fb7 where it says 00000000; "
		"/state/state.previous is not a state file");
	end();
}

// What was saved last is loaded, or what was being saved when the power went; never nothing.
TEST(a_saved_state_survives_whatever_the_disk_does_next) {
	for (uint64_t seed = 0; seed < 500; seed++) {
		begin(seed);
		struct random random;
		random_init(&random, seed);
		int saved = 0, tried = 0;
		while (random_below(&random, 8)) {
			struct sim_fs_faults faults = {0};
			if (random_below(&random, 2)) {
				faults = (struct sim_fs_faults){1000, 1000, 1000, 1000, 1000, 1000};
			}
			sim_fs_set_faults(sim, &faults);
			char text[32];
			(void)snprintf(text, sizeof(text), "state %d", ++tried);
			if (state_save(sim_fs(sim), "/state", str_from(text), &err)) {
				saved = tried;
			}
		}
		sim_fs_set_faults(sim, &(struct sim_fs_faults){0});
		sim_fs_crash(sim);
		sim_fs_boot(sim);
		enum state_source source = load();
		int found = 0;
		CHECK(source == STATE_NONE || sscanf(buf_text(&out), "state %d", &found) == 1);
		if (found < saved || found > tried) {
			print_error("seed %d: %d saved, %d found\n", (int)seed, saved, found);
		}
		CHECK(found >= saved && found <= tried);
		end();
	}
}

int main(void) {
	return TESTS(RUN(no_state_at_all_is_no_error), RUN(the_newest_state_is_loaded),
		RUN(a_damaged_newest_state_gives_the_one_before),
		RUN(a_damaged_newest_state_does_not_push_out_the_whole_one),
		RUN(two_damaged_states_are_told_from_none),
		RUN(a_saved_state_survives_whatever_the_disk_does_next));
}
