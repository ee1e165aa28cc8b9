// SPDX-License-Identifier: Apache-2.0
// The files of a process that can make a reader wait as long as the process is stuck: io takes a
// lock that an exec holds while it closes files of a dead mount, cmdline that of its memory. So
// they are read apart from the walk, on a thread that may be lost, into memory of their own. io is
// readable for the own processes only without CAP_SYS_PTRACE: what is refused is not known, not 0.
#include "sources/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/clock.h"

#define COMMAND_BYTES 4096 // of argv that are looked at
#define FDS_MAX 4096	   // counted one by one at most, on kernels before 6.2

static void add_detail(struct look *look, int32_t pid, uint64_t start) {
	for (size_t i = 0; i < look->detail_count; i++) {
		if (look->details[i].pid == pid) {
			return;
		}
	}
	look->details[look->detail_count++] = (struct detail){
		.pid = pid, .start = start, .fds = -1};
}

static void add_ranked(struct look *look, const struct walk *walk, process_key *key, size_t top) {
	const struct process *ranked[PICTURE_TOP_MAX];
	size_t n = walk_rank(walk, key, ranked, top);
	for (size_t i = 0; i < n; i++) {
		add_detail(look, ranked[i]->pid, ranked[i]->start);
	}
}

struct look *look_create(struct walk *walk, size_t top, bool with_arguments) {
	struct look *look = xcalloc(1, sizeof(*look));
	look->clock = walk->clock;
	look->folder = xstrdup(walk->folder);
	look->with_arguments = with_arguments;
	look->top = top;
	look->rows = xcalloc(walk->n, sizeof(*look->rows));
	for (size_t i = 0; i < walk->n; i++) {
		const struct process *process = &walk->processes[i];
		if (process->is_kernel || process->is_io_denied) {
			continue;
		}
		struct look_row *row = &look->rows[look->n++];
		*row = (struct look_row){.pid = process->pid,
			.start = process->start,
			.read_bytes = process->read_bytes,
			.written_bytes = process->written_bytes,
			.io_ns = process->io_ns,
			.read_rate = UNKNOWN,
			.write_rate = UNKNOWN};
		if (process->looks == 1 && process->cpu_percent >= 0) {
			row->io_ns = walk->begun_before_ns; // it began since, from 0
		}
	}
	add_ranked(look, walk, process_cpu, top);
	add_ranked(look, walk, process_memory, top);
	return look;
}

void look_destroy(struct look *look) {
	if (look) {
		for (size_t i = 0; i < look->detail_count; i++) {
			free(look->details[i].command);
		}
		free(look->rows);
		free(look->folder);
		free(look);
	}
}

static void read_io(struct look *look, int folder, struct look_row *row) {
	char path[32], bytes[1024];
	uint64_t read = 0, written = 0;
	atomic_store(&look->pid, row->pid);
	(void)snprintf(path, sizeof(path), "%d/io", row->pid);
	errno = 0;
	struct str text = proc_read(folder, path, bytes, sizeof(bytes));
	if (text.len == 0) {
		row->is_denied = errno == EACCES || errno == EPERM;
		return;
	}
	if (!process_io_parse(text, &read, &written)) {
		return;
	}
	int64_t now_ns = clock_monotonic(look->clock);
	double seconds = (double)(now_ns - row->io_ns) / (double)NS_PER_SECOND;
	if (row->io_ns && seconds > 0 && read >= row->read_bytes && written >= row->written_bytes) {
		row->read_rate = (double)(read - row->read_bytes) / seconds;
		row->write_rate = (double)(written - row->written_bytes) / seconds;
	}
	row->read_bytes = read;
	row->written_bytes = written;
	row->io_ns = now_ns;
	row->is_known = true;
}

static double rate_of(const struct look_row *row) {
	return row->read_rate >= 0 ? row->read_rate + row->write_rate : UNKNOWN;
}

static void add_ranked_by_io(struct look *look) {
	const struct look_row *ranked[PICTURE_TOP_MAX];
	size_t n = 0;
	for (size_t i = 0; i < look->n; i++) {
		const struct look_row *row = &look->rows[i];
		double rate = rate_of(row);
		if (rate <= 0 || (n == look->top && rate <= rate_of(ranked[n - 1]))) {
			continue;
		}
		size_t at = n < look->top ? n++ : n - 1;
		while (at > 0 && rate_of(ranked[at - 1]) < rate) {
			ranked[at] = ranked[at - 1];
			at--;
		}
		ranked[at] = row;
	}
	for (size_t i = 0; i < n; i++) {
		add_detail(look, ranked[i]->pid, ranked[i]->start);
	}
}

// Since Linux 6.2 the folder's size is the number of descriptors; before, they are counted.
static int32_t count_fds(int folder, int32_t pid) {
	char path[32];
	struct stat entry;
	const struct dirent *name;
	int32_t n = 0;
	(void)snprintf(path, sizeof(path), "%d/fd", pid);
	int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -1;
	}
	// In a recorded tree the size is that of a folder.
	struct statfs around;
	if (fstatfs(fd, &around) == 0 && around.f_type == PROC_SUPER_MAGIC &&
		fstat(fd, &entry) == 0 && entry.st_size > 0) {
		close(fd);
		return entry.st_size < INT32_MAX ? (int32_t)entry.st_size : -1;
	}
	DIR *names = fdopendir(fd);
	if (!names) {
		close(fd);
		return -1;
	}
	while (n <= FDS_MAX && (name = readdir(names))) {
		n += name->d_name[0] != '.';
	}
	closedir(names);
	return n <= FDS_MAX ? n : -1;
}

static void read_detail(struct look *look, int folder, struct detail *detail) {
	char path[32], bytes[COMMAND_BYTES];
	struct buf command = BUF_INIT;
	atomic_store(&look->pid, detail->pid);
	(void)snprintf(path, sizeof(path), "%d/cmdline", detail->pid);
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : -1;
	if (fd >= 0) {
		close(fd);
	}
	if (n > 0) {
		process_command_format(&command, str_range(bytes, (size_t)n), look->with_arguments);
	}
	detail->command = command.len ? buf_take(&command) : NULL;
	buf_finish(&command);
	detail->fds = count_fds(folder, detail->pid);
}

void look_run(struct look *look) {
	int folder = open(look->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		return;
	}
	for (size_t i = 0; i < look->n; i++) {
		read_io(look, folder, &look->rows[i]);
	}
	add_ranked_by_io(look);
	for (size_t i = 0; i < look->detail_count; i++) {
		read_detail(look, folder, &look->details[i]);
	}
	atomic_store(&look->pid, 0);
	close(folder);
}
