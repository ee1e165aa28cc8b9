// SPDX-License-Identifier: Apache-2.0
// What /proc and the cgroups say of processes and containers: whatever the bytes, parsing ends,
// what is kept is within its bounds, what is shown is clean text, and no part of a secret that was
// masked is in it.
#include <assert.h>

#include "sources/containers.h"
#include "sources/processes.h"
#include "sources/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_clean(const struct buf *text) {
	struct buf again = BUF_INIT;
	bool is_clean = clean_text(&again, buf_str(text));
	assert(is_clean);
	buf_finish(&again);
}

static void check_process(struct str text) {
	struct process_stat stat;
	struct process_status status;
	uint64_t read = 0, written = 0;
	if (process_stat_parse(text, &stat)) {
		assert(stat.pid > 0 && stat.parent >= 0 && stat.state);
		assert(memchr(stat.name, '\0', sizeof(stat.name)));
	}
	(void)process_io_parse(text, &read, &written);
	(void)process_status_parse(text, &status);
}

static void check_machine(struct str text) {
	struct machine machine;
	machine_init(&machine);
	machine_parse_stat(&machine, text);
	machine_parse_memory(&machine, text);
	machine_parse_load(&machine, text);
	assert(machine.load1 >= 0 || machine.load1 == UNKNOWN);
	assert(machine_first_number(text) >= UNKNOWN);
	assert(machine_parse_pressure(text) >= UNKNOWN);
}

static void check_command(struct str text) {
	struct buf out = BUF_INIT;
	process_command_format(&out, text, true);
	assert(out.len <= COMMAND_MAX);
	check_clean(&out);
	buf_clear(&out);
	process_command_format(&out, text, false);
	assert(out.len <= COMMAND_MAX && str_find_char(buf_str(&out), ' ') < 0);
	buf_finish(&out);
	// An option that names a secret hides the whole of the next argument.
	struct buf argv = BUF_INIT, with = BUF_INIT, without = BUF_INIT;
	buf_append(&argv, "x\0--token\0", 10);
	size_t option_len = argv.len;
	buf_append_str(&argv, text);
	ptrdiff_t end = str_find_char(text, '\0');
	process_command_format(&with, buf_str(&argv), true);
	if (end < 0 && text.len) {
		assert(str_is(buf_str(&with), "x --token ***"));
	}
	argv.len = option_len;
	process_command_format(&without, buf_str(&argv), true);
	assert(str_is(buf_str(&without), "x --token"));
	buf_finish(&argv);
	buf_finish(&with);
	buf_finish(&without);
}

static void check_cgroup(struct str text) {
	static const char *const files[] = {"cpu.stat", "cpuacct.usage", "memory.current",
		"memory.usage_in_bytes", "memory.max", "memory.limit_in_bytes", "memory.stat",
		"memory.events", "memory.oom_control", "pids.current"};
	struct buf unit = BUF_INIT, container = BUF_INIT;
	struct container_counters counters = {0};
	struct container_id id;
	size_t len = 0;
	process_place_parse(text, &unit, &container);
	check_clean(&unit);
	check_clean(&container);
	assert(unit.len <= 3 * 2 * 256 && container.len <= 3 * sizeof(id.id) + sizeof(id.runtime));
	if (container_id_find(text, &id, &len)) {
		assert(len > 0 && len <= text.len && id.id[0] && id.runtime[0]);
		assert(memchr(id.id, '\0', sizeof(id.id)));
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		counters_parse(&counters, files[i], text);
	}
	buf_finish(&unit);
	buf_finish(&container);
}

static void check_names(struct str text) {
	struct buf name = BUF_INIT;
	(void)docker_name_parse(text, &name);
	check_clean(&name);
	buf_clear(&name);
	(void)podman_name_parse(text, str_head(text, 4), &name);
	check_clean(&name);
	buf_clear(&name);
	(void)kubernetes_name_parse(text, str_head(text, 4), &name);
	check_clean(&name);
	buf_finish(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct str text = str_range((const char *)bytes, n);
	check_process(text);
	check_machine(text);
	check_command(text);
	check_cgroup(text);
	check_names(text);
	return 0;
}
