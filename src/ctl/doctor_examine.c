// SPDX-License-Identifier: Apache-2.0
// One examination; see doctor_examine.h. First the daemon is asked, for what she says tells where to
// look; then all looks at once.
#include "ctl/doctor_examine.h"

#include "ctl/annad.h"
#include "ctl/diagnose.h"
#include "doctor/look.h"
#include "doctor/process.h"

// Five seconds are promised. Of what is well the journal takes longest: 1.3 s.
#define ALL_NS (4500 * NS_PER_MS)
#define LOOKS_NS (3 * NS_PER_SECOND)
#define UNIT "annad.service"
#define SYSTEM_BUS "/run/dbus/system_bus_socket"

// "unix:path=/run/dbus/system_bus_socket" (D-Bus specification, "Server Addresses").
static const char *find_bus(struct arena *arena) {
	struct str address = str_from(getenv("DBUS_SYSTEM_BUS_ADDRESS"));
	if (str_starts(address, STR("unix:path="))) {
		struct str path;
		address = str_skip(address, 10);
		(void)str_split(&address, ',', &path);
		return arena_copy(arena, path);
	}
	return SYSTEM_BUS;
}

static const char *or_nothing(struct arena *arena, struct str text) {
	return text.len > 0 ? arena_copy(arena, text) : "";
}

// What the daemon says of her places counts; else where such a daemon has them.
static void find_places(
	struct invocation *in, const struct patient *patient, int pid, struct places *out) {
	struct arena *arena = in->arena;
	struct str state = patient_str(patient, "diagnosis.state_folder");
	struct str config = patient_str(patient, "diagnosis.config_path");
	struct buf annad = BUF_INIT, file = BUF_INIT;
	struct failure ignored = FAILURE_INIT;
	struct buf said = BUF_INIT;
	// One that does not answer still has a command line.
	int guess = pid > 0 ? pid : process_find_daemon(in->socket);
	if (state.len == 0 && in->globals.state_dir.len == 0 &&
		process_find_option(guess, "--state-dir", &said)) {
		state = arena_copy_str(arena, buf_str(&said));
	}
	if (!annad_find(&annad, &ignored)) {
		buf_clear(&annad);
	}
	if (!patient_has(patient, "diagnosis")) {
		if (process_find_option(guess, "--config", &said)) {
			config = str_is(buf_str(&said), "none") ? STR("") : buf_str(&said);
		} else {
			annad_find_config(&file);
			config = buf_str(&file);
		}
	}
	*out = (struct places){.socket = in->socket,
		.state_folder = state.len
			? arena_copy(arena, state)
			: diagnosis_find_state(arena, in->socket, in->globals.state_dir),
		.config_path = or_nothing(arena, config),
		.annad = or_nothing(arena, buf_str(&annad)),
		.unit = UNIT,
		.shipped_unit = ANNA_SHARE "/" UNIT,
		.bus_address = find_bus(arena),
		.daemon_pid = pid,
		.now_ns = clock_wall(in->clock)};
	buf_finish(&annad);
	buf_finish(&file);
	buf_finish(&said);
}

static void add_places(
	struct invocation *in, const struct places *places, struct patient *patient) {
	struct buf json = BUF_INIT;
	struct json_writer w;
	json_writer_init(&w, &json);
	json_begin_object(&w);
	json_member_text(&w, "socket", places->socket);
	json_member_text(&w, "state_folder", places->state_folder);
	json_member_text(&w, "config_path", places->config_path);
	json_member_bool(
		&w, "config_is_in_use", patient_str(patient, "status.config_path").len > 0);
	json_member_text(&w, "annad", places->annad);
	json_end_object(&w);
	patient_add(patient, "places", examination_parse(in->arena, &json));
	buf_finish(&json);
}

void examination_make(struct invocation *in, const struct check *only, struct examination *out) {
	int64_t start_ns = clock_monotonic(in->clock);
	struct places places;
	int pid = 0;
	*out = (struct examination){.arena = in->arena};
	examination_ask(in, &out->patient, &pid);
	find_places(in, &out->patient, pid, &places);
	add_places(in, &places, &out->patient);
	out->state_folder = places.state_folder;
	struct looking *looking = looking_start(in->arena, &places);
	int64_t looks_by_ns = clock_monotonic(in->clock) + LOOKS_NS;
	looking_finish(looking, in->clock,
		looks_by_ns < start_ns + ALL_NS ? looks_by_ns : start_ns + ALL_NS, &out->patient);
	out->findings = ARENA_NEW(in->arena, struct findings);
	out->findings->arena = in->arena;
	checks_make(&out->patient, only, out->findings);
	out->took_ns = clock_monotonic(in->clock) - start_ns;
}
