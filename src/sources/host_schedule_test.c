// SPDX-License-Identifier: Apache-2.0
// When collectors gather, in simulated time on a recorded machine.
#include "sources/host_schedule.h"

#include "formats/exposition.h"
#include "sources/host_config.h"
#include "sources/host_job.h"
#include "sources/source_fixture.h"

extern const struct capability source_host;

struct plan {
	struct fixture fixture;
	struct host_config config;
	struct host_world world;
	struct schedule schedule;
};

// Stands on a tick, half a second before the next one.
static void plan_init(struct plan *plan) {
	memset(plan, 0, sizeof(*plan));
	fixture_init(&plan->fixture, NULL, &source_host);
	fixture_write(&plan->fixture, "proc/stat", "cpu0 1 2 3 4\n");
	fixture_write(&plan->fixture, "proc/loadavg", "1 2 3 1/2 3\n");
	fixture_write(&plan->fixture, "proc/meminfo", "MemTotal: 2 kB\n");
	fixture_write(&plan->fixture, "proc/net/dev", "");
	fixture_write(&plan->fixture, "proc/self/mountinfo", "");
	fixture_write(&plan->fixture, "sys/class/hwmon/hwmon0/name", "c\n");
	fixture_write(&plan->fixture, "sys/class/hwmon/hwmon0/temp1_input", "1000\n");
	plan->config.interval_ns = NS_PER_SECOND;
	plan->config.sensor_limit_ns = 10 * NS_PER_SECOND;
	plan->config.answer_limit_ns = 10 * NS_PER_SECOND;
	plan->world = (struct host_world){.services = &plan->fixture.services,
		.config = &plan->config,
		.sysroot = plan->fixture.folder};
	struct loop *loop = plan->fixture.fake.loop;
	loop_advance(loop, NS_PER_SECOND + NS_PER_SECOND / 2 - loop_now(loop) % NS_PER_SECOND);
	schedule_start(&plan->schedule, &plan->world);
}

static void plan_finish(struct plan *plan) {
	schedule_finish(&plan->schedule);
	fixture_finish(&plan->fixture);
}

static struct collection *find(struct plan *plan, const char *name) {
	for (size_t i = 0; i < host_collector_count; i++) {
		if (strcmp(host_collector_names[i], name) == 0) {
			return &plan->schedule.collections[i];
		}
	}
	fail_msg("no collector %s", name);
	return NULL;
}

static bool shows(const struct plan *plan, const char *line) {
	struct buf text = BUF_INIT;
	struct exposition exposition;
	exposition_init(&exposition, &text);
	schedule_collect(&plan->schedule, &exposition);
	bool shows = str_find(buf_str(&text), str_from(line)) >= 0;
	buf_finish(&text);
	return shows;
}

static void pass(struct plan *plan, double seconds) {
	loop_advance(plan->fixture.fake.loop, (int64_t)(seconds * 1e9));
}

TEST(every_collector_gathers_at_once_when_it_starts) {
	struct plan plan;
	plan_init(&plan);
	pass(&plan, 0.1);
	for (size_t i = 0; i < host_collector_count; i++) {
		CHECK(plan.schedule.collections[i].is_done);
	}
	CHECK(shows(&plan, "\nnode_load1 1\n"));
	CHECK(shows(&plan, "node_hwmon_temp_celsius{chip=\"c\",sensor=\"temp1\"} 1\n"));
	CHECK(shows(&plan, "node_scrape_collector_success{collector=\"hwmon\"} 1\n"));
	plan_finish(&plan);
}

TEST(slow_ones_do_not_fall_into_one_tick) {
	struct plan plan;
	size_t turns = 0, most = 0;
	plan_init(&plan);
	pass(&plan, 0.1);
	pass(&plan, 0.4); // on a tick: what it posted has not run yet
	for (int second = 0; second < 60; second++) {
		size_t posted = 0;
		for (size_t i = 0; i < host_collector_count; i++) {
			posted += plan.schedule.collections[i].job != NULL;
		}
		turns += posted;
		most = posted > most ? posted : most;
		pass(&plan, 1);
	}
	CHECK(most <= 2);
	CHECK_INT(turns, 12 + 4 * 6 + 2); // every 5 s, four every 10 s, two every minute
	plan_finish(&plan);
}

TEST(a_cheap_one_gathers_every_interval_and_a_slow_one_on_its_own_period) {
	struct plan plan;
	plan_init(&plan);
	pass(&plan, 0.1);
	fixture_write(&plan.fixture, "proc/loadavg", "2 2 3 1/2 3\n");
	fixture_write(&plan.fixture, "sys/class/hwmon/hwmon0/temp1_input", "2000\n");
	pass(&plan, 1);
	CHECK(shows(&plan, "\nnode_load1 2\n"));
	pass(&plan, 10);
	CHECK(shows(&plan, "sensor=\"temp1\"} 2\n"));
	plan_finish(&plan);
}

TEST(in_a_job_a_collector_shows_and_figures_the_same) {
	struct plan plan;
	plan_init(&plan);
	struct collection *loadavg = find(&plan, "loadavg");
	loadavg->is_job = true; // as one that was too slow
	loadavg->report = report_create(loadavg->what, loadavg->self);
	CHECK(shows(&plan, "\nnode_load1 1\n"));
	fixture_write(&plan.fixture, "sys/devices/system/cpu/online", "0-1\n");
	fixture_write(&plan.fixture, "proc/loadavg", "3 2 3 1/2 3\n");
	pass(&plan, 1);
	CHECK(shows(&plan, "\nnode_load1 3\n"));
	CHECK_INT(loadavg->report->n, 1);
	CHECK_TEXT(loadavg->report->figures[0].name, "load.per_cpu");
	CHECK_DOUBLE(loadavg->report->figures[0].value, 1.5);
	plan_finish(&plan);
}

TEST(what_is_switched_off_is_absent_and_what_stays_notices_nothing) {
	struct plan plan;
	plan_init(&plan);
	pass(&plan, 0.1);
	struct collection *hwmon = find(&plan, "hwmon"), *cpu = find(&plan, "cpu");
	const void *cpu_self = cpu->self;
	struct collector_choice choices[] = {{(int)(hwmon - plan.schedule.collections), false, 0},
		{(int)(cpu - plan.schedule.collections), true, 3 * NS_PER_SECOND}};
	plan.config.choices = (struct item_list){choices, 2};
	schedule_change(&plan.schedule);
	CHECK(!shows(&plan, "hwmon"));
	CHECK(cpu->self == cpu_self);
	CHECK_INT(cpu->period_ns, 3 * NS_PER_SECOND);
	choices[0].is_enabled = true;
	schedule_change(&plan.schedule);
	pass(&plan, 1);
	CHECK(shows(&plan, "sensor=\"temp1\"} 1\n"));
	plan_finish(&plan);
}

TEST(switched_off_with_a_job_under_way_its_answer_is_dropped) {
	struct plan plan;
	plan_init(&plan);
	struct collection *hwmon = find(&plan, "hwmon");
	CHECK(hwmon->job != NULL && hwmon->self == NULL);
	struct collector_choice off = {(int)(hwmon - plan.schedule.collections), false, 0};
	plan.config.choices = (struct item_list){&off, 1};
	schedule_change(&plan.schedule);
	pass(&plan, 2);
	CHECK(!shows(&plan, "node_hwmon"));
	CHECK(hwmon->report == NULL);
	plan_finish(&plan);
}

TEST(a_job_that_hangs_is_given_up_its_folder_left_out_and_taken_back_when_it_answers) {
	struct plan plan;
	struct buf reason = BUF_INIT;
	plan_init(&plan);
	struct collection *hwmon = find(&plan, "hwmon");
	struct host_job *hung = hwmon->job;
	_cleanup_(freep) char *place = xasprintf(
		"%s/sys/class/hwmon/hwmon0/temp1_input", plan.fixture.folder);
	fixture_write(&plan.fixture, "sys/class/hwmon/hwmon1/name", "d\n");
	// It has begun, stands at that file and is late; a tick comes before it ends.
	atomic_store(&hung->turn.at, place);
	hung->posted_ns -= 11 * NS_PER_SECOND;
	plan.schedule.tick.on_due(&plan.schedule);
	CHECK(plan.schedule.hung == hung && hwmon->job != hung);
	schedule_describe(&plan.schedule, &reason);
	CHECK(str_ends(buf_str(&reason),
		STR("temp1_input does not answer; its folder is left out until it does")));
	CHECK(str_ends(str_from(hwmon->job->avoided), STR("/sys/class/hwmon/hwmon0")));
	pass(&plan, 0.1); // here the one that hung answers, and then the new one
	CHECK(plan.schedule.hung == NULL);
	CHECK(shows(&plan, "chip_name=\"d\""));
	CHECK(!shows(&plan, "chip_name=\"c\""));
	pass(&plan, 10);
	CHECK(shows(&plan, "chip_name=\"c\""));
	plan_finish(&plan);
	buf_finish(&reason);
}

int main(void) {
	return TESTS(RUN(every_collector_gathers_at_once_when_it_starts),
		RUN(slow_ones_do_not_fall_into_one_tick),
		RUN(a_cheap_one_gathers_every_interval_and_a_slow_one_on_its_own_period),
		RUN(in_a_job_a_collector_shows_and_figures_the_same),
		RUN(what_is_switched_off_is_absent_and_what_stays_notices_nothing),
		RUN(switched_off_with_a_job_under_way_its_answer_is_dropped),
		RUN(a_job_that_hangs_is_given_up_its_folder_left_out_and_taken_back_when_it_answers));
}
