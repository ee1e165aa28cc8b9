// SPDX-License-Identifier: Apache-2.0
// The walk over /proc: stat of every process, and now and then its cgroup and status. Even stat can
// make its reader wait: an exec holds its lock while it closes files of a dead mount. So the walk
// says whom it reads, and one that is known to be stuck is skipped. A few thousand processes a
// step, so a machine with many does not hold a thread. A process is known by pid and start time
// together: a pid that came again is another process. One that dies between the listing and the
// reading was never there.
#include "sources/processes.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "base/clock.h"

#define STEP_PROCESSES 2048 // about 30 ms
// The cgroup and status of a process are read again this often; systemd moves a process right
// after its start, so the first two looks read them too.
#define REFRESH_GATHERS 16
#define FILE_BYTES 8192
#define KEPT_CAP 4096		// larger tables are given back between two gathers
#define STAT_BYTES (512 * 1024) // /proc/stat of 4,096 CPUs, without what follows them

void walk_init(struct walk *walk, struct clock *clock, const char *sysroot) {
	*walk = (struct walk){.clock = clock, .folder = xasprintf("%s/proc", sysroot), .fd = -1};
	machine_init(&walk->machine);
}

void walk_finish(struct walk *walk) {
	if (walk->fd >= 0) {
		close(walk->fd);
	}
	names_finish(&walk->units);
	names_finish(&walk->containers);
	free(walk->pids);
	free(walk->processes);
	free(walk->before);
	free(walk->folder);
}

struct str proc_read(int folder, const char *path, char *bytes, size_t size) {
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, bytes, size) : -1;
	if (fd >= 0) {
		close(fd);
	}
	struct str text = str_range(bytes, n > 0 ? (size_t)n : 0);
	if (text.len == size) { // what follows the last whole line is not known
		while (text.len && text.at[text.len - 1] != '\n') {
			text.len--;
		}
	}
	return text;
}

static int compare_pids(const void *a, const void *b) {
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static void add_pid(struct walk *walk, const char *name) {
	uint64_t pid = 0;
	if (name[0] < '0' || name[0] > '9' || !str_to_uint64(str_from(name), &pid) || pid == 0 ||
		pid > INT32_MAX) {
		return;
	}
	if (walk->pid_count == PROCESSES_MAX) {
		walk->left_out++;
		return;
	}
	if (walk->pid_count == walk->pid_cap) {
		walk->pid_cap = walk->pid_cap ? walk->pid_cap * 2 : 512;
		walk->pids = xreallocarray(walk->pids, walk->pid_cap, sizeof(*walk->pids));
	}
	walk->pids[walk->pid_count++] = (int32_t)pid;
}

// The kernel lists them in order; a recorded folder does not.
static void list_pids(struct walk *walk) {
	const struct dirent *entry;
	bool is_sorted = true;
	walk->pid_count = walk->left_out = 0;
	DIR *folder = opendir(walk->folder);
	if (!folder) {
		return;
	}
	while ((entry = readdir(folder))) {
		add_pid(walk, entry->d_name);
	}
	closedir(folder);
	for (size_t i = 1; i < walk->pid_count && is_sorted; i++) {
		is_sorted = walk->pids[i - 1] < walk->pids[i];
	}
	if (!is_sorted) {
		qsort(walk->pids, walk->pid_count, sizeof(*walk->pids), compare_pids);
	}
}

static void read_machine(struct walk *walk) {
	static const char *const pressures[] = {"pressure/cpu", "pressure/memory", "pressure/io"};
	struct machine *machine = &walk->machine;
	char bytes[FILE_BYTES];
	walk->machine_before = *machine;
	machine_init(machine);
	_cleanup_(freep) char *stat = xmalloc(STAT_BYTES);
	machine_parse_stat(machine, proc_read(walk->fd, "stat", stat, STAT_BYTES));
	machine_parse_memory(machine, proc_read(walk->fd, "meminfo", bytes, sizeof(bytes)));
	machine_parse_load(machine, proc_read(walk->fd, "loadavg", bytes, sizeof(bytes)));
	machine->uptime_s = machine_first_number(
		proc_read(walk->fd, "uptime", bytes, sizeof(bytes)));
	machine->pids_max = machine_first_number(
		proc_read(walk->fd, "sys/kernel/pid_max", bytes, sizeof(bytes)));
	machine->threads_max = machine_first_number(
		proc_read(walk->fd, "sys/kernel/threads-max", bytes, sizeof(bytes)));
	for (size_t i = 0; i < 3; i++) {
		machine->pressure[i] = machine_parse_pressure(
			proc_read(walk->fd, pressures[i], bytes, sizeof(bytes)));
	}
}

static void begin(struct walk *walk) {
	struct process *spare = walk->before;
	size_t cap = walk->before_cap;
	char bytes[FILE_BYTES];
	walk->before = walk->processes;
	walk->before_n = walk->n;
	walk->before_cap = walk->cap;
	walk->processes = spare;
	walk->cap = cap;
	walk->n = walk->next = walk->before_at = 0;
	walk->begun_before_ns = walk->begun_ns;
	walk->begun_ns = clock_monotonic(walk->clock);
	walk->wall_ns = clock_wall(walk->clock);
	walk->cost_ns = 0;
	walk->gathers++;
	names_begin(&walk->units);
	names_begin(&walk->containers);
	walk->fd = open(walk->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list_pids(walk);
	read_machine(walk);
	// Process 1 always exists: when it is not there, others' are hidden (hidepid, ProtectProc).
	walk->is_hidden = walk->pid_count &&
		(walk->pids[0] != 1 ||
			proc_read(walk->fd, "1/stat", bytes, sizeof(bytes)).len == 0);
}

static const struct process *find_before(struct walk *walk, const struct process_stat *stat) {
	while (walk->before_at < walk->before_n && walk->before[walk->before_at].pid < stat->pid) {
		walk->before_at++;
	}
	const struct process *before = walk->before_at < walk->before_n
		? &walk->before[walk->before_at]
		: NULL;
	return before && before->pid == stat->pid && before->start == stat->start ? before : NULL;
}

static void refresh(struct walk *walk, struct process *process) {
	char path[32], bytes[FILE_BYTES];
	struct buf unit = BUF_INIT, container = BUF_INIT;
	struct process_status status;
	(void)snprintf(path, sizeof(path), "%d/cgroup", process->pid);
	process_place_parse(proc_read(walk->fd, path, bytes, sizeof(bytes)), &unit, &container);
	process->unit = names_add(&walk->units, buf_str(&unit));
	process->container = names_add(&walk->containers, buf_str(&container));
	buf_finish(&unit);
	buf_finish(&container);
	(void)snprintf(path, sizeof(path), "%d/status", process->pid);
	process->has_uid = process_status_parse(
		proc_read(walk->fd, path, bytes, sizeof(bytes)), &status);
	process->uid = status.uid;
	process->has_swap = status.has_swap;
	process->swap_bytes = status.swap_bytes;
	process->is_io_denied = false; // tried again
}

// The CPU used since the last look; of one that began after it, all it ever used.
static double cpu_percent_of(
	const struct walk *walk, const struct process *now, const struct process *before) {
	uint64_t ticks = before ? before->ticks : 0;
	int64_t since_ns = before ? before->read_ns : walk->begun_before_ns;
	double seconds = (double)(now->read_ns - since_ns) / (double)NS_PER_SECOND;
	bool is_newborn = walk->begun_before_ns && walk->machine_before.uptime_s >= 0 &&
		(double)now->start / TICKS_PER_SECOND >= walk->machine_before.uptime_s;
	if ((!before && !is_newborn) || seconds <= 0 || now->ticks < ticks) {
		return UNKNOWN;
	}
	return (double)(now->ticks - ticks) / TICKS_PER_SECOND / seconds * 100;
}

static struct process *add(struct walk *walk, const struct process_stat *stat) {
	const struct process *before = find_before(walk, stat);
	if (walk->n == walk->cap) {
		walk->cap = walk->cap ? walk->cap * 2 : 512;
		walk->processes = xreallocarray(
			walk->processes, walk->cap, sizeof(*walk->processes));
	}
	struct process *process = &walk->processes[walk->n++];
	*process = before ? *before : (struct process){.pid = stat->pid, .start = stat->start};
	bool is_renamed = strncmp(process->name, stat->name, sizeof(process->name) - 1) != 0;
	memcpy(process->name, stat->name, sizeof(process->name) - 1);
	process->parent = stat->parent;
	process->state = stat->state;
	process->is_kernel = stat->is_kernel;
	process->ticks = stat->ticks;
	process->threads = stat->threads;
	process->rss_bytes = stat->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	process->read_ns = clock_monotonic(walk->clock);
	process->cpu_percent = cpu_percent_of(walk, process, before);
	process->read_rate = process->write_rate = UNKNOWN;
	process->looks += process->looks < UINT8_MAX;
	if (process->looks <= 2 || is_renamed ||
		(walk->gathers + (uint64_t)process->pid) % REFRESH_GATHERS == 0) {
		refresh(walk, process);
	}
	return process;
}

static void count(struct names *names, uint16_t i, const struct process *process) {
	if (i == 0) {
		return;
	}
	struct name *name = &names->items[i];
	name->processes++;
	name->threads += process->threads;
	name->rss_bytes += process->rss_bytes;
	if (process->cpu_percent >= 0) {
		name->cpu_percent += process->cpu_percent;
		name->has_cpu = true;
	}
}

static void read_process(struct walk *walk, int32_t pid) {
	char path[32], bytes[FILE_BYTES];
	struct process_stat stat;
	atomic_store(&walk->reading, pid);
	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	if (!process_stat_parse(proc_read(walk->fd, path, bytes, sizeof(bytes)), &stat) ||
		stat.pid != pid) {
		return; // it ended in the meantime
	}
	const struct process *process = add(walk, &stat);
	count(&walk->units, process->unit, process);
	count(&walk->containers, process->container, process);
}

bool walk_step(struct walk *walk) {
	if (walk->fd < 0) {
		begin(walk);
	}
	size_t end = walk->next + STEP_PROCESSES;
	for (; walk->fd >= 0 && walk->next < walk->pid_count && walk->next < end; walk->next++) {
		if (walk->pids[walk->next] != walk->skipped) {
			read_process(walk, walk->pids[walk->next]);
		}
	}
	atomic_store(&walk->reading, 0);
	if (walk->fd >= 0 && walk->next < walk->pid_count) {
		return false;
	}
	if (walk->fd >= 0) {
		close(walk->fd);
		walk->fd = -1;
	}
	names_sweep(&walk->units);
	names_sweep(&walk->containers);
	if (walk->before_cap > KEPT_CAP) {
		free(walk->before);
		walk->before = NULL;
		walk->before_n = walk->before_cap = 0;
	}
	return true;
}
