// SPDX-License-Identifier: Apache-2.0
// Devices of a profile: disks with what is mounted from them, network, graphics, USB and batteries, all
// from /sys. Serial numbers and hardware addresses are left out.
#include "sources/host_filesystem.h"
#include "sources/profile.h"

#define DEVICES_MAX 256 // of each sort: a machine with more is told by its first ones

// --- storage ---

struct disk_mounts {
	struct profile *profile;
	const char *disk;
	struct str mountinfo;
	char **parts; // the disk and its partitions
	size_t n;
};

static void on_mount(void *arg, const struct mount_line *line) {
	struct disk_mounts *mounts = arg;
	struct json_writer *out = mounts->profile->out;
	for (size_t i = 0; i < mounts->n; i++) {
		struct str device = line->device;
		if (!str_starts(device, STR("/dev/")) ||
			!str_is(str_skip(device, strlen("/dev/")), mounts->parts[i])) {
			continue;
		}
		json_begin_object(out);
		json_member_text(out, "device", mounts->parts[i]);
		json_member_str(out, "mount", line->point);
		json_member_str(out, "fstype", line->type);
		json_end_object(out);
		return;
	}
}

// dm-0 is mounted as /dev/mapper/NAME.
static void add_part(struct disk_mounts *mounts, const char *folder, const char *name) {
	struct str mapped;
	struct root *root = &mounts->profile->root;
	mounts->parts[mounts->n++] = arena_copy(root->arena, str_from(name));
	if (root_read(root, &mapped, "%s/dm/name", folder) && mapped.len) {
		mounts->parts[mounts->n++] = arena_printf(
			root->arena, "mapper/%" STR_FMT, STR_ARG(mapped));
	}
}

static void write_mounts(struct profile *profile, const char *disk, struct str mountinfo) {
	struct root *root = &profile->root;
	struct disk_mounts mounts = {.profile = profile, .disk = disk, .mountinfo = mountinfo};
	char **names;
	size_t n = root_list(root, &names, "/sys/block/%s", disk);
	mounts.parts = arena_array(root->arena, 2 * n + 2, sizeof(*mounts.parts));
	add_part(&mounts, arena_printf(root->arena, "/sys/block/%s", disk), disk);
	for (size_t i = 0; i < n; i++) {
		if (root_has(root, "/sys/block/%s/%s/partition", disk, names[i])) {
			add_part(&mounts, "", names[i]);
		}
	}
	json_key(profile->out, "mounts");
	json_begin_array(profile->out);
	mountinfo_parse(mountinfo, on_mount, &mounts);
	json_end_array(profile->out);
}

static void write_disk(
	struct profile *profile, const char *name, int64_t sectors, struct str mountinfo) {
	struct root *root = &profile->root;
	struct str scheduler;
	int64_t rotational;
	json_begin_object(profile->out);
	json_member_text(profile->out, "name", name);
	(void)profile_member(profile, "model", "/sys/block/%s/device/model", name);
	json_member_int(
		profile->out, "size_bytes", sectors * 512); // whatever the disk's own sectors
	if (root_read_number(root, &rotational, "/sys/block/%s/queue/rotational", name)) {
		json_member_bool(profile->out, "rotational", rotational != 0);
	}
	if (root_read(root, &scheduler, "/sys/block/%s/queue/scheduler", name) &&
		profile_chosen(scheduler).len) {
		json_member_str(profile->out, "scheduler", profile_chosen(scheduler));
	}
	write_mounts(profile, name, mountinfo);
	json_end_object(profile->out);
}

void profile_storage(struct profile *profile) {
	struct root *root = &profile->root;
	struct str mountinfo = {NULL, 0};
	char **names;
	size_t n = root_list(root, &names, "/sys/block");
	if (!n) {
		profile_note(profile, "disks: nothing in /sys/block");
	}
	// The first process sees the machine's mounts; a sandbox has some of its own.
	if (!root_read(root, &mountinfo, "/proc/1/mountinfo") &&
		!root_read(root, &mountinfo, "/proc/self/mountinfo")) {
		profile_note_unread(profile, "what is mounted");
	}
	json_key(profile->out, "storage");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n && i < DEVICES_MAX; i++) {
		int64_t sectors;
		// An empty loop or card reader holds nothing.
		if (!str_starts(str_from(names[i]), STR("ram")) &&
			root_read_number(root, &sectors, "/sys/block/%s/size", names[i]) &&
			sectors > 0) {
			write_disk(profile, names[i], sectors, mountinfo);
		}
	}
	json_end_array(profile->out);
}

// --- network ---

static void write_interface(struct profile *profile, const char *name) {
	struct root *root = &profile->root;
	struct str driver;
	int64_t speed;
	json_begin_object(profile->out);
	json_member_text(profile->out, "name", name);
	bool is_virtual = !root_has(root, "/sys/class/net/%s/device", name);
	json_member_text(profile->out, "kind",
		root_has(root, "/sys/class/net/%s/wireless", name)	   ? "wireless"
			: root_has(root, "/sys/class/net/%s/bridge", name) ? "bridge"
			: is_virtual					   ? "virtual"
									   : "ethernet");
	if (root_link(root, &driver, "/sys/class/net/%s/device/driver", name)) {
		json_member_str(profile->out, "driver", driver);
	}
	(void)profile_member(profile, "state", "/sys/class/net/%s/operstate", name);
	// Without a link the file cannot be read, or says -1.
	if (root_read_number(root, &speed, "/sys/class/net/%s/speed", name) && speed > 0) {
		json_member_int(profile->out, "speed_mbps", speed);
	}
	json_end_object(profile->out);
}

void profile_network(struct profile *profile) {
	char **names;
	size_t n = root_list(&profile->root, &names, "/sys/class/net");
	json_key(profile->out, "network");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n && i < DEVICES_MAX; i++) {
		if (strcmp(names[i], "lo") != 0 &&
			root_has(&profile->root, "/sys/class/net/%s/operstate", names[i])) {
			write_interface(profile, names[i]);
		}
	}
	json_end_array(profile->out);
	if (!n) {
		profile_note(profile, "network devices: nothing in /sys/class/net");
	}
}

// --- PCI and USB ---

// Display controllers are class 0x03 (PCI Code and ID Assignment Specification).
void profile_gpus(struct profile *profile) {
	struct root *root = &profile->root;
	char **slots;
	size_t n = root_list(root, &slots, "/sys/bus/pci/devices");
	json_key(profile->out, "gpus");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n; i++) {
		struct str class, vendor, device, driver;
		const char *slot = slots[i];
		if (!root_read(root, &class, "/sys/bus/pci/devices/%s/class", slot) ||
			!str_starts(class, STR("0x03")) ||
			!root_read(root, &vendor, "/sys/bus/pci/devices/%s/vendor", slot) ||
			!root_read(root, &device, "/sys/bus/pci/devices/%s/device", slot)) {
			continue;
		}
		json_begin_object(profile->out);
		json_member_text(profile->out, "slot", slot);
		profile_write_ids(profile, false, str_skip(vendor, 2), str_skip(device, 2));
		if (root_link(root, &driver, "/sys/bus/pci/devices/%s/driver", slot)) {
			json_member_str(profile->out, "driver", driver);
		}
		json_end_object(profile->out);
	}
	json_end_array(profile->out);
}

// Root hubs are the machine's own; the names a device tells of itself win over the table's.
void profile_usb(struct profile *profile) {
	struct root *root = &profile->root;
	char **names;
	size_t n = root_list(root, &names, "/sys/bus/usb/devices"), shown = 0;
	json_key(profile->out, "usb");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n && shown < DEVICES_MAX; i++) {
		struct str vendor, product;
		const char *name = names[i];
		if (!root_read(root, &vendor, "/sys/bus/usb/devices/%s/idVendor", name) ||
			!root_read(root, &product, "/sys/bus/usb/devices/%s/idProduct", name) ||
			str_is(vendor, "1d6b")) {
			continue;
		}
		json_begin_object(profile->out);
		json_member_text(profile->out, "port", name);
		profile_write_ids(profile, true, vendor, product);
		(void)profile_member(
			profile, "manufacturer", "/sys/bus/usb/devices/%s/manufacturer", name);
		(void)profile_member(profile, "product", "/sys/bus/usb/devices/%s/product", name);
		json_end_object(profile->out);
		shown++;
	}
	json_end_array(profile->out);
}

// --- power ---

// Of energy or of charge, whichever the battery counts.
static bool health_of(struct root *root, const char *name, double *out_percent) {
	static const char *const counted[] = {"energy", "charge"};
	for (size_t i = 0; i < 2; i++) {
		int64_t full, design;
		if (root_read_number(
			    root, &full, "/sys/class/power_supply/%s/%s_full", name, counted[i]) &&
			root_read_number(root, &design, "/sys/class/power_supply/%s/%s_full_design",
				name, counted[i]) &&
			full > 0 && design > 0) {
			*out_percent = (double)full * 100 / (double)design;
			return true;
		}
	}
	return false;
}

void profile_batteries(struct profile *profile) {
	struct root *root = &profile->root;
	char **names;
	size_t n = root_list(root, &names, "/sys/class/power_supply");
	json_key(profile->out, "batteries");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n; i++) {
		struct str type, scope;
		double percent;
		int64_t cycles;
		// The battery of a mouse has the scope Device.
		if (!root_read(root, &type, "/sys/class/power_supply/%s/type", names[i]) ||
			!str_is(type, "Battery") ||
			(root_read(root, &scope, "/sys/class/power_supply/%s/scope", names[i]) &&
				str_is(scope, "Device"))) {
			continue;
		}
		json_begin_object(profile->out);
		json_member_text(profile->out, "name", names[i]);
		(void)profile_member(
			profile, "model", "/sys/class/power_supply/%s/model_name", names[i]);
		(void)profile_member(
			profile, "technology", "/sys/class/power_supply/%s/technology", names[i]);
		if (health_of(root, names[i], &percent)) {
			json_member_double(profile->out, "health_percent",
				(double)(int64_t)(percent * 10 + 0.5) / 10);
		}
		if (root_read_number(
			    root, &cycles, "/sys/class/power_supply/%s/cycle_count", names[i]) &&
			cycles > 0) { // 0 is what batteries say that do not count
			json_member_int(profile->out, "cycles", cycles);
		}
		json_end_object(profile->out);
	}
	json_end_array(profile->out);
}
