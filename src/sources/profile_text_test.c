// SPDX-License-Identifier: Apache-2.0
// The texts a profile is read from.
#include "base/alloc.h"
#include "sources/profile.h"
#include "tests/check.h"

TEST(an_assignment_is_read_with_and_without_quotes) {
	struct str text = STR(
		"# x\nNAMES=no\nNAME=\"A B\"\nID=debian\nONE='x'\nHALF=\"y\nEMPTY=\n");
	struct str value;
	CHECK(profile_assignment(text, "NAME", &value));
	CHECK_STR(value, "A B");
	CHECK(profile_assignment(text, "ID", &value));
	CHECK_STR(value, "debian");
	CHECK(profile_assignment(text, "ONE", &value));
	CHECK_STR(value, "x");
	CHECK(profile_assignment(text, "HALF", &value));
	CHECK_STR(value, "\"y");
	CHECK(profile_assignment(text, "EMPTY", &value));
	CHECK_STR(value, "");
	CHECK(!profile_assignment(text, "AME", &value));
}

TEST(a_field_of_cpuinfo_is_that_of_the_first_processor) {
	struct str text = STR(
		"processor\t: 0\nmodel name\t: A: B\n\nprocessor\t: 1\nmodel name\t: C\n");
	struct str value;
	CHECK(profile_cpuinfo_field(text, "model name", &value));
	CHECK_STR(value, "A: B");
	CHECK(!profile_cpuinfo_field(text, "model", &value));
}

TEST(the_scheduler_is_the_one_in_brackets) {
	CHECK_STR(profile_chosen(STR("none [mq-deadline] kyber")), "mq-deadline");
	CHECK_STR(profile_chosen(STR("none")), "none");
	CHECK_STR(profile_chosen(STR("none kyber")), "");
	CHECK_STR(profile_chosen(STR("]x[")), "]x[");
	CHECK_STR(profile_chosen(STR("")), "");
}

TEST(sizes_of_caches_are_in_bytes) {
	CHECK_INT(profile_size(STR("48K")), 48 << 10);
	CHECK_INT(profile_size(STR("16M")), 16 << 20);
	CHECK_INT(profile_size(STR("512")), 512);
	CHECK_INT(profile_size(STR("K")), -1);
	CHECK_INT(profile_size(STR("")), -1);
	CHECK_INT(profile_size(STR("99999999999999M")), -1);
}

struct seen {
	size_t n;
	struct memory_module last;
};

static void on_module(void *arg, const struct memory_module *module) {
	struct seen *seen = arg;
	seen->n++;
	seen->last = *module;
}

// A type 17 structure of 0x1b bytes: size in the word at 0x0c, texts 1 (slot) and 2 (manufacturer).
static size_t module_put(char *to, unsigned size_mib, const char *texts, size_t texts_len) {
	memset(to, 0, 0x1b);
	to[0] = 17;
	to[1] = 0x1b;
	to[0x0c] = (char)size_mib;
	to[0x0d] = (char)(size_mib >> 8);
	to[0x10] = 1;
	to[0x12] = 0x22;
	to[0x15] = (char)(4800 & 0xff);
	to[0x16] = (char)(4800 >> 8);
	to[0x17] = 2;
	memcpy(to + 0x1b, texts, texts_len);
	return 0x1b + texts_len;
}

TEST(memory_modules_are_read_and_empty_slots_are_not) {
	char table[256];
	struct seen seen = {0};
	size_t n = module_put(table, 8192, "A1\0Micron \0", 12);
	n += module_put(table + n, 0, "A2\0NO DIMM\0", 12);
	profile_modules_parse(str_range(table, n), on_module, &seen);
	CHECK_INT(seen.n, 1);
	CHECK_STR(seen.last.slot, "A1");
	CHECK_STR(seen.last.manufacturer, "Micron");
	CHECK_STR(seen.last.part, "");
	CHECK_TEXT(seen.last.type, "DDR5");
	CHECK_INT(seen.last.size_bytes, INT64_C(8) << 30);
	CHECK_INT(seen.last.speed_mts, 4800);
}

TEST(a_table_cut_anywhere_is_read_as_far_as_it_goes) {
	char table[256];
	size_t n = module_put(table, 1024, "A1\0Micron\0", 11);
	n += module_put(table + n, 2048, "A2\0Micron\0", 11);
	for (size_t len = 0; len <= n; len++) {
		struct seen seen = {0};
		_cleanup_(freep) char *exact = xmalloc(
			len ? len : 1); // so that ASan sees an overrun
		memcpy(exact, table, len);
		profile_modules_parse(str_range(exact, len), on_module, &seen);
		CHECK(seen.n <= 2);
		CHECK(len < n || seen.n == 2);
	}
}

TEST(names_of_ids_are_those_of_the_vendor) {
	struct str ids = STR(
		"# c\n10de  NVIDIA\n\t1234  Wrong\n8086  Intel\n\t1234  Right\n\t\t1234 1  Sub\n"
		"\t9999  Other\nffff  End\n");
	struct str vendor, device;
	profile_ids_find(ids, STR("8086"), STR("1234"), &vendor, &device);
	CHECK_STR(vendor, "Intel");
	CHECK_STR(device, "Right");
	profile_ids_find(ids, STR("10de"), STR("9999"), &vendor, &device);
	CHECK_STR(vendor, "NVIDIA");
	CHECK_STR(device, "");
	profile_ids_find(ids, STR("0000"), STR("9999"), &vendor, &device);
	CHECK_STR(vendor, "");
	CHECK_STR(device, "");
}

int main(void) {
	return TESTS(RUN(an_assignment_is_read_with_and_without_quotes),
		RUN(a_field_of_cpuinfo_is_that_of_the_first_processor),
		RUN(the_scheduler_is_the_one_in_brackets), RUN(sizes_of_caches_are_in_bytes),
		RUN(memory_modules_are_read_and_empty_slots_are_not),
		RUN(a_table_cut_anywhere_is_read_as_far_as_it_goes),
		RUN(names_of_ids_are_those_of_the_vendor));
}
