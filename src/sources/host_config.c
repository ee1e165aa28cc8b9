// SPDX-License-Identifier: Apache-2.0
// The options of [host].
#include "sources/host_config.h"

#include "base/clock.h"
#include "config/schema.h"
#include "sources/host_collector.h"

static const struct option override_rows[] = {
	{"mount", OPTION_STRING, offsetof(struct host_override, mount), .min = 1, .max = 4096,
		.is_required = true, .help = "The mount point."},
	{"used_percent", OPTION_NUMBER, offsetof(struct host_override, used_percent), .min = 0,
		.max = 100, .unit = "percent", .is_required = true,
		.help = "Threshold of this one; 0 publishes nothing about it."},
	{NULL},
};

static const struct option choice_rows[] = {
	{"name", OPTION_CHOICE, offsetof(struct collector_choice, collector),
		.choices = host_collector_names, .is_required = true, .help = "The collector."},
	{"enabled", OPTION_BOOL, offsetof(struct collector_choice, is_enabled), "true",
		.help = "Whether it gathers; what it measures is absent when not."},
	{"period", OPTION_DURATION, offsetof(struct collector_choice, period_ns), .min = 0,
		.max = 3600.0 * NS_PER_SECOND,
		.help = "How often, never more often than interval; 0 is its own period (guide: "
			"metrics)."},
	{NULL},
};

static const struct option rows[] = {
	{"interval", OPTION_DURATION, offsetof(struct host_config, interval_ns), "1s",
		.min = 0.1 * NS_PER_SECOND, .max = 3600.0 * NS_PER_SECOND,
		.help = "How often the kernel is asked."},
	{"filesystem_used_percent", OPTION_NUMBER, offsetof(struct host_config, used_percent), "90",
		.min = 0, .max = 100, .unit = "percent",
		.help = "A file system at least this full is an event; 0 switches these off."},
	{"filesystem_hysteresis_percent", OPTION_NUMBER,
		offsetof(struct host_config, hysteresis_percent), "5", .min = 0, .max = 100,
		.unit = "percent",
		.help = "How far below the threshold it must fall to count as below again."},
	{"filesystem_answer_limit", OPTION_DURATION, offsetof(struct host_config, answer_limit_ns),
		"5s", .min = 0.1 * NS_PER_SECOND, .max = 600.0 * NS_PER_SECOND,
		.help = "A file system that has not answered after this time is reported."},
	{"sensor_answer_limit", OPTION_DURATION, offsetof(struct host_config, sensor_limit_ns),
		"10s", .min = 0.1 * NS_PER_SECOND, .max = 600.0 * NS_PER_SECOND,
		.help = "A file of /sys that has not answered after this time is reported and left "
			"out until it does."},
	{"ignored_filesystem_types", OPTION_STRINGS, offsetof(struct host_config, ignored_types),
		"[\"autofs\", \"binfmt_misc\", \"bpf\", \"cgroup\", \"cgroup2\", \"configfs\", "
		"\"debugfs\", \"devpts\", \"devtmpfs\", \"fusectl\", \"hugetlbfs\", \"iso9660\", "
		"\"mqueue\", \"nsfs\", \"overlay\", \"proc\", \"procfs\", \"pstore\", "
		"\"rpc_pipefs\", \"securityfs\", \"selinuxfs\", \"squashfs\", \"sysfs\", "
		"\"tracefs\"]",
		.help = "Types of file system to leave out (globs); node_exporter's defaults."},
	{"ignored_mounts", OPTION_STRINGS, offsetof(struct host_config, ignored_mounts),
		"[\"/dev\", \"/dev/*\", \"/proc\", \"/proc/*\", \"/sys\", \"/sys/*\", "
		"\"/run/credentials/*\", \"/var/lib/docker/*\", "
		"\"/var/lib/containers/storage/*\"]",
		.help = "Mount points to leave out (globs); node_exporter's defaults."},
	{"ignored_network_devices", OPTION_STRINGS, offsetof(struct host_config, ignored_devices),
		.help = "Network devices to leave out (globs)."},
	{"ignored_disks", OPTION_STRINGS, offsetof(struct host_config, ignored_disks),
		.help = "Disks to leave out (globs)."},
	{"all_disks", OPTION_BOOL, offsetof(struct host_config, has_all_disks), "false",
		.help = "Whether RAM disks, loop devices, floppies and partitions count as disks."},
	{"filesystems", OPTION_LIST, offsetof(struct host_config, overrides), .rows = override_rows,
		.item_size = sizeof(struct host_override), .help = "Thresholds of single mounts."},
	{"collectors", OPTION_LIST, offsetof(struct host_config, choices), .rows = choice_rows,
		.item_size = sizeof(struct collector_choice),
		.help = "Collectors that are switched off, or have a period of their own."},
	{NULL},
};

static void check(
	void *config, struct place place, struct arena *arena, struct problems *problems) {
	const struct host_config *host = config;
	const struct collector_choice *choices = host->choices.items;
	(void)arena;
	for (size_t i = 0; i < host->choices.n; i++) {
		for (size_t j = i + 1; j < host->choices.n; j++) {
			if (choices[i].collector == choices[j].collector) {
				problems_add(problems, place,
					"[[host.collectors]] names %s twice; keep one of them",
					host_collector_names[choices[i].collector]);
				return;
			}
		}
	}
}

const struct section host_section = {
	.name = "host",
	.summary = "What is measured of this machine, and from when on a file system is too full.",
	.rows = rows,
	.size = sizeof(struct host_config),
	.check = check,
	.example = "[host]\nfilesystem_used_percent = 85\n\n[[host.filesystems]]\n"
		   "mount = \"/var\"\nused_percent = 80\n\n[[host.collectors]]\n"
		   "name = \"hwmon\"\nperiod = \"30s\"\n",
};
