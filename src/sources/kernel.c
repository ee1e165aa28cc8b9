// SPDX-License-Identifier: Apache-2.0
// The source `kernel`: lines of the kernel's log that mean trouble, read from /dev/kmsg from now on
// (Documentation/ABI/testing/dev-kmsg). Only lines that the kernel wrote itself count as trouble:
// what a program writes into the log has another facility, which it cannot choose to be 0.
#include <errno.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "flow/capability.h"
#include "sources/kernel_line.h"
#include "sources/line_pattern.h"

#define RECORD_MAX 16384   // the kernel's own limit is 8 KiB escaped
#define RECORDS_A_ROUND 16 // then others have their turn
#define LINE_SHOWN 1000

struct kernel_config {
	bool is_enabled;
	int64_t limit;
	struct strings ignored;
	struct item_list patterns;
};

struct kernel {
	const struct services *services;
	struct snapshot *snapshot;
	const struct kernel_config *config;
	struct outbox outbox;
	int fd; // -1: not open
	struct watch watch;
	struct err complaint;
	struct line_limit limits[KERNEL_TROUBLES];
	struct line_limit *own_limits; // as config->patterns
	int64_t read_wall_ns;	       // the last record
};

static struct event *new_event(
	struct kernel *kernel, const char *kind, const struct kernel_record *record, int64_t held) {
	(void)kernel;
	struct event *event = event_create(kind, "kernel", STR(""));
	outbox_set_clean(event, "line", str_head(record->line, LINE_SHOWN));
	event_set_int(event, "level", record->level);
	if (held) {
		event_set_int(event, "held_back", held);
	}
	return event;
}

static void tell_trouble(struct kernel *kernel, const struct kernel_record *record) {
	struct kernel_finding finding;
	char kind[48];
	int64_t held, now = loop_now(kernel->services->loop);
	kernel_line_judge(record->line, &finding);
	if (finding.trouble == KERNEL_NOTHING ||
		!line_limit_allows(
			&kernel->limits[finding.trouble], kernel->config->limit, now, &held)) {
		return;
	}
	snprintf(kind, sizeof(kind), "kernel.%s", kernel_trouble_names[finding.trouble]);
	struct event *event = new_event(kernel, kind, record, held);
	outbox_set_clean(event, "process", finding.process);
	if (finding.pid > 0) {
		event_set_int(event, "pid", finding.pid);
	}
	outbox_set_clean(event, "device", finding.device);
	outbox_set_clean(event, "fstype", finding.fstype);
	const struct value *subject = event_attribute(
		event, finding.process.len ? STR("process") : STR("device"));
	event->subject = subject ? subject->string : STR("");
	outbox_send(&kernel->outbox, event);
}

static void tell_own(struct kernel *kernel, const struct kernel_record *record) {
	const struct line_pattern *patterns = kernel->config->patterns.items;
	int64_t held, now = loop_now(kernel->services->loop);
	for (size_t i = 0; i < kernel->config->patterns.n; i++) {
		if (!line_pattern_matches(&patterns[i], record->line) ||
			!line_limit_allows(&kernel->own_limits[i], patterns[i].limit, now, &held)) {
			continue;
		}
		struct event *event = new_event(kernel, "kernel.line", record, held);
		event_set_str(event, "pattern", patterns[i].name);
		event_set_bool(event, "is_kernel", record->facility == 0);
		event->subject = event_attribute(event, STR("pattern"))->string;
		outbox_send(&kernel->outbox, event);
	}
}

static void take_record(struct kernel *kernel, const struct kernel_record *record) {
	const struct strings *ignored = &kernel->config->ignored;
	for (size_t i = 0; i < ignored->n; i++) {
		const struct line_pattern pattern = {.match = ignored->items[i]};
		if (line_pattern_matches(&pattern, record->line)) {
			return;
		}
	}
	if (record->facility == 0) {
		tell_trouble(kernel, record);
	}
	tell_own(kernel, record);
}

// One record, or several when it is read from a recording; lines that begin with a blank are the
// record's fields.
static void take_bytes(struct kernel *kernel, struct str bytes) {
	struct kernel_record record;
	struct str line;
	while (bytes.len && str_split(&bytes, '\n', &line)) {
		if (line.len && line.at[0] != ' ' && kernel_record_parse(line, &record)) {
			take_record(kernel, &record);
		}
	}
}

static void close_log(struct kernel *kernel) {
	if (kernel->fd >= 0) {
		watch_stop(&kernel->watch);
		close(kernel->fd);
		kernel->fd = -1;
	}
}

static void on_ready(void *arg, uint32_t events) {
	struct kernel *kernel = arg;
	char bytes[RECORD_MAX];
	(void)events;
	for (int i = 0; i < RECORDS_A_ROUND; i++) {
		ssize_t n = read(kernel->fd, bytes, sizeof(bytes));
		int error = n < 0 ? errno : 0;
		if (error == EINTR) {
			continue;
		}
		if (error == EAGAIN) {
			break;
		}
		if (error == EPIPE || error == EINVAL) { // written over unread, or longer than any
			outbox_gap(&kernel->outbox, "overflow", kernel->read_wall_ns, 0);
			continue;
		}
		if (n <= 0) {
			errno = error ? error : EPIPE;
			err_errno(&kernel->complaint, "cannot read /dev/kmsg any more");
			close_log(kernel);
			return;
		}
		take_bytes(kernel, str_range(bytes, (size_t)n));
	}
	kernel->read_wall_ns = clock_wall(loop_clock(kernel->services->loop));
}

static void open_log(struct kernel *kernel) {
	const char *root = kernel->services->sysroot ? kernel->services->sysroot : "";
	_cleanup_(freep) char *path = xasprintf("%s/dev/kmsg", root);
	kernel->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (kernel->fd < 0) {
		// Under the shipped unit it is not there: PrivateDevices and ProtectKernelLogs.
		err_errno(&kernel->complaint,
			"cannot open %s (it needs CAP_SYSLOG; under systemd the drop-in "
			"kernel-log.conf gives it)",
			path);
		return;
	}
	// What was logged before is over; a recording cannot be sought and is read whole.
	(void)lseek(kernel->fd, 0, SEEK_END);
	if (!watch_start(&kernel->watch, kernel->services->loop, kernel->fd, LOOP_READABLE,
		    on_ready, kernel, &kernel->complaint)) {
		close(kernel->fd);
		kernel->fd = -1;
	}
}

// Own patterns begin to count anew.
static void take_config(struct kernel *kernel, const struct capability_config *config) {
	struct snapshot *old = kernel->snapshot;
	kernel->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	kernel->config = config->config;
	free(kernel->own_limits);
	kernel->own_limits = xcalloc(kernel->config->patterns.n + 1, sizeof(*kernel->own_limits));
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // a log that cannot be read degrades
	struct kernel *kernel = xcalloc(1, sizeof(*kernel));
	kernel->services = services;
	kernel->read_wall_ns = clock_wall(loop_clock(services->loop));
	outbox_init(&kernel->outbox, services, "kernel");
	take_config(kernel, config);
	open_log(kernel);
	return kernel;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct kernel *kernel = self;
	take_config(kernel, config);
	if (kernel->fd < 0) {
		open_log(kernel); // a reload is the time to try again
	}
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct kernel *kernel = self;
	close_log(kernel);
	outbox_finish(&kernel->outbox);
	free(kernel->own_limits);
	if (kernel->snapshot) {
		snapshot_unref(kernel->snapshot);
	}
	free(kernel);
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct kernel_config *)config->config)->is_enabled;
}

static void health(void *self, struct capability_health *out) {
	const struct kernel *kernel = self;
	// Where the kernel's log is kept from her nothing is broken: she says what she does without.
	bool is_kept_away = kernel->complaint.code == ERR_DENIED ||
		kernel->complaint.code == ERR_NOT_FOUND;
	out->state = kernel->fd >= 0 ? CAPABILITY_ACTIVE
		: is_kept_away	     ? CAPABILITY_DISABLED
				     : CAPABILITY_DEGRADED;
	snprintf(out->reason, sizeof(out->reason), "%.255s",
		kernel->fd < 0 ? kernel->complaint.message : "");
	if (out->state == CAPABILITY_DISABLED) {
		snprintf(out->next_step, sizeof(out->next_step),
			"under systemd add the drop-in kernel-log.conf; elsewhere start her with "
			"CAP_SYSLOG");
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct kernel_config, is_enabled), "true",
		.help = "Tell of lines of the kernel's log that mean trouble."},
	{"limit", OPTION_INT, offsetof(struct kernel_config, limit), "10", .min = 1, .max = 6000,
		.unit = "events per minute",
		.help = "For each kind of trouble; more are counted, and told with the next."},
	{"ignored", OPTION_STRINGS, offsetof(struct kernel_config, ignored), .max = 1000,
		.help = "Lines to leave out: text that stands in them, or a glob over the line."},
	{"patterns", OPTION_LIST, offsetof(struct kernel_config, patterns),
		.rows = line_pattern_rows, .item_size = sizeof(struct line_pattern),
		.help = "Own patterns, each giving kernel.line events."},
	{NULL},
};

static const struct kind_attribute attributes[] = {
	{"line", "string", NULL, "the line, at most 1,000 bytes of it"},
	{"level", "integer", NULL, "its level, 0 (emergency) to 7 (debug)"},
	{"process", "string", NULL, "the process it is about: the victim of an OOM kill"},
	{"pid", "integer", NULL, "of that process"},
	{"device", "string", NULL, "the disk, interface, port or CPU it is about"},
	{"fstype", "string", NULL, "type of the file system"},
	{"held_back", "integer", NULL, "events of this kind that the limit held back before"},
	{NULL},
};

static const struct kind_attribute line_attributes[] = {
	{"pattern", "string", NULL, "the pattern's name"},
	{"line", "string", NULL, "the line, at most 1,000 bytes of it"},
	{"level", "integer", NULL, "its level, 0 (emergency) to 7 (debug)"},
	{"is_kernel", "boolean", NULL, "false: a program has written it into the kernel's log"},
	{"held_back", "integer", NULL, "events of this pattern that the limit held back before"},
	{NULL},
};

static const struct kind kinds[] = {
	{"kernel.oom_kill", STREAM_NORMAL, "The kernel killed a process for memory.", attributes},
	{"kernel.io_error", STREAM_NORMAL, "A disk could not read or write.", attributes},
	{"kernel.filesystem_error", STREAM_NORMAL, "A file system found itself damaged.",
		attributes},
	{"kernel.segfault", STREAM_NORMAL, "A process died of a wrong memory access.", attributes},
	{"kernel.hung_task", STREAM_NORMAL, "A process waits in the kernel without end.",
		attributes},
	{"kernel.lockup", STREAM_NORMAL, "A CPU does not get out of the kernel.", attributes},
	{"kernel.machine_check", STREAM_NORMAL, "The hardware reported an error.", attributes},
	{"kernel.thermal", STREAM_NORMAL, "A CPU is slowed down, or nearly off, for heat.",
		attributes},
	{"kernel.link_down", STREAM_NORMAL, "A driver lost its network link.", attributes},
	{"kernel.usb_overcurrent", STREAM_NORMAL, "A USB port was drawn too much power from.",
		attributes},
	{"kernel.line", STREAM_NORMAL, "A line of the kernel's log matched an own pattern.",
		line_attributes},
	{NULL},
};

DEFINE_SOURCE(kernel) = {
	.name = "kernel",
	.summary = "Lines of the kernel's log that mean trouble.",
	.maturity = MATURITY_STABLE,
	.section =
		&(const struct section){
			.name = "kernel",
			.summary = "Events of the kernel's log.",
			.rows = rows,
			.size = sizeof(struct kernel_config),
			.example = "[kernel]\nignored = [\"usb 1-2:\"]\n\n[[kernel.patterns]]\n"
				   "name = \"nfs\"\nmatch = \"nfs: server * not responding*\"\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
