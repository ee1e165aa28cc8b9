// SPDX-License-Identifier: Apache-2.0
// The source `containers` on a recorded machine, in simulated time.
#include "sources/source_fixture.h"

extern const struct capability source_containers;

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define GROUP "sys/fs/cgroup/system.slice/docker-"

static void put(struct fixture *machine, const char *group, const char *file, const char *text) {
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", group, file);
	fixture_write(machine, path, text);
}

static void put_docker(struct fixture *machine, const char *id, const char *name) {
	char path[256], text[64];
	(void)snprintf(path, sizeof(path), "var/lib/docker/containers/%s/config.v2.json", id);
	(void)snprintf(text, sizeof(text), "{\"Name\": \"/%s\"}", name);
	fixture_write(machine, path, text);
}

static void put_web(struct fixture *machine, const char *group) {
	put(machine, group, "cpu.stat", "usage_usec 1000000\n");
	put(machine, group, "memory.current", "700\n");
	put(machine, group, "memory.stat", "inactive_file 200\n");
	put(machine, group, "memory.max", "1000\n");
	put(machine, group, "memory.events", "oom_kill 3\n");
	put(machine, group, "pids.current", "4\n");
}

static void machine_begin(struct fixture *machine) {
	fixture_init(machine, NULL, &source_containers);
	machine->services.sysroot = machine->folder;
	fixture_write(machine, "sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
}

static void pass(struct fixture *machine) {
	loop_advance(machine->fake.loop, 5100 * NS_PER_MS);
}

static const struct value *view(struct fixture *machine) {
	struct json_writer w;
	static struct buf text = BUF_INIT;
	buf_clear(&text);
	json_writer_init(&w, &text);
	CHECK(board_write_view(machine->board, "containers", &w, NULL));
	return json_parse(machine->arena, buf_str(&text), 16, NULL);
}

static const char *text_of(struct fixture *machine, size_t i, const char *key) {
	static struct buf text = BUF_INIT;
	const struct value *list = view(machine);
	CHECK(i < list->array.n);
	const struct value *value = value_get(&list->array.items[i], str_from(key));
	buf_clear(&text);
	if (value && value->type == VALUE_STRING) {
		buf_append_str(&text, value->string);
	} else if (value) {
		json_format(&text, value);
	}
	return buf_text(&text);
}

static void take_figure(void *arg, const struct figure *figure) {
	buf_appendf(
		arg, "%s{%s} %.0f %s\n", figure->name, figure->label, figure->value, figure->unit);
}

static const char *figures(struct fixture *machine) {
	static struct buf text = BUF_INIT;
	buf_clear(&text);
	board_each_figure(machine->board, take_figure, &text);
	return buf_text(&text);
}

TEST(a_container_is_shown_with_its_name_and_numbers) {
	struct fixture machine;
	struct buf text = BUF_INIT;
	machine_begin(&machine);
	put_web(&machine, GROUP A ".scope");
	put_docker(&machine, A, "web");
	fixture_start(&machine, "{}");
	loop_advance(machine.fake.loop, NS_PER_SECOND);
	put(&machine, GROUP A ".scope", "cpu.stat", "usage_usec 6000000\n");
	pass(&machine);
	CHECK_TEXT(text_of(&machine, 0, "name"), "web");
	CHECK_TEXT(text_of(&machine, 0, "name_source"), "docker");
	CHECK_TEXT(text_of(&machine, 0, "runtime"), "docker");
	CHECK_TEXT(text_of(&machine, 0, "id"), "aaaaaaaaaaaa");
	CHECK_TEXT(text_of(&machine, 0, "cpu_percent"), "100");
	CHECK_TEXT(text_of(&machine, 0, "memory_bytes"), "700");
	CHECK_TEXT(text_of(&machine, 0, "memory_percent"), "50");
	CHECK_TEXT(text_of(&machine, 0, "pids"), "4");
	CHECK_TEXT(text_of(&machine, 0, "oom_kills"), "0"); // what was before is not ours
	CHECK_TEXT(text_of(&machine, 0, "restarts"), "0");
	CHECK_TEXT(figures(&machine),
		"container.memory_percent{web} 50 percent\ncontainer.cpu_percent{web} 100 percent\n"
		"container.oom_kills_per_minute{web} 0 per_minute\n");
	meters_format(machine.meters, &text);
	CHECK(strstr(buf_text(&text),
		"\nanna_container_cpu_seconds_total{name=\"web\",runtime=\"docker\"} 6\n"));
	CHECK(strstr(buf_text(&text),
		"\nanna_container_memory_limit_bytes{name=\"web\",runtime=\"docker\"} 1000\n"));
	buf_finish(&text);
	fixture_finish(&machine);
}

TEST(without_a_readable_name_or_limit_nothing_is_invented) {
	struct fixture machine;
	machine_begin(&machine);
	put(&machine, GROUP A ".scope", "memory.current", "700\n");
	put(&machine, GROUP A ".scope", "memory.max", "max\n");
	fixture_start(&machine, "{}");
	pass(&machine);
	CHECK_TEXT(text_of(&machine, 0, "name"), "aaaaaaaaaaaa");
	CHECK_TEXT(text_of(&machine, 0, "name_source"), "id");
	CHECK_TEXT(text_of(&machine, 0, "memory_limit_bytes"), "");
	CHECK_TEXT(text_of(&machine, 0, "cpu_percent"), "");
	CHECK_TEXT(text_of(&machine, 0, "oom_kills"), "");
	CHECK_TEXT(figures(&machine), "");
	fixture_finish(&machine);
}

TEST(another_id_of_the_same_name_is_a_restart) {
	struct fixture machine;
	machine_begin(&machine);
	put_web(&machine, GROUP A ".scope");
	put_docker(&machine, A, "web");
	put_docker(&machine, B, "web");
	fixture_start(&machine, "{}");
	pass(&machine);
	fixture_remove_name(machine.folder, GROUP A ".scope");
	put_web(&machine, GROUP B ".scope");
	pass(&machine);
	CHECK_TEXT(text_of(&machine, 0, "id"), "bbbbbbbbbbbb");
	CHECK_TEXT(text_of(&machine, 0, "restarts"), "1");
	CHECK_TEXT(text_of(&machine, 0, "oom_kills"), "3"); // all since it began, which was seen
	fixture_remove_name(machine.folder, GROUP B ".scope");
	pass(&machine);
	CHECK_INT(view(&machine)->array.n, 0);
	put_web(&machine, GROUP B ".scope");
	pass(&machine);
	CHECK_TEXT(text_of(&machine, 0, "restarts"), "2");
	fixture_finish(&machine);
}

TEST(two_of_one_name_stay_two) {
	struct fixture machine;
	machine_begin(&machine);
	put_web(&machine, GROUP A ".scope");
	put_web(&machine, GROUP B ".scope");
	put_docker(&machine, A, "web");
	put_docker(&machine, B, "web");
	fixture_start(&machine, "{}");
	pass(&machine);
	CHECK(strcmp(text_of(&machine, 0, "name"), "web") == 0);
	CHECK(strncmp(text_of(&machine, 1, "name"), "web@", 4) == 0);
	fixture_finish(&machine);
}

TEST(an_oom_kill_counts_for_a_minute) {
	struct fixture machine;
	machine_begin(&machine);
	put_web(&machine, GROUP A ".scope");
	put_docker(&machine, A, "web");
	fixture_start(&machine, "{}");
	pass(&machine);
	put(&machine, GROUP A ".scope", "memory.events", "oom_kill 5\n");
	pass(&machine);
	CHECK_TEXT(text_of(&machine, 0, "oom_kills"), "2");
	CHECK(strstr(figures(&machine), "container.oom_kills_per_minute{web} 2 per_minute\n"));
	loop_advance(machine.fake.loop, 70 * NS_PER_SECOND);
	CHECK_TEXT(text_of(&machine, 0, "oom_kills"), "2");
	CHECK(strstr(figures(&machine), "container.oom_kills_per_minute{web} 0 per_minute\n"));
	fixture_finish(&machine);
}

TEST(the_first_version_is_read_controller_by_controller) {
	struct fixture machine;
	fixture_init(&machine, NULL, &source_containers);
	machine.services.sysroot = machine.folder;
	fixture_write(&machine, "sys/fs/cgroup/memory/docker/" A "/memory.usage_in_bytes", "800\n");
	fixture_write(
		&machine, "sys/fs/cgroup/memory/docker/" A "/memory.limit_in_bytes", "1000\n");
	fixture_write(&machine, "sys/fs/cgroup/cpuacct/docker/" A "/cpuacct.usage", "5\n");
	fixture_write(&machine, "sys/fs/cgroup/pids/docker/" A "/pids.current", "6\n");
	fixture_start(&machine, "{}");
	pass(&machine);
	CHECK_INT(view(&machine)->array.n, 1);
	CHECK_TEXT(text_of(&machine, 0, "memory_percent"), "80");
	CHECK_TEXT(text_of(&machine, 0, "pids"), "6");
	CHECK_TEXT(text_of(&machine, 0, "cpu_percent"), "0");
	CHECK_TEXT(text_of(&machine, 0, "restarts"), "0");
	fixture_finish(&machine);
}

TEST(names_of_podman_of_a_user_and_of_lxc_are_found) {
	struct fixture machine;
	machine_begin(&machine);
	put_web(&machine,
		"sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" B
		".scope");
	put_web(&machine, "sys/fs/cgroup/lxc.payload.mail");
	fixture_write(&machine, "etc/passwd", "me:x:1000:1000:Me:/home/me:/bin/sh\n");
	fixture_write(&machine,
		"home/me/.local/share/containers/storage/overlay-containers/containers.json",
		"[{\"id\": \"" B "\", \"names\": [\"db\"]}]");
	fixture_start(&machine, "{}");
	pass(&machine);
	bool is_first = strcmp(text_of(&machine, 0, "name"), "db") == 0;
	CHECK_TEXT(text_of(&machine, is_first ? 0 : 1, "name_source"), "podman");
	CHECK_TEXT(text_of(&machine, is_first ? 1 : 0, "name"), "mail");
	CHECK_TEXT(text_of(&machine, is_first ? 1 : 0, "name_source"), "cgroup");
	fixture_finish(&machine);
}

TEST(a_machine_without_cgroups_says_so) {
	struct fixture machine;
	struct capability_health state;
	fixture_init(&machine, NULL, &source_containers);
	machine.services.sysroot = machine.folder;
	fixture_start(&machine, "{}");
	pass(&machine);
	source_containers.health(machine.source, &state);
	CHECK_INT(state.state, CAPABILITY_DEGRADED);
	CHECK_TEXT(state.reason, "there is no cgroup tree below /sys/fs/cgroup");
	CHECK_INT(view(&machine)->array.n, 0);
	fixture_finish(&machine);
}

TEST(a_stop_with_a_gather_under_way_is_safe) {
	struct fixture machine;
	machine_begin(&machine);
	fixture_start(&machine, "{}");
	fixture_finish(&machine); // the job comes back after the stop
}

int main(void) {
	return TESTS(RUN(a_container_is_shown_with_its_name_and_numbers),
		RUN(without_a_readable_name_or_limit_nothing_is_invented),
		RUN(another_id_of_the_same_name_is_a_restart), RUN(two_of_one_name_stay_two),
		RUN(an_oom_kill_counts_for_a_minute),
		RUN(the_first_version_is_read_controller_by_controller),
		RUN(names_of_podman_of_a_user_and_of_lxc_are_found),
		RUN(a_machine_without_cgroups_says_so),
		RUN(a_stop_with_a_gather_under_way_is_safe));
}
