// SPDX-License-Identifier: Apache-2.0
// What the journal keeps: a record is bytes with a sequence number, a time, a type and the record
// that caused it. The number is unique over all streams; it is an event's id.
#pragma once

#include <stdint.h>

#include "base/str.h"

enum record_type {
	RECORD_EVENT = 1,  // flow/event_record.c
	RECORD_STATE = 2,  // key NUL value: the latest of a key counts
	RECORD_DAMAGE = 64 // never stored: a reader's report of a range that is lost (see reader.h)
};

struct record {
	uint64_t sequence; // > 0
	uint64_t cause;	   // sequence of the causing record, or 0
	int64_t time_ns;   // wall
	uint8_t type;
	struct str payload; // borrowed
};

#define RECORD_PAYLOAD_MAX (1024 * 1024)
#define RECORD_SEQUENCE_MAX (UINT64_MAX / 2) // room for sums without overflow
