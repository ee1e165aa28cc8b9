// SPDX-License-Identifier: Apache-2.0
// How collectors read files, on a recorded machine.
#include "sources/host_fixture.h"

extern const struct host_collector host_collector_entropy; // any will do

TEST(a_file_that_should_be_there_is_a_complaint_and_the_first_one_stands) {
	struct machine machine;
	struct proc_file file = {.is_open = false};
	machine_init(&machine, &host_collector_entropy);
	CHECK(!turn_try(&machine.turn, &file, "/proc/a"));
	CHECK_INT(machine.turn.complaint.code, ERR_NONE);
	CHECK(!turn_read(&machine.turn, &file, "/proc/b"));
	CHECK(!turn_read(&machine.turn, &file, "/proc/c"));
	CHECK_INT(machine.turn.complaint.code, ERR_NOT_FOUND);
	CHECK(strstr(machine.turn.complaint.message, "/proc/b: ") != NULL);
	machine_finish(&machine);
}

TEST(what_may_be_missing_complains_when_it_is_there_and_unreadable) {
	struct machine machine;
	struct proc_file file = {.is_open = false};
	machine_init(&machine, &host_collector_entropy);
	machine_write(&machine, "/proc/folder/x", "");
	machine_write(&machine, "/proc/before", "text");
	CHECK(turn_try(&machine.turn, &file, "/proc/before"));
	CHECK(!turn_try(&machine.turn, &file, "/proc/folder"));
	CHECK_INT(machine.turn.complaint.code, ERR_IO);
	CHECK_INT(machine.turn.text.len, 0);
	machine_finish(&machine);
}

TEST(a_recorded_file_is_read_anew_each_time) {
	struct machine machine;
	struct proc_file file = {.is_open = false};
	machine_init(&machine, &host_collector_entropy);
	machine_write(&machine, "/proc/a", "one");
	CHECK(turn_read(&machine.turn, &file, "/proc/a"));
	CHECK(!file.is_open);
	machine_remove(&machine, "/proc/a");
	machine_write(&machine, "/proc/a", "two");
	CHECK(turn_read(&machine.turn, &file, "/proc/a"));
	CHECK_STR(buf_str(&machine.turn.text), "two");
	machine_finish(&machine);
}

TEST(names_come_in_the_order_of_their_numbers_without_hidden_ones) {
	struct machine machine;
	machine_init(&machine, &host_collector_entropy);
	machine_write(&machine, "/sys/hwmon10", "");
	machine_write(&machine, "/sys/hwmon2", "");
	machine_write(&machine, "/sys/.hidden", "");
	struct names names = turn_list(&machine.turn, "/sys");
	CHECK_INT(names.n, 2);
	CHECK_TEXT(names.items[0], "hwmon2");
	CHECK_TEXT(names.items[1], "hwmon10");
	CHECK_INT(turn_list(&machine.turn, "/none").n, 0);
	machine_finish(&machine);
}

TEST(an_avoided_folder_is_not_touched_and_its_neighbour_is) {
	struct machine machine;
	struct str text;
	uint64_t number;
	machine_init(&machine, &host_collector_entropy);
	_cleanup_(freep) char *avoided = xasprintf("%s/sys/a", machine.folder);
	machine_write(&machine, "/sys/a/x", "1\n");
	machine_write(&machine, "/sys/ab/x", " 2 \n");
	machine.turn.avoided = avoided;
	CHECK(!turn_peek(&machine.turn, &text, "/sys/%s/x", "a"));
	CHECK_INT(turn_list(&machine.turn, "/sys/a").n, 0);
	CHECK(turn_peek(&machine.turn, &text, "/sys/ab/x"));
	CHECK_STR(text, "2");
	CHECK(turn_peek_uint64(&machine.turn, &number, "/sys/ab/x"));
	CHECK_INT(number, 2);
	_cleanup_(freep) char *place = xasprintf("%s/sys/ab/x", machine.folder);
	CHECK_TEXT(atomic_load(&machine.turn.at), place); // so that one who waits can say where
	machine_finish(&machine);
}

TEST(a_link_leads_to_its_end_or_nowhere) {
	struct machine machine;
	machine_init(&machine, &host_collector_entropy);
	machine_write(&machine, "/sys/devices/x/y", "");
	machine_link(&machine, "/sys/link", "devices/x");
	machine_link(&machine, "/sys/dangling", "nowhere");
	_cleanup_(freep) char *end = xasprintf("%s/sys/devices/x", machine.folder);
	CHECK_TEXT(turn_resolve(&machine.turn, "/sys/link"), end);
	CHECK(turn_resolve(&machine.turn, "/sys/dangling") == NULL);
	machine_finish(&machine);
}

int main(void) {
	return TESTS(RUN(a_file_that_should_be_there_is_a_complaint_and_the_first_one_stands),
		RUN(what_may_be_missing_complains_when_it_is_there_and_unreadable),
		RUN(a_recorded_file_is_read_anew_each_time),
		RUN(names_come_in_the_order_of_their_numbers_without_hidden_ones),
		RUN(an_avoided_folder_is_not_touched_and_its_neighbour_is),
		RUN(a_link_leads_to_its_end_or_nowhere));
}
