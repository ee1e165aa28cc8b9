// SPDX-License-Identifier: Apache-2.0
// Texts of /proc and /sys: whatever they say, parsing ends, what is kept is within its bounds, and
// what is shown is well-formed. All files of a machine are one text, and every collector takes two
// turns at it; mounts and texts go through their own functions.
#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_filesystem.h"
#include "sources/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const paths[] = {"/proc/stat", "/proc/loadavg", "/proc/meminfo", "/proc/vmstat",
	"/proc/diskstats", "/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory",
	"/proc/net/dev", "/proc/net/netstat", "/proc/net/snmp", "/proc/net/snmp6",
	"/proc/net/sockstat", "/proc/net/sockstat6", "/proc/net/softnet_stat",
	"/proc/net/stat/nf_conntrack", "/proc/sys/net/netfilter/nf_conntrack_count",
	"/proc/sys/net/netfilter/nf_conntrack_max", "/proc/sys/fs/file-nr",
	"/proc/sys/kernel/random/entropy_avail", "/proc/sys/kernel/random/poolsize",
	"/proc/sys/kernel/hostname", "/proc/sys/kernel/ostype", "/proc/sys/kernel/version",
	"/sys/devices/system/cpu/online", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
	"/sys/devices/system/cpu/cpu0/topology/physical_package_id",
	"/sys/devices/system/cpu/cpu0/topology/core_id",
	"/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
	"/sys/class/hwmon/hwmon0/name", "/sys/class/hwmon/hwmon0/temp1_input",
	"/sys/class/hwmon/hwmon0/temp1_crit", "/sys/class/hwmon/hwmon0/temp1_label",
	"/sys/class/hwmon/hwmon0/fan1_input", "/sys/class/hwmon/hwmon0/power1_average",
	"/sys/class/hwmon/hwmon1/name", "/sys/class/hwmon/hwmon1/in0_input",
	"/sys/class/thermal/thermal_zone0/type", "/sys/class/thermal/thermal_zone0/temp",
	"/sys/class/thermal/cooling_device0/type", "/sys/class/thermal/cooling_device0/cur_state",
	"/sys/class/power_supply/BAT0/type", "/sys/class/power_supply/BAT0/charge_now",
	"/sys/class/power_supply/BAT0/charge_full", "/sys/class/power_supply/BAT0/status",
	"/sys/class/net/eth0/operstate", "/sys/class/net/eth0/flags", "/sys/class/net/eth0/speed",
	"/sys/class/net/eth0/ifalias", "/etc/os-release", "/timex"};

static char folder[64];

// Links, then the folders they stood in, as far up as they are empty.
static void remove_machine(void) {
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", folder, paths[i]);
		(void)unlink(path);
		for (char *at; (at = strrchr(path, '/')) > path + strlen(folder);) {
			*at = '\0';
			(void)rmdir(path);
		}
	}
	_cleanup_(freep) char *input = xasprintf("%s/input", folder);
	(void)unlink(input);
	(void)rmdir(folder);
}

// A machine whose files are all links to one, made once.
static int open_machine(void) {
	snprintf(folder, sizeof(folder), "/tmp/anna-fuzz-XXXXXX");
	char *made = mkdtemp(folder);
	assert(made);
	(void)atexit(remove_machine);
	_cleanup_(freep) char *input = xasprintf("%s/input", folder);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", folder, paths[i]);
		for (char *at = path + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
			*at = '\0';
			(void)mkdir(path, 0700);
			*at = '/';
		}
		int failed = symlink(input, path);
		assert(!failed);
	}
	int fd = open(input, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert(fd >= 0);
	return fd;
}

static void write_input(int fd, const uint8_t *bytes, size_t n) {
	ssize_t written = pwrite(fd, bytes, n, 0);
	int failed = ftruncate(fd, (off_t)n);
	assert(written == (ssize_t)n && !failed);
}

static void check_exposition(const struct buf *out) {
	struct str rest = buf_str(out), line;
	assert(str_is_utf8(rest));
	while (out->len && str_split(&rest, '\n', &line)) {
		assert(!line.len || str_starts(line, STR("# ")) || str_starts(line, STR("node_")));
	}
}

static void on_figure(void *arg, const struct figure *figure) {
	assert(!isnan(figure->value) && strchr(figure->name, '.'));
	assert(str_is_utf8(str_from(figure->label)));
	++*(size_t *)arg;
}

static void check_collector(const struct host_collector *what) {
	static const struct host_config config = {.interval_ns = 1};
	static struct host_turn turn = {
		.sysroot = folder, .config = &config, .now_ns = 1000, .avoided = ""};
	void *self = xcalloc(1, what->size);
	size_t figures = 0;
	for (int i = 0; i < 2; i++) {
		struct buf out = BUF_INIT;
		struct exposition exposition;
		turn.now_ns += 1000000000;
		turn.memory = turn.memory ? turn.memory : arena_create();
		arena_clear(turn.memory);
		what->gather(self, &turn);
		exposition_init(&exposition, &out);
		what->collect(self, &exposition);
		check_exposition(&out);
		if (what->figures) {
			what->figures(self, on_figure, &figures);
		}
		buf_finish(&out);
	}
	if (what->finish) {
		what->finish(self);
	}
	free(self);
}

static void on_gone(void *arg, struct filesystem *filesystem) {
	assert(filesystem->point[0] == '/');
	++*(size_t *)arg;
}

static void check_mounts(struct str text) {
	struct filesystems set;
	const struct str globs[] = {STR("*proc*"), STR("/a*")};
	const struct mount_filter filter = {globs, globs, 2, 2};
	size_t gone = 0;
	filesystems_init(&set);
	filesystems_update(&set, text, &filter, on_gone, &gone);
	uint64_t version = set.version;
	filesystems_update(&set, text, &filter, on_gone, &gone);
	assert(gone == 0 && set.version == version); // the same table changes nothing
	filesystems_update(&set, str_head(text, text.len / 2), &filter, on_gone, &gone);
	filesystems_finish(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	static int fd = -1;
	struct str text = str_range((const char *)bytes, n);
	struct space space;
	struct buf out = BUF_INIT;
	if (fd < 0) {
		fd = open_machine();
	}
	write_input(fd, bytes, n);
	for (size_t i = 0; i < host_collector_count; i++) {
		if (host_collectors[i]->place != COLLECTOR_RESIDENT) {
			check_collector(host_collectors[i]);
		}
	}
	if (space_parse(text, &space)) {
		assert(space_used_percent(&space) <= 100);
		assert(!(space_inodes_used_percent(&space) > 100));
	}
	check_mounts(text);
	bool is_clean = clean_text(&out, text);
	assert(str_is_utf8(buf_str(&out)) && (!is_clean || str_equal(buf_str(&out), text)));
	buf_finish(&out);
	return 0;
}
