// SPDX-License-Identifier: Apache-2.0
// The screen of `annactl top`, drawn from answers of an imagined machine.
#include "tests/check.h"

#include "ctl/top_screen.h"
#include "formats/json.h"

static const char busy[] =
	"{\"interval_s\":1,\"cpu\":{\"cpus\":2,\"busy_percent\":83,\"iowait_percent\":4,"
	"\"load1\":2.5},\"memory\":{\"total_bytes\":4294967296,\"available_bytes\":1073741824,"
	"\"swap_total_bytes\":1073741824,\"swap_used_bytes\":536870912},"
	"\"pressure\":{\"cpu\":12.4,\"memory\":0,\"io\":3},"
	"\"by_cpu\":[{\"pid\":4711,\"name\":\"ffmpeg\",\"command\":\"/usr/bin/ffmpeg -i a.mkv "
	"b.mkv\",\"user\":\"www\",\"unit\":\"render.service\",\"cpu_percent\":142,"
	"\"cpu_percent_of_machine\":71,\"memory_bytes\":104857600,"
	"\"read_bytes_per_second\":1048576,\"write_bytes_per_second\":0},"
	"{\"pid\":2,\"name\":\"[kthreadd]\",\"cpu_percent\":1}],"
	"\"by_memory\":[{\"pid\":9,\"name\":\"evil\",\"command\":\"\\u001b[2Jevil\","
	"\"container\":\"0123456789ab\",\"memory_bytes\":1023}],\"by_io\":[],"
	"\"units\":[{\"unit\":\"render.service\",\"processes\":1,\"cpu_percent\":142,"
	"\"memory_bytes\":104857600}],\"counts\":{\"processes\":123,\"idle\":40,\"threads\":321,"
	"\"running\":2,\"blocked\":1,\"zombies\":3,\"io_unknown\":60},"
	"\"containers\":[{\"name\":\"web\",\"id\":\"0123456789ab\",\"runtime\":\"docker\","
	"\"working_set_bytes\":5242880,\"restarts\":1,\"oom_kills\":2}],"
	"\"figures\":[{\"name\":\"disk.busy_percent\",\"label\":\"sda\",\"value\":12},"
	"{\"name\":\"disk.busy_percent\",\"label\":\"sdb\",\"value\":0}]}";

static const struct value *parse(struct arena *arena, const char *json) {
	const struct value *value = json_parse(arena, str_from(json), 16, NULL);
	CHECK(value != NULL);
	return value;
}

static const char *draw(
	struct arena *arena, struct output *output, enum top_order order, const char *json) {
	struct top_screen screen = {.order = order};
	buf_clear(&output->buf);
	top_draw(&screen, output, parse(arena, json));
	return buf_text(&output->buf);
}

TEST(at_eighty_columns_all_of_it_is_said) {
	struct arena *arena = arena_create();
	struct output output = {.columns = 80, .is_utf8 = true};
	CHECK_TEXT(draw(arena, &output, TOP_BY_CPU, busy),
		"cpu 83 % – mostly ffmpeg (render.service, 71 %)\n"
		"pressure   cpu 12 %, memory 0 %, io 3 %; load 2.50; waiting for disks 4 %\n"
		"memory     3.0G of 4.0G (75 %), swap 512M of 1.0G (50 %)\n"
		"disks      sda 12 % busy\n"
		"processes  123, 2 running, 1 blocked, 3 zombies; 321 threads; over 1.0 s\n"
		"not seen   the I/O of 60 processes (annad has no CAP_SYS_PTRACE)\n"
		"\n"
		" PID  CPU %   MEM  READ/s  WRITE/s  UNIT            COMMAND\n"
		"4711  142.0  100M    1.0M       0B  render.service  ffmpeg -i a.mkv b.mkv\n"
		"   2    1.0     -       -        -                  [kthreadd]\n"
		"\n"
		"UNIT            PROCESSES  CPU %   MEM  READ/s  WRITE/s\n"
		"render.service          1  142.0  100M       -        -\n"
		"\n"
		"CONTAINER  RUNTIME  CPU %   MEM  LIMIT  RESTARTS  OOM KILLS\n"
		"web        docker       -  5.0M      -         1          2\n");
	output_finish(&output);
	arena_destroy(arena);
}

TEST(another_order_shows_another_list_and_text_from_outside_stays_text) {
	struct arena *arena = arena_create();
	struct output output = {.columns = 80, .is_utf8 = true};
	const char *text = draw(arena, &output, TOP_BY_MEMORY, busy);
	CHECK(strstr(text, "  9      -  1.0K       -        -  web   \\x1b[2Jevil\n") != NULL);
	CHECK(strchr(text, '\033') == NULL);
	CHECK(strstr(draw(arena, &output, TOP_BY_IO, busy), "no process reads or writes\n"));
	output_finish(&output);
	arena_destroy(arena);
}

TEST(the_first_line_names_whoever_has_most) {
	static const struct {
		const char *json, *line;
	} rows[] = {
		{"{}", "cpu: being measured"},
		{"{\"cpu\":{\"busy_percent\":2}}", "cpu 2 % - idle"},
		{"{\"cpu\":{\"busy_percent\":50}}", "cpu 50 % - nobody in particular"},
		{"{\"cpu\":{\"busy_percent\":50},\"by_cpu\":[{\"name\":\"x\","
		 "\"cpu_percent_of_machine\":25}]}",
			"cpu 50 % - mostly x (25 %)"},
		{"{\"cpu\":{\"busy_percent\":50},\"by_cpu\":[{\"name\":\"x\",\"unit\":\"x."
		 "service\","
		 "\"cpu_percent_of_machine\":10}]}",
			"cpu 50 % - led by x (x.service, 10 %)"},
		{"{\"cpu\":{\"busy_percent\":90,\"cpus\":4},\"by_cpu\":[{\"name\":\"cc1\","
		 "\"cpu_percent_of_machine\":9}],\"units\":[{\"unit\":\"build.service\","
		 "\"processes\":12,\"cpu_percent\":320}]}",
			"cpu 90 % - mostly build.service (12 processes, 80 %)"},
	};
	struct arena *arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf line = BUF_INIT;
		top_format_headline(&line, parse(arena, rows[i].json), false);
		CHECK_TEXT(buf_text(&line), rows[i].line);
		buf_finish(&line);
	}
	arena_destroy(arena);
}

// An answer with n processes, n units and n containers.
static const struct value *crowd(struct arena *arena, int n) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	static const char *const lists[] = {"by_cpu", "units", "containers"};
	for (size_t i = 0; i < 3; i++) {
		json_key(&w, lists[i]);
		json_begin_array(&w);
		for (int j = 0; j < n; j++) {
			json_begin_object(&w);
			json_member_text(&w, "unit", "u");
			json_member_text(&w, "name",
				"a name that is longer than any line of a "
				"terminal ever was, and on and on and on");
			json_member_double(&w, "cpu_percent", 1);
			json_end_object(&w);
		}
		json_end_array(&w);
	}
	json_end_object(&w);
	char *copy = arena_copy(arena, buf_str(&json));
	buf_finish(&json);
	return parse(arena, copy);
}

TEST(it_fits_every_terminal) {
	struct arena *arena = arena_create();
	struct top_screen screen = {.order = TOP_BY_CPU};
	const struct value *value = crowd(arena, 40);
	for (size_t rows = 8; rows < 100; rows++) {
		for (size_t columns = 60; columns < 200; columns += 20) {
			struct output output = {.rows = rows, .columns = columns, .is_utf8 = true};
			struct str rest, line;
			size_t lines = 0;
			top_draw(&screen, &output, value);
			rest = buf_str(&output.buf);
			while (rest.at && str_split(&rest, '\n', &line)) {
				lines++;
				CHECK(text_width(line) <= columns);
			}
			CHECK(lines <= rows); // the last, empty one is that of the hint
			output_finish(&output);
		}
	}
	arena_destroy(arena);
}

TEST(bytes_take_at_most_five_columns) {
	static const struct {
		double bytes;
		const char *text;
	} rows[] = {{0, "0B"}, {999, "999B"}, {1000, "1.0K"}, {10239, "10K"}, {1022976, "999K"},
		{1047552, "1.0M"}, {1e15, "909T"}, {1e18, "888P"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = BUF_INIT;
		top_format_bytes(&text, rows[i].bytes);
		CHECK_TEXT(buf_text(&text), rows[i].text);
		buf_finish(&text);
	}
}

TEST(commands_are_told_without_their_folder) {
	static const struct {
		const char *json, *text;
	} rows[] = {{"{\"name\":\"n\"}", "n"}, {"{\"command\":\"a b\"}", "a b"},
		{"{\"command\":\"/usr/bin/a /x/b\"}", "a /x/b"},
		{"{\"command\":\"/usr/bin/a\"}", "a"},
		{"{\"command\":\"/usr/bin/ x\"}", "/usr/bin/ x"}, {"{}", ""}};
	struct arena *arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = BUF_INIT;
		top_format_command(&text, parse(arena, rows[i].json));
		CHECK_TEXT(buf_text(&text), rows[i].text);
		buf_finish(&text);
	}
	arena_destroy(arena);
}

int main(void) {
	return TESTS(RUN(at_eighty_columns_all_of_it_is_said),
		RUN(another_order_shows_another_list_and_text_from_outside_stays_text),
		RUN(the_first_line_names_whoever_has_most), RUN(it_fits_every_terminal),
		RUN(bytes_take_at_most_five_columns), RUN(commands_are_told_without_their_folder));
}
