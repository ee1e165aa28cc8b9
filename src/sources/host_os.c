// SPDX-License-Identifier: Apache-2.0
// os-release(5): which distribution. /etc/os-release, else /usr/lib/os-release; either may stand on
// a file system that does not answer, so it is read in a job.
#include "sources/host_collector.h"
#include "sources/host_readings.h"

// In the order of the labels.
static const char *const keys[] = {"BUILD_ID", "ID", "ID_LIKE", "IMAGE_ID", "IMAGE_VERSION", "NAME",
	"PRETTY_NAME", "VARIANT", "VARIANT_ID", "VERSION", "VERSION_CODENAME", "VERSION_ID"};
#define KEYS (sizeof(keys) / sizeof(keys[0]))
enum {
	KEY_ID = 1,
	KEY_ID_LIKE = 2,
	KEY_NAME = 5,
	KEY_VERSION_ID = 11
};

// A value as the shell reads it: bare, or quoted with backslashes before special characters.
static void unquote(struct str value, struct buf *out) {
	char quote = value.len ? value.at[0] : '\0';
	bool is_quoted = (quote == '"' || quote == '\'') && value.len >= 2 &&
		value.at[value.len - 1] == quote;
	if (is_quoted) {
		value = str_range(value.at + 1, value.len - 2);
	}
	for (size_t i = 0; i < value.len; i++) {
		bool is_escape = value.at[i] == '\\' && quote != '\'' && i + 1 < value.len &&
			strchr("\"$`\\'", value.at[i + 1]);
		i += is_escape;
		buf_append_char(out, value.at[i]);
	}
}

static void parse(struct readings *readings, struct str text, const char *values[KEYS]) {
	struct str line, key;
	for (size_t i = 0; i < KEYS; i++) {
		values[i] = "";
	}
	while (str_split(&text, '\n', &line)) {
		line = str_trim(line);
		if (!str_split(&line, '=', &key) || !line.at) {
			continue;
		}
		for (size_t i = 0; i < KEYS; i++) {
			if (str_is(key, keys[i])) {
				struct buf value = BUF_INIT;
				unquote(line, &value);
				values[i] = readings_text(readings, buf_str(&value));
				buf_finish(&value);
			}
		}
	}
}

// "24.04.1" to 24.04; false when it does not begin with a number.
static bool parse_version(const char *text, double *out) {
	size_t n = strspn(text, "0123456789");
	if (n && text[n] == '.') {
		n += 1 + strspn(text + n + 1, "0123456789");
	}
	return n && str_to_double(str_range(text, n - (text[n - 1] == '.')), out);
}

static void gather(void *arg, struct host_turn *turn) {
	struct readings *readings = arg;
	const char *v[KEYS];
	struct str text;
	double version;
	readings_clear(readings);
	if (!turn_peek(turn, &text, "/etc/os-release") &&
		!turn_peek(turn, &text, "/usr/lib/os-release")) {
		return;
	}
	parse(readings, text, v);
	(void)readings_add(readings, "node_os_info", "gauge",
		"A metric with a constant '1' value labeled by build_id, id, id_like, image_id, "
		"image_version, name, pretty_name, variant, variant_id, version, version_codename, "
		"version_id.",
		1, "build_id", v[0], "id", v[1], "id_like", v[2], "image_id", v[3], "image_version",
		v[4], "name", v[5], "pretty_name", v[6], "variant", v[7], "variant_id", v[8],
		"version", v[9], "version_codename", v[10], "version_id", v[11], NULL);
	if (parse_version(v[KEY_VERSION_ID], &version)) {
		(void)readings_add(readings, "node_os_version", "gauge",
			"Metric containing the major.minor part of the OS version.", version, "id",
			v[KEY_ID], "id_like", v[KEY_ID_LIKE], "name", v[KEY_NAME], NULL);
	}
}

static void collect(const void *arg, struct exposition *out) {
	readings_collect(arg, out);
}

static void finish(void *arg) {
	readings_finish(arg);
}

DEFINE_HOST_COLLECTOR(os) = {
	.name = "os",
	.summary = "Which distribution.",
	.place = COLLECTOR_JOB,
	.period_ns = INT64_C(60000000000),
	.size = sizeof(struct readings),
	.gather = gather,
	.collect = collect,
	.finish = finish,
};
