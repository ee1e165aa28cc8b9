// SPDX-License-Identifier: Apache-2.0
// /proc/stat (proc(5)): CPU time per core and mode, and what the kernel counts beside it. Counters
// shown never fall, except for a CPU that was replugged: node_exporter's rule.
#include "base/alloc.h"
#include "formats/exposition.h"
#include "sources/host_collector.h"

#define CPUS_MAX 8192	     // NR_CPUS of the largest kernels
#define TICKS_PER_SECOND 100 // USER_HZ: the unit of /proc/stat on every architecture we run on
#define REPLUGGED_TICKS (3 * TICKS_PER_SECOND)

enum cpu_mode {
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_NICE,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_SYSTEM,
	CPU_USER,
	CPU_GUEST_NICE, // guests' time is in user and nice already
	CPU_GUEST_USER,
	CPU_MODES
};

struct cpu_times {
	uint32_t number;
	bool is_seen; // in the last text
	bool is_new;  // it has no steps yet
	uint64_t ticks[CPU_MODES];
	uint64_t steps[CPU_MODES]; // of the last interval
};

struct host_number {
	bool is_known;
	uint64_t value;
};

struct host_cpu {
	struct proc_file file;
	struct cpu_times *cpus; // in ascending order of number
	size_t n, cap;
	struct host_number boot_time, switches, interrupts, forks, running, blocked;
};

// Modes in the order in which the file has them.
static const enum cpu_mode file_order[] = {CPU_USER, CPU_NICE, CPU_SYSTEM, CPU_IDLE, CPU_IOWAIT,
	CPU_IRQ, CPU_SOFTIRQ, CPU_STEAL, CPU_GUEST_USER, CPU_GUEST_NICE};
static const char *const mode_names[] = {
	[CPU_IDLE] = "idle",
	[CPU_IOWAIT] = "iowait",
	[CPU_IRQ] = "irq",
	[CPU_NICE] = "nice",
	[CPU_SOFTIRQ] = "softirq",
	[CPU_STEAL] = "steal",
	[CPU_SYSTEM] = "system",
	[CPU_USER] = "user",
	[CPU_GUEST_NICE] = "nice",
	[CPU_GUEST_USER] = "user",
};

// The entry of a CPU, added where it is new. The file is in ascending order, so *at only moves on.
static struct cpu_times *find_cpu(struct host_cpu *cpu, uint32_t number, size_t *at) {
	while (*at < cpu->n && cpu->cpus[*at].number < number) {
		(*at)++;
	}
	if (*at < cpu->n && cpu->cpus[*at].number == number) {
		return &cpu->cpus[*at];
	}
	bool is_in_order = *at == 0 || cpu->cpus[*at - 1].number < number;
	if (cpu->n == CPUS_MAX || !is_in_order) {
		return NULL;
	}
	if (cpu->n == cpu->cap) {
		cpu->cap = cpu->cap ? cpu->cap * 2 : 4;
		cpu->cpus = xreallocarray(cpu->cpus, cpu->cap, sizeof(*cpu->cpus));
	}
	struct cpu_times *new = &cpu->cpus[*at];
	memmove(new + 1, new, (cpu->n - *at) * sizeof(*new));
	*new = (struct cpu_times){.number = number, .is_new = true};
	cpu->n++;
	return new;
}

// Counters that step back a little (the kernel's idle and iowait do) keep their value; a CPU whose
// idle time falls by 3 s or more was replugged and starts again.
static void take_times(struct cpu_times *times, const uint64_t ticks[CPU_MODES]) {
	if (times->ticks[CPU_IDLE] >= ticks[CPU_IDLE] + REPLUGGED_TICKS) {
		memset(times->ticks, 0, sizeof(times->ticks));
		times->is_new = true;
	}
	for (size_t i = 0; i < CPU_MODES; i++) {
		uint64_t step = ticks[i] > times->ticks[i] ? ticks[i] - times->ticks[i] : 0;
		times->ticks[i] += step;
		times->steps[i] = times->is_new ? 0 : step;
	}
	times->is_new = false;
}

static void parse_cpu(struct host_cpu *cpu, uint64_t number, struct str rest, size_t *at) {
	uint64_t ticks[CPU_MODES] = {0};
	struct str word;
	size_t n = 0;
	for (; n < CPU_MODES && str_word(&rest, &word); n++) {
		// The bound keeps sums of ticks far from overflow: 2^62 ticks are 1.4 billion years.
		if (!str_to_uint64(word, &ticks[file_order[n]]) ||
			ticks[file_order[n]] > UINT64_C(1) << 62) {
			return;
		}
	}
	struct cpu_times *times = n >= 4 && number < UINT32_MAX
		? find_cpu(cpu, (uint32_t)number, at)
		: NULL;
	if (times) {
		take_times(times, ticks);
		times->is_seen = true;
	}
}

static void parse_number(struct host_cpu *cpu, struct str name, struct str rest) {
	const struct {
		const char *name;
		struct host_number *number;
	} rows[] = {{"btime", &cpu->boot_time}, {"ctxt", &cpu->switches},
		{"intr", &cpu->interrupts}, {"processes", &cpu->forks},
		{"procs_running", &cpu->running}, {"procs_blocked", &cpu->blocked}};
	struct str word;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_is(name, rows[i].name)) {
			rows[i].number->is_known = str_word(&rest, &word) &&
				str_to_uint64(word, &rows[i].number->value);
			return;
		}
	}
}

static void forget_vanished(struct host_cpu *cpu) {
	size_t kept = 0;
	for (size_t i = 0; i < cpu->n; i++) {
		if (cpu->cpus[i].is_seen) {
			cpu->cpus[kept++] = cpu->cpus[i];
		}
	}
	cpu->n = kept;
}

static void begin(struct host_cpu *cpu) {
	for (size_t i = 0; i < cpu->n; i++) {
		cpu->cpus[i].is_seen = false;
	}
	cpu->boot_time.is_known = cpu->switches.is_known = cpu->interrupts.is_known = false;
	cpu->forks.is_known = cpu->running.is_known = cpu->blocked.is_known = false;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_cpu *cpu = arg;
	(void)turn_read(turn, &cpu->file, "/proc/stat");
	struct str line, name, text = buf_str(&turn->text);
	begin(cpu);
	uint64_t number;
	size_t at = 0;
	while (str_split(&text, '\n', &line)) {
		struct str rest = line;
		if (!str_word(&rest, &name)) {
			continue;
		}
		if (!str_starts(name, STR("cpu"))) {
			parse_number(cpu, name, rest);
		} else if (str_to_uint64(str_skip(name, 3), &number)) {
			parse_cpu(cpu, number, rest, &at);
		}
	}
	forget_vanished(cpu);
}

static void collect_times(const struct host_cpu *cpu, struct exposition *out, enum cpu_mode first,
	enum cpu_mode end) {
	char label[16];
	for (size_t i = 0; i < cpu->n; i++) {
		snprintf(label, sizeof(label), "%u", cpu->cpus[i].number);
		for (enum cpu_mode mode = first; mode < end; mode++) {
			exposition_sample(out, (double)cpu->cpus[i].ticks[mode] / TICKS_PER_SECOND,
				"cpu", label, "mode", mode_names[mode], NULL);
		}
	}
}

static void collect_number(const struct host_number *number, struct exposition *out,
	const char *name, const char *type, const char *help) {
	if (number->is_known) {
		exposition_family(out, name, type, help);
		exposition_sample(out, (double)number->value, NULL);
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_cpu *cpu = arg;
	collect_number(&cpu->boot_time, out, "node_boot_time_seconds", "gauge",
		"Node boot time, in unixtime.");
	collect_number(&cpu->switches, out, "node_context_switches_total", "counter",
		"Total number of context switches.");
	if (cpu->n) {
		exposition_family(out, "node_cpu_guest_seconds_total", "counter",
			"Seconds the CPUs spent in guests (VMs) for each mode.");
		collect_times(cpu, out, CPU_GUEST_NICE, CPU_MODES);
		exposition_family(out, "node_cpu_seconds_total", "counter",
			"Seconds the CPUs spent in each mode.");
		collect_times(cpu, out, CPU_IDLE, CPU_GUEST_NICE);
	}
	collect_number(&cpu->forks, out, "node_forks_total", "counter", "Total number of forks.");
	collect_number(&cpu->interrupts, out, "node_intr_total", "counter",
		"Total number of interrupts serviced.");
	collect_number(&cpu->blocked, out, "node_procs_blocked", "gauge",
		"Number of processes blocked waiting for I/O to complete.");
	collect_number(&cpu->running, out, "node_procs_running", "gauge",
		"Number of processes in runnable state.");
}

// Of all CPUs together, over the last interval. Time stolen by a hypervisor and time waited for
// disks is not used, but is time.
static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_cpu *cpu = arg;
	double steps[CPU_MODES] = {0}, total = 0;
	for (size_t i = 0; i < cpu->n; i++) {
		for (size_t mode = 0; mode < CPU_GUEST_NICE; mode++) {
			steps[mode] += (double)cpu->cpus[i].steps[mode];
			total += (double)cpu->cpus[i].steps[mode];
		}
	}
	double idle = steps[CPU_IDLE] + steps[CPU_IOWAIT] + steps[CPU_STEAL];
	double percent = total > 0 ? 100 / total : NAN;
	tell_figure(on_figure, on_figure_arg, "cpu.used_percent", "", "percent",
		(total - idle) * percent);
	tell_figure(on_figure, on_figure_arg, "cpu.iowait_percent", "", "percent",
		steps[CPU_IOWAIT] * percent);
	tell_figure(on_figure, on_figure_arg, "cpu.steal_percent", "", "percent",
		steps[CPU_STEAL] * percent);
}

static void finish(void *arg) {
	struct host_cpu *cpu = arg;
	free(cpu->cpus);
	proc_file_finish(&cpu->file);
}

DEFINE_HOST_COLLECTOR(cpu) = {
	.name = "cpu",
	.summary = "Time of each CPU by mode; interrupts, context switches, forks; boot time.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_cpu),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
