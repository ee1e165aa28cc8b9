// SPDX-License-Identifier: Apache-2.0
// The watching screen; see watch.h. Whatever ends it, a signal included, the terminal is given back
// as it was: the handlers do that themselves, with calls that are safe in a handler.
#include "ctl/watch.h"

#include <poll.h>
#include <signal.h>
#include <termios.h>

#include "ctl/failure.h"

#define PERIOD_NS NS_PER_SECOND

// CAN ends an escape sequence that was cut short; then line wrap and cursor on, main screen.
static const char leave_screen[] = "\030\033[0m\033[?7h\033[?25h\033[?1049l";
static const char enter_screen[] = "\033[?1049h\033[?25l\033[?7l";

// Of the one watch of this process: signal handlers have no argument.
static volatile sig_atomic_t has_resized;
static volatile sig_atomic_t has_screen;
static struct termios saved_terminal;

static void leave(void) {
	if (has_screen) {
		(void)!write(STDOUT_FILENO, leave_screen, sizeof(leave_screen) - 1);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
		has_screen = 0;
	}
}

static void enter(void) {
	struct termios quiet = saved_terminal;
	quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	(void)!write(STDOUT_FILENO, enter_screen, sizeof(enter_screen) - 1);
	has_screen = 1;
}

static void on_signal(int number) {
	bool had_screen = has_screen;
	switch (number) {
	case SIGWINCH:
		has_resized = 1;
		return;
	case SIGINT:
		leave();
		_exit(0);
	case SIGTSTP:
		leave();
		(void)raise(SIGSTOP);
		if (had_screen) {
			enter();
			has_resized = 1;
		}
		return;
	default:
		leave();
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	}
}

static void catch_signals(void) {
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGPIPE};
	struct sigaction action = {.sa_handler = on_signal};
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaction(numbers[i], &action, NULL);
	}
}

// Draws `frame` over what is on the screen, without a flicker: each line clears itself first.
static void show(struct output *output, const struct output *frame) {
	struct str rest = buf_str(&frame->buf), line;
	size_t shown = 0;
	output_text(output, "\033[H");
	while (str_split(&rest, '\n', &line) && (output->rows == 0 || shown < output->rows)) {
		buf_append_text(&output->buf, shown++ ? "\r\n" : "");
		// Erased first: after a full line the cursor still stands on its last cell.
		buf_append_text(&output->buf, "\033[2K");
		buf_append_str(&output->buf, line);
	}
	output_text(output, "\033[J");
	(void)output_flush(output);
}

// The two newest samples, each in an arena of its own.
struct samples {
	struct arena *arenas[2];
	const struct value *values[2];
	size_t newest;
	int64_t lost_ns; // wall: since when there is no answer; 0: there is one
};

static void draw_lost(
	struct output *frame, const struct failure *failure, const struct samples *s) {
	struct buf text = BUF_INIT;
	output_style(frame, STYLE_BAD, STR("not reachable"));
	buf_append_text(&text, "since ");
	text_date(&text, s->lost_ns);
	buf_append_text(&text, ", trying again: ");
	buf_append_text(&text, failure->err.message);
	output_wrapped(frame, buf_str(&text), 14, 2);
	output_text(frame, "  what follows is from before\n\n");
	buf_finish(&text);
}

static void draw(struct invocation *in, const struct watch *watch, const struct samples *s,
	const struct failure *failure) {
	const struct value *now = s->values[s->newest], *before = s->values[1 - s->newest];
	struct output frame = in->output;
	frame.buf = (struct buf)BUF_INIT;
	if (failure) {
		draw_lost(&frame, failure, s);
	}
	if (now && watch->draw_own) {
		watch->draw_own(watch->arg, &frame, now, failure ? NULL : before);
	} else if (now) {
		watch->draw(&frame, now, failure ? NULL : before, watch->is_verbose);
	}
	if (in->output.is_terminal) {
		output_text(&frame, "\n");
		output_style(&frame, STYLE_DIM,
			str_from(watch->hint ? watch->hint : "every second; q or Ctrl-C ends it"));
		show(&in->output, &frame);
	} else {
		buf_append_str(&in->output.buf, buf_str(&frame.buf));
		output_text(&in->output, "\n");
		(void)output_flush(&in->output);
	}
	output_finish(&frame);
}

static void print_json(
	struct invocation *in, const struct value *now, const struct failure *failure) {
	if (failure) {
		failure_print(failure, NULL, &in->output);
		return;
	}
	in->output.is_terminal = false; // one line each, on a terminal too
	output_json(&in->output, now);
	(void)output_flush(&in->output);
}

enum waited {
	WAITED_DUE,
	WAITED_REDRAW, // a new size, or a key that changed something
	WAITED_END     // q, or the terminal is gone
};

static enum waited wait_until(
	struct invocation *in, const struct watch *watch, int64_t deadline_ns) {
	for (;;) {
		int64_t left = deadline_ns - clock_monotonic(in->clock);
		struct pollfd keys = {.fd = has_screen ? STDIN_FILENO : -1, .events = POLLIN};
		char key = 0;
		if (has_resized) {
			return WAITED_REDRAW;
		}
		if (left <= 0) {
			return WAITED_DUE;
		}
		if (poll(&keys, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) <= 0) {
			continue;
		}
		if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') {
			return WAITED_END;
		}
		if (watch->on_key) {
			watch->on_key(watch->arg, key);
			return WAITED_REDRAW;
		}
	}
}

static bool take_sample(struct invocation *in, const struct watch *watch, struct samples *s,
	struct failure *failure) {
	size_t next = 1 - s->newest;
	struct request request = {
		.method = watch->method, .params = watch->params, .is_repeatable = true};
	const struct value *value;
	struct arena *arena = arena_create();
	value = client_call(&in->client, &request, arena, failure);
	if (!value) {
		arena_destroy(arena);
		failure->problems = NULL; // it was in the arena
		return false;
	}
	arena_destroy(s->arenas[next]);
	s->arenas[next] = arena;
	s->values[next] = value;
	s->newest = next;
	return true;
}

static int watch_samples(struct invocation *in, const struct watch *watch, struct samples *s) {
	struct failure failure = FAILURE_INIT;
	bool is_known = take_sample(in, watch, s, &failure); // a first failure is told, not awaited
	int64_t next_ns = clock_monotonic(in->clock);
	int64_t period_ns = watch->period_ns ? watch->period_ns : PERIOD_NS;
	if (!is_known) {
		return invocation_fail(in, &failure);
	}
	if (in->output.is_terminal && !in->output.is_json &&
		tcgetattr(STDIN_FILENO, &saved_terminal) == 0) {
		enter();
	}
	in->client.wants_no_retry = true;
	for (;;) {
		if (in->output.is_json) {
			print_json(in, s->values[s->newest], is_known ? NULL : &failure);
		} else {
			draw(in, watch, s, is_known ? NULL : &failure);
		}
		if (in->output.broken) {
			return 0; // as Ctrl-C: nobody watches any more
		}
		enum waited waited = wait_until(in, watch, next_ns + period_ns);
		if (waited == WAITED_END) {
			return 0;
		}
		if (waited == WAITED_REDRAW) {
			has_resized = 0; // first: a size that changes from here on is another
			output_measure(&in->output);
			continue;
		}
		next_ns += period_ns;
		if (!watch->is_paused || !*watch->is_paused) {
			is_known = take_sample(in, watch, s, &failure);
			s->lost_ns = is_known ? 0 : s->lost_ns ? s->lost_ns : clock_wall(in->clock);
		}
		if (next_ns < clock_monotonic(in->clock) - period_ns) {
			next_ns = clock_monotonic(in->clock); // a slow answer: do not catch up
		}
	}
}

int watch_run(struct invocation *in, const struct watch *watch) {
	struct samples samples = {0};
	int status;
	catch_signals();
	status = watch_samples(in, watch, &samples);
	leave();
	arena_destroy(samples.arenas[0]);
	arena_destroy(samples.arenas[1]);
	return status;
}
