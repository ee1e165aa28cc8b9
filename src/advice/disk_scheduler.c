// SPDX-License-Identifier: Apache-2.0
// An I/O scheduler that does not fit the disk it is on.
#include "advice/rule.h"

static void judge(struct survey *survey, const char *disk) {
	struct root *root = &survey->root;
	struct str text, chosen, name = str_from(disk);
	bool is_rotational;
	if (!root_read(root, &text, "/sys/block/%s/queue/scheduler", disk) ||
		!survey_is_rotational(survey, name, &is_rotational)) {
		return;
	}
	chosen = survey_chosen(text);
	bool is_nvme = str_starts(name, STR("nvme"));
	bool is_sata = str_starts(name, STR("sd"));
	const char *better = NULL;
	if (is_nvme && str_is(chosen, "bfq")) {
		better = "none";
	} else if (is_sata && is_rotational && str_is(chosen, "none")) {
		better = str_find(text, STR("bfq")) >= 0 ? "bfq" : "mq-deadline";
	}
	if (better && str_find(text, str_from(better)) >= 0) {
		survey_find_fix(survey, ADVICE_INFO,
			survey_text(
				survey, "echo %s > /sys/block/%s/queue/scheduler", better, disk),
			"/sys/block/%s/queue/scheduler is \"%" STR_FMT "\" and the disk is %s",
			disk, STR_ARG(text), is_rotational ? "rotating" : "NVMe");
	}
}

static void look(struct survey *survey) {
	char **names;
	size_t n = root_list(&survey->root, &names, "/sys/block");
	if (survey_is_virtual(survey) || survey_is_container(survey)) {
		return; // the disk below is not seen
	}
	for (size_t i = 0; i < n; i++) {
		judge(survey, names[i]);
	}
}

DEFINE_RULE(disk_scheduler) = {
	.id = "disk-scheduler",
	.level = ADVICE_INFO,
	.category = "storage",
	.title = "The I/O scheduler does not fit the disk",
	.reads = "/sys/block/*/queue/scheduler, /sys/block/*/queue/rotational",
	.reason = "An NVMe disk sorts better than bfq can, which only costs CPU time there; a "
		  "rotating disk without any scheduler spends its time seeking.",
	.risk = "It holds until the next boot; a udev rule keeps it.",
	.references = (const char *const[]){"https://docs.kernel.org/block/switching-sched.html",
		"https://wiki.archlinux.org/title/Improving_performance#Changing_I/O_scheduler",
		NULL},
	.explain = "Fires for bfq on NVMe and for none on a rotating SATA disk, when a better one "
		   "is offered by the kernel. Virtual disks are left alone: what is below them is "
		   "not known.",
	.look = look,
};
