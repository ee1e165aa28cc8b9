// SPDX-License-Identifier: Apache-2.0
// What an unclean stop may have cost: numbers below the last that was kept which neither a record
// nor an earlier source.gap accounts for. They come from a commit that reached only some streams,
// or from a gap that was still to be told.
#pragma once

#include "io/fs.h"

struct loss {
	uint64_t from, to;
};

// Looks through the last `span` numbers up to `last`; what retention may have dropped does not
// count. Writes at most `most` ranges (the last then reaches over all further ones) and returns
// how many. A journal that cannot be read has none to tell. Blocking.
size_t losses_find(struct fs *fs, const char *journal_folder, uint64_t last, uint64_t span,
	struct loss *out, size_t most);
