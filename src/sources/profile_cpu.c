// SPDX-License-Identifier: Apache-2.0
// Processor and memory of a profile: the topology of /sys counts, /proc/cpuinfo names.
#include "base/alloc.h"
#include "sources/profile.h"

#define CPUS_MAX 4096

// What people decide by: virtualisation, cryptography, vectors, clocks, protections.
static const char *const shown_flags[] = {"vmx", "svm", "hypervisor", "aes", "sha_ni", "pclmulqdq",
	"rdrand", "sse4_2", "avx", "avx2", "avx512f", "amx_tile", "constant_tsc", "nonstop_tsc",
	"tsc_known_freq", "nx", "smep", "smap", "umip", "sgx", "sev", "sme", "asimd", "sve", "sha2",
	"crc32", "atomics"};

static void write_flags(struct profile *profile, struct str text) {
	struct str flags;
	if (!profile_cpuinfo_field(text, "flags", &flags) &&
		!profile_cpuinfo_field(text, "Features", &flags)) {
		profile_note(profile, "the CPU's flags: /proc/cpuinfo does not list them");
		return;
	}
	json_key(profile->out, "flags");
	json_begin_array(profile->out);
	for (size_t i = 0; i < sizeof(shown_flags) / sizeof(shown_flags[0]); i++) {
		struct str rest = flags, flag;
		while (str_word(&rest, &flag)) {
			if (str_is(flag, shown_flags[i])) {
				json_text(profile->out, shown_flags[i]);
				break;
			}
		}
	}
	json_end_array(profile->out);
}

struct topology {
	uint64_t pairs[CPUS_MAX]; // socket and core, of each thread
	size_t n;
};

static int compare_pairs(const void *a, const void *b) {
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

static void read_topology(struct profile *profile, struct topology *topology) {
	char **names;
	size_t n = root_list(&profile->root, &names, "/sys/devices/system/cpu");
	for (size_t i = 0; i < n && topology->n < CPUS_MAX; i++) {
		int64_t socket, core;
		if (str_glob(STR("cpu?*"), str_from(names[i])) &&
			root_read_number(&profile->root, &socket,
				"/sys/devices/system/cpu/%s/topology/physical_package_id",
				names[i]) &&
			root_read_number(&profile->root, &core,
				"/sys/devices/system/cpu/%s/topology/core_id", names[i])) {
			topology->pairs[topology->n++] = (uint64_t)socket << 32 | (uint32_t)core;
		}
	}
}

static void write_topology(struct profile *profile) {
	struct topology *topology = xcalloc(1, sizeof(*topology));
	read_topology(profile, topology);
	size_t cores = 0, sockets = 0;
	qsort(topology->pairs, topology->n, sizeof(topology->pairs[0]), compare_pairs);
	for (size_t i = 0; i < topology->n; i++) {
		const uint64_t *pair = &topology->pairs[i];
		cores += i == 0 || pair[0] != pair[-1];
		sockets += i == 0 || pair[0] >> 32 != pair[-1] >> 32;
	}
	if (topology->n) {
		json_member_uint(profile->out, "sockets", sockets);
		json_member_uint(profile->out, "cores", cores);
		json_member_uint(profile->out, "threads", topology->n);
	} else {
		profile_note(profile,
			"sockets and cores: nothing in /sys/devices/system/cpu/cpu*/topology");
	}
	free(topology);
}

static void write_caches(struct profile *profile) {
	static const char folder[] = "/sys/devices/system/cpu/cpu0/cache";
	struct root *root = &profile->root;
	char **names;
	size_t n = root_list(root, &names, "%s", folder);
	json_key(profile->out, "caches");
	json_begin_array(profile->out);
	for (size_t i = 0; i < n; i++) {
		struct str size, type;
		int64_t level;
		if (!root_read(root, &size, "%s/%s/size", folder, names[i]) ||
			!root_read_number(root, &level, "%s/%s/level", folder, names[i]) ||
			!root_read(root, &type, "%s/%s/type", folder, names[i]) ||
			profile_size(size) <= 0) {
			continue;
		}
		json_begin_object(profile->out);
		json_member_int(profile->out, "level", level);
		json_member_str(profile->out, "type", type);
		json_member_int(profile->out, "size_bytes", profile_size(size));
		json_end_object(profile->out);
	}
	json_end_array(profile->out);
	if (!n) {
		profile_note(profile, "the CPU's caches: there is no %s", folder);
	}
}

void profile_cpu(struct profile *profile) {
	static const char *const model_fields[] = {"model name", "cpu model", "Model", "Hardware"};
	struct root *root = &profile->root;
	struct str text, value;
	int64_t khz;
	json_key(profile->out, "cpu");
	json_begin_object(profile->out);
	if (root_read(root, &text, "/proc/cpuinfo")) {
		for (size_t i = 0; i < 4; i++) {
			if (profile_cpuinfo_field(text, model_fields[i], &value)) {
				json_member_str(profile->out, "model", value);
				break;
			}
		}
		if (profile_cpuinfo_field(text, "vendor_id", &value)) {
			json_member_str(profile->out, "vendor", value);
		}
		if (profile_cpuinfo_field(text, "microcode", &value)) {
			json_member_str(profile->out, "microcode", value);
		}
		write_flags(profile, text);
	} else {
		profile_note_unread(profile, "the CPU");
	}
	write_topology(profile);
	if (root_read_number(root, &khz, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") &&
		khz > 0) {
		json_member_int(profile->out, "max_mhz", khz / 1000);
	}
	(void)profile_member(
		profile, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	write_caches(profile);
	json_end_object(profile->out);
}

static void on_module(void *arg, const struct memory_module *module) {
	struct json_writer *out = ((struct profile *)arg)->out;
	json_begin_object(out);
	if (module->slot.len) {
		json_member_str(out, "slot", module->slot);
	}
	json_member_int(out, "size_bytes", module->size_bytes);
	if (module->type) {
		json_member_text(out, "type", module->type);
	}
	if (module->speed_mts > 0) {
		json_member_int(out, "speed_mts", module->speed_mts);
	}
	if (module->manufacturer.len) {
		json_member_str(out, "manufacturer", module->manufacturer);
	}
	if (module->part.len) {
		json_member_str(out, "part", module->part);
	}
	json_end_object(out);
}

static bool kilobytes_of(struct str text, const char *name, int64_t *out_bytes) {
	struct str value, number;
	if (!profile_cpuinfo_field(text, name, &value) || !str_word(&value, &number) ||
		!str_to_int64(number, out_bytes) || *out_bytes > INT64_MAX >> 10) {
		return false;
	}
	*out_bytes <<= 10;
	return true;
}

void profile_memory(struct profile *profile) {
	struct str text, table;
	int64_t bytes;
	json_key(profile->out, "memory");
	json_begin_object(profile->out);
	if (root_read(&profile->root, &text, "/proc/meminfo")) {
		if (kilobytes_of(text, "MemTotal", &bytes)) {
			json_member_int(profile->out, "total_bytes", bytes);
		}
		if (kilobytes_of(text, "SwapTotal", &bytes)) {
			json_member_int(profile->out, "swap_bytes", bytes);
		}
	} else {
		profile_note_unread(profile, "the memory");
	}
	if (root_read_large(&profile->root, "/sys/firmware/dmi/tables/DMI", 1 << 20, &table)) {
		json_key(profile->out, "modules");
		json_begin_array(profile->out);
		profile_modules_parse(table, on_module, profile);
		json_end_array(profile->out);
	} else {
		profile_note_unread(profile, "the memory modules");
	}
	json_end_object(profile->out);
}
