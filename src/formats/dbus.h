// SPDX-License-Identifier: Apache-2.0
// D-Bus messages (D-Bus Specification, "Type System" and "Message Protocol"): a reader for what
// comes from a bus and a writer for calls whose arguments are strings. Pure and bounded: nothing is
// copied, no length is believed before it was held against what is there.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define DBUS_HEAD 16 // bytes that tell the size of a message
#define DBUS_MESSAGE_MAX \
	(8 * 1024 * 1024) // 20,000 units in one answer; the protocol allows 128 MiB

enum dbus_type {
	DBUS_CALL = 1,
	DBUS_REPLY,
	DBUS_ERROR,
	DBUS_SIGNAL
};

// All text is borrowed from the bytes parsed; what the message does not say is empty.
struct dbus_message {
	enum dbus_type type;
	bool is_big_endian;
	uint32_t serial, reply_serial;
	struct str path, interface, member, error_name, destination, sender, signature;
	struct str body;
};

// The size of the message that begins with these (at least DBUS_HEAD) bytes. False with *err when no
// message begins so, or a larger one than DBUS_MESSAGE_MAX.
_must_use_ bool dbus_measure(struct str head, size_t *out_size, struct err *err);
// A whole message: exactly as many bytes as dbus_measure said.
_must_use_ bool dbus_parse(struct str bytes, struct dbus_message *out, struct err *err);

// Reads values one after the other. The first that is not there or not right makes is_bad true; from
// then on numbers are 0 and texts empty, so that a caller may ask once, at the end.
struct dbus_reader {
	const char *start; // alignment counts from here
	size_t at, end;
	bool is_big_endian;
	bool is_bad;
};
void dbus_reader_init(struct dbus_reader *reader, const struct dbus_message *message);
uint32_t dbus_read_uint32(struct dbus_reader *reader);
int32_t dbus_read_int32(struct dbus_reader *reader);
uint64_t dbus_read_uint64(struct dbus_reader *reader);
struct str dbus_read_str(struct dbus_reader *reader);	    // s and o
struct str dbus_read_signature(struct dbus_reader *reader); // g
// What follows is a struct or dictionary entry: to its 8-byte boundary.
void dbus_read_struct(struct dbus_reader *reader);
// Steps into an array whose elements begin on that boundary (8: structs, dictionary entries, 64-bit
// numbers; 4: strings, arrays, 32-bit numbers). *out ends with the array; the reader goes on behind it.
void dbus_read_array(struct dbus_reader *reader, size_t element_alignment, struct dbus_reader *out);
// True while there is another element (and nothing was bad).
bool dbus_has_more(const struct dbus_reader *reader);
// Over one complete value of this type.
void dbus_skip(struct dbus_reader *reader, struct str type);

// Walks a{sv}: the next name, with *out_value inside the variant and *out_type its signature. Each
// variant is skipped whether it was read or not.
bool dbus_next_property(struct dbus_reader *entries, struct str *out_name, struct str *out_type,
	struct dbus_reader *out_value);

struct dbus_call {
	uint32_t serial; // not 0
	const char *destination, *path, *interface, *member;
	const struct str *arguments; // strings all
	size_t n;		     // at most 8
};
void dbus_format_call(struct buf *out, const struct dbus_call *call);

// A name as the last part of an object path, as systemd escapes it: what is no letter or digit, and a
// digit in front, becomes _ and two hexadecimal digits.
void dbus_path_escape(struct str name, struct buf *out);
// Appends the last part of an object path with systemd's escapes (_2e for '.') undone: the name of a
// unit. False when it is not below `prefix`, or an escape is not one.
_must_use_ bool dbus_path_unescape(struct str path, struct str prefix, struct buf *out);
