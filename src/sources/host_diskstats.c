// SPDX-License-Identifier: Apache-2.0
// /proc/diskstats (Documentation/admin-guide/iostats.rst): what each disk has done. Kernels before
// 4.18 have 11 numbers a line, before 5.5 15, newer ones 17; what a kernel does not tell is absent.
#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/host_config.h"
#include "sources/host_disk_name.h"
#include "sources/host_rows.h"

#define SECTOR 512 // the unit of diskstats, whatever the disk's own is

// In the order of the columns behind the name.
enum column {
	READS,
	READS_MERGED,
	READ_SECTORS,
	READ_MS,
	WRITES,
	WRITES_MERGED,
	WRITTEN_SECTORS,
	WRITE_MS,
	IO_NOW,
	IO_MS,
	IO_WEIGHTED_MS,
	DISCARDS,
	DISCARDS_MERGED,
	DISCARDED_SECTORS,
	DISCARD_MS,
	FLUSHES,
	FLUSH_MS,
	COLUMNS
};

static const struct {
	const char *name, *type, *help;
	double unit;
} families[COLUMNS] = {
	[READS] = {"reads_completed_total", "counter",
		"The total number of reads completed successfully.", 1},
	[READS_MERGED] = {"reads_merged_total", "counter", "The total number of reads merged.", 1},
	[READ_SECTORS] = {"read_bytes_total", "counter",
		"The total number of bytes read successfully.", SECTOR},
	[READ_MS] = {"read_time_seconds_total", "counter",
		"The total number of seconds spent by all reads.", 0.001},
	[WRITES] = {"writes_completed_total", "counter",
		"The total number of writes completed successfully.", 1},
	[WRITES_MERGED] = {"writes_merged_total", "counter", "The number of writes merged.", 1},
	[WRITTEN_SECTORS] = {"written_bytes_total", "counter",
		"The total number of bytes written successfully.", SECTOR},
	[WRITE_MS] = {"write_time_seconds_total", "counter",
		"This is the total number of seconds spent by all writes.", 0.001},
	[IO_NOW] = {"io_now", "gauge", "The number of I/Os currently in progress.", 1},
	[IO_MS] = {"io_time_seconds_total", "counter", "Total seconds spent doing I/Os.", 0.001},
	[IO_WEIGHTED_MS] = {"io_time_weighted_seconds_total", "counter",
		"The weighted # of seconds spent doing I/Os.", 0.001},
	[DISCARDS] = {"discards_completed_total", "counter",
		"The total number of discards completed successfully.", 1},
	[DISCARDS_MERGED] = {"discards_merged_total", "counter",
		"The total number of discards merged.", 1},
	[DISCARDED_SECTORS] = {"discarded_sectors_total", "counter",
		"The total number of sectors discarded successfully.", 1},
	[DISCARD_MS] = {"discard_time_seconds_total", "counter",
		"This is the total number of seconds spent by all discards.", 0.001},
	[FLUSHES] = {"flush_requests_total", "counter",
		"The total number of flush requests completed successfully", 1},
	[FLUSH_MS] = {"flush_requests_time_seconds_total", "counter",
		"This is the total number of seconds spent by all flush requests.", 0.001},
};

struct disk {
	struct row row;
	size_t n; // columns its line has
	uint64_t columns[COLUMNS];
	struct counter reads, writes, read_ms, write_ms, io_ms;
	double busy_percent, latency_ms; // NAN: not known
};

struct host_diskstats {
	struct proc_file file;
	struct pace pace;
	struct rows disks;
};

static void take_columns(struct disk *disk, double seconds) {
	const uint64_t *columns = disk->columns;
	double busy_ms = counter_step(&disk->io_ms, columns[IO_MS]);
	double requests = counter_step(&disk->reads, columns[READS]) +
		counter_step(&disk->writes, columns[WRITES]);
	double waited_ms = counter_step(&disk->read_ms, columns[READ_MS]) +
		counter_step(&disk->write_ms, columns[WRITE_MS]);
	double busy = busy_ms / (10 * seconds);
	disk->busy_percent = busy > 100 ? 100 : busy; // the two clocks are not one
	disk->latency_ms = requests > 0 && !isnan(seconds) ? waited_ms / requests : NAN;
}

// "   8       0 sda 1 2 3 …"; false when there are too few numbers.
static bool parse_line(
	struct str line, struct str *out_name, uint64_t columns[COLUMNS], size_t *out_n) {
	struct str word;
	uint64_t device;
	for (size_t i = 0; i < 2; i++) {
		if (!str_word(&line, &word) || !str_to_uint64(word, &device)) {
			return false;
		}
	}
	size_t n = 0;
	bool has_name = str_word(&line, out_name);
	while (n < COLUMNS && str_word(&line, &word) && str_to_uint64(word, &columns[n])) {
		n++;
	}
	*out_n = n > FLUSHES ? (n == COLUMNS ? COLUMNS : FLUSHES)
			     : (n > DISCARDS ? (n == FLUSHES ? FLUSHES : DISCARDS) : n);
	return has_name && *out_n >= DISCARDS;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_diskstats *stats = arg;
	uint64_t columns[COLUMNS];
	struct str line, name;
	size_t n;
	(void)turn_try(turn, &stats->file, "/proc/diskstats");
	double seconds = pace_step(&stats->pace, turn->now_ns);
	struct str text = buf_str(&turn->text);
	stats->disks.size = sizeof(struct disk);
	rows_begin(&stats->disks);
	while (str_split(&text, '\n', &line)) {
		if (!parse_line(line, &name, columns, &n) || !is_disk_counted(turn->config, name)) {
			continue;
		}
		struct disk *disk = rows_find(&stats->disks, name);
		if (disk) {
			disk->n = n;
			memcpy(disk->columns, columns, n * sizeof(columns[0]));
			take_columns(disk, seconds);
		}
	}
	rows_end(&stats->disks);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_diskstats *stats = arg;
	char name[64];
	for (size_t column = 0; column < COLUMNS; column++) {
		bool is_begun = false;
		for (size_t i = 0; i < stats->disks.n; i++) {
			const struct disk *disk = rows_get(&stats->disks, i);
			if (column >= disk->n) {
				continue;
			}
			if (!is_begun) {
				snprintf(name, sizeof(name), "node_disk_%s", families[column].name);
				exposition_family(
					out, name, families[column].type, families[column].help);
				is_begun = true;
			}
			// Divided, so that 80 ms are 0.08 s.
			double value = (double)disk->columns[column];
			exposition_sample(out,
				families[column].unit < 1 ? value / 1000
							  : value * families[column].unit,
				"device", disk->row.label, NULL);
		}
	}
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_diskstats *stats = arg;
	for (size_t i = 0; i < stats->disks.n; i++) {
		const struct disk *disk = rows_get(&stats->disks, i);
		tell_figure(on_figure, on_figure_arg, "disk.busy_percent", disk->row.label,
			"percent", disk->busy_percent);
		tell_figure(on_figure, on_figure_arg, "disk.latency_ms", disk->row.label, "ms",
			disk->latency_ms);
	}
}

static void finish(void *arg) {
	struct host_diskstats *stats = arg;
	rows_finish(&stats->disks);
	proc_file_finish(&stats->file);
}

DEFINE_HOST_COLLECTOR(diskstats) = {
	.name = "diskstats",
	.summary = "Requests, bytes and time of each disk.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_diskstats),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
