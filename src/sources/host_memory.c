// SPDX-License-Identifier: Apache-2.0
// /proc/meminfo (proc(5)). Every line becomes one metric, so that a new kernel's fields are there
// without a new Anna: "Active(anon): 1 kB" is node_memory_Active_anon_bytes 1024.
#include "sources/host.h"

#include "formats/exposition.h"

static bool is_name_char(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

// "Active(anon)" to "Active_anon", the unit behind it; false for what cannot be part of a metric's
// name.
static bool make_name(struct str key, struct str unit, char *out, size_t size) {
	size_t n = 0;
	if (!key.len || key.len + unit.len >= size) {
		return false;
	}
	for (size_t i = 0; i < key.len; i++) {
		if (key.at[i] == '(') {
			out[n++] = '_';
		} else if (is_name_char(key.at[i])) {
			out[n++] = key.at[i];
		} else if (key.at[i] != ')' || i + 1 != key.len) {
			return false;
		}
	}
	memcpy(out + n, unit.at, unit.len);
	out[n + unit.len] = '\0';
	return true;
}

static void parse_line(struct host_memory *memory, struct str line) {
	ptrdiff_t colon = str_find_char(line, ':');
	struct str value, unit, rest = str_skip(line, (size_t)(colon + 1));
	uint64_t number;
	if (colon <= 0 || memory->n == MEMORY_FIELDS || !str_word(&rest, &value) ||
		!str_to_uint64(value, &number)) {
		return;
	}
	struct memory_field *field = &memory->fields[memory->n];
	bool is_kib = str_word(&rest, &unit) && str_is(unit, "kB");
	if (is_kib && number > UINT64_MAX / 1024) {
		return;
	}
	if (make_name(str_head(line, (size_t)colon), is_kib ? STR("_bytes") : STR(""), field->name,
		    sizeof(field->name))) {
		field->value = is_kib ? number * 1024 : number;
		memory->n++;
	}
}

void host_memory_parse(struct host_memory *memory, struct str text) {
	struct str line;
	memory->n = 0;
	while (str_split(&text, '\n', &line)) {
		parse_line(memory, line);
	}
}

void host_memory_collect(const struct host_memory *memory, struct exposition *out) {
	char name[80], help[96];
	for (size_t i = 0; i < memory->n; i++) {
		const struct memory_field *field = &memory->fields[i];
		snprintf(name, sizeof(name), "node_memory_%s", field->name);
		snprintf(help, sizeof(help), "Memory information field %s.", field->name);
		exposition_family(out, name, "gauge", help);
		exposition_sample(out, (double)field->value, NULL);
	}
}
