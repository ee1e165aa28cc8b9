// SPDX-License-Identifier: Apache-2.0
// What is mounted, how full it is and which disk is below (proc_pid_mountinfo(5), sysfs).
#include <sys/statvfs.h>

#include "advice/survey_facts.h"

// Octal escapes of the kernel: \040 is a blank.
static struct str decode(struct arena *arena, struct str text) {
	char *to = arena_copy(arena, text);
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.at + i;
		bool is_escape = *at == '\\' && i + 3 < text.len && at[1] >= '0' && at[1] <= '3' &&
			at[2] >= '0' && at[2] <= '7' && at[3] >= '0' && at[3] <= '7';
		to[n++] = is_escape
			? (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'))
			: *at;
		i += is_escape ? 3 : 0;
	}
	return str_range(to, n);
}

// "36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/sda1 rw,errors=continue"
static bool read_line(struct arena *arena, struct str line, struct survey_mount *out) {
	struct str fields[6], word, rest = line, super;
	for (size_t i = 0; i < 6; i++) {
		if (!str_word(&rest, &fields[i])) {
			return false;
		}
	}
	do {
		if (!str_word(&rest, &word)) {
			return false;
		}
	} while (!str_is(word, "-"));
	if (!str_word(&rest, &out->type) || !str_word(&rest, &word) || !str_word(&rest, &super)) {
		return false;
	}
	out->point = decode(arena, fields[4]);
	out->device = decode(arena, word);
	out->options = str_from(
		arena_printf(arena, "%" STR_FMT ",%" STR_FMT, STR_ARG(fields[5]), STR_ARG(super)));
	return true;
}

static void read_mounts(struct survey *survey) {
	struct survey_facts *facts = survey->facts;
	struct arena *arena = survey->root.arena;
	struct str text, line;
	facts->has_mounts = true;
	facts->mounts = arena_array(arena, SURVEY_MOUNTS_MAX, sizeof(*facts->mounts));
	// The first process sees the machine's mounts; a sandbox has some of its own.
	if (!root_read(&survey->root, &text, "/proc/1/mountinfo") &&
		!root_read(&survey->root, &text, "/proc/self/mountinfo")) {
		return;
	}
	while (str_split(&text, '\n', &line) && facts->mount_count < SURVEY_MOUNTS_MAX) {
		facts->mount_count += read_line(arena, line, &facts->mounts[facts->mount_count]);
	}
}

size_t survey_mounts(struct survey *survey, const struct survey_mount **out) {
	if (!survey->facts->has_mounts) {
		read_mounts(survey);
	}
	*out = survey->facts->mounts;
	return survey->facts->mount_count;
}

// The last one mounted there is what is seen.
const struct survey_mount *survey_mount_at(struct survey *survey, const char *point) {
	const struct survey_mount *mounts, *found = NULL;
	size_t n = survey_mounts(survey, &mounts);
	for (size_t i = 0; i < n; i++) {
		found = str_is(mounts[i].point, point) ? &mounts[i] : found;
	}
	return found;
}

static bool is_local(const struct survey_mount *mount) {
	static const char *const types[] = {
		"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "jfs", "bcachefs", "tmpfs"};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (str_is(mount->type, types[i])) {
			return true;
		}
	}
	return false;
}

// A recorded tree has a file `statfs`: a mount point and stat -f's %S %b %f %a %c %d in a line.
static bool recorded_space(
	struct survey *survey, const struct survey_mount *mount, uint64_t numbers[6]) {
	struct str text, line, word;
	if (!root_read(&survey->root, &text, "/statfs")) {
		return false;
	}
	while (str_split(&text, '\n', &line)) {
		if (!str_word(&line, &word) || !str_equal(word, mount->point)) {
			continue;
		}
		size_t n = 0;
		while (n < 6 && str_word(&line, &word) && str_to_uint64(word, &numbers[n])) {
			n++;
		}
		return n == 6;
	}
	return false;
}

bool survey_space(
	struct survey *survey, const struct survey_mount *mount, struct survey_space *out) {
	uint64_t numbers[6];
	struct statvfs stat;
	if (!is_local(mount)) {
		return false;
	}
	if (survey->root.sysroot[0]) {
		if (!recorded_space(survey, mount, numbers)) {
			return false;
		}
	} else if (statvfs(arena_copy(survey->root.arena, mount->point), &stat) == 0) {
		const uint64_t live[6] = {stat.f_frsize ? stat.f_frsize : stat.f_bsize,
			stat.f_blocks, stat.f_bfree, stat.f_bavail, stat.f_files, stat.f_ffree};
		memcpy(numbers, live, sizeof(numbers));
	} else {
		return false;
	}
	if (numbers[2] > numbers[1]) {
		return false;
	}
	*out = (struct survey_space){.size_bytes = numbers[0] * numbers[1],
		.used_bytes = numbers[0] * (numbers[1] - numbers[2]),
		.avail_bytes = numbers[0] * numbers[3],
		.files = numbers[4],
		.files_free = numbers[5]};
	return true;
}

static bool is_disk(const struct root *root, struct str name, struct str *out) {
	if (!root_has(root, "/sys/block/%" STR_FMT, STR_ARG(name))) {
		return false;
	}
	*out = name;
	return true;
}

// A mapped device stands on those in its folder `slaves`; on one disk alone the answer is clear.
static bool below(struct survey *survey, struct str disk, unsigned depth, struct str *out) {
	struct root *root = &survey->root;
	char **names;
	size_t n = root_list(root, &names, "/sys/block/%" STR_FMT "/slaves", STR_ARG(disk));
	if (!n) {
		*out = disk;
		return true;
	}
	struct str lower;
	char *device = arena_printf(root->arena, "/dev/%s", names[0]);
	return n == 1 && depth < 4 && survey_disk_of(survey, str_from(device), &lower) &&
		below(survey, lower, depth + 1, out);
}

static bool find_mapped(struct survey *survey, struct str name, struct str *out) {
	struct root *root = &survey->root;
	char **disks;
	size_t n = root_list(root, &disks, "/sys/block");
	for (size_t i = 0; i < n; i++) {
		struct str mapped;
		if (root_read(root, &mapped, "/sys/block/%s/dm/name", disks[i]) &&
			str_equal(mapped, name)) {
			*out = str_from(disks[i]);
			return true;
		}
	}
	return false;
}

bool survey_disk_of(struct survey *survey, struct str device, struct str *out_disk) {
	struct root *root = &survey->root;
	struct str disk;
	char **disks;
	if (!str_starts(device, STR("/dev/"))) {
		return false;
	}
	struct str name = str_skip(device, strlen("/dev/"));
	if (str_starts(name, STR("mapper/"))) {
		return find_mapped(survey, str_skip(name, strlen("mapper/")), &disk) &&
			below(survey, disk, 0, out_disk);
	}
	if (str_find_char(name, '/') >= 0) {
		return false;
	}
	if (is_disk(root, name, &disk)) {
		return below(survey, disk, 0, out_disk);
	}
	size_t n = root_list(root, &disks, "/sys/block");
	for (size_t i = 0; i < n; i++) {
		if (root_has(root, "/sys/block/%s/%" STR_FMT, disks[i], STR_ARG(name))) {
			*out_disk = str_from(disks[i]);
			return true;
		}
	}
	return false;
}

bool survey_is_rotational(struct survey *survey, struct str disk, bool *out) {
	int64_t value;
	if (!root_read_number(&survey->root, &value, "/sys/block/%" STR_FMT "/queue/rotational",
		    STR_ARG(disk))) {
		return false;
	}
	*out = value != 0;
	return true;
}
