// SPDX-License-Identifier: Apache-2.0
// The built-in thresholds. The rule for what is on: a person who is woken by it has something to
// do now, and a healthy machine under full load never raises it. What a machine is bought for
// (busy CPUs, busy disks, memory used by caches) is not a fault and stays off, ready to be switched on.
#include "sources/threshold_presets.h"

const char threshold_presets[] =
	// 95 % of what cannot be reclaimed, five minutes long: the next large allocation meets
	// the OOM killer. Builds and backups that peak for a minute do not count.
	"[[thresholds]]\nname = \"memory\"\nfigure = \"memory.used_percent\"\nabove = 95\n"
	"hysteresis = 3\nfor = \"5m\"\n"
	// "full": nobody gets anything done. 10 % of two minutes is thrashing, not a peak.
	"[[thresholds]]\nname = \"memory-stalls\"\nfigure = \"pressure.memory_full_percent\"\n"
	"above = 10\nhysteresis = 5\nfor = \"2m\"\nseverity = \"critical\"\n"
	// Waiting for disks is normal in backups; half of ten minutes with nobody running is not.
	"[[thresholds]]\nname = \"io-stalls\"\nfigure = \"pressure.io_full_percent\"\nabove = 50\n"
	"hysteresis = 10\nfor = \"10m\"\n"
	// A kill has happened: there is nothing to wait for. It clears after a minute without one.
	"[[thresholds]]\nname = \"oom-kills\"\nfigure = \"oom.kills_per_minute\"\nabove = 0\n"
	"severity = \"critical\"\n"
	// Space has its own event, host.filesystem. Inodes run out unseen and slowly, so 90 % is
	// early enough and one minute leaves out a look in the middle of an unpacking.
	"[[thresholds]]\nname = \"inodes\"\nfigure = \"filesystem.inodes_used_percent\"\nabove = "
	"90\n"
	"hysteresis = 2\nfor = \"1m\"\n"
	// A file system that the kernel has remounted read-only after an error. Left out: what is
	// mounted so on purpose.
	"[[thresholds]]\nname = \"readonly\"\nfigure = \"filesystem.readonly\"\nabove = 0\n"
	"for = \"1m\"\nseverity = \"critical\"\nlabels = [\"!/boot*\", \"!/efi*\", \"!/usr*\", "
	"\"!/nix/store*\", \"!/snap/*\", \"!/media/*\", \"!/mnt*\", \"!/cdrom*\", \"!/run/*\", "
	"\"!/proc/*\", \"!/sys/*\", \"!/dev/*\", \"!/etc/*\"]\n"
	// Of the sensor's own critical mark, where it tells one. CPUs throttle at it by design for
	// seconds; a minute of it is a fan.
	"[[thresholds]]\nname = \"temperature\"\nfigure = \"temperature.of_critical_percent\"\n"
	"above = 95\nhysteresis = 5\nfor = \"1m\"\nseverity = \"critical\"\n"
	// A minute leaves out a unit that systemd is about to restart.
	"[[thresholds]]\nname = \"failed-units\"\nfigure = \"units.failed\"\nabove = 0\nfor = "
	"\"1m\"\n"
	// An hour leaves out boot, a resumed laptop and a time server that is away for a while.
	"[[thresholds]]\nname = \"clock\"\nfigure = \"clock.is_synchronised\"\nbelow = 1\nfor = "
	"\"1h\"\n"
	// Tables of fixed size: when they are full, new connections, files or processes fail
	// everywhere at once.
	"[[thresholds]]\nname = \"conntrack\"\nfigure = \"conntrack.used_percent\"\nabove = 90\n"
	"hysteresis = 5\nfor = \"1m\"\nseverity = \"critical\"\n"
	"[[thresholds]]\nname = \"open-files\"\nfigure = \"files.used_percent\"\nabove = 90\n"
	"hysteresis = 5\nfor = \"1m\"\nseverity = \"critical\"\n"
	"[[thresholds]]\nname = \"processes\"\nfigure = \"processes.of_limit_percent\"\nabove = "
	"90\n"
	"hysteresis = 5\nfor = \"1m\"\nseverity = \"critical\"\n"
	// The machine will switch off; machines without a battery have no such figure.
	"[[thresholds]]\nname = \"battery\"\nfigure = \"battery.percent\"\nbelow = 5\nhysteresis = "
	"5\n"
	"for = \"1m\"\n"
	// --- off: work that is being done, or limits that only the owner knows ---
	"[[thresholds]]\nname = \"cpu\"\nfigure = \"cpu.used_percent\"\nabove = 95\nhysteresis = "
	"10\n"
	"for = \"15m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"load\"\nfigure = \"load.per_cpu\"\nabove = 4\nhysteresis = 1\n"
	"for = \"15m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"swap\"\nfigure = \"swap.used_percent\"\nabove = 90\nhysteresis = "
	"10\n"
	"for = \"15m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"disk-busy\"\nfigure = \"disk.busy_percent\"\nabove = 95\n"
	"hysteresis = 10\nfor = \"15m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"disk-latency\"\nfigure = \"disk.latency_ms\"\nabove = 500\n"
	"hysteresis = 250\nfor = \"5m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"network-errors\"\nfigure = \"network.errors_per_second\"\nabove "
	"= 1\n"
	"hysteresis = 0.5\nfor = \"5m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"blocked\"\nfigure = \"processes.blocked\"\nabove = 20\n"
	"hysteresis = 10\nfor = \"5m\"\nenabled = false\n"
	"[[thresholds]]\nname = \"clock-offset\"\nfigure = \"clock.offset_ms\"\nabove = 500\n"
	"hysteresis = 100\nfor = \"10m\"\nenabled = false\n";
