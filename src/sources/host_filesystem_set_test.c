// SPDX-License-Identifier: Apache-2.0
// The set of file systems over changes of the mount table.
#include "sources/host_filesystem.h"
#include "tests/check.h"

static void on_gone(void *arg, struct filesystem *filesystem) {
	struct buf *gone = arg;
	buf_appendf(gone, "%s ", filesystem->point);
}

static struct filesystem *find(struct filesystems *set, const char *point) {
	return map_get(&set->by_point, str_from(point));
}

TEST(mounts_keep_what_they_know_when_others_come_and_go) {
	struct filesystems set;
	struct buf gone = BUF_INIT;
	const struct str types[] = {STR("proc")};
	const struct mount_filter filter = {.types = types, .type_count = 1};
	filesystems_init(&set);
	filesystems_update(&set,
		STR("1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /proc rw - proc proc rw\n"
		    "3 1 8:1 /x /bind rw - ext4 /dev/a rw\n4 1 0:9 / /nas rw - nfs4 n:/x rw\n"
		    "5 4 0:8 / /nas/in rw - tmpfs t rw\n"),
		&filter, on_gone, &gone);
	CHECK_INT(map_count(&set.by_point), 4);
	find(&set, "/")->is_above = true;
	CHECK(find(&set, "/")->is_first && !find(&set, "/bind")->is_first);
	CHECK(find(&set, "/nas")->may_block && find(&set, "/nas/in")->may_block);
	CHECK(!find(&set, "/")->may_block);
	uint64_t version = set.version;
	filesystems_update(&set, STR("1 0 8:1 / / ro - ext4 /dev/a rw\n"), &filter, on_gone, &gone);
	CHECK_TEXT(buf_text(&gone), "/bind /nas /nas/in ");
	CHECK(find(&set, "/")->is_above && find(&set, "/")->is_readonly);
	CHECK(set.version != version);
	filesystems_finish(&set);
	buf_finish(&gone);
}

TEST(of_mounts_on_one_point_the_last_counts_and_keeps_its_state) {
	static const char table[] =
		"1 0 8:1 / /a rw - ext4 /dev/a rw\n2 1 0:2 / /a rw - tmpfs t rw\n"
		"3 0 8:1 / /b rw - ext4 /dev/a rw\n4 1 0:2 / /b rw - proc p rw\n";
	struct filesystems set;
	struct buf gone = BUF_INIT;
	const struct str types[] = {STR("proc")};
	const struct mount_filter filter = {.types = types, .type_count = 1};
	filesystems_init(&set);
	filesystems_update(&set, str_from(table), &filter, on_gone, &gone);
	CHECK_INT(map_count(&set.by_point), 1); // /b is hidden by one that is left out
	CHECK_TEXT(find(&set, "/a")->type, "tmpfs");
	find(&set, "/a")->is_above = true;
	filesystems_update(&set, str_from(table), &filter, on_gone, &gone);
	CHECK(find(&set, "/a")->is_above);
	CHECK_INT(gone.len, 0);
	filesystems_finish(&set);
}

int main(void) {
	return TESTS(RUN(mounts_keep_what_they_know_when_others_come_and_go),
		RUN(of_mounts_on_one_point_the_last_counts_and_keeps_its_state));
}
