# SPDX-License-Identifier: Apache-2.0
"""Thresholds on figures of this machine, through the real daemon: raised, shown, changed by a reload,
cleared, and what of the built-in ones a configuration may change."""

ALWAYS = """
[[thresholds]]
name = "some-memory"
figure = "memory.used_percent"
above = {limit}
hysteresis = 0

[[mappings]]
name = "page"
on = "host.threshold"
where = {{ raised = true, threshold = "some-memory" }}
action = {{ type = "log", message = "PAGE {{threshold}} {{value}} {{unit}} over {{limit}}" }}
"""


def used_percent():
    fields = {}
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            name, rest = line.split(":")
            fields[name] = int(rest.split()[0])
    return 100 - 100 * fields["MemAvailable"] / fields["MemTotal"]


def test_a_figure_over_its_limit_is_an_event_and_runs_a_mapping(anna):
    anna.start(ALWAYS.format(limit=0.1))
    event = anna.wait_event("host.threshold", match=lambda e: e["subject"] == "some-memory")
    attributes = event["attributes"]
    assert attributes["state"] == "above" and attributes["raised"] is True
    assert attributes["figure"] == "memory.used_percent" and attributes["unit"] == "percent"
    assert attributes["limit"] == 0.1
    assert abs(attributes["value"] - used_percent()) < 15
    anna.wait_for(lambda: "PAGE some-memory" in anna.log(), what="the mapping's line")
    shown = anna.ctl("metrics", ok=True).out
    assert 'anna_threshold_state{threshold="some-memory",label=""} 2' in shown


def test_a_reload_with_a_higher_limit_clears_it_and_an_equal_one_is_not_noticed(anna):
    anna.start(ALWAYS.format(limit=0.1))
    anna.wait_event("host.threshold", match=lambda e: e["attributes"]["raised"])
    anna.write_config(ALWAYS.format(limit=0.1) + "# the same\n")
    anna.ctl("reload", ok=True)
    anna.write_config(ALWAYS.format(limit=100))
    anna.ctl("reload", ok=True)
    cleared = anna.wait_event("host.threshold", match=lambda e: not e["attributes"]["raised"])
    assert cleared["attributes"]["state"] == "below" and cleared["attributes"]["limit"] == 100
    mine = [e for e in anna.events("host.threshold") if e["subject"] == "some-memory"]
    assert [e["attributes"]["raised"] for e in mine] == [True, False]


def test_the_built_in_thresholds_are_shown_and_changed_key_by_key(anna):
    anna.start('[[thresholds]]\nname = "memory"\nabove = 91\n')
    shown = anna.ctl("config", "show", "--origin", ok=True).out.splitlines()
    lines = [line for line in shown if line.startswith("thresholds[memory].")]
    assert any("above = 91" in line and "config.toml:3" in line for line in lines), lines
    assert any('for = "5m"' in line and "built-in:" in line for line in lines), lines
    assert any(line.startswith("thresholds[failed-units].") for line in shown)


def test_a_wrong_threshold_is_refused_with_its_place(anna):
    status, told = anna.run('[[thresholds]]\nname = "x"\nfigure = "memory.used_percent"\n',
        args=["--check"])
    assert status != 0 and "config.toml:1" in told and 'either "above" or "below"' in told
    status, told = anna.run('[[thresholds]]\nname = "memory"\nbelow = 1\n', args=["--check"])
    assert status != 0 and 'either "above" or "below"' in told


def test_a_healthy_machine_raises_no_built_in_threshold_that_waits(anna):
    """Only those without a `for` can be raised this soon, and none is by this machine."""
    anna.start("")
    anna.wait_for(lambda: "anna_threshold_state{" in anna.ctl("metrics", ok=True).out,
        what="figures that are judged")
    assert [e["subject"] for e in anna.events("host.threshold")
        if e["subject"] not in ("oom-kills",)] == []
