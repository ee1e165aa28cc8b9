// SPDX-License-Identifier: Apache-2.0
// What is remembered of watched files: enough to say what became different. Private to the source
// `file`. Bounded: beyond its limit it remembers no more (is_cut) and believes the hints.
#pragma once

#include "sources/file_tree.h"

struct stat;

struct memory {
	struct map entries; // path -> struct entry
	size_t limit;
	bool is_cut;
	uint64_t look; // number of the batch of hints being followed; the owner counts
};

void memory_init(struct memory *memory, size_t limit);
void memory_finish(struct memory *memory);
// A file is there. Appends what is different from before (changes NULL: nothing is told). hint is
// the inotify mask that led here, 0 in a scan. True when it was not remembered before.
bool memory_see(struct memory *memory, const char *path, const struct stat *stat, uint32_t hint,
	uint64_t scan, struct file_changes *changes);
// A hint about a path whose stat comes later: writes too close together to differ still count.
void memory_mark(struct memory *memory, const char *path, uint32_t hint);
// It is not there any more, nor what was below it.
void memory_lose(struct memory *memory, const char *path, struct file_changes *changes);
// It and all below it has another path now; false when it was not remembered.
bool memory_move(
	struct memory *memory, const char *from, const char *to, struct file_changes *changes);
// Loses all that this scan did not see.
void memory_forget_unseen(struct memory *memory, uint64_t scan, struct file_changes *changes);
// path is folder or is below it.
bool is_path_below(const char *path, const char *folder);
