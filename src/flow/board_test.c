// SPDX-License-Identifier: Apache-2.0
#include "tests/check.h"

#include "flow/board.h"
#include "formats/json.h"

static void show_memory(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	(void)arg;
	on_figure(on_figure_arg, &(struct figure){"memory.used_percent", "", "percent", 40});
	on_figure(on_figure_arg, &(struct figure){"memory.swap_percent", "", "percent", 1});
}

static void add_value(void *arg, const struct figure *figure) {
	*(double *)arg += figure->value;
}

static bool blame(void *arg, const struct figure *figure, struct culprit *out) {
	(void)figure;
	(void)snprintf(out->name, sizeof(out->name), "%s", (const char *)arg);
	return true;
}

static bool write_top(void *arg, struct json_writer *out, struct err *err) {
	(void)arg;
	(void)err;
	json_uint(out, 7);
	return true;
}

TEST(every_pin_shows_its_figures_until_it_is_taken_off) {
	struct board *board = board_create();
	struct pin pin = {.figures = show_memory};
	double sum = 0;
	board_pin(board, &pin);
	board_each_figure(board, add_value, &sum);
	CHECK_INT((int)sum, 41);
	board_unpin(&pin);
	board_unpin(&pin);
	board_each_figure(board, add_value, &sum);
	CHECK_INT((int)sum, 41);
	board_destroy(board);
}

TEST(a_culprit_is_asked_of_the_pin_of_that_resource) {
	struct board *board = board_create();
	static char burner[] = "burner", hoarder[] = "hoarder";
	struct pin cpu = {.name = "cpu", .culprit = blame, .arg = burner};
	struct pin memory = {.name = "memory", .culprit = blame, .arg = hoarder};
	struct figure figure = {"memory.used_percent", "", "percent", 99};
	struct culprit found;
	board_pin(board, &cpu);
	board_pin(board, &memory);
	CHECK(board_find_culprit(board, &figure, &found));
	CHECK_TEXT(found.name, "hoarder");
	figure.name = "memorycard.used_percent";
	CHECK(!board_find_culprit(board, &figure, &found));
	board_unpin(&cpu);
	board_unpin(&memory);
	board_destroy(board);
}

TEST(a_view_is_written_by_its_name_and_one_nobody_offers_is_an_error) {
	struct board *board = board_create();
	struct pin pin = {.name = "top", .view = write_top};
	struct buf out = BUF_INIT;
	struct json_writer writer;
	struct err err = ERR_INIT;
	board_pin(board, &pin);
	json_writer_init(&writer, &out);
	CHECK(board_write_view(board, "top", &writer, &err));
	CHECK_TEXT(buf_text(&out), "7");
	CHECK(!board_write_view(board, "host", &writer, &err));
	CHECK_INT(err.code, ERR_NOT_FOUND);
	buf_finish(&out);
	board_unpin(&pin);
	board_destroy(board);
}

int main(void) {
	return TESTS(RUN(every_pin_shows_its_figures_until_it_is_taken_off),
		RUN(a_culprit_is_asked_of_the_pin_of_that_resource),
		RUN(a_view_is_written_by_its_name_and_one_nobody_offers_is_an_error));
}
