// SPDX-License-Identifier: Apache-2.0
// Which kernel on which machine: uname(2), or its recorded files below a sysroot.
#include "sources/host.h"

#include <sys/utsname.h>

#include "base/alloc.h"
#include "formats/exposition.h"

enum {
	DOMAIN,
	MACHINE,
	NODE,
	RELEASE,
	SYSTEM,
	VERSION,
	FIELDS
};

static char *read_field(const char *sysroot, const char *name) {
	struct proc_file file;
	struct buf text = BUF_INIT;
	_cleanup_(freep) char *path = xasprintf("/proc/sys/kernel/%s", name);
	proc_file_init(&file, sysroot, path);
	char *field = NULL;
	if (proc_file_read(&file, &text, NULL)) {
		struct str value = str_trim(str_head(buf_str(&text), 256));
		field = xstrndup(value.at, value.len);
	}
	proc_file_finish(&file);
	buf_finish(&text);
	return field;
}

void host_kernel_read(struct host_kernel *kernel, const char *sysroot) {
	static const char *const recorded[FIELDS] = {
		"domainname", "arch", "hostname", "osrelease", "ostype", "version"};
	host_kernel_finish(kernel);
	if (sysroot[0]) {
		for (size_t i = 0; i < FIELDS; i++) {
			kernel->fields[i] = read_field(sysroot, recorded[i]);
		}
		return;
	}
	struct utsname name;
	if (uname(&name) == 0) {
		const char *const values[FIELDS] = {name.domainname, name.machine, name.nodename,
			name.release, name.sysname, name.version};
		for (size_t i = 0; i < FIELDS; i++) {
			kernel->fields[i] = xstrdup(values[i]);
		}
	}
}

static const char *text_of(const char *field) {
	return field ? field : "";
}

void host_kernel_collect(const struct host_kernel *kernel, struct exposition *out) {
	char *const *fields = kernel->fields;
	if (!fields[SYSTEM]) {
		return;
	}
	exposition_family(out, "node_uname_info", "gauge",
		"Labeled system information as provided by the uname system call.");
	exposition_sample(out, 1, "domainname", text_of(fields[DOMAIN]), "machine",
		text_of(fields[MACHINE]), "nodename", text_of(fields[NODE]), "release",
		text_of(fields[RELEASE]), "sysname", text_of(fields[SYSTEM]), "version",
		text_of(fields[VERSION]), NULL);
}

void host_kernel_finish(struct host_kernel *kernel) {
	for (size_t i = 0; i < FIELDS; i++) {
		free(kernel->fields[i]);
		kernel->fields[i] = NULL;
	}
}
