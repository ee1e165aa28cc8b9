// SPDX-License-Identifier: Apache-2.0
// A disk in memory that does what disks do. Every file has what programs see and what is durable;
// between the two lie the writes not synced yet. A power loss keeps of those, per 512-byte sector,
// whatever the seed says: all, none, some, old versions and new side by side; names that were not
// synced with their directory may be lost or come back. Calls fail as asked: short writes, a full
// disk, EIO on writing, and on syncing, after which the writes may never reach the disk although
// programs still see them. The same seed and calls give the same bytes.
#pragma once

#include "base/random.h"
#include "io/fs.h"

struct sim_fs;

// How often per 10,000 calls.
struct sim_fs_faults {
	unsigned short_write, write_error, sync_error, no_space, open_error, name_error;
};

// What really happened to a disk, so that a test can say that no kind was left out.
enum sim_fault {
	SIM_SHORT_WRITE,
	SIM_WRITE_ERROR,
	SIM_SYNC_ERROR,
	SIM_NAME_SYNC_ERROR,
	SIM_NO_SPACE,
	SIM_DISK_FULL,
	SIM_OPEN_ERROR,
	SIM_NAME_ERROR,
	SIM_KILL,
	SIM_POWER_LOSS,
	SIM_LOST_WRITE,	     // not a sector of it was kept
	SIM_TORN_WRITE,	     // some of its sectors were
	SIM_REORDERED_WRITE, // kept, though an earlier one was lost
	SIM_LOST_NAME,
	SIM_BIT_FLIP,
	SIM_RENAME, // a journal recycles a segment by it
	SIM_FAULTS
};
extern const char *const sim_fault_names[SIM_FAULTS];

struct sim_fs *sim_fs_create(uint64_t seed);
void sim_fs_destroy(struct sim_fs *sim);
struct fs *sim_fs(struct sim_fs *sim);

void sim_fs_set_faults(struct sim_fs *sim, const struct sim_fs_faults *faults);
// Bytes all files together may take; -1: no limit.
void sim_fs_set_capacity(struct sim_fs *sim, int64_t bytes);
// Planted bugs of the layer above, for testing tests: a sync that only says it happened.
void sim_fs_skip_directory_syncs(struct sim_fs *sim, bool skips);
void sim_fs_skip_syncs(struct sim_fs *sim, bool skips);

// kill -9: open files are gone, what was written stays. Until sim_fs_boot every call fails, so that
// the owner of the dead process's memory can free it without touching the disk.
void sim_fs_kill(struct sim_fs *sim);
// Power loss: as kill, and what was not synced is left to the dice.
void sim_fs_crash(struct sim_fs *sim);
void sim_fs_boot(struct sim_fs *sim);
// Everything becomes durable, as after a long time.
void sim_fs_settle(struct sim_fs *sim);

// Flips one bit, seen and durable. False when the file is not there or is shorter.
bool sim_fs_flip(struct sim_fs *sim, const char *path, int64_t offset, int bit);
// Writes a durable file, its folders too.
void sim_fs_put(struct sim_fs *sim, const char *path, const void *bytes, size_t n);
// A digest of all names and bytes programs see.
uint64_t sim_fs_digest(struct sim_fs *sim);
uint64_t sim_fs_drawn(const struct sim_fs *sim, enum sim_fault fault);
size_t sim_fs_open_files(const struct sim_fs *sim);
