// SPDX-License-Identifier: Apache-2.0
// What systemd says of the unit: `systemctl show` (systemctl(1)), properties as it prints them.
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "doctor/look.h"

#define WITHIN_NS (1800 * NS_PER_MS)
#define PROPERTIES \
	"LoadState,ActiveState,SubState,Result,UnitFileState,MainPID,NRestarts,NeedDaemonReload," \
	"FragmentPath,DropInPaths,MemoryMax,MemoryCurrent,LimitNOFILE,TasksMax,WatchdogUSec," \
	"ExecMainStatus,ExecMainCode,StatusText,NoNewPrivileges,User,ControlGroup," \
	"StartLimitBurst," \
	"Type,Restart"

static void gather(const struct places *places, struct look_report *out) {
	const char *const argv[] = {
		"systemctl", "show", "--no-pager", "-p", PROPERTIES, "--", places->unit, NULL};
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat status;
	struct str rest, line, key;
	int ended = 0;
	// sd_booted(3): the folder is there exactly when systemd is the init of this machine.
	if (lstat("/run/systemd/system", &status) < 0) {
		look_report_missing(out, "systemd is not the init here");
	} else if (!look_run_program(argv, WITHIN_NS, &said, &ended, &err)) {
		look_report_missing(out, "%s", err.message);
	} else if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
		look_report_missing(out, "systemctl show %s failed", places->unit);
	} else {
		json_member_text(&out->w, "unit", places->unit);
		rest = buf_str(&said);
		while (str_split(&rest, '\n', &line)) {
			if (str_split(&line, '=', &key) && key.len > 0 && line.at) {
				int64_t number;
				json_key_str(&out->w, key);
				if (str_to_int64(line, &number)) {
					json_int(&out->w, number);
				} else {
					json_str(&out->w, line);
				}
			}
		}
	}
	buf_finish(&said);
}

DEFINE_LOOK(systemd) = {.name = "systemd", .gather = gather};
