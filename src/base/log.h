// SPDX-License-Identifier: Apache-2.0
// The log: one line a message, written to stderr, prefixed by the folder that speaks. Who decides,
// logs: base, formats, io, config, store and flow never log above debug. Thread-safe. A line that
// the reader of stderr cannot take is dropped and counted, never waited for. Control characters
// in messages are escaped, so text from outside cannot forge lines. A message that repeats is
// folded: "… (repeated 41 times)".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
};
enum log_format {
	LOG_TEXT,    // time, level, folder: message
	LOG_JSON,    // one object a line: time, level, folder, message
	LOG_JOURNALD // <priority>folder: message, with fields by the native protocol where it is there
};

// Level and format may be changed at any time (a reload does).
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_format(enum log_format format);
// Where lines go: a file descriptor, stderr by default.
void log_set_fd(int fd);
void log_set_clock(struct clock *clock);
// Called for each message that is logged (folded ones too), on its thread, without locks held; it
// must not log. NULL: none.
void log_set_observer(
	void (*observer)(enum log_level level, const char *folder, const char *message));
// Lines dropped because the reader was too slow.
uint64_t log_dropped(void);
// Writes out the count of a folded repeat, if one is pending; the daemon calls it every second.
void log_flush(void);
bool log_level_parse(struct str text, enum log_level *out);
const char *log_level_name(enum log_level level);

_printf_(3, 4) void log_message(enum log_level level, const char *folder, const char *format, ...);

// A file says `#define LOG_FOLDER "delivery"` once and then uses these.
#define log_debug(...) \
	do { \
		if (log_get_level() == LOG_DEBUG) { \
			log_message(LOG_DEBUG, LOG_FOLDER, __VA_ARGS__); \
		} \
	} while (0)
#define log_info(...) log_message(LOG_INFO, LOG_FOLDER, __VA_ARGS__)
#define log_warn(...) log_message(LOG_WARN, LOG_FOLDER, __VA_ARGS__)
#define log_error(...) log_message(LOG_ERROR, LOG_FOLDER, __VA_ARGS__)
