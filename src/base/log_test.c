// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>

#include "base/random.h"
#include "tests/check.h"

#define LOG_FOLDER "test"

static int64_t now_ns;

static int64_t fake_now(struct clock *clock) {
	(void)clock;
	return now_ns;
}

static struct clock fake = {fake_now, fake_now, fake_now};

struct capture {
	int read_fd;
	int write_fd;
	char text[8192];
};

// The log goes into a pipe; time stands at 1970-01-01 + 1 hour.
static void capture_init(struct capture *capture, enum log_format format) {
	int fds[2];
	CHECK_INT(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	capture->read_fd = fds[0];
	capture->write_fd = fds[1];
	now_ns = 3600 * NS_PER_SECOND;
	log_set_clock(&fake);
	log_set_fd(fds[1]);
	log_set_format(format);
	log_set_level(LOG_INFO);
}

static const char *written(struct capture *capture) {
	ssize_t n = read(capture->read_fd, capture->text, sizeof(capture->text) - 1);
	capture->text[n > 0 ? n : 0] = '\0';
	return capture->text;
}

static void capture_finish(struct capture *capture) {
	now_ns += 3600 * NS_PER_SECOND; // nothing stays folded for the next test
	log_flush();
	log_set_fd(STDERR_FILENO);
	log_set_clock(NULL);
	close(capture->read_fd);
	close(capture->write_fd);
}

TEST(a_line_has_time_level_and_folder) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	log_info("hello %d", 7);
	CHECK_TEXT(written(&capture), "1970-01-01T01:00:00.000000Z info  test: hello 7\n");
	capture_finish(&capture);
}

TEST(levels_below_the_set_one_are_silent) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	log_set_level(LOG_WARN);
	log_debug("no");
	log_info("no");
	CHECK_TEXT(written(&capture), "");
	log_warn("yes");
	CHECK(strstr(written(&capture), "yes"));
	capture_finish(&capture);
}

TEST(json_lines_are_escaped) {
	struct capture capture;
	capture_init(&capture, LOG_JSON);
	log_error("a \"b\" \\ c\n\x1b \xff \xc3\xa9");
	CHECK_TEXT(written(&capture),
		"{\"time\":\"1970-01-01T01:00:00.000000Z\",\"level\":\"error\","
		"\"folder\":\"test\",\"message\":\"a \\\"b\\\" \\\\ c\\u000a\\u001b "
		"\\u00ff \xc3\xa9\"}\n");
	capture_finish(&capture);
}

TEST(control_characters_cannot_forge_a_line) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	log_info("user said: x\n1970 error\r\x1b[2J \xc2\x9b"
		 "31m \x7f");
	CHECK_TEXT(strstr(written(&capture), "user"),
		"user said: x\\x0a1970 error\\x0d\\x1b[2J \\xc2\\x9b31m \\x7f\n");
	capture_finish(&capture);
}

TEST(a_long_message_stays_one_complete_json_line) {
	struct capture capture;
	char hostile[2000];
	memset(hostile, 1, sizeof(hostile) - 1);
	hostile[sizeof(hostile) - 1] = '\0';
	capture_init(&capture, LOG_JSON);
	log_info("%s", hostile);
	struct str line = str_from(written(&capture));
	CHECK(line.len <= 4096);
	CHECK(str_ends(line, STR("\"}\n")));
	CHECK_INT(str_find_char(line, '\n'), line.len - 1);
	capture_finish(&capture);
}

TEST(repeated_messages_are_folded) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	for (int i = 0; i < 42; i++) {
		log_info("again");
	}
	CHECK_TEXT(strstr(written(&capture), "again"), "again\n");
	log_info("other");
	CHECK_TEXT(written(&capture),
		"1970-01-01T01:00:00.000000Z info  test: again (repeated 41 times)\n"
		"1970-01-01T01:00:00.000000Z info  test: other\n");
	capture_finish(&capture);
}

TEST(a_folded_count_is_written_after_a_while) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	log_info("again");
	log_info("again");
	(void)written(&capture);
	log_flush();
	CHECK_TEXT(written(&capture), "");
	now_ns += 10 * NS_PER_SECOND;
	log_flush();
	CHECK(strstr(written(&capture), "again (repeated 1 times)\n"));
	log_flush();
	CHECK_TEXT(written(&capture), "");
	capture_finish(&capture);
}

TEST(a_full_pipe_drops_and_counts_and_never_blocks) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	// A blocking pipe: a write that had to wait would hang this test.
	CHECK_INT(fcntl(capture.write_fd, F_SETFL, 0), 0);
	uint64_t before = log_dropped();
	for (int i = 0; i < 3000; i++) {
		log_info("line %d", i);
	}
	uint64_t dropped = log_dropped() - before;
	CHECK(dropped > 0 && dropped < 3000);
	capture_finish(&capture);
}

TEST(a_closed_pipe_drops_without_a_signal) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	close(capture.read_fd);
	uint64_t before = log_dropped();
	log_info("nobody reads this");
	CHECK_INT(log_dropped() - before, 1);
	capture.read_fd = -1;
	capture_finish(&capture);
}

TEST(errno_survives_logging) {
	struct capture capture;
	capture_init(&capture, LOG_TEXT);
	close(capture.read_fd);
	capture.read_fd = -1;
	errno = ENOTTY;
	log_info("x");
	CHECK_INT(errno, ENOTTY);
	capture_finish(&capture);
}

TEST(level_names_read_back) {
	enum log_level level = LOG_DEBUG;
	CHECK(log_level_parse(STR("warn"), &level));
	CHECK_INT(level, LOG_WARN);
	CHECK(!log_level_parse(STR("WARN"), &level));
	CHECK(!log_level_parse(STR(""), &level));
	CHECK_TEXT(log_level_name(LOG_ERROR), "error");
}

int main(void) {
	return TESTS(RUN(a_line_has_time_level_and_folder),
		RUN(levels_below_the_set_one_are_silent), RUN(json_lines_are_escaped),
		RUN(control_characters_cannot_forge_a_line),
		RUN(a_long_message_stays_one_complete_json_line), RUN(repeated_messages_are_folded),
		RUN(a_folded_count_is_written_after_a_while),
		RUN(a_full_pipe_drops_and_counts_and_never_blocks),
		RUN(a_closed_pipe_drops_without_a_signal), RUN(errno_survives_logging),
		RUN(level_names_read_back));
}
