// SPDX-License-Identifier: Apache-2.0
// Whose cgroup it is, what its files say, and what its maker calls it.
#include "tests/check.h"

#include "sources/containers.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(a_cgroup_tells_whose_container_it_is) {
	static const struct {
		const char *path, *runtime, *id;
	} rows[] = {
		{"/system.slice/docker-" ID ".scope", "docker", ID},
		{"/docker/" ID, "docker", ID},
		{"/machine.slice/libpod-" ID ".scope", "podman", ID},
		{"/libpod_parent/libpod-" ID, "podman", ID},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "containerd",
			ID},
		{"/kubepods.slice/crio-" ID ".scope", "cri-o", ID},
		{"/kubepods/besteffort/pod1-2/" ID, "kubernetes", ID},
		{"/system.slice/containerd.service/kubepods-pod1:cri-containerd:" ID, "containerd",
			ID},
		{"/default/" ID, "oci", ID},
		{"/buildkit-" ID ".scope", "oci", ID},
		{"/lxc.payload.web", "lxc", "web"},
		{"/lxc/web", "lxc", "web"},
		{"/machine.slice/machine-deb\\x2d12.scope", "nspawn", "deb-12"},
		{"/machine.slice/systemd-nspawn@deb\\x2d12.service", "nspawn", "deb-12"},
		{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "vm", "qemu-1-vm"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct container_id id;
		CHECK(container_id_parse(str_from(rows[i].path), &id));
		CHECK_TEXT(id.runtime, rows[i].runtime);
		CHECK_TEXT(id.id, rows[i].id);
	}
}

TEST(what_is_none_is_not_taken_for_one) {
	static const char *const paths[] = {"", "/", "/system.slice",
		"/system.slice/docker.service", "/docker", "/docker/0123",
		"/system.slice/docker-0123.scope", "/machine.slice/libpod-conmon-" ID ".scope",
		"/x/crio-conmon-" ID ".scope", "/machine.slice/machine-.scope", "/lxc.monitor.web",
		"/lxc.payload.", "/user.slice/session-2.scope", "/" ID ".slice", "/a:b:c",
		"/machine.slice/machine-\\x00.scope",
		"/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct container_id id;
		CHECK(!container_id_parse(str_from(paths[i]), &id));
	}
}

TEST(a_name_with_a_nul_is_none) {
	struct container_id id;
	CHECK(!container_id_parse(STR("/lxc.payload.a\0b"), &id));
}

TEST(the_outermost_container_counts) {
	struct container_id id;
	size_t len = 0;
	CHECK(container_id_find(STR("/lxc.payload.a/docker/" ID "/x"), &id, &len));
	CHECK_TEXT(id.id, "a");
	CHECK_INT(len, 14);
	CHECK(container_id_find(STR("/docker/" ID "/system.slice/x.service"), &id, &len));
	CHECK_STR(container_short_id(&id), "0123456789ab");
	CHECK(!container_id_find(STR("//docker//"), &id, &len));
}

static struct container_counters parse(const char *file, const char *text) {
	struct container_counters counters = {
		NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN};
	counters_parse(&counters, file, str_from(text));
	return counters;
}

TEST(counters_are_read_in_both_versions) {
	CHECK_INT(parse("cpu.stat", "usage_usec 12\nuser_usec 3\n").cpu_ns, 12000);
	CHECK_INT(parse("cpuacct.usage", "12000\n").cpu_ns, 12000);
	CHECK_INT(parse("memory.current", "4096\n").memory_bytes, 4096);
	CHECK_INT(parse("memory.usage_in_bytes", "4096\n").memory_bytes, 4096);
	CHECK_INT(parse("memory.max", "8192\n").limit_bytes, 8192);
	CHECK(parse("memory.max", "max\n").limit_bytes == NOT_KNOWN);
	CHECK(parse("memory.limit_in_bytes", "9223372036854771712\n").limit_bytes == NOT_KNOWN);
	CHECK_INT(parse("memory.limit_in_bytes", "8192\n").limit_bytes, 8192);
	CHECK_INT(parse("memory.stat", "anon 1\ninactive_file 5\n").cache_bytes, 5);
	CHECK_INT(parse("memory.stat", "inactive_file 5\ntotal_inactive_file 7\n").cache_bytes, 7);
	CHECK_INT(parse("memory.events", "low 0\noom 3\noom_kill 2\n").oom_kills, 2);
	CHECK_INT(parse("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n")
			  .oom_kills,
		4);
	CHECK(parse("memory.oom_control", "oom_kill_disable 0\n").oom_kills == NOT_KNOWN);
	CHECK_INT(parse("pids.current", "9\n").pids, 9);
	CHECK(parse("pids.current", "x\n").pids == NOT_KNOWN);
	CHECK(parse("cpu.stat", "usage_usec 18446744073709551615\n").cpu_ns == NOT_KNOWN);
}

static const char *name_of(bool is_known, struct buf *name) {
	static char text[256];
	(void)snprintf(text, sizeof(text), "%s", is_known ? buf_text(name) : "(unknown)");
	buf_finish(name);
	return text;
}

TEST(names_come_from_the_files_of_the_makers) {
	struct buf name = BUF_INIT;
	CHECK_TEXT(
		name_of(docker_name_parse(STR("{\"ID\":\"x\",\"Name\":\"/web\"}"), &name), &name),
		"web");
	CHECK_TEXT(name_of(docker_name_parse(STR("{\"Name\":7}"), &name), &name), "(unknown)");
	CHECK_TEXT(name_of(docker_name_parse(STR("{\"Name\":\"\"}"), &name), &name), "(unknown)");
	CHECK_TEXT(name_of(docker_name_parse(STR("not json"), &name), &name), "(unknown)");
	CHECK_TEXT(name_of(podman_name_parse(STR("[{\"id\":\"a\",\"names\":[\"one\"]},"
						 "{\"id\":\"b\",\"names\":[\"two\",\"x\"]}]"),
				   STR("b"), &name),
			   &name),
		"two");
	CHECK_TEXT(name_of(podman_name_parse(
				   STR("[{\"id\":\"a\",\"names\":[]}, 7, null]"), STR("a"), &name),
			   &name),
		"(unknown)");
	CHECK_TEXT(
		name_of(kubernetes_name_parse(STR("web-5d_shop_nginx-" ID ".log"), STR(ID), &name),
			&name),
		"shop/web-5d/nginx");
	CHECK_TEXT(
		name_of(kubernetes_name_parse(STR("web_shop-" ID ".log"), STR(ID), &name), &name),
		"(unknown)");
	CHECK_TEXT(name_of(kubernetes_name_parse(STR(".log"), STR(ID), &name), &name), "(unknown)");
}

int main(void) {
	return TESTS(RUN(a_cgroup_tells_whose_container_it_is),
		RUN(what_is_none_is_not_taken_for_one), RUN(a_name_with_a_nul_is_none),
		RUN(the_outermost_container_counts), RUN(counters_are_read_in_both_versions),
		RUN(names_come_from_the_files_of_the_makers));
}
