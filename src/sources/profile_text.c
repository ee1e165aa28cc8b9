// SPDX-License-Identifier: Apache-2.0
// The small texts a profile is read from: pure, and tolerant of what other kernels write.
#include "sources/profile.h"

bool profile_assignment(struct str text, const char *name, struct str *out) {
	struct str rest = text, line, wanted = str_from(name);
	while (str_split(&rest, '\n', &line)) {
		line = str_trim(line);
		if (!str_starts(line, wanted) || line.len <= wanted.len ||
			line.at[wanted.len] != '=') {
			continue;
		}
		struct str value = str_skip(line, wanted.len + 1);
		bool is_quoted = value.len >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
			value.at[value.len - 1] == value.at[0];
		*out = is_quoted ? str_range(value.at + 1, value.len - 2) : value;
		return true;
	}
	return false;
}

bool profile_cpuinfo_field(struct str text, const char *name, struct str *out) {
	struct str rest = text, line;
	while (str_split(&rest, '\n', &line)) {
		ptrdiff_t colon = str_find_char(line, ':');
		if (colon > 0 && str_is(str_trim(str_head(line, (size_t)colon)), name)) {
			*out = str_trim(str_skip(line, (size_t)colon + 1));
			return out->len > 0;
		}
	}
	return false;
}

struct str profile_chosen(struct str text) {
	ptrdiff_t open = str_find_char(text, '['), close = str_find_char(text, ']');
	if (open >= 0 && close > open) {
		return str_range(text.at + open + 1, (size_t)(close - open - 1));
	}
	struct str rest = text, word, second;
	bool is_one = str_word(&rest, &word) && !str_word(&rest, &second);
	return is_one ? word : (struct str){NULL, 0};
}

int64_t profile_size(struct str text) {
	int64_t number;
	int shift = 0;
	if (text.len && text.at[text.len - 1] == 'K') {
		shift = 10;
	} else if (text.len && text.at[text.len - 1] == 'M') {
		shift = 20;
	}
	struct str digits = str_head(text, text.len - (shift ? 1 : 0));
	bool is_size = str_to_int64(digits, &number) && number >= 0 && number <= INT64_MAX >> 20;
	return is_size ? number << shift : -1;
}

// --- SMBIOS (DSP0134 3.6, 6.1.2 and 7.18) ---

#define MEMORY_DEVICE 17
#define END_OF_TABLE 127

static unsigned byte_at(struct str bytes, size_t i) {
	return i < bytes.len ? (unsigned char)bytes.at[i] : 0;
}

static unsigned word_at(struct str bytes, size_t i) {
	return byte_at(bytes, i) | byte_at(bytes, i + 1) << 8;
}

// The n-th text behind a structure, from 1; without the blanks that vendors pad with.
static struct str text_of(struct str texts, unsigned n) {
	struct str rest = texts, text = {NULL, 0};
	for (unsigned i = 0; i < n; i++) {
		if (!str_split(&rest, '\0', &text)) {
			return (struct str){NULL, 0};
		}
	}
	text = str_trim(text);
	bool says_nothing = str_is(text, "Not Specified") || str_is(text, "Unknown") ||
		str_is(text, "NO DIMM");
	return says_nothing ? (struct str){NULL, 0} : text;
}

static const char *type_of(unsigned code) {
	switch (code) {
	case 0x13:
		return "DDR2";
	case 0x18:
		return "DDR3";
	case 0x1a:
		return "DDR4";
	case 0x1b:
		return "LPDDR";
	case 0x1c:
		return "LPDDR2";
	case 0x1d:
		return "LPDDR3";
	case 0x1e:
		return "LPDDR4";
	case 0x20:
		return "HBM";
	case 0x21:
		return "HBM2";
	case 0x22:
		return "DDR5";
	case 0x23:
		return "LPDDR5";
	default:
		return NULL;
	}
}

// In KiB when the top bit is set, in MiB otherwise; 0x7fff: in the extended field; 0xffff: not known.
static int64_t size_of(struct str entry) {
	unsigned size = word_at(entry, 0x0c);
	if (size == 0xffff) {
		return 0;
	}
	if (size == 0x7fff) {
		uint32_t extended = word_at(entry, 0x1c) | (uint32_t)word_at(entry, 0x1e) << 16;
		return (int64_t)(extended & 0x7fffffff) << 20;
	}
	return (int64_t)(size & 0x7fff) << (size & 0x8000 ? 10 : 20);
}

void profile_modules_parse(struct str table, memory_module_fn *on_module, void *arg) {
	while (table.len >= 4) {
		size_t len = byte_at(table, 1);
		unsigned type = byte_at(table, 0);
		if (len < 4 || len > table.len || type == END_OF_TABLE) {
			return;
		}
		struct str entry = str_head(table, len), rest = str_skip(table, len);
		ptrdiff_t end = str_find(rest, str_range("\0\0", 2));
		if (end < 0) {
			return;
		}
		struct str texts = str_head(rest, (size_t)end + 1);
		const struct memory_module module = {.slot = text_of(texts, byte_at(entry, 0x10)),
			.manufacturer = text_of(texts, byte_at(entry, 0x17)),
			.part = text_of(texts, byte_at(entry, 0x1a)),
			.type = type_of(byte_at(entry, 0x12)),
			.size_bytes = size_of(entry),
			.speed_mts = word_at(entry, 0x15) == 0xffff ? 0 : word_at(entry, 0x15)};
		if (type == MEMORY_DEVICE && module.size_bytes > 0) {
			on_module(arg, &module);
		}
		table = str_skip(rest, (size_t)end + 2);
	}
}

// --- pci.ids, usb.ids ---

// "8086  Intel Corporation" begins a vendor; "\t1237  440FX" one of its devices.
static bool is_entry(struct str line, struct str id, struct str *out_name) {
	if (!str_starts(line, id) || line.len < id.len + 2 || line.at[id.len] != ' ') {
		return false;
	}
	*out_name = str_trim(str_skip(line, id.len));
	return true;
}

void profile_ids_find(struct str ids, struct str vendor, struct str device, struct str *out_vendor,
	struct str *out_device) {
	struct str rest = ids, line;
	bool is_in_vendor = false;
	*out_vendor = *out_device = (struct str){NULL, 0};
	while (str_split(&rest, '\n', &line)) {
		if (!line.len || line.at[0] == '#') {
			continue;
		}
		if (line.at[0] != '\t') {
			if (is_in_vendor) {
				return;
			}
			is_in_vendor = is_entry(line, vendor, out_vendor);
		} else if (is_in_vendor && is_entry(str_skip(line, 1), device, out_device)) {
			return;
		}
	}
}
