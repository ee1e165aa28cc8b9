# SPDX-License-Identifier: Apache-2.0
"""Every command of annactl on a running daemon: as text on 80 columns without colour, and as JSON and
JSON only."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios

import pytest

CONFIG = """
[[mappings]]
name = "first"
on = "test.go"
where = { n = { gt = 3 } }
action = { type = "log", message = "FIRST SAW {n}" }
"""
READING = [["status"], ["health"], ["ping"], ["events"], ["capabilities"], ["metrics"], ["version"],
    ["config", "show"], ["config", "show", "--origin"], ["config", "diff"], ["config", "history"],
    ["config", "check"], ["config", "default"], ["why", "1"], ["why", "--not", "first"],
    ["call", "rpc.describe"], ["call", "kinds"], ["help"]]


@pytest.fixture
def running(anna):
    anna.start(CONFIG)
    anna.emit("test.go", attributes={"n": 1})
    anna.emit("test.go", attributes={"n": 5})
    anna.wait_event("action.finished")
    return anna


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_it_answers_as_text(running, words):
    result = running.ctl(*words, env={"COLUMNS": "80"})
    assert result.status == 0, result
    assert result.out and "\x1b" not in result.out


@pytest.mark.parametrize("words", [w for w in READING if w != ["help"]], ids=" ".join)
def test_it_answers_as_json_before_and_after_the_verb(running, words):
    for args in (["--json", *words], [*words, "--json"]):
        result = running.ctl(*args)
        assert result.status == 0, result
        assert result.lines


def test_changing_commands_answer_as_json(running):
    assert running.ctl("emit", "test.go", "n=7", "text=a b", "--json", ok=True).json["id"] > 0
    running.write_config(CONFIG.replace("FIRST", "SECOND"))
    assert running.ctl("reload", "--json", ok=True).json["ok"] is True
    assert running.ctl("undo", "--json", ok=True).json["ok"] is True
    assert isinstance(running.ctl("stop", "--json", ok=True).json, dict)
    assert running.wait_end(2) == 0


def test_config_check_is_right_without_a_daemon_and_writes_nothing(anna):
    good, bad = anna.folder / "good.toml", anna.folder / "bad.toml"
    good.write_text(CONFIG)
    bad.write_text(CONFIG.replace("where", "wehre"))
    before = sorted(os.listdir(anna.folder))
    assert anna.ctl("config", "check", good).status == 0
    result = anna.ctl("config", "check", bad)
    assert result.status == 5
    assert "bad.toml:5:" in result.out + result.err and "where" in result.out + result.err
    for name in (["config", "validate"], ["validate"]):  # the predecessor's names
        assert anna.ctl(*name, good).status == 0
    assert sorted(os.listdir(anna.folder)) == before


def test_the_default_config_loads(anna):
    text = anna.ctl("config", "default", ok=True).out
    anna.start(text)
    anna.stop()
    # Every option uncommented is a whole config too.
    loud = "\n".join(re.sub(r"^#\s?(?=[\w\"]+ = |\[)", "", line) for line in text.splitlines())
    path = anna.folder / "loud.toml"
    path.write_text(loud)
    result = anna.ctl("config", "check", path)
    assert result.status in (0, 5), result


def test_health_metrics_have_the_predecessors_name(running):
    assert running.rpc("get_health_metrics") is not None
    assert set(running.rpc("health")) >= {"health", "reasons"} or running.rpc("health")


def test_describe_lists_every_method_with_its_role(running):
    methods = running.rpc("rpc.describe")["methods"]
    names = {method["name"] for method in methods}
    assert {"status", "ping", "events", "events.emit", "why", "undo", "reload", "stop"} <= names
    for method in methods:
        assert method["role"] in ("read", "act", "admin") and method["summary"], method


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed(anna, shell):
    out = anna.ctl("completion", shell, ok=True).out
    for name in ("status", "events", "reload", "--json"):
        assert name.lstrip("-") in out
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=out, text=True, check=True)


def test_status_tells_health_by_its_exit_status(anna):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        anna.start(args=["--http", f"127.0.0.1:{busy.getsockname()[1]}"])
        anna.wait_for(lambda: anna.rpc("status")["health"] == "degraded", what="degraded")
        assert anna.ctl("status").status == 10


class Screen:
    """A command on a terminal of 80 by 24."""

    def __init__(self, anna, *args):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = dict(anna.environment(), TERM="xterm-256color")
        env.pop("NO_COLOR")
        self.process = subprocess.Popen([anna.command()[0].replace("annad", "annactl"), "--socket",
            str(anna.socket), *args], stdin=slave, stdout=slave, stderr=slave, env=env,
            start_new_session=True)
        anna.others.append(self.process)
        os.close(slave)
        self.text = ""

    def read(self, anna, wanted, seconds=10):
        def found():
            while select.select([self.master], [], [], 0)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    break  # the other side has closed
            return wanted in self.text
        anna.wait_for(found, seconds, f"{wanted!r} on the screen")

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)


@pytest.mark.parametrize("command", ["status", "health"])
def test_watch_is_a_screen_that_ends_clean_on_ctrl_c(running, command):
    screen = Screen(running, command, "--watch")
    screen.read(running, "ok")
    first = len(screen.text)
    running.wait_for(lambda: (screen.read(running, "ok"), len(screen.text) > first)[1],
        what="the next second")
    screen.resize(10, 40)
    screen.process.send_signal(signal.SIGINT)
    assert screen.process.wait(5) in (0, 130)
    screen.read(running, "\x1b[?25h")  # the cursor is shown again
    os.close(screen.master)


def test_watch_with_json_is_a_stream(running):
    process = subprocess.Popen([running.command()[0].replace("annad", "annactl"), "--socket",
        str(running.socket), "status", "--watch", "--json"], stdout=subprocess.PIPE, text=True,
        env=running.environment(), stdin=subprocess.DEVNULL)
    running.others.append(process)
    for _ in range(2):
        assert json.loads(process.stdout.readline())["state"] == "running"
    process.send_signal(signal.SIGINT)
    process.wait(5)


def test_colour_is_for_terminals_only(running):
    screen = Screen(running, "status")
    screen.read(running, "ok")
    screen.process.wait(5)
    assert "\x1b[" in screen.text
    os.close(screen.master)
    assert "\x1b[" not in running.ctl("status", ok=True).out
