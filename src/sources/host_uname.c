// SPDX-License-Identifier: Apache-2.0
// Which kernel on which machine: uname(2), or its recorded files below a sysroot.
#include <sys/utsname.h>

#include "formats/exposition.h"
#include "sources/host_collector.h"
#include "sources/text.h"

#define FIELD_MAX 256

enum {
	DOMAIN,
	MACHINE,
	NODE,
	RELEASE,
	SYSTEM,
	VERSION,
	FIELDS
};

struct host_uname {
	char fields[FIELDS][FIELD_MAX]; // "": not known
};

// Names are set by root, and may hold any byte.
static void set_field(char out[FIELD_MAX], struct str text) {
	struct buf clean = BUF_INIT;
	clean_text(&clean, str_head(text, FIELD_MAX / 4));
	snprintf(out, FIELD_MAX, "%s", buf_text(&clean));
	buf_finish(&clean);
}

static void gather(void *arg, struct host_turn *turn) {
	static const char *const recorded[FIELDS] = {
		"domainname", "arch", "hostname", "osrelease", "ostype", "version"};
	struct host_uname *kernel = arg;
	struct str text;
	memset(kernel, 0, sizeof(*kernel));
	for (size_t i = 0; i < FIELDS && turn->sysroot[0]; i++) {
		if (turn_peek(turn, &text, "/proc/sys/kernel/%s", recorded[i])) {
			set_field(kernel->fields[i], text);
		}
	}
	struct utsname name;
	if (!turn->sysroot[0] && uname(&name) == 0) {
		const char *const values[FIELDS] = {name.domainname, name.machine, name.nodename,
			name.release, name.sysname, name.version};
		for (size_t i = 0; i < FIELDS; i++) {
			set_field(kernel->fields[i], str_from(values[i]));
		}
	}
}

static void collect(const void *arg, struct exposition *out) {
	const struct host_uname *kernel = arg;
	if (!kernel->fields[SYSTEM][0]) {
		return;
	}
	exposition_family(out, "node_uname_info", "gauge",
		"Labeled system information as provided by the uname system call.");
	exposition_sample(out, 1, "domainname", kernel->fields[DOMAIN], "machine",
		kernel->fields[MACHINE], "nodename", kernel->fields[NODE], "release",
		kernel->fields[RELEASE], "sysname", kernel->fields[SYSTEM], "version",
		kernel->fields[VERSION], NULL);
}

DEFINE_HOST_COLLECTOR(uname) = {
	.name = "uname",
	.summary = "Which kernel on which machine.",
	.place = COLLECTOR_LOOP,
	.size = sizeof(struct host_uname),
	.gather = gather,
	.collect = collect,
};
