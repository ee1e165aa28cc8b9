// SPDX-License-Identifier: Apache-2.0
// systemd's answers: what is kept of a listing, what is read of a unit and of a signal.
#include "sources/units_fixture.h"

#include "sources/units.h"

struct answer {
	struct buf bytes;
	struct dbus_message message;
	struct arena *arena;
};

static void open_answer(struct answer *answer, const char *hex) {
	*answer = (struct answer){.arena = arena_create()};
	message_decode(hex, &answer->bytes, &answer->message);
}

static void close_answer(struct answer *answer) {
	arena_destroy(answer->arena);
	buf_finish(&answer->bytes);
}

TEST(of_a_listing_failed_and_watched_units_are_kept) {
	const struct str watched[] = {STR("web@*.service")};
	const struct unit_filter filter = {.watched = watched, .watched_count = 1};
	struct answer answer;
	struct unit_listing listing;
	open_answer(&answer, listing_message);

	CHECK(unit_listing_parse(&answer.message, &filter, answer.arena, &listing));

	CHECK_INT(listing.counts[UNIT_ACTIVE], 1);
	CHECK_INT(listing.counts[UNIT_FAILED], 1);
	CHECK_INT(listing.counts[UNIT_INACTIVE], 2);   // web@2.service is only mentioned by another
	CHECK_INT(listing.counts[UNIT_ACTIVATING], 0); // reloading has no column of its own
	CHECK_INT(listing.n, 2);
	CHECK_STR(listing.entries[0].name, "b.service");
	CHECK_INT(listing.entries[0].state, UNIT_FAILED);
	CHECK_STR(listing.entries[1].name, "web@1.service");
	CHECK(listing.entries[1].is_watched);
	close_answer(&answer);
}

TEST(an_ignored_unit_is_counted_and_not_kept) {
	const struct str ignored[] = {STR("b.*")};
	const struct unit_filter filter = {.ignored = ignored, .ignored_count = 1};
	struct answer answer;
	struct unit_listing listing;
	open_answer(&answer, listing_message);
	CHECK(unit_listing_parse(&answer.message, &filter, answer.arena, &listing));
	CHECK_INT(listing.counts[UNIT_FAILED], 1);
	CHECK_INT(listing.n, 0);
	close_answer(&answer);
}

TEST(a_listing_of_another_shape_is_none) {
	const struct unit_filter filter = {0};
	struct answer answer;
	struct unit_listing listing;
	open_answer(&answer, detail_message);
	CHECK(!unit_listing_parse(&answer.message, &filter, answer.arena, &listing));
	close_answer(&answer);
	open_answer(&answer, listing_message);
	answer.message.body.len -= 4; // the last text lost its end
	CHECK(!unit_listing_parse(&answer.message, &filter, answer.arena, &listing));
	close_answer(&answer);
}

TEST(a_unit_says_how_it_ended) {
	struct answer answer;
	struct unit_detail detail;
	open_answer(&answer, detail_message);
	CHECK(unit_detail_parse(&answer.message, &detail));
	CHECK_STR(detail.state_name, "failed");
	CHECK_STR(detail.sub_state, "failed");
	CHECK_STR(detail.result, "signal");
	CHECK_STR(detail.type, "oneshot");
	CHECK(detail.has_main && detail.has_restarts);
	CHECK_TEXT(unit_code_name(detail.code), "killed");
	CHECK_INT(detail.status, 9);
	CHECK_INT(detail.main_pid, 4711);
	CHECK_INT(detail.restarts, 5);
	CHECK_INT(detail.inactive_us, 1700000000000000);
	close_answer(&answer);
}

TEST(an_answer_without_a_state_is_not_about_a_unit) {
	struct answer answer;
	struct unit_detail detail;
	open_answer(&answer, listing_message);
	CHECK(!unit_detail_parse(&answer.message, &detail));
	close_answer(&answer);
}

TEST(a_signal_tells_the_state_of_a_unit_only) {
	struct answer answer;
	enum unit_state state = UNIT_OTHER;
	open_answer(&answer, signal_message);
	CHECK(unit_signal_state(&answer.message, &state));
	CHECK_INT(state, UNIT_FAILED);
	close_answer(&answer);
	open_answer(&answer, other_message); // says it of the interface Service
	CHECK(!unit_signal_state(&answer.message, &state));
	close_answer(&answer);
}

TEST(an_end_that_was_none_has_no_name) {
	CHECK(unit_code_name(0) == NULL);
	CHECK_TEXT(unit_code_name(1), "exited");
	CHECK_TEXT(unit_code_name(3), "dumped");
}

int main(void) {
	return TESTS(RUN(of_a_listing_failed_and_watched_units_are_kept),
		RUN(an_ignored_unit_is_counted_and_not_kept),
		RUN(a_listing_of_another_shape_is_none), RUN(a_unit_says_how_it_ended),
		RUN(an_answer_without_a_state_is_not_about_a_unit),
		RUN(a_signal_tells_the_state_of_a_unit_only),
		RUN(an_end_that_was_none_has_no_name));
}
