# SPDX-License-Identifier: Apache-2.0
"""Start, reload, stop: every state can be left, whatever came before. The predecessors wedged in
each of these (D1 to D3)."""

import json
import os
import signal
import socket

import pytest

from conftest import RpcError

GOOD = """
[[mappings]]
name = "first"
on = "test.go"
action = { type = "log", message = "FIRST SAW {n}" }
"""
OTHER = GOOD.replace("first", "second").replace("FIRST", "SECOND")
BROKEN = GOOD + '\n[[mappings]]\nname = "oops"\non = "test.go"\nactoin = { type = "log" }\n'

pytestmark = pytest.mark.threads


def acted(anna, text):
    """Emits and waits for the mapping's log line."""
    anna.emit("test.go", attributes={"n": 1})
    anna.wait_for(lambda: text in anna.log(), what=f"the log line {text!r}")


def test_a_broken_config_changes_nothing_and_a_mended_one_is_taken_d1(anna):
    anna.start(GOOD)
    acted(anna, "FIRST SAW 1")

    anna.write_config(BROKEN)
    for _ in range(3):
        result = anna.ctl("reload")
        assert result.status == 5, result
        assert "config.toml:" in result.err and "action" in result.err
        assert anna.rpc("status")["state"] == "running"
    before = anna.log().count("FIRST SAW 1")
    anna.emit("test.go", attributes={"n": 1})
    anna.wait_for(lambda: anna.log().count("FIRST SAW") > before or "repeated" in anna.log(),
        what="the old mapping still acting")

    anna.write_config(OTHER)
    anna.ctl("reload", ok=True)
    acted(anna, "SECOND SAW 1")
    assert anna.stop() == 0


def test_a_failed_reload_by_signal_leaves_it_running_and_stoppable_d1(anna):
    anna.start(GOOD)
    errors = anna.rpc("status")["errors"]
    anna.write_config(BROKEN)
    anna.signal(signal.SIGHUP)
    anna.wait_for(lambda: anna.rpc("status")["errors"] > errors, what="the failed reload counted")
    assert anna.rpc("status")["state"] == "running"
    assert anna.stop(2) == 0


def test_stop_answers_and_then_the_process_is_gone_within_two_seconds_d2(anna):
    anna.start(GOOD)
    anna.emit("test.go", attributes={"n": 1})
    anna.ctl("stop", ok=True)
    assert anna.wait_end(2) == 0
    assert (anna.state / "state").exists()
    assert not anna.socket.exists()


def test_what_was_counted_is_there_after_a_restart_d2(anna):
    anna.start(GOOD)
    for n in range(5):
        anna.emit("test.go", attributes={"n": n})
    anna.ctl("reload", ok=True)
    before = anna.rpc("status")
    anna.ctl("stop", ok=True)
    anna.wait_end(2)
    anna.start()
    after = anna.rpc("status")
    assert after["events_processed"] >= before["events_processed"]
    reloads = (before["reloads"], after["reloads"])
    counts = [r["count"] if isinstance(r, dict) else r for r in reloads]
    assert counts[1] >= counts[0] >= 1
    assert after["generation"] >= before["generation"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_term_after_three_reload_signals_ends_it_d3(anna, number):
    anna.start(GOOD)
    for _ in range(3):
        anna.signal(signal.SIGHUP)
    anna.signal(number)
    assert anna.wait_end(2) == 0


def test_reload_signals_are_each_heard_d3(anna):
    anna.start(GOOD)
    for text in (OTHER, GOOD.replace("FIRST", "THIRD"), GOOD):
        before = anna.rpc("status")["generation"]
        anna.write_config(text)
        anna.signal(signal.SIGHUP)
        anna.wait_for(lambda: anna.rpc("status")["generation"] == before + 1, what="the reload")


def test_term_while_starting_ends_it(anna):
    anna.write_config(GOOD)
    anna.start(wait=False)
    # Before signals are taken over, TERM ends any process; after that, Anna stops in order.
    anna.signal(signal.SIGTERM)
    assert anna.wait_end(3) in (0, -signal.SIGTERM)


def test_term_while_reloading_ends_it(anna):
    many = "".join(f'[[mappings]]\nname = "m{i}"\non = "test.m{i}"\n'
        'action = { type = "log", message = "m" }\n' for i in range(3000))
    anna.start(GOOD)
    anna.write_config(many)
    anna.signal(signal.SIGHUP)
    anna.signal(signal.SIGTERM)
    assert anna.wait_end(3) == 0


def test_a_second_term_hurries(anna, runs_commands):
    never = anna.folder / "never"
    os.mkfifo(never)
    anna.start(f"""
[daemon]
stop_timeout = "60s"
[[mappings]]
name = "slow"
on = "test.go"
action = {{ type = "exec", argv = ["/bin/sh", "-c", "trap '' TERM; while :; do read x < {never}; done"], timeout = "60s", kill_after = "60s" }}
""")
    anna.emit("test.go")
    anna.wait_event("action.started")
    anna.signal(signal.SIGTERM)
    # Two pending signals of one kind are one signal: the first must have been heard.
    anna.wait_for(lambda: "-> stopping" in anna.log(), what="the first TERM heard")
    assert anna.is_alive()
    anna.signal(signal.SIGTERM)
    assert anna.wait_end(2) == 0


def test_annactl_stop_waits_as_long_as_the_daemon_may_take(anna, runs_commands):
    anna.start("""
[daemon]
stop_timeout = "6s"
[[mappings]]
name = "slow"
on = "test.go"
action = { type = "exec", argv = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 60; done"], timeout = "60s", kill_after = "60s" }
""")
    anna.emit("test.go")
    anna.wait_event("action.started")
    result = anna.ctl("stop", "--json")
    assert result.status == 0, result
    assert result.json["took_ms"] > 5000
    assert anna.wait_end(2) == 0


def test_every_transition_is_an_event(anna):
    anna.start(GOOD)
    anna.ctl("reload", ok=True)
    anna.ctl("stop", ok=True)
    anna.wait_end(2)
    anna.start()
    states = [event["attributes"]["to"] for event in anna.events("daemon.state")]
    assert states == ["starting", "running", "reloading", "running", "stopping", "starting", "running"]


def test_usr1_writes_a_diagnosis_to_the_log(anna):
    anna.start(GOOD)
    before = len(anna.log())
    anna.signal(signal.SIGUSR1)
    anna.wait_for(lambda: "running" in anna.log()[before:], what="the diagnosis")
    assert anna.rpc("status")["state"] == "running"


def test_status_holds_what_others_build_on(anna):
    anna.start(GOOD)
    status = anna.rpc("status")
    for name in ("state", "version", "build", "pid", "uptime_seconds", "generation", "config_path",
            "socket", "http", "health", "capabilities", "reloads", "events_processed", "errors",
            "last_errors"):
        assert name in status, name
    assert status["pid"] == anna.process.pid
    assert status["socket"] == str(anna.socket)
    assert status["config_path"] == str(anna.config)
    by_ctl = anna.ctl("status", "--json", ok=True).json
    assert set(by_ctl) == set(status)


@pytest.mark.parametrize("text, code", [("[[mappings]\n", 5), ("unknown_key = 1\n", 5)])
def test_an_invalid_config_and_no_good_generation_is_status_five(anna, text, code):
    status, output = anna.run(text)
    assert status == code, output
    assert "config.toml:1:" in output


def test_an_invalid_config_at_start_falls_back_to_the_last_good_generation(anna):
    anna.start(GOOD)
    generation = anna.rpc("status")["generation"]
    anna.stop()
    anna.start(BROKEN)
    status = anna.rpc("status")
    assert status["generation"] == generation
    anna.wait_for(lambda: anna.rpc("status")["health"] != "ok", what="health telling of it")
    acted(anna, "FIRST SAW 1")


@pytest.mark.parametrize("args", [["--nonsense"], ["--state-dir"], ["--http", "nowhere"],
    ["--log-level", "loud"], ["extra"]])
def test_wrong_arguments_are_status_two_with_a_hint(anna, args):
    status, output = anna.run(args=args)
    assert status == 2, output
    assert "--help" in output or args[0] in output


def test_help_and_version_are_answered_without_a_daemon(anna):
    assert anna.run(args=["--version"])[0] == 0
    status, output = anna.run(args=["--help"])
    assert status == 0
    for flag in ("--config", "--state-dir", "--socket", "--http", "--check", "--log-level"):
        assert flag in output


def test_check_says_whether_a_config_is_valid_and_writes_nothing(anna):
    assert anna.run(GOOD, args=["--check"])[0] == 0
    status, output = anna.run(BROKEN, args=["--check"])
    assert status == 5 and "actoin" in output
    assert not anna.state.exists()


def test_unknown_methods_do_not_hurt(anna):
    anna.start(GOOD)
    with pytest.raises(RpcError) as error:
        anna.rpc("no.such.method")
    assert error.value.code == -32601
    assert anna.rpc("ping") is not None


def test_sd_notify_tells_of_every_state(anna):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.settimeout(10)
    path = anna.folder / "notify"
    listener.bind(str(path))
    seen = []

    def wait_line(wanted):
        while not any(wanted in line for line in seen):
            seen.extend(listener.recv(4096).decode().splitlines())

    with listener:
        anna.start(GOOD, env={"NOTIFY_SOCKET": str(path)})
        wait_line("READY=1")
        anna.ctl("reload", ok=True)
        wait_line("RELOADING=1")
        anna.signal(signal.SIGTERM)
        wait_line("STOPPING=1")
        assert anna.wait_end(3) == 0
    assert any(line.startswith("STATUS=") for line in seen)
    assert json.dumps(seen).count("READY=1") >= 2  # once at start, once after the reload
