// SPDX-License-Identifier: Apache-2.0
// The parts of the source `processes`, private to its files. A gather has three steps, each with
// data of its own: the walk reads stat of every process, and now and then its cgroup and status;
// the look reads what takes further locks of the process (io, cmdline, fd); the picture ranks both
// and is what the loop shows until the next one. Each of the first two may hang with the process
// it is about, and is left behind then.
// Memory: about 150 bytes a process, twice while a gather runs, and PICTURE_TOP_MAX rows of text.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/board.h"

struct clock;
struct exposition;
struct json_writer;

#define PROCESSES_MAX 65536
#define PROCESS_STATES "RSDZTtIXPWK" // as in stat; what is none of these is not counted
#define TICKS_PER_SECOND 100	     // USER_HZ, the unit of stat, on every architecture we run on
#define COMMAND_MAX 200
#define PICTURE_TOP_MAX 50

// CPU time of the calling thread.
int64_t thread_cpu_ns(void);

// --- the files of one process; pure (proc_pid_stat(5), proc_pid_io(5), proc_pid_status(5)) ---
struct process_stat {
	int32_t pid, parent;
	char name[64]; // as it is: any bytes but NUL; the kernel's own threads have longer ones
	char state;
	bool is_kernel;
	uint64_t ticks; // CPU used, user and system
	uint64_t start; // ticks since the boot
	uint32_t threads;
	uint64_t rss_pages;
};
// The name may hold anything, so it ends at the last parenthesis. False: not a stat line.
_must_use_ bool process_stat_parse(struct str text, struct process_stat *out);
_must_use_ bool process_io_parse(struct str text, uint64_t *out_read, uint64_t *out_written);
struct process_status {
	uint32_t uid; // effective
	uint64_t swap_bytes;
	bool has_swap; // kernel threads have none
};
_must_use_ bool process_status_parse(struct str text, struct process_status *out);

// Where a process belongs, from /proc/PID/cgroup: appends the unit ("nginx.service",
// "user@1000.service/app-x.scope") and the container ("docker:0123456789ab"); what is unknown is
// left empty.
void process_place_parse(struct str cgroup, struct buf *out_unit, struct buf *out_container);

// argv (NUL after each) as one line of clean text, at most COMMAND_MAX bytes, with what looks like
// a secret replaced by ***. Without arguments: the first word.
void process_command_format(struct buf *out, struct str argv, bool with_arguments);

// --- names that many processes share ---
#define NAMES_MAX 1024
struct names {
	struct name {
		char *text; // NULL: free
		uint64_t hash;
		uint32_t processes, threads; // of this gather
		double cpu_percent;
		uint64_t rss_bytes;
		double read_rate, write_rate;
		bool has_cpu, has_io;
	} * items; // 0 is "no name"
	size_t n;
};
// The index, or 0 when the text is empty or there are too many.
uint16_t names_add(struct names *names, struct str text);
const char *names_get(const struct names *names, uint16_t i); // "" for 0
void names_begin(struct names *names);			      // zeroes the sums
void names_sweep(struct names *names);			      // forgets those without a process
void names_finish(struct names *names);

// --- the processes of the newest walk, by ascending pid ---
#define UNKNOWN (-1.0)
struct process {
	int32_t pid, parent;
	uint32_t uid, threads;
	uint64_t start, ticks, rss_bytes, swap_bytes;
	uint64_t read_bytes, written_bytes;
	int64_t read_ns, io_ns; // when stat and io were read; io 0: never
	double cpu_percent;	// of one CPU; UNKNOWN
	double read_rate, write_rate;
	uint16_t unit, container;
	char state;
	uint8_t looks; // how often it was met, up to 255
	bool is_kernel, has_uid, has_swap, is_io_denied;
	char name[24];
};

// The whole machine in the same moment; what is not known is UNKNOWN.
struct machine {
	double uptime_s;
	double cpu_ticks[8]; // user nice system idle iowait irq softirq steal
	double cpus, load1;
	double memory_bytes, available_bytes, swap_bytes, swap_free_bytes;
	double threads, threads_max, pids_max;
	double pressure
		[3]; // cpu, memory, io: share of the last 10 s in which some waited, in percent
};
// Each takes over one file; a text that is none leaves UNKNOWN.
void machine_init(struct machine *machine);
void machine_parse_stat(struct machine *machine, struct str text);
void machine_parse_memory(struct machine *machine, struct str text);
void machine_parse_load(struct machine *machine, struct str text);
double machine_first_number(struct str text); // of uptime, pid_max, threads-max
double machine_parse_pressure(struct str text);

// --- step 1 ---
struct walk {
	struct clock *clock;
	char *folder; // <sysroot>/proc
	int fd;	      // of the folder while a gather runs, else -1
	int32_t *pids;
	size_t pid_count, pid_cap, next; // of the gather under way
	size_t left_out;		 // beyond PROCESSES_MAX
	struct process *processes, *before;
	size_t n, before_n, before_at, cap, before_cap;
	struct names units, containers;
	struct machine machine, machine_before;
	uint64_t gathers;
	int64_t begun_ns, begun_before_ns; // monotonic; 0: never
	int64_t wall_ns;
	bool is_hidden; // others' processes cannot be seen
	int64_t cost_ns;
	atomic_int reading; // the process being read; 0: none
	int32_t skipped;    // one that does not let itself be read; 0: none
};
void walk_init(struct walk *walk, struct clock *clock, const char *sysroot);
void walk_finish(struct walk *walk);
// Fills `bytes` from a file below a folder of /proc with the whole lines that fit; the empty text
// when it cannot be read.
struct str proc_read(int folder, const char *path, char *bytes, size_t size);
// Reads the next few thousand processes; true when it is through. Call from a job.
bool walk_step(struct walk *walk);

// --- step 2 ---
struct look_row {
	int32_t pid;
	uint64_t start;
	bool is_denied, is_known;
	uint64_t read_bytes, written_bytes; // before, then now
	int64_t io_ns;			    // when; 0: never
	double read_rate, write_rate;
};
// What is read of a process that is shown.
struct detail {
	int32_t pid;
	uint64_t start;
	char *command; // NULL: none
	int32_t fds;   // -1: not known
};
struct look {
	struct clock *clock;
	char *folder;
	struct look_row *rows; // by ascending pid
	size_t n;
	size_t top;
	struct detail details[3 * PICTURE_TOP_MAX];
	size_t detail_count;
	bool with_arguments;
	int64_t cost_ns;
	atomic_int pid; // being read
};
// What to look at after this walk: the io of all that may be read, and argv and descriptors of
// those that will be shown.
struct look *look_create(struct walk *walk, size_t top, bool with_arguments);
void look_destroy(struct look *look);
void look_run(struct look *look); // may hang

// --- step 3 ---
enum blame {
	BLAME_CPU,
	BLAME_MEMORY,
	BLAME_SWAP,
	BLAME_IO,
	BLAME_BLOCKED,
	BLAME_ZOMBIES,
	BLAME_COUNT,
	BLAMES
};
struct picture {
	struct buf json; // the members of the view, without what others add
	int64_t monotonic_ns;
	struct culprit culprits[BLAMES]; // kind "": nobody
	size_t processes, pids;
	double threads, threads_max, pids_max, busy_percent;
	size_t states[sizeof(PROCESS_STATES) - 1];
	size_t io_unknown, left_out;
	double used_ids; // of pids_max and threads_max
	bool is_hidden;
	int64_t cost_ns;
	double blocked_share; // of the running and blocked ones
};
// The look may be NULL: it hangs. Takes nothing; the walk's rates are completed on the way.
struct picture *picture_create(
	struct walk *walk, const struct look *look, size_t top, const char *sysroot);
void picture_destroy(struct picture *picture);
void picture_tell_figures(const struct picture *picture, figure_fn *on_figure, void *arg);
// Whom this figure is to be blamed on; false: nobody.
_must_use_ bool picture_find_culprit(
	const struct picture *picture, const struct figure *figure, struct culprit *out);
void picture_collect(const struct picture *picture, struct exposition *out);
size_t picture_state(const struct picture *picture, char state);
double picture_of_limit_percent(const struct picture *picture); // UNKNOWN: no limit known

// The best `max` of the walk's processes by a key that is above 0, the highest first.
typedef double process_key(const struct process *process);
size_t walk_rank(const struct walk *walk, process_key *key, const struct process **out, size_t max);
double process_cpu(const struct process *process);
double process_memory(const struct process *process);
double process_io(const struct process *process);
// The members of the view: from the walk, and the details of the look.
void picture_write(struct picture *picture, const struct walk *walk, const struct look *look,
	size_t top, const char *sysroot);
void machine_write(struct json_writer *w, const struct walk *walk, double busy_percent);
double walk_busy_percent(const struct walk *walk);
// Seconds the rates of this walk are about, or UNKNOWN.
double walk_interval_s(const struct walk *walk);
void process_name_format(struct buf *out, const struct process *process);
