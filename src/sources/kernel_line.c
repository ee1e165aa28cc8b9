// SPDX-License-Identifier: Apache-2.0
// Recognising lines of the kernel's log; see kernel_line.h.
#include "sources/kernel_line.h"

const char *const kernel_trouble_names[KERNEL_TROUBLES] = {"oom_kill", "io_error",
	"filesystem_error", "segfault", "hung_task", "lockup", "machine_check", "thermal",
	"link_down", "usb_overcurrent"};

// A name of a process or device: no more than this is one.
#define NAME_MAX_BYTES 64

static bool has(struct str line, const char *text) {
	return str_find(line, str_from(text)) >= 0;
}

// What stands behind `text`, up to one of the bytes of `ends`; empty when text is not there.
static struct str behind(struct str line, const char *text, const char *ends) {
	ptrdiff_t at = str_find(line, str_from(text));
	if (at < 0) {
		return (struct str){NULL, 0};
	}
	struct str rest = str_skip(line, (size_t)at + strlen(text));
	size_t n = 0;
	while (n < rest.len && n < NAME_MAX_BYTES && !strchr(ends, rest.at[n])) {
		n++;
	}
	return str_head(rest, n);
}

static struct str first_word(struct str line, const char *ends) {
	return behind(line, "", ends);
}

static int64_t number(struct str text) {
	int64_t value;
	return str_to_int64(text, &value) ? value : 0;
}

// "Out of memory: Killed process 1234 (name) total-vm:…", "Memory cgroup out of memory: Killed …"
static bool judge_oom(struct str line, struct kernel_finding *out) {
	if (!has(line, "ut of memory") || !has(line, "Kill")) {
		return false;
	}
	out->pid = number(behind(line, " process ", " ,"));
	// The name may hold ')': it ends before the figures.
	ptrdiff_t from = str_find_char(line, '('), to = str_find(line, STR(") total-vm"));
	out->process = from < 0 ? STR("")
		: to > from ? str_head(str_skip(line, (size_t)from + 1), (size_t)(to - from - 1))
			    : behind(line, "(", ")");
	return true;
}

// "I/O error, dev sda, sector 2048 op 0x0", "Buffer I/O error on dev sda1, logical block 1",
// "critical medium error, dev nvme0n1, sector …"
static bool judge_io(struct str line, struct kernel_finding *out) {
	static const char *const words[] = {"I/O error", "critical medium error",
		"critical target error", "critical space allocation error", "protection error"};
	bool is_it = false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		is_it = is_it || has(line, words[i]);
	}
	out->device = behind(line, "dev ", " ,:");
	return is_it && out->device.len;
}

// "EXT4-fs error (device sda1): …", "XFS (sdb1): … error/Corruption/shut down",
// "BTRFS error (device sdc state E): …", "BTRFS: error (device sdc: state A) …"
static bool judge_filesystem(struct str line, struct kernel_finding *out) {
	static const char *const types[][2] = {{"EXT4-fs", "ext4"}, {"EXT3-fs", "ext3"},
		{"EXT2-fs", "ext2"}, {"XFS", "xfs"}, {"BTRFS", "btrfs"}, {"F2FS-fs", "f2fs"},
		{"JBD2", "ext4"}, {"FAT-fs", "vfat"}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!str_starts(line, str_from(types[i][0]))) {
			continue;
		}
		bool is_error = (has(line, " error") || has(line, " Error")) &&
			!has(line, "mounted filesystem"); // whose options say errors=…
		bool is_bad = is_error || has(line, "orruption") || has(line, "orrupt ") ||
			has(line, "critical (") || has(line, "emounting filesystem read-only") ||
			has(line, "hutting down") || has(line, "hut down") ||
			has(line, "forced readonly");
		out->fstype = str_from(types[i][1]);
		out->device = behind(line, "device ", " ):,");
		out->device = out->device.len ? out->device : behind(line, "(", "):, ");
		return is_bad;
	}
	return false;
}

// "name[123]: segfault at 0 ip …", "traps: name[123] general protection fault ip:…"
static bool judge_segfault(struct str line, struct kernel_finding *out) {
	bool is_trap = str_starts(line, STR("traps: "));
	struct str rest = is_trap ? str_skip(line, 7) : line;
	ptrdiff_t at = str_find(rest, is_trap ? STR("] ") : STR("]: segfault at "));
	if (at < 0 || (is_trap && !has(rest, " ip:"))) {
		return false;
	}
	struct str who = str_head(rest, (size_t)at);
	ptrdiff_t bracket = -1;
	for (size_t i = 0; i < who.len; i++) {
		bracket = who.at[i] == '[' ? (ptrdiff_t)i : bracket;
	}
	if (bracket <= 0) {
		return false;
	}
	out->process = str_head(who, (size_t)bracket);
	out->pid = number(str_skip(who, (size_t)bracket + 1));
	return true;
}

// "INFO: task name:123 blocked for more than 120 seconds."
static bool judge_hung(struct str line, struct kernel_finding *out) {
	ptrdiff_t end = str_find(line, STR(" blocked for more than "));
	if (!str_starts(line, STR("INFO: task ")) || end < 0) {
		return false;
	}
	struct str who = str_skip(str_head(line, (size_t)end), strlen("INFO: task "));
	for (size_t i = who.len; i > 0; i--) {
		if (who.at[i - 1] == ':') {
			out->process = str_head(who, i - 1);
			out->pid = number(str_skip(who, i));
			return true;
		}
	}
	return false;
}

// "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [name:123]", "rcu: INFO: rcu_sched detected …"
static bool judge_lockup(struct str line, struct kernel_finding *out) {
	if (!has(line, " lockup - CPU") && !has(line, "hard LOCKUP on cpu") &&
		!(has(line, "rcu") && has(line, "detected stalls"))) {
		return false;
	}
	out->process = behind(line, "! [", ":]");
	return true;
}

static bool judge_machine_check(struct str line, struct kernel_finding *out) {
	(void)out;
	return has(line, "[Hardware Error]:") || has(line, "Machine check events logged") ||
		(str_starts(line, STR("EDAC ")) && (has(line, " CE ") || has(line, " UE ")));
}

// "CPU3: Core temperature above threshold, cpu clock throttled", "critical temperature reached"
static bool judge_thermal(struct str line, struct kernel_finding *out) {
	bool is_throttled = has(line, "temperature above threshold");
	out->device = is_throttled ? first_word(line, ":") : STR("");
	if (str_starts(line, STR("mce: "))) {
		out->device = behind(line, "mce: ", ":");
	}
	return is_throttled || has(line, "critical temperature reached");
}

// "e1000e 0000:00:19.0 eth0: NIC Link is Down", "r8169 … enp3s0: Link is Down"
static bool judge_link(struct str line, struct kernel_finding *out) {
	ptrdiff_t at = str_find(line, STR("Link is Down"));
	at = at < 0 ? str_find(line, STR("link down")) : at;
	at = at < 0 ? str_find(line, STR("link is down")) : at;
	if (at < 0) {
		return false;
	}
	struct str rest = str_head(line, (size_t)at), word;
	while (str_word(&rest, &word)) { // the last word that ends in a colon
		if (str_ends(word, STR(":")) && word.len > 1) {
			out->device = str_head(word, word.len - 1);
		}
	}
	return true;
}

// "usb 1-2: over-current condition", "usb usb1-port3: over-current change #4"
static bool judge_overcurrent(struct str line, struct kernel_finding *out) {
	if (!has(line, "over-current") && !has(line, "overcurrent")) {
		return false;
	}
	out->device = behind(line, "usb ", " :");
	return out->device.len || has(line, "hub ");
}

void kernel_line_judge(struct str line, struct kernel_finding *out) {
	static bool (*const judges[KERNEL_TROUBLES])(struct str, struct kernel_finding *) = {
		[KERNEL_OOM_KILL] = judge_oom,
		[KERNEL_IO_ERROR] = judge_io,
		[KERNEL_FILESYSTEM_ERROR] = judge_filesystem,
		[KERNEL_SEGFAULT] = judge_segfault,
		[KERNEL_HUNG_TASK] = judge_hung,
		[KERNEL_LOCKUP] = judge_lockup,
		[KERNEL_MACHINE_CHECK] = judge_machine_check,
		[KERNEL_THERMAL] = judge_thermal,
		[KERNEL_LINK_DOWN] = judge_link,
		[KERNEL_USB_OVERCURRENT] = judge_overcurrent,
	};
	for (size_t i = 0; i < KERNEL_TROUBLES; i++) {
		*out = (struct kernel_finding){.trouble = (enum kernel_trouble)i};
		if (judges[i](line, out)) {
			return;
		}
	}
	*out = (struct kernel_finding){.trouble = KERNEL_NOTHING};
}

// "6,1234,98765432,-;text\n KEY=value\n…": level and facility, sequence, µs, flags.
bool kernel_record_parse(struct str bytes, struct kernel_record *out) {
	struct str head, rest = bytes, field;
	uint64_t priority, sequence;
	if (!str_split(&rest, ';', &head) || !rest.at || !str_split(&head, ',', &field) ||
		!str_to_uint64(field, &priority) || !str_split(&head, ',', &field) ||
		!str_to_uint64(field, &sequence)) {
		return false;
	}
	(void)str_split(&rest, '\n', &out->line);
	out->level = (int)(priority & 7);
	out->facility = (int)(priority >> 3 & 0xff);
	out->sequence = sequence;
	return true;
}
