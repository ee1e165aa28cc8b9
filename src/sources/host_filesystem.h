// SPDX-License-Identifier: Apache-2.0
// The file systems of the machine, private to the source `host`: which are mounted (from
// /proc/self/mountinfo), how full each was when it last answered, and whether that is above its
// threshold. Asking them is host_statfs.h's part, because an answer may never come.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "flow/board.h"
#include "flow/kind.h"

struct child;
struct exposition;

extern const struct kind host_kinds[]; // what the source `host` publishes

#define FILESYSTEMS_MAX 4096

// One line of mountinfo; the texts are decoded and live during the callback.
struct mount_line {
	struct str point, device, type;
	uint64_t number; // of the device: bind mounts and subvolumes share it
	bool is_readonly;
};
typedef void mount_fn(void *arg, const struct mount_line *line);
// Lines that are none are left out.
void mountinfo_parse(struct str text, mount_fn *on_mount, void *arg);

struct space {
	uint64_t size_bytes, free_bytes, avail_bytes;
	uint64_t files, files_free;
};
// Six numbers: fragment size, blocks, free, available, files, free files.
bool space_parse(struct str text, struct space *out);
// As df counts: used / (used + available), in percent; -1 when there is no space to speak of.
double space_used_percent(const struct space *space);
// NAN where the file system does not count inodes.
double space_inodes_used_percent(const struct space *space);

enum crossing {
	CROSSING_NONE,
	CROSSING_UP,
	CROSSING_DOWN
};
// Up at the limit, down only below limit - hysteresis: a value that trembles crosses once.
enum crossing threshold_judge(bool is_above, double value, double limit, double hysteresis);

enum space_verdict {
	SPACE_UNKNOWN, // not asked yet
	SPACE_KNOWN,
	SPACE_FAILED, // answered with an error
	SPACE_SILENT  // did not answer in time
};

struct filesystem {
	struct list node; // in the order of the mount table
	char *point, *device, *type;
	struct {
		char *point, *device, *type;
	} labels; // the same as clean text: a mount may be called anything
	uint64_t number;
	bool is_readonly;
	bool was_writable; // at some time since it was first seen
	bool is_first;	   // the first mount of its device
	bool may_block;	   // network, FUSE, unknown, or below such a one: asked in a child process
	bool is_listed;	   // in the last mount table
	enum space_verdict verdict;
	int error;	    // errno of FAILED
	struct space space; // of the last answer
	bool is_above;	    // its last published state
	// For the asking by a child process.
	struct child *child;
	bool is_killed; // the child was, and has not gone yet
	struct buf answer;
	int64_t asked_ns, ask_again_ns;
	void *asker;
};

struct filesystems {
	struct list list;
	struct map by_point;
	uint64_t version; // changes with the table
	bool is_cut;	  // more than FILESYSTEMS_MAX are mounted
};

struct mount_filter {
	const struct str *types, *points; // globs; what matches one is left out
	size_t type_count, point_count;
};

typedef void filesystem_fn(void *arg, struct filesystem *filesystem);

void filesystems_init(struct filesystems *set);
// Takes over a mount table. Mounts that are still there keep all they know; of several on one
// point the last counts, for it hides the others. on_gone comes before one is freed.
void filesystems_update(struct filesystems *set, struct str mountinfo,
	const struct mount_filter *filter, filesystem_fn *on_gone, void *arg);
void filesystems_collect(const struct filesystems *set, struct exposition *out);
void filesystems_figures(const struct filesystems *set, figure_fn *on_figure, void *arg);
// Every filesystem's child must be gone.
void filesystems_finish(struct filesystems *set);
