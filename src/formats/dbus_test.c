// SPDX-License-Identifier: Apache-2.0
// D-Bus messages: written and read back, cut short, too large, in the other byte order.
#include "formats/dbus.h"

#include "tests/check.h"

// An answer of the types ybnqiuxtdsogv, as and (yv), made by tests/scenario/dbus_peer.py.
static const char mixed_hex[] =
	"6c020001730000000700000031000000050175000300000007017300040000003a312e32000000000801"
	"670013796269756975787474736f677661732879762900000000000000000100000001000000feffffff"
	"03000000fcffffff05000000faffffffffffffff07000000000000000800000000000000010000007300"
	"0000020000002f6f0002617300017600017500000000090000000d000000010000007800000000000000"
	"00000000000000000101730002000000696e00";

static void decode(const char *hex, struct buf *out) {
	static const char digits[] = "0123456789abcdef";
	for (; *hex; hex += 2) {
		buf_append_char(out,
			(char)((strchr(digits, hex[0]) - digits) << 4 |
				(strchr(digits, hex[1]) - digits)));
	}
}

TEST(a_call_reads_back) {
	const struct str arguments[] = {STR("one"), STR(""), STR("three")};
	const struct dbus_call call = {.serial = 9,
		.destination = "org.example",
		.path = "/org/example",
		.interface = "org.example.Thing",
		.member = "Do",
		.arguments = arguments,
		.n = 3};
	struct buf bytes = BUF_INIT;
	struct dbus_message message;
	struct dbus_reader reader;
	size_t size;

	dbus_format_call(&bytes, &call);

	CHECK(dbus_measure(str_head(buf_str(&bytes), DBUS_HEAD), &size, NULL));
	CHECK_INT(size, bytes.len);
	CHECK(dbus_parse(buf_str(&bytes), &message, NULL));
	CHECK_INT(message.type, DBUS_CALL);
	CHECK_INT(message.serial, 9);
	CHECK_STR(message.destination, "org.example");
	CHECK_STR(message.path, "/org/example");
	CHECK_STR(message.interface, "org.example.Thing");
	CHECK_STR(message.member, "Do");
	CHECK_STR(message.signature, "sss");
	dbus_reader_init(&reader, &message);
	CHECK_STR(dbus_read_str(&reader), "one");
	CHECK_STR(dbus_read_str(&reader), "");
	CHECK_STR(dbus_read_str(&reader), "three");
	CHECK(!reader.is_bad && !dbus_has_more(&reader));
	(void)dbus_read_str(&reader);
	CHECK(reader.is_bad);
	buf_finish(&bytes);
}

TEST(a_call_without_arguments_has_no_signature) {
	const struct dbus_call call = {
		.serial = 1, .destination = "d.d", .path = "/", .interface = "i.i", .member = "M"};
	struct buf bytes = BUF_INIT;
	struct dbus_message message;
	dbus_format_call(&bytes, &call);
	CHECK(dbus_parse(buf_str(&bytes), &message, NULL));
	CHECK_STR(message.signature, "");
	CHECK_INT(message.body.len, 0);
	buf_finish(&bytes);
}

TEST(every_type_is_stepped_over) {
	struct buf bytes = BUF_INIT;
	struct dbus_message message;
	struct dbus_reader reader, array;
	static const char *const simple[] = {"y", "b", "i", "i", "i", "u", "x", "t", "t"};
	decode(mixed_hex, &bytes);
	CHECK(dbus_parse(buf_str(&bytes), &message, NULL));
	CHECK_STR(message.signature, "ybiuiuxttsogvas(yv)");
	dbus_reader_init(&reader, &message);
	for (size_t i = 0; i < 9; i++) {
		dbus_skip(&reader, str_from(simple[i]));
	}
	CHECK_STR(dbus_read_str(&reader), "s");
	CHECK_STR(dbus_read_str(&reader), "/o");
	CHECK_STR(dbus_read_signature(&reader), "as");
	dbus_skip(&reader, STR("v"));
	dbus_read_array(&reader, 4, &array);
	CHECK_STR(dbus_read_str(&array), "x");
	CHECK_STR(dbus_read_str(&array), "");
	CHECK(!dbus_has_more(&array) && !array.is_bad);
	dbus_skip(&reader, STR("(yv)"));
	CHECK(!reader.is_bad && !dbus_has_more(&reader));
	buf_finish(&bytes);
}

TEST(a_message_cut_anywhere_is_refused) {
	struct buf bytes = BUF_INIT;
	struct dbus_message message;
	decode(mixed_hex, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		struct err err = ERR_INIT;
		CHECK(!dbus_parse(str_head(buf_str(&bytes), n), &message, &err));
		CHECK_INT(err.code, ERR_INVALID);
	}
	buf_finish(&bytes);
}

TEST(both_byte_orders_are_read) {
	// Hello's answer as a big-endian peer writes it: serial 1, reply to 1, ":1.5".
	static const char hex[] = "4202010100000009000000010000000f"
				  "05017500000000010801670001730000"
				  "000000043a312e3500";
	struct buf bytes = BUF_INIT;
	struct dbus_message message;
	struct dbus_reader reader;
	decode(hex, &bytes);
	CHECK(dbus_parse(buf_str(&bytes), &message, NULL));
	CHECK_INT(message.reply_serial, 1);
	dbus_reader_init(&reader, &message);
	CHECK_STR(dbus_read_str(&reader), ":1.5");
	buf_finish(&bytes);
}

TEST(what_is_no_message_is_refused_with_a_reason) {
	static const struct {
		struct str head;
		enum err_code code;
	} rows[] = {{STR_INIT("HTTP/1.1 400 Bad"), ERR_INVALID},
		{STR_INIT("l\2\1\2\0\0\0\0\1\0\0\0\0\0\0\0"), ERR_INVALID},
		{STR_INIT("l\2\1\1\xff\xff\xff\xff\1\0\0\0\0\0\0\0"), ERR_LIMIT},
		{STR_INIT("l\2\1\1\0\0\0\0\1\0\0\0\xff\xff\xff\xff"), ERR_LIMIT}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;
		size_t size;
		CHECK(!dbus_measure(rows[i].head, &size, &err));
		CHECK_INT(err.code, rows[i].code);
		CHECK(err.message[0]);
	}
}

static void read_bytes(struct dbus_reader *reader, struct str bytes) {
	*reader = (struct dbus_reader){.start = bytes.at, .end = bytes.len};
}

TEST(a_length_that_lies_is_noticed) {
	struct dbus_reader reader, inside;
	read_bytes(&reader, STR("\xff\xff\xff\xffx"));
	CHECK_STR(dbus_read_str(&reader), "");
	CHECK(reader.is_bad);
	read_bytes(&reader, STR("\3\0\0\0abcd")); // no NUL behind it
	CHECK_STR(dbus_read_str(&reader), "");
	CHECK(reader.is_bad);
	read_bytes(&reader, STR("\2\0\0\0\xc3\x28")); // not UTF-8
	(void)dbus_read_str(&reader);
	CHECK(reader.is_bad);
	read_bytes(&reader, STR("\x40\0\0\0abcd")); // an array longer than what is left
	dbus_read_array(&reader, 4, &inside);
	CHECK(reader.is_bad && inside.is_bad && !dbus_has_more(&inside));
}

TEST(a_type_that_is_none_is_not_stepped_over) {
	static const char *const types[] = {"", "z", "a", "(", "()", "(s", "a{", "ss", "{s)", "a("};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct dbus_reader reader;
		read_bytes(&reader, STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
		dbus_skip(&reader, str_from(types[i]));
		if (!reader.is_bad) {
			print_error("\"%s\" was stepped over\n", types[i]);
		}
		CHECK(reader.is_bad);
	}
}

TEST(nesting_without_end_is_refused) {
	struct buf bytes = BUF_INIT;
	struct dbus_reader reader;
	for (int i = 0; i < 200; i++) { // a variant in a variant in a variant …
		buf_append(&bytes, "\1v", 3);
	}
	read_bytes(&reader, buf_str(&bytes));
	dbus_skip(&reader, STR("v"));
	CHECK(reader.is_bad);
	buf_finish(&bytes);
}

TEST(names_of_units_become_paths_and_back) {
	static const char *const names[] = {"dbus.service", "web@1.service", "-.mount",
		"dev-sda1.device", "7.service", "with\\x20blank.mount"};
	static const char *const paths[] = {"dbus_2eservice", "web_401_2eservice", "_2d_2emount",
		"dev_2dsda1_2edevice", "_37_2eservice", "with_5cx20blank_2emount"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf path = BUF_INIT, name = BUF_INIT;
		dbus_path_escape(str_from(names[i]), &path);
		CHECK_TEXT(buf_text(&path), paths[i]);
		CHECK(dbus_path_unescape(buf_str(&path), STR(""), &name));
		CHECK_TEXT(buf_text(&name), names[i]);
		buf_finish(&path);
		buf_finish(&name);
	}
}

TEST(a_path_with_a_broken_escape_is_no_name) {
	static const char *const paths[] = {"/u/", "/u/a_", "/u/a_2", "/u/a_zz", "/u/a_00", "/x/a"};
	struct buf name = BUF_INIT;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CHECK(!dbus_path_unescape(str_from(paths[i]), STR("/u/"), &name));
		CHECK_INT(name.len, 0);
	}
	buf_finish(&name);
}

int main(void) {
	return TESTS(RUN(a_call_reads_back), RUN(a_call_without_arguments_has_no_signature),
		RUN(every_type_is_stepped_over), RUN(a_message_cut_anywhere_is_refused),
		RUN(both_byte_orders_are_read), RUN(what_is_no_message_is_refused_with_a_reason),
		RUN(a_length_that_lies_is_noticed), RUN(a_type_that_is_none_is_not_stepped_over),
		RUN(nesting_without_end_is_refused), RUN(names_of_units_become_paths_and_back),
		RUN(a_path_with_a_broken_escape_is_no_name));
}
