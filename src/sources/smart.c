// SPDX-License-Identifier: Apache-2.0
// The source `smart`: the disks' own reports of their health, through the helper, one disk after the
// other, at a slow beat. Off by default: it needs the helper and smartmontools. Publishes disk.failing
// when a disk begins to say that it should be replaced, and once more when it no longer does.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/board.h"
#include "flow/capability.h"
#include "flow/helper_client.h"
#include "formats/exposition.h"
#include "io/loop.h"
#include "sources/smart_report.h"
#include "sources/text.h"

#define DISKS_MAX 64
#define ANSWER_LIMIT_NS (60 * NS_PER_SECOND)

struct smart_config {
	bool enabled;
	int64_t interval_ns;
	struct strings ignored;
};

struct disk {
	char name[32];
	bool is_there;	 // in the last look at /sys/block
	bool is_known;	 // report is of it
	bool is_failing; // as last published
	struct smart_report report;
	char complaint[160]; // why it could not be asked; "": it could
};

struct smart {
	const struct services *services;
	struct snapshot *snapshot;
	const struct smart_config *config;
	struct timer round;
	struct meter meter;
	struct pin pin;
	struct disk disks[DISKS_MAX];
	size_t n, next; // next: the one to ask
	struct helper_question *question;
};

static bool is_disk(const char *name) {
	return strncmp(name, "sd", 2) == 0 || strncmp(name, "nvme", 4) == 0 ||
		strncmp(name, "hd", 2) == 0;
}

static bool is_ignored(const struct smart *smart, const char *name) {
	for (size_t i = 0; i < smart->config->ignored.n; i++) {
		if (str_glob(smart->config->ignored.items[i], str_from(name))) {
			return true;
		}
	}
	return false;
}

static struct disk *find_disk(struct smart *smart, const char *name) {
	for (size_t i = 0; i < smart->n; i++) {
		if (strcmp(smart->disks[i].name, name) == 0) {
			return &smart->disks[i];
		}
	}
	if (smart->n == DISKS_MAX || strlen(name) >= sizeof(smart->disks[0].name)) {
		return NULL;
	}
	struct disk *disk = &smart->disks[smart->n++];
	*disk = (struct disk){0};
	(void)snprintf(disk->name, sizeof(disk->name), "%s", name);
	return disk;
}

// A folder of names in memory: listing it never waits for a disk.
static void look_for_disks(struct smart *smart) {
	_cleanup_(freep) char *path = xasprintf("%s/sys/block", smart->services->sysroot);
	DIR *folder = opendir(path);
	struct dirent *entry;
	for (size_t i = 0; i < smart->n; i++) {
		smart->disks[i].is_there = false;
	}
	while (folder && (entry = readdir(folder))) {
		struct disk *disk = is_disk(entry->d_name) && !is_ignored(smart, entry->d_name)
			? find_disk(smart, entry->d_name)
			: NULL;
		if (disk) {
			disk->is_there = true;
		}
	}
	if (folder) {
		(void)closedir(folder);
	}
	size_t kept = 0;
	for (size_t i = 0; i < smart->n; i++) {
		if (smart->disks[i].is_there) {
			smart->disks[kept++] = smart->disks[i];
		}
	}
	smart->n = kept;
}

static void set_number(struct event *event, const char *name, struct smart_number number) {
	if (number.is_known) {
		event_set_int(event, name, number.value);
	}
}

static void judge(struct smart *smart, struct disk *disk) {
	char reason[160] = "";
	bool is_failing = smart_is_failing(&disk->report, reason, sizeof(reason));
	if (is_failing == disk->is_failing || disk->report.is_asleep) {
		return;
	}
	struct event *event = event_create("disk.failing", "smart", str_from(disk->name));
	struct buf model = BUF_INIT;
	clean_text(&model, str_from(disk->report.model));
	event_set_text(event, "disk", disk->name);
	event_set_str(event, "model", buf_str(&model));
	event_set_bool(event, "failing", is_failing);
	event_set_text(event, "reason", is_failing ? reason : "nothing says so any more");
	set_number(event, "reallocated_sectors", disk->report.reallocated);
	set_number(event, "pending_sectors", disk->report.pending);
	set_number(event, "media_errors", disk->report.media_errors);
	set_number(event, "celsius", disk->report.celsius);
	buf_finish(&model);
	// When the bus refuses, the next round says it.
	if (bus_publish(smart->services->bus, event, NULL, NULL, NULL)) {
		disk->is_failing = is_failing;
	}
}

static void ask_next(struct smart *smart);

static void complain(struct disk *disk, const struct err *err) {
	(void)snprintf(disk->complaint, sizeof(disk->complaint), "%.150s", err->message);
	disk->is_known = false; // what is not known is absent
}

static void on_answer(void *arg, const struct helper_answer *answer, const struct err *err) {
	struct smart *smart = arg;
	struct disk *disk = &smart->disks[smart->next++];
	struct smart_report report;
	struct err wrong = ERR_INIT;
	smart->question = NULL;
	if (err) {
		complain(disk, err);
	} else if (answer->is_cut) {
		(void)err_set(&wrong, ERR_LIMIT, "the report is too long");
		complain(disk, &wrong);
	} else if (!smart_parse(answer->output, &report, &wrong)) {
		complain(disk, &wrong);
	} else if (!report.is_asleep || !disk->is_known) { // a sleeping disk: the last known stays
		disk->report = report;
		disk->is_known = !report.is_asleep;
		disk->complaint[0] = '\0';
		judge(smart, disk);
	}
	ask_next(smart);
}

static void on_round(void *arg) {
	struct smart *smart = arg;
	struct loop *loop = smart->services->loop;
	timer_start(&smart->round, loop, smart->config->interval_ns, on_round, smart);
	if (!smart->question) {
		look_for_disks(smart);
		smart->next = 0;
		ask_next(smart);
	}
}

static void ask_next(struct smart *smart) {
	while (smart->next < smart->n) {
		struct disk *disk = &smart->disks[smart->next];
		struct err err = ERR_INIT;
		char params[64];
		(void)snprintf(params, sizeof(params), "{\"device\":\"%s\"}", disk->name);
		smart->question = helper_ask(smart->services->loop, smart->services->helper_socket,
			"smart.read", str_from(params), ANSWER_LIMIT_NS, on_answer, smart, &err);
		if (smart->question) {
			return;
		}
		complain(disk, &err);
		smart->next++;
	}
}

static void collect_one(struct smart *smart, struct exposition *out, const char *name,
	const char *help, size_t offset, double factor) {
	exposition_family(out, name, "gauge", help);
	for (size_t i = 0; i < smart->n; i++) {
		const struct disk *disk = &smart->disks[i];
		const struct smart_number *number = (const void *)((const char *)&disk->report +
			offset);
		if (disk->is_known && number->is_known) {
			exposition_sample(
				out, (double)number->value * factor, "disk", disk->name, NULL);
		}
	}
}

static void collect(void *arg, struct exposition *out) {
	static const struct {
		const char *name, *help;
		size_t offset;
		double factor;
	} families[] = {
		{"anna_disk_healthy", "1 when the disk says it is healthy.",
			offsetof(struct smart_report, passed), 1},
		{"anna_disk_temperature_celsius", "Its temperature.",
			offsetof(struct smart_report, celsius), 1},
		{"anna_disk_power_on_seconds", "How long it has been running.",
			offsetof(struct smart_report, power_on_hours), 3600},
		{"anna_disk_reallocated_sectors", "Sectors replaced by spare ones.",
			offsetof(struct smart_report, reallocated), 1},
		{"anna_disk_pending_sectors", "Sectors that could not be read, to be replaced.",
			offsetof(struct smart_report, pending), 1},
		{"anna_disk_uncorrectable_sectors", "Sectors lost.",
			offsetof(struct smart_report, uncorrectable), 1},
		{"anna_disk_media_errors", "Reads an NVMe disk could not correct.",
			offsetof(struct smart_report, media_errors), 1},
		{"anna_disk_used_ratio", "How much of its endurance is used; above 1: more.",
			offsetof(struct smart_report, used_percent), 0.01},
		{"anna_disk_spare_ratio", "Spare blocks left.",
			offsetof(struct smart_report, spare_percent), 0.01},
	};
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		collect_one(arg, out, families[i].name, families[i].help, families[i].offset,
			families[i].factor);
	}
}

static void show_figures(void *arg, figure_fn *on_figure, void *on_figure_arg) {
	struct smart *smart = arg;
	char ignored[160];
	for (size_t i = 0; i < smart->n; i++) {
		const struct disk *disk = &smart->disks[i];
		if (disk->is_known) {
			on_figure(on_figure_arg,
				&(struct figure){"smart.failing", disk->name, "count",
					smart_is_failing(&disk->report, ignored, sizeof(ignored))});
		}
	}
}

static bool blame(void *arg, const struct figure *figure, struct culprit *out) {
	(void)arg;
	*out = (struct culprit){.kind = "device"};
	(void)snprintf(out->name, sizeof(out->name), "%s", figure->label);
	return true;
}

static void take_config(struct smart *smart, const struct capability_config *config) {
	struct snapshot *old = smart->snapshot;
	smart->snapshot = config->snapshot ? snapshot_ref(config->snapshot) : NULL;
	smart->config = config->config;
	if (old) {
		snapshot_unref(old);
	}
}

static bool is_enabled(const struct capability_config *config) {
	return ((const struct smart_config *)config->config)->enabled;
}

static void *start(
	const struct services *services, const struct capability_config *config, struct err *err) {
	(void)err; // a helper that is missing is a degraded source, not a failed one
	struct smart *smart = xcalloc(1, sizeof(*smart));
	smart->services = services;
	take_config(smart, config);
	meters_add(services->meters, &smart->meter, collect, smart);
	smart->pin = (struct pin){
		.name = "smart", .figures = show_figures, .culprit = blame, .arg = smart};
	board_pin(services->board, &smart->pin);
	timer_start(&smart->round, services->loop, 0, on_round, smart);
	return smart;
}

static enum reconfigured reconfigure(void *self, const struct capability_config *config) {
	struct smart *smart = self;
	take_config(smart, config);
	timer_start(&smart->round, smart->services->loop, 0, on_round, smart);
	return RECONFIGURE_ADAPTED;
}

static void stop(void *self) {
	struct smart *smart = self;
	timer_stop(&smart->round);
	if (smart->question) {
		helper_forget(smart->question);
	}
	board_unpin(&smart->pin);
	meters_remove(&smart->meter);
	if (smart->snapshot) {
		snapshot_unref(smart->snapshot);
	}
	free(smart);
}

static void health(void *self, struct capability_health *out) {
	const struct smart *smart = self;
	*out = (struct capability_health){.state = CAPABILITY_ACTIVE};
	for (size_t i = 0; i < smart->n && out->state == CAPABILITY_ACTIVE; i++) {
		if (smart->disks[i].complaint[0]) {
			out->state = CAPABILITY_DEGRADED;
			(void)snprintf(out->reason, sizeof(out->reason), "%s: %s",
				smart->disks[i].name, smart->disks[i].complaint);
		}
	}
}

static const struct option rows[] = {
	{"enabled", OPTION_BOOL, offsetof(struct smart_config, enabled), "false",
		.help = "Asks the disks for their own report, through the helper; needs "
			"smartmontools."},
	{"interval", OPTION_DURATION, offsetof(struct smart_config, interval_ns), "30m",
		.min = 60.0 * NS_PER_SECOND, .max = 7.0 * NS_PER_DAY,
		.help = "How often. A disk in standby is not woken."},
	{"ignored_disks", OPTION_STRINGS, offsetof(struct smart_config, ignored),
		.help = "Disks to leave alone (globs)."},
	{NULL},
};

static const struct kind_attribute failing_attributes[] = {
	{"disk", "string", NULL, "its name, like sda"},
	{"model", "string", NULL, "what it says it is"},
	{"failing", "boolean", NULL, "true when it begins, false when nothing says so any more"},
	{"reason", "string", NULL, "what says so"},
	{"reallocated_sectors", "integer", NULL, "replaced by spare ones"},
	{"pending_sectors", "integer", NULL, "could not be read"},
	{"media_errors", "integer", NULL, "reads that could not be corrected"},
	{"celsius", "integer", "celsius", "its temperature"},
	{NULL},
};

static const struct kind kinds[] = {
	{"disk.failing", STREAM_NORMAL,
		"A disk says that it should be replaced, or no longer does.", failing_attributes},
	{NULL},
};

DEFINE_SOURCE(smart) = {
	.name = "smart",
	.summary = "What the disks say of their own health.",
	.maturity = MATURITY_EXPERIMENTAL,
	.section =
		&(const struct section){
			.name = "smart",
			.summary = "The disks' own reports, read through the helper.",
			.rows = rows,
			.size = sizeof(struct smart_config),
			.example = "[smart]\nenabled = true\ninterval = \"1h\"\n",
		},
	.kinds = kinds,
	.is_enabled = is_enabled,
	.start = start,
	.reconfigure = reconfigure,
	.stop = stop,
	.health = health,
};
