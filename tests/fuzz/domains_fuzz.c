// SPDX-License-Identifier: Apache-2.0
// What the kernel, dpkg, pacman and login write: whatever it says, reading ends and what is kept lies
// within the text. Every input goes through every parser of the domains.
#include <assert.h>
#include <linux/netlink.h>

#include "sources/devices_read.h"
#include "sources/kernel_line.h"
#include "sources/links_read.h"
#include "sources/logins_read.h"
#include "sources/mounts_read.h"
#include "sources/packages_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_inside(struct str part, struct str whole) {
	assert(!part.len || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

static void check_kernel(struct str text) {
	struct kernel_record record;
	struct kernel_finding finding;
	if (kernel_record_parse(text, &record)) {
		check_inside(record.line, text);
		assert(record.level >= 0 && record.level <= 7);
	}
	kernel_line_judge(text, &finding);
	check_inside(finding.process, text);
	check_inside(finding.device, text);
}

static void check_facts(struct facts *facts) {
	struct facts none = {0};
	struct fact_changes changes = {0};
	facts_sort(facts);
	facts_diff(facts, facts, &changes);
	assert(changes.n == 0);
	facts_diff(&none, facts, &changes);
	assert(changes.n == facts->n);
	for (size_t i = 0; i < facts->n; i++) {
		struct mount mount;
		assert(facts_find(facts, facts_key(facts, i)).at);
		mount_split(facts_value(facts, i), &mount);
		check_inside(mount.options, facts_value(facts, i));
	}
	fact_changes_finish(&changes);
	facts_finish(facts);
}

// A copy of just this size, so that a read beyond it is seen.
static void check_link(struct str text) {
	struct link_message message;
	struct nlmsghdr *copy = malloc(text.len ? text.len : 1);
	memcpy(copy, text.at ? text.at : "", text.len);
	if (link_message_parse(copy, text.len, &message)) {
		assert(message.what < LINK_NOTHING && message.key[0]);
	}
	free(copy);
}

static void check_login(struct str text) {
	struct utmp record = {0};
	struct login login;
	memcpy(&record, text.at ? text.at : "",
		text.len < sizeof(record) ? text.len : sizeof(record));
	login_parse(&record, &login);
	assert(strlen(login.user) <= UT_NAMESIZE && strlen(login.host) <= UT_HOSTSIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
	struct str text = str_range((const char *)bytes, n);
	struct facts mounts = {0}, packages = {0};
	struct uevent uevent;
	check_kernel(text);
	mounts_parse(text, &mounts);
	check_facts(&mounts);
	packages_parse_dpkg(text, &packages);
	packages_parse_pacman(text, &packages);
	check_facts(&packages);
	if (uevent_parse(text, &uevent)) {
		check_inside(uevent.path, text);
		check_inside(uevent.subsystem, text);
	}
	check_link(text);
	check_login(text);
	return 0;
}
