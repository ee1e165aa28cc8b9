# SPDX-License-Identifier: Apache-2.0
"""systemd's units over a real dbus-daemon: failures and changes, a bus that stands still or goes, and
neighbours on the bus that lie."""

import select
import socket
import threading
import time

import pytest

from dbus_peer import Client, Systemd, bus, path_of  # noqa: F401

CONFIG = """
[units]
socket = "{socket}"
interval = "{interval}"
answer_limit = "500ms"
watched = ["web*.service"]
ignored = ["noisy.service"]
"""
FAILURE = {"Result": "exit-code", "ExecMainCode": 1, "ExecMainStatus": 203, "ExecMainPID": 4711,
    "InactiveEnterTimestamp": 1_700_000_000_000_000}


@pytest.fixture
def systemd(bus):
    systemd = Systemd(bus.socket)
    systemd.set("web.service", "active", "running", announce=False)
    systemd.set("old.service", "failed", "failed", announce=False, **FAILURE)
    systemd.set("fine.service", "active", "running", announce=False)
    yield systemd
    systemd.close()


def state_of(anna, name="units"):
    return next(c for c in anna.rpc("capabilities")["capabilities"] if c["name"] == name)


def start(anna, bus, interval="1s"):
    """A root where systemd is said to run, so that no systemd of the machine is asked."""
    root = anna.folder / "root"
    (root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    anna.start(config=CONFIG.format(socket=bus.socket, interval=interval), args=["--sysroot", str(root)])


def metrics(anna):
    return anna.rpc("metrics")["text"]


def listed(anna):
    anna.wait_for(lambda: "node_systemd_units{" in metrics(anna), what="a listing")


def test_a_unit_that_fails_is_an_event_with_how_it_ended(anna, bus, systemd):
    start(anna, bus, interval="1h")  # its signal alone tells
    listed(anna)
    began = time.monotonic()
    systemd.set("backup.service", "failed", "failed", NRestarts=3, **FAILURE)
    event = anna.wait_event("unit.failed")
    assert time.monotonic() - began < 5
    assert event["attributes"] == {"unit": "backup.service", "result": "exit-code", "exit_code": "exited",
        "exit_status": 203, "main_pid": 4711, "restarts": 3}
    assert event["subject"] == "backup.service"
    # What had failed before Anna came is not news.
    assert [e["subject"] for e in anna.events("unit.failed")] == ["backup.service"]


def test_a_unit_that_works_again_and_a_watched_one_are_told(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.set("old.service", "active", "running")
    event = anna.wait_event("unit.changed")
    assert event["attributes"] == {
        "unit": "old.service", "from": "failed", "to": "active", "sub_state": "running", "restarts": 0}
    systemd.set("fine.service", "inactive")  # nobody watches it
    systemd.set("web.service", "activating", "auto-restart", NRestarts=1)
    event = anna.wait_event("unit.changed", match=lambda e: e["subject"] == "web.service")
    assert event["attributes"]["to"] == "activating" and event["attributes"]["restarts"] == 1
    assert all(e["subject"] != "fine.service" for e in anna.events("unit.changed"))


def test_a_watched_unit_that_was_not_loaded_before_was_inactive(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.set("web-late.service", "activating", "start")
    event = anna.wait_event("unit.changed")
    assert event["attributes"]["from"] == "inactive" and event["attributes"]["to"] == "activating"


def test_the_listing_finds_what_no_signal_told(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.set("silent.mount", "failed", "failed", announce=False, Result="timeout", Type="ext4")
    event = anna.wait_event("unit.failed")
    assert 'name="silent.mount",state="failed",type=""} 1' in metrics(anna)
    assert event["subject"] == "silent.mount" and event["attributes"]["result"] == "timeout"
    systemd.remove("silent.mount")  # collected: there is no such unit any more
    event = anna.wait_event("unit.changed", match=lambda e: e["subject"] == "silent.mount")
    assert event["attributes"]["to"] == "inactive"


def test_an_ignored_unit_may_fail(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.set("noisy.service", "failed", "failed", **FAILURE)
    systemd.set("last.service", "failed", "failed", **FAILURE)
    anna.wait_event("unit.failed", match=lambda e: e["subject"] == "last.service")
    assert [e["subject"] for e in anna.events("unit.failed")] == ["last.service"]


def test_metrics_have_node_exporters_names(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    anna.wait_for(lambda: 'restart_total{name="web.service"} 0' in metrics(anna), what="details")
    text = metrics(anna)
    assert 'node_systemd_units{state="active"} 2' in text
    assert 'node_systemd_units{state="failed"} 1' in text
    assert 'node_systemd_unit_state{name="old.service",state="failed",type="simple"} 1' in text
    assert 'node_systemd_unit_state{name="old.service",state="active",type="simple"} 0' in text
    assert 'name="fine.service"' not in text  # one of many: only failed and watched ones are shown
    anna.wait_for(lambda: "node_systemd_system_running 0" in metrics(anna), what="the state")
    assert 'node_systemd_version{version="252.39-1~deb12u1"} 252.39' in text


def test_a_bus_that_stands_still_delays_nothing(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    bus.freeze()
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", what="degraded")
    assert state_of(anna)["reason"] == "the system bus does not answer"
    assert "node_systemd_units{" not in metrics(anna)  # what is not known is absent
    slowest = 0
    for _ in range(50):
        began = time.monotonic()
        anna.rpc("ping")
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1
    bus.thaw()
    anna.wait_for(lambda: state_of(anna)["state"] == "active", 20, "active again")
    systemd.set("later.service", "failed", "failed", **FAILURE)
    anna.wait_event("unit.failed", match=lambda e: e["subject"] == "later.service")


def test_a_systemd_that_stands_still_is_told_from_the_bus(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.is_silent = True
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", what="degraded")
    for _ in range(30):  # the bus takes every new connection in; that alone is not well
        assert state_of(anna)["state"] == "degraded"
        assert state_of(anna)["reason"] == "org.freedesktop.systemd1 does not answer over the system bus"
        assert anna.wait_for(lambda: anna.rpc("ping"), what="a ping")
        select.select([], [], [], 0.1)


def test_a_systemd_that_runs_itself_anew_is_no_alarm(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    systemd.close()
    anna.wait_for(lambda: "node_systemd_units{" not in metrics(anna), what="its absence")
    again = Systemd(bus.socket)
    again.set("old.service", "failed", "failed", announce=False, **FAILURE)
    again.set("new.service", "failed", "failed", announce=False, **FAILURE)
    anna.wait_event("unit.failed", match=lambda e: e["subject"] == "new.service")
    assert not [e for e in anna.events("capability.*") if e["subject"] == "units"
        and e["attributes"]["to"] == "degraded"]
    again.close()


def test_a_bus_that_goes_and_comes_back_loses_no_failure(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    bus.stop()
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", what="degraded")
    bus.start()
    again = Systemd(bus.socket)
    again.set("old.service", "failed", "failed", announce=False, **FAILURE)
    again.set("meanwhile.service", "failed", "failed", announce=False, **FAILURE)
    anna.wait_event("unit.failed", 20, match=lambda e: e["subject"] == "meanwhile.service")
    assert [e["subject"] for e in anna.events("unit.failed")] == ["meanwhile.service"]
    again.close()


def test_a_bus_without_systemd_is_a_reason(anna, bus):
    start(anna, bus)
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", what="degraded")
    assert state_of(anna)["reason"] == "org.freedesktop.systemd1 is not on the system bus"


def test_without_systemd_the_source_is_disabled(anna):
    (anna.folder / "empty").mkdir()
    anna.start(args=["--sysroot", str(anna.folder / "empty")])
    anna.wait_for(lambda: state_of(anna)["state"] == "disabled", what="disabled")
    assert state_of(anna)["reason"] == "systemd does not run here: there is no /run/systemd/system"


def test_a_neighbour_on_the_bus_is_not_believed(anna, bus, systemd):
    start(anna, bus)
    listed(anna)
    liar = Client(bus.socket)
    names = liar.call("ListNames")
    for name in names:
        if name.startswith(":") and name not in (liar.name, systemd.name):
            liar.signal(path_of("fake.service"), "org.freedesktop.DBus.Properties", "PropertiesChanged",
                "sa{sv}as", ("org.freedesktop.systemd1.Unit", {"ActiveState": ("s", "failed")}, []),
                destination=name)
            liar.signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                ("org.freedesktop.systemd1", systemd.name, ""), destination=name)
    systemd.set("true.service", "failed", "failed", **FAILURE)
    anna.wait_event("unit.failed", match=lambda e: e["subject"] == "true.service")
    asked = {path for member, path in systemd.calls if member == "GetAll"}
    assert path_of("true.service") in asked and path_of("fake.service") not in asked
    assert state_of(anna)["state"] == "active"
    assert [e["subject"] for e in anna.events("unit.failed")] == ["true.service"]
    liar.close()


@pytest.mark.parametrize("says", [
    b"", b"REJECTED EXTERNAL\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x" * 5000,
    b"OK 1234deadbeef\r\n" + b"\xff" * 64, b"OK 1234deadbeef\r\nl\2\1\1" + b"\xff" * 60,
    b"OK 1234deadbeef\r\nl\2\1\1\0\0\0\0\1\0\0\0\x0f\0\0\0" + b"\0" * 16])
def test_a_bus_that_talks_nonsense_is_left_alone(anna, tmp_path, says):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "bus"))
    server.listen(8)
    taken = []

    def serve():
        while True:
            try:
                peer, _ = server.accept()
                taken.append(peer)
                peer.sendall(says)
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()

    class Nonsense:
        socket = tmp_path / "bus"
    start(anna, Nonsense)
    anna.wait_for(lambda: len(taken) >= 2, what="another try")
    assert anna.rpc("ping") and "node_systemd_units{" not in metrics(anna)
    server.close()


def test_tries_come_less_and_less_often(anna, tmp_path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "bus"))
    server.listen(8)
    times = []

    def serve():
        while True:
            try:
                server.accept()[0].close()
                times.append(time.monotonic())
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()

    class Short:
        socket = tmp_path / "bus"
    start(anna, Short)
    anna.wait_for(lambda: len(times) >= 3, 15, "three tries")
    assert times[1] - times[0] > 0.85 and times[2] - times[1] > 1.75
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", what="degraded")
    assert state_of(anna)["reason"] == "the system bus has closed the connection"
    server.close()


def test_a_thousand_units_and_a_storm_of_signals_are_borne(anna, bus, systemd):
    for i in range(3000):
        systemd.set(f"unit-{i}.service", "active", "running", announce=False)
    start(anna, bus)
    anna.wait_for(lambda: 'node_systemd_units{state="active"} 3002' in metrics(anna), 20, "a listing")
    for i in range(1500):
        systemd.set(f"unit-{i}.service", "failed", "failed", **FAILURE)
    anna.wait_for(lambda: state_of(anna)["state"] == "degraded", 30, "the bound")
    assert state_of(anna)["reason"].startswith("more than 512 units are failed or watched; ")
    assert anna.rpc("ping")
    assert len({e["subject"] for e in anna.events("unit.failed")}) <= 512
