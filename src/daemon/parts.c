// SPDX-License-Identifier: Apache-2.0
// Capabilities while Anna runs: started in the order of the tables, stopped in reverse, taken from
// one configuration to the next, asked for their health once a second. One that fails does not
// take Anna down, unless it is essential; one that did not start is tried again, ever less often.
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"

#define LOG_FOLDER "capability"
#define RETRY_FIRST_NS (1 * NS_PER_SECOND) // doubled with every failure
#define RETRY_MOST_NS (300 * NS_PER_SECOND)
#define SWITCHED_OFF "switched off by the configuration"

// --- how often ---

static void hour_turn(struct hour *hour, int64_t minute) {
	int64_t passed = minute - hour->minute;
	for (int64_t i = 0; i < passed && i < 60; i++) {
		hour->counts[(hour->minute + 1 + i) % 60] = 0;
	}
	hour->minute = minute;
}

static void hour_add(struct anna *anna, struct hour *hour) {
	int64_t minute = clock_monotonic(anna->clock) / (60 * NS_PER_SECOND);
	hour_turn(hour, minute);
	hour->counts[minute % 60] += hour->counts[minute % 60] < UINT16_MAX;
}

static unsigned hour_sum(const struct anna *anna, struct hour hour) {
	unsigned sum = 0;
	hour_turn(&hour, clock_monotonic(anna->clock) / (60 * NS_PER_SECOND));
	for (size_t i = 0; i < 60; i++) {
		sum += hour.counts[i];
	}
	return sum;
}

// --- states ---

static void set_state(
	struct anna *anna, struct part *part, enum capability_state state, const char *reason) {
	bool is_same = part->state == state && part->since_ns;
	bool says_same = strncmp(part->reason, reason, sizeof(part->reason) - 1) == 0;
	if (is_same && says_same) {
		return;
	}
	enum capability_state from = part->state;
	bool is_first = !part->since_ns;
	(void)snprintf(part->reason, sizeof(part->reason), "%s", reason);
	if (is_same) {
		return; // only the wording changed: figures in it may change every second
	}
	part->state = state;
	part->since_ns = clock_wall(anna->clock);
	if (state == CAPABILITY_FAILED) {
		part->failures++;
		hour_add(anna, &part->failures_hour);
	}
	if (state == CAPABILITY_FAILED || state == CAPABILITY_DEGRADED) {
		log_warn("%s is %s: %s", part->capability->name, capability_state_name(state),
			reason);
	}
	if (is_first && state != CAPABILITY_FAILED && state != CAPABILITY_DEGRADED) {
		return;
	}
	struct event *event = event_create(
		"capability.state", "daemon", str_from(part->capability->name));
	event_set_text(event, "from", is_first ? "disabled" : capability_state_name(from));
	event_set_text(event, "to", capability_state_name(state));
	event_set_text(event, "reason", reason);
	struct err err = ERR_INIT;
	if (!bus_publish_reserved(anna->services.bus, event, &err)) {
		log_warn("this change of %s is not in the journal: %s", part->capability->name,
			err.message);
	}
}

static struct capability_config config_of(const struct part *part, struct snapshot *snapshot) {
	const struct section *section = part->capability->section;
	struct capability_config config = {.snapshot = snapshot};
	if (!section || !section->rows) {
		return config;
	}
	if (section->is_list) {
		config.list = snapshot_list(snapshot, section);
	} else {
		config.config = snapshot_section(snapshot, section);
	}
	return config;
}

static bool is_named(const struct capability *capability, struct snapshot *snapshot) {
	const struct capabilities_config *config = snapshot_section(
		snapshot, &capabilities_section);
	for (size_t i = 0; i < config->disabled.n; i++) {
		if (str_is(config->disabled.items[i], capability->name)) {
			return true;
		}
	}
	return false;
}

static bool is_switched_on(const struct capability *capability,
	const struct capability_config *config, struct snapshot *snapshot) {
	return (!capability->is_enabled || capability->is_enabled(config)) &&
		(capability->is_essential || !is_named(capability, snapshot));
}

static void note_started(struct anna *anna, struct part *part) {
	part->starts++;
	if (part->starts > 1) {
		part->restarts++;
		hour_add(anna, &part->restarts_hour);
	}
	part->tries = 0;
	part->retry_ns = 0;
}

static void try_again_later(struct anna *anna, struct part *part) {
	int64_t wait_ns = RETRY_FIRST_NS << (part->tries < 10 ? part->tries : 10);
	part->tries++;
	part->retry_ns = clock_monotonic(anna->clock) +
		(wait_ns < RETRY_MOST_NS ? wait_ns : RETRY_MOST_NS);
}

static bool start_part(
	struct anna *anna, struct part *part, struct snapshot *snapshot, struct err *err) {
	const struct capability *capability = part->capability;
	struct capability_config config = config_of(part, snapshot);
	struct err why = ERR_INIT;
	part->next_step[0] = '\0';
	part->retry_ns = 0;
	if (!is_switched_on(capability, &config, snapshot)) {
		part->tries = 0;
		set_state(anna, part, CAPABILITY_DISABLED, SWITCHED_OFF);
		return true;
	}
	part->self = capability->start(&anna->services, &config, &why);
	if (part->self) {
		note_started(anna, part);
		set_state(anna, part, CAPABILITY_ACTIVE, "");
		return true;
	}
	bool is_known = part->state == CAPABILITY_FAILED && part->since_ns;
	if (is_known) { // a try more that failed; set_state counts the first
		part->failures++;
		hour_add(anna, &part->failures_hour);
	}
	try_again_later(anna, part);
	set_state(anna, part, CAPABILITY_FAILED, why.message);
	if (err) {
		*err = why;
		err_prefix(err, "%s", capability->name);
	}
	return false;
}

static void stop_part(struct part *part) {
	if (part->self) {
		part->capability->stop(part->self);
		part->self = NULL;
	}
}

bool parts_start(struct anna *anna, struct err *err) {
	for (size_t i = 0; i < anna->part_count; i++) {
		struct part *part = &anna->parts[i];
		if (!start_part(anna, part, anna->snapshot, err) &&
			part->capability->is_essential) {
			return false;
		}
	}
	return true;
}

void parts_stop(struct anna *anna) {
	for (size_t i = anna->part_count; i > 0; i--) {
		stop_part(&anna->parts[i - 1]);
	}
}

static bool apply_part(struct anna *anna, struct part *part, struct snapshot *to, struct err *err) {
	const struct capability *capability = part->capability;
	struct capability_config config = config_of(part, to);
	bool is_enabled = is_switched_on(capability, &config, to);
	bool is_equal = !capability->section || !capability->section->rows ||
		snapshot_section_equal(anna->snapshot, to, capability->section);
	if (!is_enabled) {
		stop_part(part);
		part->retry_ns = 0;
		part->tries = 0;
		part->next_step[0] = '\0';
		set_state(anna, part, CAPABILITY_DISABLED, SWITCHED_OFF);
		return true;
	}
	if (!part->self) { // disabled before, or failed: try (again)
		return start_part(anna, part, to, err) || (is_equal && !capability->is_essential);
	}
	// Even an equal section is handed over: its text lives in the new snapshot from now on.
	if (capability->reconfigure &&
		capability->reconfigure(part->self, &config) == RECONFIGURE_ADAPTED) {
		return true;
	}
	if (is_equal && !capability->reconfigure) {
		return true; // it took its own reference, or copied what it needs
	}
	stop_part(part);
	return start_part(anna, part, to, err);
}

bool parts_apply(struct anna *anna, struct snapshot *to, struct err *err) {
	for (size_t i = 0; i < anna->part_count; i++) {
		if (!apply_part(anna, &anna->parts[i], to, err)) {
			return false;
		}
	}
	return true;
}

void parts_restore(struct anna *anna, struct snapshot *to) {
	for (size_t i = 0; i < anna->part_count; i++) {
		struct err err = ERR_INIT;
		if (!apply_part(anna, &anna->parts[i], to, &err)) {
			log_error(
				"a part did not come back after a refused reload: %s", err.message);
		}
	}
}

void parts_refresh(struct anna *anna) {
	int64_t now = clock_monotonic(anna->clock);
	for (size_t i = 0; i < anna->part_count; i++) {
		struct part *part = &anna->parts[i];
		if (!part->self && part->retry_ns && part->retry_ns <= now &&
			anna->state == ANNA_RUNNING) {
			(void)start_part(anna, part, anna->snapshot, NULL); // says why by itself
		}
		if (part->self && part->capability->health) {
			struct capability_health health = {.state = CAPABILITY_ACTIVE};
			part->capability->health(part->self, &health);
			memcpy(part->next_step, health.next_step, sizeof(part->next_step));
			set_state(anna, part, health.state, health.reason);
		}
	}
}

static void say_next_step(const struct part *part, struct capability_status *out) {
	char *to = out->next_step;
	size_t size = sizeof(out->next_step);
	if (part->next_step[0]) {
		memcpy(to, part->next_step, size);
	} else if (out->state == CAPABILITY_FAILED && part->retry_ns) {
		(void)snprintf(to, size,
			"mend what the reason names; it is tried again by itself, and at once by "
			"annactl reload");
	} else if (out->state == CAPABILITY_FAILED || out->state == CAPABILITY_DEGRADED) {
		(void)snprintf(to, size,
			"mend what the reason names; annactl capabilities says "
			"when it worked");
	} else if (out->state == CAPABILITY_DISABLED) {
		(void)snprintf(to, size,
			"its section in the configuration, or [capabilities] "
			"disabled, switches it on");
	}
}

void anna_get_capability(const struct anna *anna, size_t i, struct capability_status *out) {
	const struct part *part = &anna->parts[i];
	*out = (struct capability_status){.capability = part->capability,
		.state = part->since_ns ? part->state : CAPABILITY_DISABLED,
		.since_ns = part->since_ns,
		.starts = part->starts,
		.failures = part->failures,
		.restarts = part->restarts,
		.failures_hour = hour_sum(anna, part->failures_hour),
		.restarts_hour = hour_sum(anna, part->restarts_hour)};
	memcpy(out->reason, part->reason, sizeof(out->reason));
	say_next_step(part, out);
	if (part->retry_ns) {
		int64_t left_ns = part->retry_ns - clock_monotonic(anna->clock);
		out->retry_ns = clock_wall(anna->clock) + (left_ns > 0 ? left_ns : 0);
	}
}
