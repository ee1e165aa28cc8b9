// SPDX-License-Identifier: Apache-2.0
// The parts of the source `profile`, private to its files: what this machine is made of. Each part reads
// files below a root and writes one member of the profile; what is not readable is left out, and a
// note says so where somebody would look for it. They run in a job; nothing is kept between.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/json.h"
#include "io/root.h"

#define PROFILE_NOTES_MAX 64

struct profile {
	struct root root;
	struct json_writer *out;
	char *notes[PROFILE_NOTES_MAX]; // in the root's arena
	size_t note_count;
	struct str pci_ids, usb_ids; // the text of the files, read when first needed
	bool has_looked_for_ids;
};

// The whole profile as one JSON object. Blocks.
void profile_write(struct root *root, int64_t now_wall_ns, struct json_writer *out);

_printf_(2, 3) void profile_note(struct profile *profile, const char *format, ...);
// "what: why it cannot be read", from the root's last error.
void profile_note_unread(struct profile *profile, const char *what);
// The member, when the file is there and not empty. True: it was.
_printf_(3, 4) bool profile_member(
	struct profile *profile, const char *key, const char *format, ...);

// Each writes its members: keys and values.
void profile_system(struct profile *profile);
void profile_board(struct profile *profile);
void profile_virtualisation(struct profile *profile);
void profile_cpu(struct profile *profile);
void profile_memory(struct profile *profile);
void profile_storage(struct profile *profile);
void profile_network(struct profile *profile);
void profile_gpus(struct profile *profile);
void profile_usb(struct profile *profile);
void profile_batteries(struct profile *profile);

// --- pure ---
// The value of NAME=value or NAME="value" in a text like os-release(5); false when it is not there.
bool profile_assignment(struct str text, const char *name, struct str *out);
// The value after "name\t: " in /proc/cpuinfo, of the first processor that has it.
bool profile_cpuinfo_field(struct str text, const char *name, struct str *out);
// "none [mq-deadline] kyber": mq-deadline; without brackets the only word; empty when there is none.
struct str profile_chosen(struct str text);
// "32K", "8192K", "16M" in bytes; -1 when it is none of these.
int64_t profile_size(struct str text);

// One memory module of the SMBIOS table (DSP0134, type 17).
struct memory_module {
	struct str slot, manufacturer, part; // borrowed
	const char *type;		     // "DDR4"; NULL: not said
	int64_t size_bytes;
	int64_t speed_mts; // 0: not said
};
typedef void memory_module_fn(void *arg, const struct memory_module *module);
// Every module that is there; the serial numbers are not looked at. Stops where the table is broken.
void profile_modules_parse(struct str table, memory_module_fn *on_module, void *arg);

// The names of a vendor and a device ("0x8086" without the 0x: four small hexadecimal digits) in a text
// like pci.ids; either may stay empty.
void profile_ids_find(struct str ids, struct str vendor, struct str device, struct str *out_vendor,
	struct str *out_device);
void profile_write_ids(struct profile *profile, bool is_usb, struct str vendor, struct str device);
