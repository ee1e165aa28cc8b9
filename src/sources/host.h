// SPDX-License-Identifier: Apache-2.0
// The parts of the source `host`, private to its files. Each part is a noun with a parser, pure
// over the bytes of one /proc file, and a collector that writes what was parsed under
// node_exporter's names. What the kernel did not say stays absent: never zero.
// Life cycle: zeroed memory is a valid empty part; finish it when it has a finish.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct exposition;

// One file of /proc that is read again and again: its descriptor stays open, except below a
// sysroot, where a test may replace the file.
struct proc_file {
	char *path;
	int fd; // -1: not open
	bool is_recorded;
};
void proc_file_init(struct proc_file *file, const char *sysroot, const char *path);
void proc_file_finish(struct proc_file *file);
// Replaces what is in *out by the whole content, at most 4 MiB of it.
_must_use_ bool proc_file_read(struct proc_file *file, struct buf *out, struct err *err);

// --- /proc/stat ---
enum cpu_mode {
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_NICE,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_SYSTEM,
	CPU_USER,
	CPU_GUEST_NICE,
	CPU_GUEST_USER,
	CPU_MODES
};
struct cpu_times {
	uint32_t number;
	bool is_seen; // in the last text
	uint64_t ticks[CPU_MODES];
};
struct host_number {
	bool is_known;
	uint64_t value;
};
struct host_cpu {
	struct cpu_times *cpus; // in ascending order of number
	size_t n, cap;
	struct host_number boot_time, switches, interrupts, forks, running, blocked;
};
// Takes over a new text. Counters that step back a little (the kernel's idle and iowait do) keep
// their value; a CPU whose idle time falls by 3 s or more was replugged and starts again.
void host_cpu_parse(struct host_cpu *cpu, struct str text);
void host_cpu_collect(const struct host_cpu *cpu, struct exposition *out);
void host_cpu_finish(struct host_cpu *cpu);

// --- /proc/loadavg ---
struct host_load {
	bool is_known;
	double load[3]; // over 1, 5 and 15 minutes
};
void host_load_parse(struct host_load *load, struct str text);
void host_load_collect(const struct host_load *load, struct exposition *out);

// --- /proc/meminfo ---
#define MEMORY_FIELDS 128 // kernels have about 60
struct memory_field {
	char name[47]; // "Active_anon_bytes"
	uint64_t value;
};
struct host_memory {
	struct memory_field fields[MEMORY_FIELDS];
	size_t n;
};
void host_memory_parse(struct host_memory *memory, struct str text);
void host_memory_collect(const struct host_memory *memory, struct exposition *out);

// --- /proc/net/dev ---
#define NETWORK_COUNTERS 16
#define NETWORK_DEVICES 4096
struct network_device {
	char name[32];
	uint64_t counters[NETWORK_COUNTERS]; // in the order of the file
};
struct host_network {
	struct network_device *devices;
	size_t n, cap;
};
// Devices whose name matches one of the globs are left out.
void host_network_parse(
	struct host_network *network, struct str text, const struct str *ignored, size_t n);
void host_network_collect(const struct host_network *network, struct exposition *out);
void host_network_finish(struct host_network *network);

// --- uname ---
struct host_kernel {
	char *fields[6]; // domainname, machine, nodename, release, sysname, version; NULL: unknown
};
// By uname(2), or from <sysroot>/proc/sys/kernel.
void host_kernel_read(struct host_kernel *kernel, const char *sysroot);
void host_kernel_collect(const struct host_kernel *kernel, struct exposition *out);
void host_kernel_finish(struct host_kernel *kernel);
