// SPDX-License-Identifier: Apache-2.0
// The profile as a whole, and what its parts share: notes, members of short files, names of ids.
#include <errno.h>

#include "sources/profile.h"

#define IDS_MAX (8 * 1024 * 1024) // pci.ids is 1.4 MB

void profile_note(struct profile *profile, const char *format, ...) {
	struct buf text = BUF_INIT;
	va_list arguments;
	va_start(arguments, format);
	buf_vappendf(&text, format, arguments);
	va_end(arguments);
	if (profile->note_count < PROFILE_NOTES_MAX) {
		profile->notes[profile->note_count++] = arena_copy(
			profile->root.arena, buf_str(&text));
	}
	buf_finish(&text);
}

void profile_note_unread(struct profile *profile, const char *what) {
	profile_note(profile, "%s: %s", what, profile->root.err.message);
}

bool profile_member(struct profile *profile, const char *key, const char *format, ...) {
	struct buf path = BUF_INIT;
	va_list arguments;
	struct str text;
	va_start(arguments, format);
	buf_vappendf(&path, format, arguments);
	va_end(arguments);
	bool is_there = root_read(&profile->root, &text, "%s", buf_text(&path)) && text.len;
	if (is_there) {
		json_member_str(profile->out, key, text);
	}
	buf_finish(&path);
	return is_there;
}

static struct str read_ids(struct profile *profile, const char *name) {
	static const char *const folders[] = {"/usr/share/hwdata", "/usr/share/misc"};
	for (size_t i = 0; i < 2; i++) {
		struct str text;
		char *path = arena_printf(profile->root.arena, "%s/%s", folders[i], name);
		if (root_read_large(&profile->root, path, IDS_MAX, &text)) {
			return text;
		}
	}
	profile_note(profile, "names of %s devices: no %s in /usr/share/hwdata or /usr/share/misc",
		name[0] == 'p' ? "PCI" : "USB", name);
	return (struct str){NULL, 0};
}

void profile_write_ids(struct profile *profile, bool is_usb, struct str vendor, struct str device) {
	struct str vendor_name, device_name;
	if (!profile->has_looked_for_ids) {
		profile->has_looked_for_ids = true;
		profile->pci_ids = read_ids(profile, "pci.ids");
		profile->usb_ids = read_ids(profile, "usb.ids");
	}
	json_member_str(profile->out, "vendor_id", vendor);
	json_member_str(profile->out, "device_id", device);
	profile_ids_find(is_usb ? profile->usb_ids : profile->pci_ids, vendor, device, &vendor_name,
		&device_name);
	if (vendor_name.len) {
		json_member_str(profile->out, "vendor", vendor_name);
	}
	if (device_name.len) {
		json_member_str(profile->out, "device", device_name);
	}
}

void profile_write(struct root *root, int64_t now_wall_ns, struct json_writer *out) {
	struct profile profile = {.root = *root, .out = out};
	json_begin_object(out);
	json_member_time(out, "generated_at", now_wall_ns);
	profile_system(&profile);
	profile_board(&profile);
	profile_virtualisation(&profile);
	profile_cpu(&profile);
	profile_memory(&profile);
	profile_storage(&profile);
	profile_network(&profile);
	profile_gpus(&profile);
	profile_usb(&profile);
	profile_batteries(&profile);
	json_key(out, "notes");
	json_begin_array(out);
	for (size_t i = 0; i < profile.note_count; i++) {
		json_text(out, profile.notes[i]);
	}
	json_end_array(out);
	json_end_object(out);
}
