// SPDX-License-Identifier: Apache-2.0
// Lines of the kernel's log, and what they mean.
#include "sources/kernel_line.h"

#include "base/buf.h"
#include "tests/check.h"

static const struct {
	const char *line, *expected; // "trouble process pid device fstype", "-" for what is absent
} rows[] = {
	{"Out of memory: Killed process 2150 (tail (x)) total-vm:1kB, anon-rss:2kB",
		"oom_kill tail (x) 2150 - -"},
	{"Memory cgroup out of memory: Killed process 77 (stress) total-vm:5kB",
		"oom_kill stress 77 - -"},
	{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=stress,pid=77", "nothing"},
	{"I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0", "io_error - 0 sda -"},
	{"blk_update_request: critical medium error, dev nvme0n1, sector 5",
		"io_error - 0 nvme0n1 -"},
	{"Buffer I/O error on dev sdb1, logical block 0, async page read", "io_error - 0 sdb1 -"},
	{"EXT4-fs error (device sda1): ext4_find_entry:1436: inode #2",
		"filesystem_error - 0 sda1 ext4"},
	{"EXT4-fs (sda1): Remounting filesystem read-only", "filesystem_error - 0 sda1 ext4"},
	{"EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
		"nothing"},
	{"XFS (dm-0): metadata I/O error in \"xfs_trans_read\" at daddr 0x2",
		"filesystem_error - 0 dm-0 xfs"},
	{"XFS (sdb1): Mounting V5 Filesystem", "nothing"},
	{"BTRFS error (device sdc): parent transid verify failed",
		"filesystem_error - 0 sdc btrfs"},
	{"BTRFS info (device sdc): forced readonly", "filesystem_error - 0 sdc btrfs"},
	{"BTRFS info (device sdc): disk space caching is enabled", "nothing"},
	{"a b[12][5678]: segfault at 0 ip 000 sp 000 error 4 in x[1+2]",
		"segfault a b[12] 5678 - -"},
	{"traps: prog[9] general protection fault ip:55 sp:7f error:0", "segfault prog 9 - -"},
	{"INFO: task kworker/0:1:123 blocked for more than 120 seconds.",
		"hung_task kworker/0:1 123 - -"},
	{"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [loop:44]", "lockup loop 0 - -"},
	{"mce: [Hardware Error]: Machine check events logged", "machine_check - 0 - -"},
	{"CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)",
		"thermal - 0 CPU3 -"},
	{"mce: CPU0: Package temperature above threshold, cpu clock throttled",
		"thermal - 0 CPU0 -"},
	{"thermal thermal_zone0: critical temperature reached, shutting down", "thermal - 0 - -"},
	{"e1000e 0000:00:19.0 eno1: NIC Link is Down", "link_down - 0 eno1 -"},
	{"r8169 0000:03:00.0 enp3s0: Link is Down", "link_down - 0 enp3s0 -"},
	{"usb 1-2: over-current condition", "usb_overcurrent - 0 1-2 -"},
	{"usb usb1-port3: over-current change #4", "usb_overcurrent - 0 usb1-port3 -"},
	{"usb 1-2: new high-speed USB device number 4 using xhci_hcd", "nothing"},
	{"", "nothing"},
	{"Out of memory: Kill", "oom_kill - 0 - -"},
	{"[]: segfault at ", "nothing"},
	{"INFO: task  blocked for more than ", "nothing"},
};

static void describe(struct str line, struct buf *out) {
	struct kernel_finding finding;
	kernel_line_judge(line, &finding);
	if (finding.trouble == KERNEL_NOTHING) {
		buf_append_text(out, "nothing");
		return;
	}
	const struct str texts[] = {finding.process, finding.device, finding.fstype};
	buf_appendf(out, "%s %" STR_FMT " %lld", kernel_trouble_names[finding.trouble],
		STR_ARG(texts[0].len ? texts[0] : STR("-")), (long long)finding.pid);
	for (size_t i = 1; i < 3; i++) {
		struct str text = texts[i].len ? texts[i] : STR("-");
		buf_appendf(out, " %" STR_FMT, STR_ARG(text));
	}
}

TEST(known_lines_are_recognised_with_whom_they_are_about) {
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text = BUF_INIT;
		describe(str_from(rows[i].line), &text);
		CHECK_TEXT(buf_text(&text), rows[i].expected);
		buf_finish(&text);
	}
}

TEST(a_record_has_level_facility_and_sequence_before_its_text) {
	struct kernel_record record;
	CHECK(kernel_record_parse(STR("30,339,5140900,-,caller=T1;hello; you\n K=v\n"), &record));
	CHECK_INT(record.level, 6);
	CHECK_INT(record.facility, 3);
	CHECK_INT(record.sequence, 339);
	CHECK_STR(record.line, "hello; you");
	CHECK(kernel_record_parse(STR("4,1,2,-;"), &record));
	CHECK_INT(record.facility, 0);
	CHECK_STR(record.line, "");
}

TEST(what_is_no_record_is_refused) {
	static const char *const texts[] = {
		"", ";", "x,1,2,-;a", "6;a", "6,x;a", "6,1,2,-", " K=v", "-1,1;a"};
	struct kernel_record record;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		CHECK(!kernel_record_parse(str_from(texts[i]), &record));
	}
}

int main(void) {
	return TESTS(RUN(known_lines_are_recognised_with_whom_they_are_about),
		RUN(a_record_has_level_facility_and_sequence_before_its_text),
		RUN(what_is_no_record_is_refused));
}
