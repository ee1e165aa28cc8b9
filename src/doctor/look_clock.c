// SPDX-License-Identifier: Apache-2.0
// The clocks, and whether the kernel holds the wall clock to be synchronised (adjtimex(2)).
#include <sys/timex.h>

#include "doctor/look.h"

static void gather(const struct places *places, struct look_report *out) {
	struct timex state = {0}; // modes 0: reads only
	int said = adjtimex(&state);
	struct clock *clock = clock_system();
	(void)places;
	json_member_int(&out->w, "wall_ns", clock_wall(clock));
	json_member_int(&out->w, "boot_ns", clock_boot(clock));
	json_member_int(&out->w, "monotonic_ns", clock_monotonic(clock));
	if (said >= 0) {
		json_member_bool(&out->w, "is_synchronised",
			said != TIME_ERROR && !(state.status & STA_UNSYNC));
		json_member_int(&out->w, "max_error_us", state.maxerror);
	}
}

DEFINE_LOOK(clock) = {.name = "clock", .gather = gather};
