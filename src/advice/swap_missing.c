// SPDX-License-Identifier: Apache-2.0
// Little memory and nowhere to put what is not used.
#include "advice/rule.h"

static void look(struct survey *survey) {
	int64_t total, swap;
	if (!survey_meminfo(survey, "MemTotal", &total) ||
		!survey_meminfo(survey, "SwapTotal", &swap)) {
		survey_unread(survey, "/proc/meminfo");
		return;
	}
	if (total >= INT64_C(4) << 30 || swap > 0 || survey_is_container(survey)) {
		return;
	}
	survey_find(survey, "MemTotal is %lld MiB, SwapTotal is 0", (long long)(total >> 20));
}

DEFINE_RULE(swap_missing) = {
	.id = "swap-missing",
	.level = ADVICE_WARN,
	.category = "memory",
	.title = "Less than 4 GiB of memory and neither swap nor zram",
	.reads = "/proc/meminfo",
	.reason = "When memory runs short the kernel can only drop the programs' own code and "
		  "read it again, so the machine stands still before it kills something.",
	.fix = "apt install zram-tools",
	.risk = "zram takes CPU time to compress; swap on an SD card wears it.",
	.references =
		(const char *const[]){"https://docs.kernel.org/admin-guide/blockdev/zram.html",
			"swapon(8)", NULL},
	.explain = "Fires below 4 GiB of MemTotal with a SwapTotal of 0; zram counts as swap "
		   "there. Kubernetes nodes are run without swap on purpose.",
	.look = look,
};
