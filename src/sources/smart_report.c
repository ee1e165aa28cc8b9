// SPDX-License-Identifier: Apache-2.0
// Reading smartctl's JSON; see smart_report.h. Its exit status is a set of bits (smartctl(8), "EXIT
// STATUS"); in the report it is smartctl.exit_status: bits 0 and 1 say that nothing was read.
#include "sources/smart_report.h"

#include <stdio.h>

#include "base/arena.h"
#include "formats/json.h"

#define EXIT_USAGE 1 // bit 0: the command line
#define EXIT_OPEN 2  // bit 1: the device could not be opened, or it sleeps

static const struct value *at(const struct value *value, const char *path) {
	struct str rest = str_from(path), key;
	while (value && rest.at && str_split(&rest, '.', &key)) {
		value = value->type == VALUE_TABLE ? value_get(value, key) : NULL;
	}
	return value;
}

static struct smart_number number(const struct value *root, const char *path) {
	const struct value *value = at(root, path);
	bool is_known = value && value->type == VALUE_INT;
	return (struct smart_number){is_known, is_known ? value->integer : 0};
}

// ATA attributes are a list of {id, raw: {value}}.
static struct smart_number attribute(const struct value *root, int64_t id) {
	const struct value *table = at(root, "ata_smart_attributes.table");
	if (table && table->type == VALUE_ARRAY) {
		for (size_t i = 0; i < table->array.n; i++) {
			struct smart_number found = number(&table->array.items[i], "id");
			if (found.is_known && found.value == id) {
				return number(&table->array.items[i], "raw.value");
			}
		}
	}
	return (struct smart_number){0};
}

static struct smart_number judgement(const struct value *root) {
	const struct value *passed = at(root, "smart_status.passed");
	bool is_known = passed && passed->type == VALUE_BOOL;
	return (struct smart_number){is_known, is_known && passed->boolean};
}

// The first message of the report, or what there is to say without one.
static bool explain(const struct value *root, struct err *err) {
	const struct value *messages = at(root, "smartctl.messages");
	if (messages && messages->type == VALUE_ARRAY && messages->array.n) {
		const struct value *text = at(&messages->array.items[0], "string");
		if (text && text->type == VALUE_STRING) {
			return err_set(err, ERR_IO, "smartctl: %" STR_FMT,
				STR_ARG(str_head(text->string, 200)));
		}
	}
	return err_set(err, ERR_IO, "smartctl could not ask the disk");
}

static void read_report(const struct value *root, struct smart_report *out) {
	const struct value *model = at(root, "model_name");
	out->passed = judgement(root);
	out->celsius = number(root, "temperature.current");
	out->power_on_hours = number(root, "power_on_time.hours");
	out->reallocated = attribute(root, 5);
	out->pending = attribute(root, 197);
	out->uncorrectable = attribute(root, 198);
	static const char nvme[] = "nvme_smart_health_information_log";
	const struct value *log = at(root, nvme);
	out->media_errors = number(log, "media_errors");
	out->used_percent = number(log, "percentage_used");
	out->spare_percent = number(log, "available_spare");
	out->critical_warning = number(log, "critical_warning");
	if (model && model->type == VALUE_STRING) {
		(void)snprintf(out->model, sizeof(out->model), "%" STR_FMT,
			STR_ARG(str_head(model->string, sizeof(out->model) - 1)));
	}
}

bool smart_parse(struct str json, struct smart_report *out, struct err *err) {
	_cleanup_(arena_destroyp) struct arena *arena = arena_create();
	*out = (struct smart_report){0};
	const struct value *root = json_parse(arena, json, 16, err);
	if (!root) {
		return err_prefix(err, "the report of smartctl");
	}
	struct smart_number status = number(root, "smartctl.exit_status");
	if (!status.is_known) {
		return err_set(err, ERR_IO, "the report of smartctl has no exit status");
	}
	const struct value *mode = at(root, "power_mode.name");
	out->is_asleep = (status.value & EXIT_OPEN) && mode;
	if ((status.value & (EXIT_USAGE | EXIT_OPEN)) && !out->is_asleep) {
		return explain(root, err);
	}
	read_report(root, out);
	return true;
}

bool smart_is_failing(const struct smart_report *report, char *out, size_t size) {
	if (report->passed.is_known && !report->passed.value) {
		(void)snprintf(out, size, "the disk itself says that it is failing");
	} else if (report->critical_warning.is_known && report->critical_warning.value) {
		(void)snprintf(out, size, "the disk warns (NVMe critical warning 0x%02llx)",
			(unsigned long long)report->critical_warning.value);
	} else if (report->uncorrectable.is_known && report->uncorrectable.value > 0) {
		(void)snprintf(out, size, "%lld sectors cannot be read any more",
			(long long)report->uncorrectable.value);
	} else if (report->pending.is_known && report->pending.value > 0) {
		(void)snprintf(out, size, "%lld sectors could not be read and wait to be replaced",
			(long long)report->pending.value);
	} else if (report->used_percent.is_known && report->used_percent.value >= 100) {
		(void)snprintf(out, size, "it has written all it was made for (%lld %%)",
			(long long)report->used_percent.value);
	} else {
		return false;
	}
	return true;
}
