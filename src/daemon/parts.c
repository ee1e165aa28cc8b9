// SPDX-License-Identifier: Apache-2.0
// Capabilities while Anna runs: started in the order of the tables, stopped in reverse, taken from
// one configuration to the next, asked for their health once a second. One that fails does not
// take Anna down, unless it is essential.
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"

#define LOG_FOLDER "capability"

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

static bool start_part(
	struct anna *anna, struct part *part, struct snapshot *snapshot, struct err *err) {
	const struct capability *capability = part->capability;
	struct capability_config config = config_of(part, snapshot);
	struct err why = ERR_INIT;
	if (capability->is_enabled && !capability->is_enabled(&config)) {
		set_state(anna, part, CAPABILITY_DISABLED, "switched off by the configuration");
		return true;
	}
	part->self = capability->start(&anna->services, &config, &why);
	if (part->self) {
		set_state(anna, part, CAPABILITY_ACTIVE, "");
		return true;
	}
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
	bool is_enabled = !capability->is_enabled || capability->is_enabled(&config);
	bool is_equal = !capability->section || !capability->section->rows ||
		snapshot_section_equal(anna->snapshot, to, capability->section);
	if (!is_enabled) {
		stop_part(part);
		set_state(anna, part, CAPABILITY_DISABLED, "switched off by the configuration");
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
	for (size_t i = 0; i < anna->part_count; i++) {
		struct part *part = &anna->parts[i];
		if (part->self && part->capability->health) {
			struct capability_health health = {.state = CAPABILITY_ACTIVE};
			part->capability->health(part->self, &health);
			set_state(anna, part, health.state, health.reason);
		}
	}
}
