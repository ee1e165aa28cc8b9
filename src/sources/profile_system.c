// SPDX-License-Identifier: Apache-2.0
// The system of a profile: its release, kernel, board and firmware, and what it runs on or in.
#include <sys/utsname.h>

#include "sources/profile.h"

static void write_os(struct profile *profile) {
	struct str text, value;
	if (!root_read(&profile->root, &text, "/etc/os-release") &&
		!root_read(&profile->root, &text, "/usr/lib/os-release")) {
		profile_note_unread(profile, "the release of the system");
		return;
	}
	static const char *const names[][2] = {{"PRETTY_NAME", "name"}, {"ID", "id"},
		{"VERSION_ID", "version"}, {"VERSION_CODENAME", "codename"}};
	json_key(profile->out, "os");
	json_begin_object(profile->out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (profile_assignment(text, names[i][0], &value) && value.len) {
			json_member_str(profile->out, names[i][1], value);
		}
	}
	json_end_object(profile->out);
}

static void write_kernel(struct profile *profile) {
	struct utsname name;
	struct str architecture;
	(void)profile_member(profile, "kernel", "/proc/sys/kernel/osrelease");
	if (root_read(&profile->root, &architecture, "/proc/sys/kernel/arch")) { // since 6.1
		json_member_str(profile->out, "architecture", architecture);
	} else if (!profile->root.sysroot[0] && uname(&name) == 0) {
		json_member_text(profile->out, "architecture", name.machine);
	}
}

static void write_time_zone(struct profile *profile) {
	struct root *root = &profile->root;
	struct str name;
	char target[512];
	if (root_read(root, &name, "/etc/timezone") && name.len) {
		json_member_str(profile->out, "time_zone", name);
		return;
	}
	ssize_t n = readlink(root_path(root, "/etc/localtime"), target, sizeof(target));
	struct str path = str_range(target, n > 0 ? (size_t)n : 0);
	ptrdiff_t at = str_find(path, STR("zoneinfo/"));
	if (at >= 0) {
		json_member_str(profile->out, "time_zone",
			str_skip(path, (size_t)at + strlen("zoneinfo/")));
	} else {
		profile_note(profile,
			"the time zone: /etc/timezone and the link /etc/localtime "
			"say nothing");
	}
}

static void write_security(struct profile *profile) {
	struct str text, module;
	if (!root_read(&profile->root, &text, "/sys/kernel/security/lsm")) {
		profile_note_unread(profile, "the security modules");
		return;
	}
	json_key(profile->out, "security_modules");
	json_begin_array(profile->out);
	while (str_split(&text, ',', &module)) {
		if (module.len) {
			json_str(profile->out, module);
		}
	}
	json_end_array(profile->out);
}

void profile_system(struct profile *profile) {
	struct root *root = &profile->root;
	json_key(profile->out, "system");
	json_begin_object(profile->out);
	(void)profile_member(profile, "hostname", "/proc/sys/kernel/hostname");
	write_os(profile);
	write_kernel(profile);
	if (!profile_member(profile, "init", "/proc/1/comm")) {
		profile_note_unread(profile, "the init system");
	}
	json_member_text(profile->out, "boot_mode",
		root_has(root, "/sys/firmware/efi")			  ? "efi"
			: root_has(root, "/sys/firmware/devicetree/base") ? "device tree"
									  : "bios or none");
	if (root_has(root, "/sys/fs/cgroup/cgroup.controllers")) {
		json_member_int(profile->out, "cgroup_version", 2);
	} else if (root_has(root, "/sys/fs/cgroup/memory") ||
		root_has(root, "/sys/fs/cgroup/cpu")) {
		json_member_int(profile->out, "cgroup_version", 1);
	} else {
		profile_note(profile, "control groups: nothing known at /sys/fs/cgroup");
	}
	write_time_zone(profile);
	write_security(profile);
	json_end_object(profile->out);
}

// Serial numbers and UUIDs stay where they are: a profile is pasted into reports.
void profile_board(struct profile *profile) {
	static const char *const members[][2] = {{"vendor", "sys_vendor"},
		{"product", "product_name"}, {"product_version", "product_version"},
		{"board_vendor", "board_vendor"}, {"board", "board_name"},
		{"bios_vendor", "bios_vendor"}, {"bios_version", "bios_version"},
		{"bios_date", "bios_date"}};
	bool is_any = root_has(&profile->root, "/sys/class/dmi/id");
	if (!is_any && !root_has(&profile->root, "/proc/device-tree/model")) {
		profile_note(profile, "board and firmware: there is no /sys/class/dmi/id");
		return;
	}
	json_key(profile->out, "board");
	json_begin_object(profile->out);
	for (size_t i = 0; is_any && i < sizeof(members) / sizeof(members[0]); i++) {
		(void)profile_member(profile, members[i][0], "/sys/class/dmi/id/%s", members[i][1]);
	}
	struct str model;
	if (!is_any && root_read(&profile->root, &model, "/proc/device-tree/model")) {
		struct str text;
		(void)str_split(&model, '\0', &text);
		json_member_str(profile->out, "product", text);
	}
	json_end_object(profile->out);
}

static void write_found(
	struct profile *profile, const char *kind, struct str name, const char *known_by) {
	json_key(profile->out, "virtualisation");
	json_begin_object(profile->out);
	json_member_text(profile->out, "kind", kind);
	if (name.len) {
		json_member_str(profile->out, "name", name);
	}
	json_member_text(profile->out, "known_by", known_by);
	json_end_object(profile->out);
}

static bool write_container(struct profile *profile) {
	static const char *const words[] = {"docker", "kubepods", "libpod", "lxc", "machine.slice"};
	struct root *root = &profile->root;
	struct str text;
	if (root_read(root, &text, "/run/systemd/container") && text.len) {
		write_found(profile, "container", text, "/run/systemd/container");
		return true;
	}
	if (root_has(root, "/.dockerenv")) {
		write_found(profile, "container", STR("docker"), "/.dockerenv");
		return true;
	}
	if (root_has(root, "/run/.containerenv")) {
		write_found(profile, "container", STR("podman"), "/run/.containerenv");
		return true;
	}
	for (size_t i = 0; root_read(root, &text, "/proc/1/cgroup") && i < 5; i++) {
		if (str_find(text, str_from(words[i])) >= 0) {
			write_found(profile, "container", str_from(words[i]), "/proc/1/cgroup");
			return true;
		}
	}
	return false;
}

static bool write_machine(struct profile *profile) {
	static const struct {
		const char *file, *begins, *name;
	} signs[] = {{"sys_vendor", "QEMU", "qemu"}, {"product_name", "KVM", "kvm"},
		{"product_name", "VMware", "vmware"}, {"product_name", "VirtualBox", "virtualbox"},
		{"product_name", "Virtual Machine", "hyper-v"}, {"sys_vendor", "Xen", "xen"},
		{"sys_vendor", "Amazon EC2", "amazon ec2"},
		{"product_name", "Google Compute Engine", "google compute engine"},
		{"sys_vendor", "Parallels", "parallels"}, {"sys_vendor", "OpenStack", "openstack"},
		{"bios_vendor", "Bochs", "bochs"}, {"product_name", "BHYVE", "bhyve"}};
	struct root *root = &profile->root;
	struct str text;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (root_read(root, &text, "/sys/class/dmi/id/%s", signs[i].file) &&
			str_starts(text, str_from(signs[i].begins))) {
			write_found(profile, "vm", str_from(signs[i].name),
				arena_printf(root->arena, "/sys/class/dmi/id/%s", signs[i].file));
			return true;
		}
	}
	if (root_read(root, &text, "/sys/hypervisor/type") && text.len) {
		write_found(profile, "vm", text, "/sys/hypervisor/type");
		return true;
	}
	struct str flags;
	if (root_read(root, &text, "/proc/cpuinfo") &&
		profile_cpuinfo_field(text, "flags", &flags)) {
		struct str flag;
		while (str_word(&flags, &flag)) {
			if (str_is(flag, "hypervisor")) {
				write_found(profile, "vm", (struct str){NULL, 0},
					"the flag hypervisor in /proc/cpuinfo");
				return true;
			}
		}
	}
	return false;
}

void profile_virtualisation(struct profile *profile) {
	if (!write_container(profile) && !write_machine(profile)) {
		write_found(profile, "none", (struct str){NULL, 0},
			"no sign of one in /run, /proc/1/cgroup, DMI and the CPU's flags");
	}
}
