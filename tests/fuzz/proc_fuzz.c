// SPDX-License-Identifier: Apache-2.0
// Texts of /proc: whatever they say, parsing ends, what is kept is within its bounds, and what is
// shown is well-formed. Every text goes through every parser, twice, as a second tick would.
#include <assert.h>

#include "formats/exposition.h"
#include "sources/host_filesystem.h"
#include "sources/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_exposition(const struct buf *out) {
	struct str rest = buf_str(out), line;
	while (out->len && str_split(&rest, '\n', &line)) {
		assert(!line.len || str_starts(line, STR("# ")) || str_starts(line, STR("node_")));
	}
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
	static struct host_memory memory;
	struct str text = str_range((const char *)bytes, n);
	struct host_cpu cpu = {0};
	struct host_load load = {0};
	struct host_network network = {0};
	struct space space;
	struct buf out = BUF_INIT;
	struct exposition exposition;
	for (int i = 0; i < 2; i++) {
		const struct str ignored[] = {STR("lo*")};
		host_cpu_parse(&cpu, i ? str_skip(text, n / 3) : text);
		host_load_parse(&load, text);
		host_memory_parse(&memory, text);
		host_network_parse(&network, text, ignored, 1);
	}
	for (size_t i = 1; i < cpu.n; i++) {
		assert(cpu.cpus[i - 1].number < cpu.cpus[i].number);
	}
	assert(memory.n <= MEMORY_FIELDS && network.n <= NETWORK_DEVICES);
	exposition_init(&exposition, &out);
	host_cpu_collect(&cpu, &exposition);
	host_load_collect(&load, &exposition);
	host_memory_collect(&memory, &exposition);
	host_network_collect(&network, &exposition);
	check_exposition(&out);
	if (space_parse(text, &space)) {
		assert(space_used_percent(&space) <= 100);
	}
	check_mounts(text);
	buf_clear(&out);
	bool is_clean = clean_text(&out, text);
	assert(str_is_utf8(buf_str(&out)) && (!is_clean || str_equal(buf_str(&out), text)));
	buf_finish(&out);
	host_cpu_finish(&cpu);
	host_network_finish(&network);
	return 0;
}
