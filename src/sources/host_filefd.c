// SPDX-License-Identifier: Apache-2.0
// /proc/sys/fs/file-nr (proc(5)): open files of the whole machine, and how many there may be.
#include "formats/exposition.h"
#include "sources/host_collector.h"

struct host_filefd {
	struct proc_file file;
	bool is_known;
	uint64_t allocated, maximum;
};

// "4096 0 400000"
static bool parse(struct str text, struct host_filefd *out) {
	uint64_t numbers[3];
	struct str word;
	for (size_t i = 0; i < 3; i++) {
		if (!str_word(&text, &word) || !str_to_uint64(word, &numbers[i])) {
			return false;
		}
	}
	out->allocated = numbers[0];
	out->maximum = numbers[2];
	return true;
}

static void gather(void *arg, struct host_turn *turn) {
	struct host_filefd *files = arg;
	files->is_known = turn_try(turn, &files->file, "/proc/sys/fs/file-nr") &&
		parse(buf_str(&turn->text), files);
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_filefd *files = arg;
	if (!files->is_known) {
		return;
	}
	exposition_family(
		out, "node_filefd_allocated", "gauge", "File descriptor statistics: allocated.");
	exposition_sample(out, (double)files->allocated, NULL);
	exposition_family(
		out, "node_filefd_maximum", "gauge", "File descriptor statistics: maximum.");
	exposition_sample(out, (double)files->maximum, NULL);
}

static void figures(const void *arg, figure_fn *on_figure, void *on_figure_arg) {
	const struct host_filefd *files = arg;
	if (files->is_known && files->maximum) {
		tell_figure(on_figure, on_figure_arg, "files.used_percent", "", "percent",
			100 * (double)files->allocated / (double)files->maximum);
	}
}

static void finish(void *arg) {
	struct host_filefd *files = arg;
	proc_file_finish(&files->file);
}

DEFINE_HOST_COLLECTOR(filefd) = {
	.name = "filefd",
	.summary = "Open files of the machine, and their limit.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_filefd),
	.gather = gather,
	.collect = collect,
	.figures = figures,
	.finish = finish,
};
