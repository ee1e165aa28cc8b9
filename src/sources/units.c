// SPDX-License-Identifier: Apache-2.0
// The source `units`: what systemd says of its units over the system bus. Its signals tell of a change at
// once, and a listing every interval finds what no signal told; each unit in question is then asked for
// by itself, so an event never rests on the signal alone. Nothing here waits: a bus that does not
// answer makes this source degraded and nothing else.
#include "base/alloc.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "formats/dbus.h"
#include "formats/exposition.h"
#include "io/loop.h"
#include "sources/system_bus.h"
#include "sources/units_reading.h"
#include "sources/units_table.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define UNIT_PREFIX STR("/org/freedesktop/systemd1/unit/")
// So many units are asked for at a time; systemd answers one in about a millisecond.
#define ASKED_MAX 8
// A systemd that runs itself anew (systemctl daemon-reexec, an update) is away for about a second.
#define BLIND_GRACE (3 * NS_PER_SECOND)

struct units_config {
	bool is_enabled;
	int64_t interval_ns, answer_limit_ns;
	struct strings watched, ignored;
	struct str socket;
};

struct units {
	const struct services *services;
	struct snapshot *snapshot;
	const struct units_config *config;
	struct system_bus bus;
	struct unit_table table;
	struct timer tick;
	struct meter meter;
	struct pin pin;
	struct unit_reading *reading; // of a listing; NULL: none
	char *socket;
	const char *absence; // why there is nothing to watch; NULL: there is
	size_t asked;
	bool has_listing;	// the table is true as of now
	bool was_listed;	// ever: what is failed from then on is news
	int64_t blind_since_ns; // while has_listing is false
	uint64_t counts[UNIT_STATES];
	char version[64], system_state[32];
};

static bool call_manager(struct units *units, const char *interface, const char *member,
	const struct str *arguments, size_t n, system_bus_reply_fn *on_reply) {
	const struct dbus_call call = {.destination = SERVICE,
		.path = MANAGER_PATH,
		.interface = interface,
		.member = member,
		.arguments = arguments,
		.n = n};
	return system_bus_call(&units->bus, &call, on_reply, units);
}

// --- one unit ---

struct unit_question {
	struct units *units;
	char name[UNIT_NAME_MAX + 1];
};

static void ask_next(struct units *units);

static void on_detail(void *arg, const struct dbus_message *message, struct str bytes) {
	struct unit_question *question = arg;
	struct units *units = question->units;
	struct unit *unit = unit_table_find(&units->table, str_from(question->name));
	struct unit_detail detail;
	(void)bytes;
	free(question);
	units->asked--;
	if (!unit || !message) {
		if (unit) {
			unit->is_asked = unit->is_asked_again = false;
		}
		return;
	}
	unit->is_asked = false;
	if (unit->is_asked_again) {
		unit->is_asked_again = false;
		list_add_last(&units->table.waiting, &unit->waiting);
	}
	if (message->type == DBUS_REPLY && unit_detail_parse(message, &detail)) {
		unit_table_take_detail(&units->table, unit, &detail);
	} else if (message->type == DBUS_ERROR) {
		unit_table_take_detail(&units->table, unit, NULL);
	} else {
		system_bus_fail(&units->bus, "systemd's answer about a unit cannot be read");
		return;
	}
	ask_next(units);
}

static bool ask(struct units *units, struct unit *unit) {
	static const struct str every_interface = STR_INIT("");
	struct unit_question *question = xcalloc(1, sizeof(*question));
	struct buf path = BUF_INIT;
	buf_append_str(&path, UNIT_PREFIX);
	dbus_path_escape(str_from(unit->name), &path);
	const struct dbus_call call = {.destination = SERVICE,
		.path = buf_text(&path),
		.interface = PROPERTIES,
		.member = "GetAll",
		.arguments = &every_interface,
		.n = 1};
	question->units = units;
	memcpy(question->name, unit->name, sizeof(question->name));
	bool is_asked = system_bus_call(&units->bus, &call, on_detail, question);
	buf_finish(&path);
	if (!is_asked) {
		free(question);
		return false;
	}
	unit->is_asked = true;
	units->asked++;
	return true;
}

static void ask_next(struct units *units) {
	while (units->asked < ASKED_MAX && !list_is_empty(&units->table.waiting)) {
		struct unit *unit = list_item(units->table.waiting.next, struct unit, waiting);
		if (!ask(units, unit)) {
			return; // the next listing puts all of them in the queue again
		}
		list_remove(&unit->waiting);
	}
}

static void want(struct units *units, struct unit *unit) {
	if (unit->is_asked) {
		unit->is_asked_again = true;
	} else if (list_is_empty(&unit->waiting)) {
		list_add_last(&units->table.waiting, &unit->waiting);
	}
	ask_next(units);
}

// A unit that is not kept yet becomes interesting by failing, or because it is watched.
static void on_signal(void *arg, const struct dbus_message *signal) {
	struct units *units = arg;
	struct buf name = BUF_INIT;
	enum unit_state state;
	if (units->was_listed && unit_signal_state(signal, &state) &&
		dbus_path_unescape(signal->path, UNIT_PREFIX, &name)) {
		const struct unit_filter *filter = &units->table.filter;
		struct unit *unit = unit_table_find(&units->table, buf_str(&name));
		bool is_new = !unit &&
			(state == UNIT_FAILED ||
				unit_matches(
					buf_str(&name), filter->watched, filter->watched_count));
		unit = is_new ? unit_table_add(&units->table, buf_str(&name)) : unit;
		if (unit && is_new) {
			unit_table_assume_inactive(unit);
		}
		if (unit) {
			want(units, unit);
		}
	}
	buf_finish(&name);
}

// --- all units ---

static void on_listing_read(void *arg, const struct unit_listing *listing) {
	struct units *units = arg;
	units->reading = NULL;
	if (!listing) {
		system_bus_fail(&units->bus, "systemd's list of units cannot be read");
	} else if (units->bus.is_up) {
		memcpy(units->counts, listing->counts, sizeof(units->counts));
		unit_table_take_listing(&units->table, listing, !units->was_listed);
		units->has_listing = units->was_listed = true;
		ask_next(units);
	}
}

static void on_listing(void *arg, const struct dbus_message *message, struct str bytes) {
	struct units *units = arg;
	if (!message || units->reading) {
		return;
	}
	if (message->type != DBUS_REPLY) {
		system_bus_fail(&units->bus, "systemd does not list its units for us");
		return;
	}
	// When every thread is busy: the next one.
	units->reading = unit_reading_start(units->services->jobs, units->snapshot,
		&units->table.filter, bytes, on_listing_read, units);
}

// The text of a variant, as Get answers.
static void copy_text_property(const struct dbus_message *message, char *to, size_t size) {
	struct dbus_reader reader;
	to[0] = '\0';
	if (!message || message->type != DBUS_REPLY || !str_is(message->signature, "v")) {
		return;
	}
	dbus_reader_init(&reader, message);
	struct str type = dbus_read_signature(&reader);
	struct str text = str_is(type, "s") ? dbus_read_str(&reader) : (struct str){NULL, 0};
	snprintf(to, size, "%" STR_FMT, STR_ARG(str_head(text, size - 1)));
}

static void on_version(void *arg, const struct dbus_message *message, struct str bytes) {
	struct units *units = arg;
	(void)bytes;
	copy_text_property(message, units->version, sizeof(units->version));
}

static void on_system_state(void *arg, const struct dbus_message *message, struct str bytes) {
	struct units *units = arg;
	(void)bytes;
	copy_text_property(message, units->system_state, sizeof(units->system_state));
}

static void on_nothing(void *arg, const struct dbus_message *message, struct str bytes) {
	(void)arg, (void)message, (void)bytes;
}

// The bus is asked beside, so that one that stands still is told from a systemd that does.
static void list_all(void *arg) {
	struct units *units = arg;
	const struct dbus_call ping = {.destination = SYSTEM_BUS_ITSELF,
		.path = "/org/freedesktop/DBus",
		.interface = SYSTEM_BUS_ITSELF,
		.member = "GetId"};
	const struct str state[] = {STR(MANAGER), STR("SystemState")};
	if (system_bus_call(&units->bus, &ping, on_nothing, units)) {
		(void)(call_manager(units, PROPERTIES, "Get", state, 2, on_system_state) &&
			call_manager(units, MANAGER, "ListUnits", NULL, 0, on_listing));
	}
	timer_start(
		&units->tick, units->services->loop, units->config->interval_ns, list_all, units);
}

static void on_up(void *arg) {
	struct units *units = arg;
	const struct str rule = STR("type='signal',sender='" SERVICE "',interface='" PROPERTIES
				    "',member='PropertiesChanged',arg0='" SERVICE ".Unit'");
	const struct dbus_call match = {.destination = SYSTEM_BUS_ITSELF,
		.path = "/org/freedesktop/DBus",
		.interface = SYSTEM_BUS_ITSELF,
		.member = "AddMatch",
		.arguments = &rule,
		.n = 1};
	const struct str version[] = {STR(MANAGER), STR("Version")};
	(void)(system_bus_call(&units->bus, &match, on_nothing, units) &&
		call_manager(units, MANAGER, "Subscribe", NULL, 0, on_nothing) &&
		call_manager(units, PROPERTIES, "Get", version, 2, on_version));
	list_all(units);
}

// What was known is not known any more; what had failed stays kept, so that the next listing tells
// only what is new.
static void on_down(void *arg) {
	struct units *units = arg;
	timer_stop(&units->tick);
	if (units->has_listing) {
		units->blind_since_ns = loop_now(units->services->loop);
	}
	units->has_listing = false;
	units->version[0] = units->system_state[0] = '\0';
}

// --- what others ask ---

// "252.39-1~deb12u1" is 252.39.
static bool version_number(struct str text, double *out) {
	size_t n = 0, dots = 0;
	while (n < text.len && ((text.at[n] >= '0' && text.at[n] <= '9') || text.at[n] == '.')) {
		dots += text.at[n] == '.';
		if (dots > 1) {
			break;
		}
		n++;
	}
	return str_to_double(str_head(text, n), out);
}

static void collect(void *arg, struct exposition *out) {
	const struct units *units = arg;
	if (!units->has_listing) {
		return;
	}
	exposition_family(out, "node_systemd_units", "gauge", "Summary of systemd unit states");
	for (int i = 0; i < UNIT_STATES; i++) {
		exposition_sample(
			out, (double)units->counts[i], "state", unit_state_names[i], NULL);
	}
	if (units->system_state[0]) {
		exposition_family(out, "node_systemd_system_running", "gauge",
			"Whether the system is operational (see 'systemctl is-system-running')");
		exposition_sample(out, strcmp(units->system_state, "running") == 0, NULL);
	}
	double version;
	if (version_number(str_from(units->version), &version)) {
		exposition_family(out, "node_systemd_version", "gauge", "Detected systemd version");
		exposition_sample(out, version, "version", units->version, NULL);
	}
	unit_table_collect(&units->table, out);
}

static void figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct units *units = arg;
	if (units->has_listing) {
		const struct figure figure = {.name = "units.failed",
			.label = "",
			.unit = "units",
			.value = (double)unit_table_failed(&units->table)};
		on_figure(on_figure_arg, &figure);
	}
}

static bool find_culprit(void *arg, const struct figure *figure, struct culprit *out) {
	const struct units *units = arg;
	const struct unit *unit = unit_table_newest_failed(&units->table);
	if (strcmp(figure->name, "units.failed") != 0 || !unit || !units->has_listing) {
		return false;
	}
	*out = (struct culprit){.kind = "unit", .value = 1, .value_unit = "units"};
	snprintf(out->name, sizeof(out->name), "%.*s", (int)sizeof(out->name) - 1, unit->name);
	snprintf(out->unit, sizeof(out->unit), "%.*s", (int)sizeof(out->unit) - 1, unit->name);
	return true;
}

// --- life ---

static bool has_systemd(const struct units *units) {
	const char *sysroot = units->services->sysroot ? units->services->sysroot : "";
	char *path = xasprintf("%s/run/systemd/system", sysroot); // sd_booted(3) looks there
	bool is_there = access(path, F_OK) == 0;
	free(path);
	return is_there;
}

static void open_bus(struct units *units) {
	const struct services *services = units->services;
	const char *sysroot = services->sysroot ? services->sysroot : "";
	const struct str *wanted = &units->config->socket;
	units->socket = wanted->len ? xstrndup(wanted->at, wanted->len)
				    : xasprintf("%s/run/dbus/system_bus_socket", sysroot);
	const struct system_bus_options options = {.loop = services->loop,
		.random = services->random,
		.socket = units->socket,
		.service = SERVICE,
		.answer_limit_ns = units->config->answer_limit_ns,
		.on_up = on_up,
		.on_down = on_down,
		.on_signal = on_signal,
		.arg = units};
	system_bus_init(&units->bus, &options);
	units->absence = loop_simulation(services->loop) ? "the simulator has no systemd"
		: has_systemd(units)			 ? NULL
				     : "systemd does not run here: there is no /run/systemd/system";
	units->blind_since_ns = loop_now(services->loop);
	if (!units->absence) {
		system_bus_start(&units->bus);
	}
}

static void close_bus(struct units *units) {
	timer_stop(&units->tick);
	system_bus_stop(&units->bus);
	free(units->socket);
	units->socket = NULL;
}

static void take_config(struct units *units, const struct capability_config *config) {
	struct snapshot *old = units->snapshot;
	units->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	units->config = config->config;
	units->table.filter = (struct unit_filter){.watched = units->config->watched.items,
		.watched_count = units->config->watched.n,
		.ignored = units->config->ignored.items,
		.ignored_count = units->config->ignored.n};
	if (old) {
		snapshot_unref(old);
	}
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // a bus that is not there yet is a degraded source, not a failed one
	struct units *units = xcalloc(1, sizeof(*units));
	units->services = services;
	unit_table_init(&units->table, services->bus);
	take_config(units, config);
	meters_add(services->meters, &units->meter, collect, units);
	units->pin = (struct pin){
		.name = "units", .figures = figures, .culprit = find_culprit, .arg = units};
	board_pin(services->board, &units->pin);
	open_bus(units);
	return units;
}

static void stop(void *self) {
	struct units *units = self;
	close_bus(units);
	board_unpin(&units->pin);
	meters_remove(&units->meter);
	unit_reading_forget(units->reading);
	unit_table_finish(&units->table);
	if (units->snapshot) {
		snapshot_unref(units->snapshot);
	}
	free(units);
}

static void health(void *self, struct capability_health *out) {
	const struct units *units = self;
	if (units->absence) {
		out->state = CAPABILITY_DISABLED;
		snprintf(out->reason, sizeof(out->reason), "%s", units->absence);
	} else if (!units->has_listing) {
		bool is_long = loop_now(units->services->loop) - units->blind_since_ns >
			BLIND_GRACE;
		const char *reason = units->bus.reason;
		out->state = is_long ? CAPABILITY_DEGRADED : CAPABILITY_ACTIVE;
		snprintf(out->reason, sizeof(out->reason), "%s",
			!is_long	  ? ""
				: *reason ? reason
					  : "systemd has not listed its units yet");
	} else if (units->table.left_out) {
		out->state = CAPABILITY_DEGRADED;
		snprintf(out->reason, sizeof(out->reason),
			"more than %d units are failed or watched; %zu are left out", UNITS_MAX,
			units->table.left_out);
	}
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct units_config *)config->config)->is_enabled;
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct units_config, is_enabled), "true",
		.help = "Whether systemd is asked for its units."},
	{"interval", OPTION_DURATION, offsetof(struct units_config, interval_ns), "30s",
		.min = 1.0 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often all units are listed; what fails in between is told at once by "
			"systemd itself."},
	{"answer_limit", OPTION_DURATION, offsetof(struct units_config, answer_limit_ns), "5s",
		.min = 0.1 * NS_PER_SECOND, .max = 300.0 * NS_PER_SECOND,
		.help = "A bus that has not answered after this time is reported and connected to "
			"anew."},
	{"watched", OPTION_STRINGS, offsetof(struct units_config, watched),
		.help = "Units (globs like nginx*.service) whose every change of state is an event "
			"and whose state is in the metrics; without it only failed ones are."},
	{"ignored", OPTION_STRINGS, offsetof(struct units_config, ignored),
		.help = "Units (globs) that may fail without anybody being told."},
	{"socket", OPTION_STRING, offsetof(struct units_config, socket), .max = 107,
		.help = "Path of the system bus's socket, when it is not "
			"/run/dbus/system_bus_socket."},
	{NULL},
};

static const struct kind_attribute failed_attributes[] = {
	{"unit", "string", NULL, "its name"},
	{"result", "string", NULL, "why, as systemd says: exit-code, signal, timeout, oom-kill, …"},
	{"exit_code", "string", NULL,
		"how its main process ended: exited, killed or dumped; absent when it had none"},
	{"exit_status", "integer", NULL, "its exit status, or the number of the signal"},
	{"main_pid", "integer", NULL, "the process that was"},
	{"restarts", "integer", NULL, "how often systemd restarted it by itself so far"},
	{NULL},
};

static const struct kind_attribute changed_attributes[] = {
	{"unit", "string", NULL, "its name"},
	{"from", "string", NULL, "its state before: active, inactive, failed, activating, …"},
	{"to", "string", NULL, "its state now; equal to from when it was restarted in between"},
	{"sub_state", "string", NULL,
		"the state in the words of its type: running, exited, dead, …"},
	{"restarts", "integer", NULL, "how often systemd restarted it by itself so far"},
	{NULL},
};

static const struct kind kinds[] = {
	{"unit.failed", STREAM_NORMAL, "A systemd unit has failed.", failed_attributes},
	{"unit.changed", STREAM_NORMAL,
		"A watched unit changed its state, or one that had failed is not failed any more.",
		changed_attributes},
	{NULL},
};

DEFINE_SOURCE(units) = {
	.name = "units",
	.summary = "systemd units: which have failed, which change, how often they restart.",
	.maturity = MATURITY_EXPERIMENTAL,
	.section =
		&(const struct section){
			.name = "units",
			.summary = "Which systemd units are watched.",
			.rows = rows,
			.size = sizeof(struct units_config),
			.example =
				"[units]\nwatched = [\"nginx.service\", \"postgresql*.service\"]\n"
				"ignored = [\"fwupd-refresh.service\"]\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.stop = stop,
	.health = health,
};
