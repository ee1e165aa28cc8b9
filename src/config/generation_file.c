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
	for (size_t i = 0; i < files->n; i++) {
		const struct config_file *file = &files->items[i];
		struct json_writer json;
		json_writer_init(&json, out);
		json_begin_object(&json);
		json_member_str(&json, "path", file->path);
		json_member_uint(&json, "bytes", file->text.len);
		json_end_object(&json);
		buf_append_char(out, '\n');
		buf_append_str(out, file->text);
		buf_append_char(out, '\n');
	}
}

// The file at the front of *rest, which it passes; false when there is none of that form.
static bool take_file(struct arena *arena, struct str *rest, struct config_file *out) {
	ptrdiff_t end = str_find_char(*rest, '\n');
	const struct value *line = end < 0
		? NULL
		: json_parse(arena, str_head(*rest, (size_t)end), 2, NULL);
	const struct value *path = value_get(line, STR("path"));
	const struct value *bytes = value_get(line, STR("bytes"));
	if (!path || path->type != VALUE_STRING || !bytes || bytes->type != VALUE_INT ||
		bytes->integer < 0) {
		return false;
	}
	struct str text = str_skip(*rest, (size_t)end + 1);
	size_t len = (size_t)bytes->integer;
	if (len >= text.len || text.at[len] != '\n') {
		return false;
	}
	*out = (struct config_file){
		arena_copy_str(arena, path->string), arena_copy_str(arena, str_head(text, len))};
	*rest = str_skip(text, len + 1);
	return true;
}

bool body_parse(
	struct str body, const struct entry *entry, struct config_files *out, struct err *err) {
	struct config_files files = {.arena = arena_create()};
	size_t most = 2 * CONFIG_FILES_MAX + 1;
	files.items = arena_array(files.arena, most, sizeof(*files.items));
	while (body.len && files.n < most && take_file(files.arena, &body, &files.items[files.n])) {
		files.n++;
	}
	if (body.len) {
		config_files_finish(&files);
		return err_set(err, ERR_STORAGE,
			"configuration generation %" PRIu64 " holds no files as Anna writes them",
			entry->public.number);
	}
	memcpy(files.hash, entry->public.hash, sizeof(files.hash));
	*out = files;
	return true;
}
