// SPDX-License-Identifier: Apache-2.0
// /proc/meminfo on recorded texts.
#include "sources/host.h"
#include "tests/check.h"

TEST(memory_fields_get_node_exporters_names) {
	struct host_memory memory = {0};
	host_memory_parse(&memory,
		STR("MemTotal:       3742148 kB\nActive(anon):    2068 kB\nHugePages_Free:        "
		    "7\n"
		    "Odd name: 1 kB\nBad: x kB\nDirectMap1G: 18446744073709551615 kB\nnonsense\n"));
	CHECK_INT(memory.n, 3);
	CHECK_TEXT(memory.fields[0].name, "MemTotal_bytes");
	CHECK_INT(memory.fields[0].value, INT64_C(3742148) * 1024);
	CHECK_TEXT(memory.fields[1].name, "Active_anon_bytes");
	CHECK_TEXT(memory.fields[2].name, "HugePages_Free");
	CHECK_INT(memory.fields[2].value, 7);
}

int main(void) {
	return TESTS(RUN(memory_fields_get_node_exporters_names));
}
