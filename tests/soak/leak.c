// SPDX-License-Identifier: Apache-2.0
// The mistake that tools/soak must find: annad-leak is annad linked with --wrap=writer_append, so
// that every 1,000th event on its way to the journal leaves 100 bytes behind. Nothing of this is in
// annad itself.
#include <stdlib.h>

#include "store/writer.h"

bool __real_writer_append(struct writer *writer, const char *stream, uint64_t sequence,
	uint64_t cause, int64_t time_ns, enum record_type type, struct buf *payload);
bool __wrap_writer_append(struct writer *writer, const char *stream, uint64_t sequence,
	uint64_t cause, int64_t time_ns, enum record_type type, struct buf *payload);

static void *volatile last; // so that no compiler takes the leak away

bool __wrap_writer_append(struct writer *writer, const char *stream, uint64_t sequence,
	uint64_t cause, int64_t time_ns, enum record_type type, struct buf *payload) {
	static unsigned events;
	if (++events % 1000 == 0) {
		last = calloc(1, 100);
	}
	return __real_writer_append(writer, stream, sequence, cause, time_ns, type, payload);
}
