# SPDX-License-Identifier: Apache-2.0
"""Units, profile and advisor inside the shipped unit, against a real systemd: the sandbox must not blind
them, and systemctl is the independent witness."""

import time

import pytest

UNITS = {
    "bad": "Type=oneshot\nExecStart=/bin/sh -c 'exit 7'",
    "flap": "ExecStart=/bin/sh -c 'sleep 0.2; kill -KILL $$$$'\nRestart=on-failure\nRestartSec=100ms",
    "good": "ExecStart=/bin/sleep 1000",
}


@pytest.fixture
def host(fresh):
    for name, lines in UNITS.items():
        limits = "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=60\n" if name == "flap" else ""
        fresh.write(f"/etc/systemd/system/t-{name}.service", f"{limits}[Service]\n{lines}\n")
    fresh.write("/etc/anna/config.toml", '[units]\nwatched = ["t-flap.service", "t-good.service"]\n')
    fresh.run("systemctl", "daemon-reload")
    fresh.run("systemctl", "restart", "annad")  # it runs since boot, with another configuration
    fresh.wait(lambda: "node_systemd_units{" in metrics(fresh), what="a listing")
    return fresh


def metrics(host):
    return host.run("annactl", "metrics", check=False).stdout


def samples(host, name):
    return dict(line.rsplit(" ", 1) for line in metrics(host).splitlines() if line.startswith(name))


def failed(host, unit):
    return [e for e in host.events("unit.failed") if e["subject"] == unit]


def test_a_failure_is_told_within_seconds_with_how_it_ended(host):
    began = time.monotonic()
    host.run("systemctl", "start", "t-bad.service", check=False)
    host.wait(lambda: failed(host, "t-bad.service"), what="the event")
    assert time.monotonic() - began < 10  # with the start of annactl in there
    attributes = failed(host, "t-bad.service")[0]["attributes"]
    pid = int(host.show("ExecMainPID", "t-bad.service"))
    assert attributes == {"unit": "t-bad.service", "result": "exit-code", "exit_code": "exited",
        "exit_status": 7, "main_pid": pid, "restarts": 0}


def test_restarts_are_counted_as_systemd_counts_them(host):
    host.run("systemctl", "start", "t-flap.service")
    host.wait(lambda: failed(host, "t-flap.service"), what="the event")
    attributes = failed(host, "t-flap.service")[0]["attributes"]
    assert attributes["restarts"] == int(host.show("NRestarts", "t-flap.service")) > 0
    assert attributes["result"] == host.show("Result", "t-flap.service")
    changes = [e["attributes"] for e in host.events("unit.changed") if e["subject"] == "t-flap.service"]
    assert {c.get("sub_state") for c in changes} >= {"auto-restart", "failed"}


def test_the_figures_are_systemctls(host):
    host.run("systemctl", "start", "t-good.service")
    host.run("systemctl", "start", "t-bad.service", check=False)

    def agrees():
        listed = host.text("systemctl", "list-units", "--all", "--plain", "--no-legend").splitlines()
        states = [line.split()[2] for line in listed]
        shown = samples(host, "node_systemd_units")
        return all(int(shown[f'node_systemd_units{{state="{state}"}}']) == states.count(state)
            for state in ("active", "failed", "inactive"))
    host.wait(agrees, 45, "the same numbers")  # a listing comes every 30 s
    assert samples(host, "node_systemd_unit_state")[
        'node_systemd_unit_state{name="t-good.service",state="active",type="simple"}'] == "1"


def test_a_systemd_that_runs_itself_anew_is_no_alarm(host):
    host.run("systemctl", "daemon-reexec")
    host.run("systemctl", "start", "t-bad.service", check=False)
    host.wait(lambda: failed(host, "t-bad.service"), 45, "the event")
    assert not [e for e in host.events("capability.state") if e["subject"] == "units"
        and e["attributes"]["to"] == "degraded"]


def test_profile_and_advisor_see_the_machine_from_the_sandbox(host):
    profile = host.json("annactl", "host", "--json")
    assert profile["system"]["init"] == "systemd"
    assert profile["virtualisation"] == {
        "kind": "container", "name": "anna-test", "known_by": "/run/systemd/container"}
    assert profile["cpu"]["threads"] >= 1
    total = next(line for line in host.text("cat", "/proc/meminfo").splitlines()
        if line.startswith("MemTotal:"))
    assert profile["memory"]["total_bytes"] == int(total.split()[1]) * 1024
    host.run("systemctl", "start", "t-bad.service", check=False)
    host.wait(lambda: failed(host, "t-bad.service"), what="the event")
    found = {f["id"]: f["evidence"] for f in host.json("annactl", "advise", "--json")["findings"]}
    assert found["units-failed"] == "1 failed, the last of them is t-bad.service"
