// SPDX-License-Identifier: Apache-2.0
// Generations as bytes. Whatever the disk gives back instead of what was written is refused here by
// checksum, never half believed.
#include "config/generation_file.h"

#include <inttypes.h>

#include "base/crc32c.h"
#include "formats/json.h"

#define CRC_FORMAT ",\"crc\":\"%08x\"}"
#define CRC_LEN 18

const char *verdict_name(enum verdict verdict) {
	static const char *const names[] = {[VERDICT_ACTIVE] = "active",
		[VERDICT_GOOD] = "good",
		[VERDICT_UNDONE] = "undone",
		[VERDICT_REJECTED] = "rejected",
		[VERDICT_PENDING] = "pending"};
	return names[verdict];
}

static bool verdict_parse(struct str text, enum verdict *out) {
	for (enum verdict verdict = VERDICT_ACTIVE; verdict <= VERDICT_PENDING; verdict++) {
		if (str_is(text, verdict_name(verdict))) {
			*out = verdict;
			return true;
		}
	}
	return false;
}

static uint64_t get_number(const struct value *header, const char *key) {
	const struct value *value = value_get(header, str_from(key));
	bool is_one = value && value->type == VALUE_INT && value->integer >= 0;
	return is_one ? (uint64_t)value->integer : 0;
}

static struct str get_text(const struct value *header, const char *key) {
	const struct value *value = value_get(header, str_from(key));
	return value && value->type == VALUE_STRING ? value->string : STR("");
}

void entry_set_author(struct entry *entry, struct str author) {
	author = str_head(author, GENERATION_AUTHOR_MAX);
	if (author.len) {
		memcpy(entry->author, author.at, author.len);
	}
	entry->author[author.len] = '\0';
	entry->public.author = entry->author;
}

void entry_set_writer(struct entry *entry, struct str writer) {
	writer = str_head(writer, GENERATION_WRITER_MAX);
	if (writer.len) {
		memcpy(entry->writer, writer.at, writer.len);
	}
	entry->writer[writer.len] = '\0';
	entry->public.writer = entry->writer;
}

static bool is_intact(struct str line) {
	char crc[CRC_LEN + 1];
	if (line.len <= CRC_LEN) {
		return false;
	}
	struct str covered = str_head(line, line.len - CRC_LEN);
	(void)snprintf(crc, sizeof(crc), CRC_FORMAT, crc32c(0, covered.at, covered.len));
	return str_is(str_skip(line, covered.len), crc);
}

bool entry_parse(struct str line, uint64_t number, struct entry *out) {
	struct arena *arena = arena_create();
	const struct value *header = is_intact(line) ? json_parse(arena, line, 4, NULL) : NULL;
	struct entry entry = {.activated = get_number(header, "activated"),
		.body_bytes = get_number(header, "body_bytes"),
		.body_crc = (uint32_t)get_number(header, "body_crc"),
		.public = {.number = number,
			.time_ns = (int64_t)get_number(header, "time_ns"),
			.confirm_by_ns = (int64_t)get_number(header, "confirm_by_ns"),
			.previous = get_number(header, "previous")}};
	struct str hash = get_text(header, "hash");
	bool is_parsed = header && get_number(header, "format") == GENERATION_FORMAT &&
		get_number(header, "number") == number && hash.len == 64 &&
		verdict_parse(get_text(header, "verdict"), &entry.on_disk);
	if (is_parsed) {
		memcpy(entry.public.hash, hash.at, hash.len);
		entry_set_author(&entry, get_text(header, "author"));
		entry_set_writer(&entry, get_text(header, "writer"));
		*out = entry;
		out->public.author = out->author;
		out->public.writer = out->writer;
	}
	arena_destroy(arena);
	return is_parsed;
}

void entry_format(const struct entry *entry, struct buf *out) {
	struct json_writer json;
	size_t start = out->len;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_member_int(&json, "format", GENERATION_FORMAT);
	json_member_uint(&json, "number", entry->public.number);
	json_member_text(&json, "hash", entry->public.hash);
	json_member_time(&json, "time", entry->public.time_ns);
	json_member_int(&json, "time_ns", entry->public.time_ns);
	json_member_text(&json, "author", entry->author);
	json_member_text(&json, "writer", entry->writer);
	json_member_text(&json, "verdict", verdict_name(entry->on_disk));
	json_member_uint(&json, "activated", entry->activated);
	if (entry->on_disk == VERDICT_PENDING) {
		json_member_int(&json, "confirm_by_ns", entry->public.confirm_by_ns);
		json_member_uint(&json, "previous", entry->public.previous);
	}
	json_member_uint(&json, "body_bytes", entry->body_bytes);
	json_member_uint(&json, "body_crc", entry->body_crc);
	json_end_object(&json);
	out->len--; // the closing brace comes again after the checksum
	buf_appendf(out, CRC_FORMAT "\n", crc32c(0, out->at + start, out->len - start));
}

void body_format(const struct config_files *files, struct buf *out) {
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_key(&json, "files");
	json_begin_array(&json);
	for (size_t i = 0; i < files->n; i++) {
		json_begin_object(&json);
		json_member_str(&json, "path", files->items[i].path);
		json_member_str(&json, "text", files->items[i].text);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
	buf_append_char(out, '\n');
}

bool body_parse(
	struct str body, const struct entry *entry, struct config_files *out, struct err *err) {
	struct config_files files = {.arena = arena_create()};
	const struct value *root = json_parse(
		files.arena, arena_copy_str(files.arena, str_trim(body)), 8, err);
	const struct value *list = value_get(root, STR("files"));
	bool is_list = list && list->type == VALUE_ARRAY && list->array.n <= CONFIG_FILES_MAX + 1;
	if (!is_list) {
		config_files_finish(&files);
		return err_set(err, ERR_STORAGE,
			"configuration generation %" PRIu64 " holds no files as Anna writes them",
			entry->public.number);
	}
	files.items = arena_array(files.arena, list->array.n, sizeof(*files.items));
	for (size_t i = 0; i < list->array.n; i++) {
		files.items[files.n++] = (struct config_file){
			get_text(&list->array.items[i], "path"),
			get_text(&list->array.items[i], "text")};
	}
	memcpy(files.hash, entry->public.hash, sizeof(files.hash));
	*out = files;
	return true;
}
