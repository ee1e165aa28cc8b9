// SPDX-License-Identifier: Apache-2.0
// D-Bus messages; see dbus.h. Every read checks what is left first; arrays are bounded by their own
// length, so a reader inside one cannot leave it.
#include "formats/dbus.h"

#define ARRAY_MAX (64 * 1024 * 1024) // D-Bus Specification, "Marshaling"
#define DEPTH_MAX 64		     // 32 arrays and 32 structs
#define VERSION 1
#define NO_AUTO_START 2 // a call must not start a service that is not there

enum field {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR_NAME,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE
};

static size_t aligned(size_t at, size_t alignment) {
	return (at + alignment - 1) & ~(alignment - 1);
}

static uint32_t get_uint32(const char *at, bool is_big_endian) {
	const unsigned char *byte = (const unsigned char *)at;
	return is_big_endian ? (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 |
			(uint32_t)byte[2] << 8 | byte[3]
			     : (uint32_t)byte[3] << 24 | (uint32_t)byte[2] << 16 |
			(uint32_t)byte[1] << 8 | byte[0];
}

bool dbus_measure(struct str head, size_t *out_size, struct err *err) {
	if (head.len < DBUS_HEAD || (head.at[0] != 'l' && head.at[0] != 'B')) {
		return err_set(err, ERR_INVALID, "what came is not a D-Bus message");
	}
	if (head.at[3] != VERSION) {
		return err_set(err, ERR_INVALID, "D-Bus version %d is not known",
			(unsigned char)head.at[3]);
	}
	uint64_t body = get_uint32(head.at + 4, head.at[0] == 'B');
	uint64_t fields = get_uint32(head.at + 12, head.at[0] == 'B');
	uint64_t size = DBUS_HEAD + (fields + 7) / 8 * 8 + body;
	if (size > DBUS_MESSAGE_MAX) {
		return err_set(err, ERR_LIMIT,
			"a D-Bus message of %llu bytes is over the limit of %d",
			(unsigned long long)size, DBUS_MESSAGE_MAX);
	}
	*out_size = (size_t)size;
	return true;
}

// Steps to the boundary and takes n bytes there; NULL when they are not left.
static const char *take(struct dbus_reader *reader, size_t alignment, size_t n) {
	size_t at = aligned(reader->at, alignment);
	if (reader->is_bad || at > reader->end || n > reader->end - at) {
		reader->is_bad = true;
		return NULL;
	}
	reader->at = at + n;
	return reader->start + at;
}

static uint8_t read_byte(struct dbus_reader *reader) {
	const char *at = take(reader, 1, 1);
	return at ? (uint8_t)*at : 0;
}

uint32_t dbus_read_uint32(struct dbus_reader *reader) {
	const char *at = take(reader, 4, 4);
	return at ? get_uint32(at, reader->is_big_endian) : 0;
}

int32_t dbus_read_int32(struct dbus_reader *reader) {
	return (int32_t)dbus_read_uint32(reader);
}

uint64_t dbus_read_uint64(struct dbus_reader *reader) {
	const char *at = take(reader, 8, 8);
	if (!at) {
		return 0;
	}
	uint64_t first = get_uint32(at, reader->is_big_endian);
	uint64_t second = get_uint32(at + 4, reader->is_big_endian);
	return reader->is_big_endian ? first << 32 | second : second << 32 | first;
}

// n bytes and the NUL that has to follow them.
static struct str read_text(struct dbus_reader *reader, size_t n) {
	const char *at = reader->is_bad || n > reader->end ? NULL : take(reader, 1, n + 1);
	if (!at || at[n] != '\0' || memchr(at, '\0', n)) {
		reader->is_bad = true;
		return (struct str){NULL, 0};
	}
	return str_range(at, n);
}

struct str dbus_read_str(struct dbus_reader *reader) {
	struct str text = read_text(reader, dbus_read_uint32(reader));
	if (!str_is_utf8(text)) {
		reader->is_bad = true;
		return (struct str){NULL, 0};
	}
	return text;
}

struct str dbus_read_signature(struct dbus_reader *reader) {
	return read_text(reader, read_byte(reader));
}

void dbus_read_struct(struct dbus_reader *reader) {
	(void)take(reader, 8, 0);
}

void dbus_read_array(
	struct dbus_reader *reader, size_t element_alignment, struct dbus_reader *out) {
	uint32_t n = dbus_read_uint32(reader);
	// The padding before the first element is not counted in n, and there even when n is 0.
	const char *at = n > ARRAY_MAX ? NULL : take(reader, element_alignment, n);
	*out = *reader;
	if (!at) {
		reader->is_bad = out->is_bad = true;
		out->at = out->end;
		return;
	}
	out->end = reader->at;
	out->at = reader->at - n;
}

bool dbus_has_more(const struct dbus_reader *reader) {
	return !reader->is_bad && reader->at < reader->end;
}

static size_t alignment_of(char type) {
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 'h':
	case 's':
	case 'o':
	case 'a':
		return 4;
	case 'x':
	case 't':
	case 'd':
	case '(':
	case '{':
		return 8;
	default:
		return 0;
	}
}

// Cuts the first complete type off *types; false when none begins there.
static bool cut_type(struct str *types, struct str *out, unsigned depth) {
	struct str rest = str_skip(*types, 1), part;
	if (!types->len || !alignment_of(types->at[0]) || depth > DEPTH_MAX) {
		return false;
	}
	char first = types->at[0];
	if (first == 'a' && !cut_type(&rest, &part, depth + 1)) {
		return false;
	}
	if (first == '(' || first == '{') {
		char last = first == '(' ? ')' : '}';
		do {
			if (!cut_type(&rest, &part, depth + 1)) {
				return false;
			}
		} while (rest.len && rest.at[0] != last);
		if (!rest.len) {
			return false;
		}
		rest = str_skip(rest, 1);
	}
	*out = str_head(*types, types->len - rest.len);
	*types = rest;
	return true;
}

static void skip(struct dbus_reader *reader, struct str type, unsigned depth);

static void skip_inside(struct dbus_reader *reader, struct str types, unsigned depth) {
	struct str part;
	while (types.len && !reader->is_bad) {
		if (!cut_type(&types, &part, 0)) {
			reader->is_bad = true;
			return;
		}
		skip(reader, part, depth);
	}
}

static void skip(struct dbus_reader *reader, struct str type, unsigned depth) {
	struct dbus_reader inside;
	size_t alignment = type.len ? alignment_of(type.at[0]) : 0;
	if (!alignment || depth > DEPTH_MAX) {
		reader->is_bad = true;
		return;
	}
	switch (type.at[0]) {
	case 's':
	case 'o':
		(void)dbus_read_str(reader);
		return;
	case 'g':
		(void)dbus_read_signature(reader);
		return;
	case 'v':
		skip_inside(reader, dbus_read_signature(reader), depth + 1);
		return;
	case 'a': // by its length: its elements need not be looked at
		alignment = type.len > 1 ? alignment_of(type.at[1]) : 0;
		if (!alignment) {
			reader->is_bad = true;
			return;
		}
		dbus_read_array(reader, alignment, &inside);
		return;
	case '(':
	case '{':
		dbus_read_struct(reader);
		skip_inside(reader, str_head(str_skip(type, 1), type.len - 2), depth + 1);
		return;
	default:
		(void)take(reader, alignment, alignment); // fixed types are as long as aligned
	}
}

void dbus_skip(struct dbus_reader *reader, struct str type) {
	struct str rest = type, part;
	if (!cut_type(&rest, &part, 0) || rest.len) {
		reader->is_bad = true;
		return;
	}
	skip(reader, part, 0);
}

bool dbus_next_property(struct dbus_reader *entries, struct str *out_name, struct str *out_type,
	struct dbus_reader *out_value) {
	if (!dbus_has_more(entries)) {
		return false;
	}
	dbus_read_struct(entries);
	*out_name = dbus_read_str(entries);
	*out_type = dbus_read_signature(entries);
	*out_value = *entries;
	dbus_skip(entries, *out_type);
	out_value->end = entries->at;
	return !entries->is_bad;
}

void dbus_reader_init(struct dbus_reader *reader, const struct dbus_message *message) {
	*reader = (struct dbus_reader){
		.start = message->body.at, // on an 8-byte boundary of the message
		.end = message->body.len,
		.is_big_endian = message->is_big_endian};
}

static void take_field(
	struct dbus_message *out, unsigned field, struct str type, struct dbus_reader *value) {
	struct str *const texts[] = {[FIELD_PATH] = &out->path,
		[FIELD_INTERFACE] = &out->interface,
		[FIELD_MEMBER] = &out->member,
		[FIELD_ERROR_NAME] = &out->error_name,
		[FIELD_DESTINATION] = &out->destination,
		[FIELD_SENDER] = &out->sender,
		[FIELD_SIGNATURE] = &out->signature};
	const char *wanted = field == FIELD_PATH ? "o"
		: field == FIELD_SIGNATURE	 ? "g"
		: field == FIELD_REPLY_SERIAL	 ? "u"
						 : "s";
	if (field < FIELD_PATH || field > FIELD_SIGNATURE) {
		dbus_skip(value, type); // of a later version of the protocol: to be ignored
	} else if (!str_is(type, wanted)) {
		value->is_bad = true;
	} else if (field == FIELD_REPLY_SERIAL) {
		out->reply_serial = dbus_read_uint32(value);
	} else if (field == FIELD_SIGNATURE) {
		out->signature = dbus_read_signature(value);
	} else {
		*texts[field] = dbus_read_str(value);
	}
}

static bool has_what_it_needs(const struct dbus_message *message) {
	switch (message->type) {
	case DBUS_CALL:
		return message->path.len && message->member.len;
	case DBUS_REPLY:
		return message->reply_serial != 0;
	case DBUS_ERROR:
		return message->reply_serial != 0 && message->error_name.len;
	case DBUS_SIGNAL:
		return message->path.len && message->interface.len && message->member.len;
	}
	return true; // of an unknown type: to be ignored
}

bool dbus_parse(struct str bytes, struct dbus_message *out, struct err *err) {
	size_t size;
	struct dbus_message message = {0};
	if (!dbus_measure(bytes, &size, err)) {
		return false;
	}
	if (size != bytes.len) {
		return err_set(err, ERR_INVALID, "a D-Bus message is cut short");
	}
	message.is_big_endian = bytes.at[0] == 'B';
	message.type = (enum dbus_type)(unsigned char)bytes.at[1];
	struct dbus_reader reader = {
		.start = bytes.at, .at = 8, .end = size, .is_big_endian = message.is_big_endian};
	struct dbus_reader fields;
	message.serial = dbus_read_uint32(&reader);
	dbus_read_array(&reader, 8, &fields);
	while (dbus_has_more(&fields)) {
		dbus_read_struct(&fields);
		unsigned field = read_byte(&fields);
		take_field(&message, field, dbus_read_signature(&fields), &fields);
	}
	dbus_read_struct(&reader); // the body begins on the next boundary
	if (fields.is_bad || reader.is_bad || !message.serial || !has_what_it_needs(&message)) {
		return err_set(err, ERR_INVALID, "the head of a D-Bus message is broken");
	}
	message.body = str_skip(bytes, reader.at);
	*out = message;
	return true;
}

static void pad(struct buf *out, size_t start, size_t alignment) {
	while ((out->len - start) % alignment) {
		buf_append_char(out, '\0');
	}
}

// Little-endian, whatever the machine.
static void put_uint32(struct buf *out, uint32_t value) {
	const char bytes[] = {
		(char)value, (char)(value >> 8), (char)(value >> 16), (char)(value >> 24)};
	buf_append(out, bytes, sizeof(bytes));
}

static void put_str(struct buf *out, size_t start, struct str text) {
	pad(out, start, 4);
	put_uint32(out, (uint32_t)text.len);
	buf_append_str(out, text);
	buf_append_char(out, '\0');
}

static void put_signature(struct buf *out, const char *signature) {
	buf_append_char(out, (char)strlen(signature));
	buf_append(out, signature, strlen(signature) + 1);
}

static void put_field(
	struct buf *out, size_t start, enum field field, const char *type, const char *text) {
	pad(out, start, 8);
	buf_append_char(out, (char)field);
	put_signature(out, type);
	if (field == FIELD_SIGNATURE) {
		put_signature(out, text);
	} else {
		put_str(out, start, str_from(text));
	}
}

static void patch_uint32(struct buf *out, size_t at, size_t value) {
	for (size_t i = 0; i < 4; i++) {
		out->at[at + i] = (char)(value >> (8 * i));
	}
}

void dbus_format_call(struct buf *out, const struct dbus_call *call) {
	static const char signature[] = "ssssssss";
	size_t start = out->len;
	const char head[] = {'l', DBUS_CALL, NO_AUTO_START, VERSION};
	assert(call->n < sizeof(signature) && call->serial);
	buf_append(out, head, sizeof(head));
	put_uint32(out, 0); // size of the body: below
	put_uint32(out, call->serial);
	put_uint32(out, 0); // size of the fields: below
	put_field(out, start, FIELD_PATH, "o", call->path);
	put_field(out, start, FIELD_INTERFACE, "s", call->interface);
	put_field(out, start, FIELD_MEMBER, "s", call->member);
	put_field(out, start, FIELD_DESTINATION, "s", call->destination);
	if (call->n) {
		put_field(out, start, FIELD_SIGNATURE, "g",
			signature + sizeof(signature) - 1 - call->n);
	}
	patch_uint32(out, start + 12, out->len - start - DBUS_HEAD);
	pad(out, start, 8);
	size_t body = out->len;
	for (size_t i = 0; i < call->n; i++) {
		put_str(out, start, call->arguments[i]);
	}
	patch_uint32(out, start + 4, out->len - body);
}

void dbus_path_escape(struct str name, struct buf *out) {
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (is_letter || (i && c >= '0' && c <= '9')) {
			buf_append_char(out, c);
		} else {
			buf_appendf(out, "_%02x", (unsigned char)c);
		}
	}
	if (!name.len) {
		buf_append_char(out, '_');
	}
}

static int nibble_of(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dbus_path_unescape(struct str path, struct str prefix, struct buf *out) {
	size_t before = out->len;
	if (!str_starts(path, prefix) || path.len == prefix.len) {
		return false;
	}
	struct str label = str_skip(path, prefix.len);
	for (size_t i = 0; i < label.len; i++) {
		char c = label.at[i];
		if (c == '_') {
			int high = i + 2 < label.len ? nibble_of(label.at[i + 1]) : -1;
			int low = high >= 0 ? nibble_of(label.at[i + 2]) : -1;
			if (low < 0 || !(high | low)) {
				out->len = before;
				return false;
			}
			c = (char)(high << 4 | low);
			i += 2;
		}
		buf_append_char(out, c);
	}
	return true;
}
