// SPDX-License-Identifier: Apache-2.0
// Pure parts of the file systems: the text of /proc/self/mountinfo (proc(5)), the numbers of
// statfs, and when a threshold is crossed.
#include "sources/host_filesystem.h"

#include <math.h>

#define TEXT_MAX 4096 // PATH_MAX; a longer field is no mount anyone can name

static bool is_octal(char c) {
	return c >= '0' && c <= '7';
}

// "\040" is a space: the kernel escapes blanks, newlines and backslashes.
static bool decode(struct str raw, char out[TEXT_MAX], struct str *out_text) {
	size_t n = 0;
	if (raw.len >= TEXT_MAX) {
		return false;
	}
	for (size_t i = 0; i < raw.len; i++) {
		bool is_escape = raw.at[i] == '\\' && raw.len - i >= 4 && is_octal(raw.at[i + 1]) &&
			is_octal(raw.at[i + 2]) && is_octal(raw.at[i + 3]);
		if (is_escape) {
			out[n] = (char)((raw.at[i + 1] - '0') << 6 | (raw.at[i + 2] - '0') << 3 |
				(raw.at[i + 3] - '0'));
			i += 3;
		} else {
			out[n] = raw.at[i];
		}
		if (!out[n++]) {
			return false; // no path holds a NUL
		}
	}
	out[n] = '\0';
	*out_text = str_range(out, n);
	return true;
}

static bool has_option(struct str options, const char *name) {
	struct str option;
	while (str_split(&options, ',', &option)) {
		if (str_is(option, name)) {
			return true;
		}
	}
	return false;
}

static bool parse_number(struct str text, uint64_t *out) {
	struct str major;
	uint64_t a, b;
	if (!str_split(&text, ':', &major) || !str_to_uint64(major, &a) ||
		!str_to_uint64(text, &b) || a > UINT32_MAX || b > UINT32_MAX) {
		return false;
	}
	*out = a << 32 | b;
	return true;
}

// The fields behind the lone "-": type, source and the options of the file system. The source may
// be empty, so fields are cut at single spaces.
static bool split_line(struct str line, struct str head[6], struct str tail[3]) {
	struct str field;
	for (size_t i = 0; i < 6; i++) {
		if (!str_split(&line, ' ', &head[i])) {
			return false;
		}
	}
	do {
		if (!str_split(&line, ' ', &field)) {
			return false;
		}
	} while (!str_is(field, "-"));
	return str_split(&line, ' ', &tail[0]) && str_split(&line, ' ', &tail[1]) &&
		str_split(&line, ' ', &tail[2]);
}

void mountinfo_parse(struct str text, mount_fn *on_mount, void *arg) {
	enum {
		NUMBER = 2,
		POINT = 4,
		OPTIONS = 5,
		TYPE = 0,
		SOURCE = 1,
		SUPER_OPTIONS = 2
	};
	char point[TEXT_MAX], device[TEXT_MAX], type[TEXT_MAX];
	struct str line, head[6], tail[3];
	while (str_split(&text, '\n', &line)) {
		struct mount_line mount;
		if (!split_line(line, head, tail) || !parse_number(head[NUMBER], &mount.number) ||
			!decode(head[POINT], point, &mount.point) ||
			!decode(tail[SOURCE], device, &mount.device) ||
			!decode(tail[TYPE], type, &mount.type) ||
			!str_starts(mount.point, STR("/"))) {
			continue;
		}
		mount.is_readonly = has_option(head[OPTIONS], "ro") ||
			has_option(tail[SUPER_OPTIONS], "ro") ||
			has_option(tail[SUPER_OPTIONS], "emergency_ro"); // ext4, Linux 6.15
		on_mount(arg, &mount);
	}
}

static uint64_t multiply(uint64_t a, uint64_t b) {
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

bool space_parse(struct str text, struct space *out) {
	uint64_t numbers[6];
	struct str word;
	for (size_t i = 0; i < 6; i++) {
		// Some FUSE file systems say -1 where they do not know.
		if (!str_word(&text, &word) || !str_to_uint64(word, &numbers[i])) {
			return false;
		}
	}
	if (str_word(&text, &word)) {
		return false;
	}
	*out = (struct space){.size_bytes = multiply(numbers[0], numbers[1]),
		.free_bytes = multiply(numbers[0], numbers[2]),
		.avail_bytes = multiply(numbers[0], numbers[3]),
		.files = numbers[4],
		.files_free = numbers[5]};
	return true;
}

double space_used_percent(const struct space *space) {
	if (space->free_bytes > space->size_bytes) {
		return -1;
	}
	double used = (double)(space->size_bytes - space->free_bytes);
	double total = used + (double)space->avail_bytes;
	return total > 0 ? 100 * used / total : -1;
}

double space_inodes_used_percent(const struct space *space) {
	if (space->files == 0 || space->files_free > space->files) {
		return NAN; // btrfs and others say 0
	}
	return 100 * (double)(space->files - space->files_free) / (double)space->files;
}

enum crossing threshold_judge(bool is_above, double value, double limit, double hysteresis) {
	if (!is_above && value >= limit) {
		return CROSSING_UP;
	}
	return is_above && value < limit - hysteresis ? CROSSING_DOWN : CROSSING_NONE;
}
