// SPDX-License-Identifier: Apache-2.0
// Names of disks; see host_disk_name.h.
#include "sources/host_disk_name.h"

#include "sources/host_config.h"

static size_t count_digits(struct str text) {
	size_t n = 0;
	while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9') {
		n++;
	}
	return n;
}

static bool is_number(struct str text) {
	return text.len && count_digits(text) == text.len;
}

// "sda1": a letter and a number behind the driver's prefix.
static bool is_partition(struct str name, struct str prefix) {
	return str_starts(name, prefix) && name.len > prefix.len && name.at[prefix.len] >= 'a' &&
		name.at[prefix.len] <= 'z' && is_number(str_skip(name, prefix.len + 1));
}

// "nvme0n1p2"
static bool is_nvme_partition(struct str name) {
	const char *const parts[] = {"nvme", "n", "p"};
	for (size_t i = 0; i < 3; i++) {
		struct str part = str_from(parts[i]);
		size_t digits;
		if (!str_starts(name, part)) {
			return false;
		}
		name = str_skip(name, part.len);
		digits = count_digits(name);
		if (!digits) {
			return false;
		}
		name = str_skip(name, digits);
	}
	return name.len == 0;
}

static bool is_left_out(struct str name) {
	const char *const numbered[] = {"ram", "loop", "fd"};
	const char *const lettered[] = {"hd", "sd", "vd", "xvd"};
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		struct str prefix = str_from(numbered[i]);
		if (str_starts(name, prefix) && is_number(str_skip(name, prefix.len))) {
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(lettered) / sizeof(lettered[0]); i++) {
		if (is_partition(name, str_from(lettered[i]))) {
			return true;
		}
	}
	return is_nvme_partition(name);
}

bool is_disk_counted(const struct host_config *config, struct str name) {
	return (config->has_all_disks || !is_left_out(name)) &&
		!is_among(&config->ignored_disks, name);
}
