// SPDX-License-Identifier: Apache-2.0
// Building the environment of exec; see exec_environment.h. Earlier names win: an attribute called
// "id" or two that read the same in upper case cannot hide what Anna says.
#include "actions/exec_environment.h"

#include "base/clock.h"
#include "base/map.h"
#include "formats/template.h"

#define VARIABLES_MAX 256
#define TOTAL_MAX (512 * 1024) // of the kernel's 2 MiB for arguments and environment
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
	struct arena *arena;
	const char **items;
	size_t n, total;
	struct map names;
};

// A C string: text with a NUL inside would end early, and mean something else.
static char *copy_without_nul(struct arena *arena, struct str text) {
	struct buf clean = BUF_INIT;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\0') {
			buf_append_text(&clean, "\xef\xbf\xbd");
		} else {
			buf_append_char(&clean, text.at[i]);
		}
	}
	char *copy = arena_copy(arena, buf_str(&clean));
	buf_finish(&clean);
	return copy;
}

char *exec_expand(
	struct arena *arena, const struct template *template, const struct action_call *call) {
	struct buf text = BUF_INIT;
	template_expand(template, event_lookup_text, call->event, EXEC_TEXT_MAX, &text);
	char *copy = copy_without_nul(arena, buf_str(&text));
	buf_finish(&text);
	return copy;
}

// Cut at a character's boundary.
static struct str cut_text(struct str text) {
	size_t len = text.len < EXEC_TEXT_MAX ? text.len : EXEC_TEXT_MAX;
	while (len < text.len && len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80) {
		len--;
	}
	return str_head(text, len);
}

static void add(struct environment *environment, struct str name, struct str value) {
	value = cut_text(value);
	size_t size = name.len + value.len + 2;
	if (map_get(&environment->names, name) || environment->n + 1 >= VARIABLES_MAX ||
		environment->total + size > TOTAL_MAX) {
		return;
	}
	struct buf text = BUF_INIT;
	buf_append_str(&text, name);
	buf_append_char(&text, '=');
	buf_append_str(&text, value);
	char *item = copy_without_nul(environment->arena, buf_str(&text));
	buf_finish(&text);
	environment->items[environment->n++] = item;
	environment->total += size;
	(void)map_put(&environment->names, str_range(item, name.len), item);
}

static void add_text(struct environment *environment, const char *name, const char *value) {
	add(environment, str_from(name), str_from(value));
}

static void add_number(struct environment *environment, const char *name, uint64_t value) {
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	add(environment, str_from(name), str_range(text, (size_t)n));
}

// PATH, HOME and LANG as Anna was given them; nothing else of hers is passed on.
static void add_plain(struct environment *environment) {
	const char *path = getenv("PATH"), *home = getenv("HOME"), *lang = getenv("LANG");
	add_text(environment, "PATH", path && path[0] ? path : DEFAULT_PATH);
	add_text(environment, "HOME", home && home[0] ? home : "/");
	add_text(environment, "LANG", lang && lang[0] ? lang : "C.UTF-8");
}

static void add_event(struct environment *environment, const struct action_call *call) {
	const struct event *event = call->event;
	struct buf text = BUF_INIT;
	struct trace span;
	add_number(environment, "ANNA_EVENT_ID", event->id);
	add(environment, STR("ANNA_EVENT_KIND"), event->kind);
	add(environment, STR("ANNA_EVENT_SOURCE"), event->source);
	add(environment, STR("ANNA_EVENT_SUBJECT"), event->subject);
	time_format(&text, event->time_ns);
	add(environment, STR("ANNA_EVENT_TIME"), buf_str(&text));
	buf_clear(&text);
	trace_format(&text, &event->trace);
	add(environment, STR("ANNA_EVENT_TRACE"), buf_str(&text));
	buf_clear(&text);
	trace_child(&span, &event->trace, call->services->random);
	trace_format(&text, &span);
	add(environment, STR("TRACEPARENT"), buf_str(&text));
	buf_clear(&text);
	struct json_writer writer;
	json_writer_init(&writer, &text);
	event_format_json(event, &writer);
	// Half a JSON text is of no use: too long, and it is left out.
	add(environment, STR("ANNA_EVENT_JSON"),
		text.len <= EXEC_TEXT_MAX ? buf_str(&text) : STR(""));
	buf_finish(&text);
}

static void add_attribute(
	struct environment *environment, const struct event *event, const struct member *member) {
	struct buf name = BUF_INIT, value = BUF_INIT;
	buf_append_text(&name, "ANNA_EVENT_");
	for (size_t i = 0; i < member->key.len; i++) {
		char c = member->key.at[i];
		bool is_lower = c >= 'a' && c <= 'z';
		bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		buf_append_char(&name, (char)(is_lower ? c - 'a' + 'A' : is_kept ? c : '_'));
	}
	// By its own name, not by event_lookup's rules: a field of the same name is set already.
	struct str prefixed;
	struct buf path = BUF_INIT;
	buf_append_text(&path, "attributes.");
	buf_append_str(&path, member->key);
	prefixed = buf_str(&path);
	if (event_lookup_text((void *)(uintptr_t)event, prefixed, &value)) {
		add(environment, buf_str(&name), buf_str(&value));
	}
	buf_finish(&path);
	buf_finish(&name);
	buf_finish(&value);
}

const char *const *exec_environment(struct arena *arena, const struct action_call *call,
	const struct exec_variable *variables, size_t n) {
	struct environment environment = {.arena = arena, .names = MAP_INIT};
	environment.items = arena_array(arena, VARIABLES_MAX, sizeof(*environment.items));
	for (size_t i = 0; i < n; i++) {
		add(&environment, variables[i].name,
			str_from(exec_expand(arena, variables[i].value, call)));
	}
	add_plain(&environment);
	add_text(&environment, "ANNA_MAPPING", call->mapping);
	add(&environment, STR("ANNA_KEY"), call->key);
	add_number(&environment, "ANNA_ATTEMPT", call->attempt);
	add_event(&environment, call);
	const struct value *attributes = &call->event->attributes;
	for (size_t i = 0; i < attributes->table.n; i++) {
		const struct member *member = &attributes->table.members[i];
		if (member->value.type != VALUE_ARRAY && member->value.type != VALUE_TABLE) {
			add_attribute(&environment, call->event, member);
		}
	}
	map_finish(&environment.names);
	return environment.items;
}
