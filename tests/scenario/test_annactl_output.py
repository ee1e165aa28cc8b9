# SPDX-License-Identifier: Apache-2.0
"""What people see of each command at 80 columns, against golden texts in tests/golden/ctl/. After a
wanted change: UPDATE_GOLDEN=1, then look at the difference."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from played import BIN, Place, answer, error

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "ctl"


def event(number, kind, subject, attributes, second=0.0):
    return dict(id=number, time=f"2020-03-01T12:00:{second:09.6f}Z", kind=kind, source="host",
        subject=subject, attributes=attributes, cause=None, trace="00-0-0-00", generation=7)


CAPABILITIES = [
    dict(name="host", state="active", reason=None, summary="CPU, memory, file systems and network",
        since="2020-03-01T11:00:00Z"),
    dict(name="file", state="degraded", reason="3 of 5 folders are watched: the kernel's limit of "
        "inotify watches is reached", summary="files", since="2020-03-01T11:30:00Z",
        maturity="experimental", next_step="sysctl fs.inotify.max_user_watches=524288",
        retry_at="2020-03-01T11:31:00Z", failures_last_hour=3),
    dict(name="timer", state="disabled", reason=None, summary="timers and calendars",
        since="2020-03-01T11:00:00Z"),
]
STATUS = dict(contract=1, state="running", version="0.1.0", build="abcdef012345", pid=4123,
    uptime_seconds=275000, generation=7, config_path="/etc/anna/config.toml",
    socket="/run/anna/annad.sock", http="127.0.0.1:2662", health="degraded",
    capabilities=CAPABILITIES, mappings=dict(total=4, assured=3, reflex=1, disabled=1), reloads=3,
    events_processed=1234567, errors=2, last_errors=[dict(time="2020-03-01T11:00:00Z",
        part="delivery",
        message="cannot write /var/spool/x: No space left on device, and so on and on")])
DISTRIBUTION = dict(count=12345, min_us=80.0, mean_us=140.0, p50_us=120.4, p95_us=400.0,
    p99_us=1200.0, max_us=2500000.0)
NOTHING = dict(count=0, failures=0, min_us=None, mean_us=None, p50_us=None, p95_us=None, p99_us=None,
    max_us=None)
SPREAD = dict(DISTRIBUTION, windows={"1m": DISTRIBUTION, "5m": DISTRIBUTION, "15m": DISTRIBUTION})
HEALTH = dict(health="degraded", status="Warning", uptime_sec=275000,
    timestamp="2020-03-01T12:00:00Z", rpc_latency=SPREAD,
    memory=dict(rss_bytes=12345678, peak_bytes=13345678, limit_bytes=83886080, threads=5),
    queue=dict(depth=0, deepest=12, capacity=16384, accepted=4711, durable=4711, refused=0,
        failed=0, rate_per_sec=2.0, oldest_event_sec=None),
    journal=dict(size_bytes=123456789, budget_bytes=419430400, syncs=4000, failed_syncs=0,
        oldest_time="2020-02-01T00:00:00Z", records_per_sync=1.2, sync=SPREAD),
    loop_lag=dict(NOTHING, windows={"1m": NOTHING}),
    cpu=dict(user_us=1234567, system_us=12345, percent=0.4, percent_last_minute=0.3),
    fds=dict(open=23, limit=1024),
    capabilities=dict(active=5, degraded=1, disabled=2, failed=0),
    actions=dict(started=77, running=1, waiting=0, failed=2),
    budgets=[dict(part="unfinished requests", used_bytes=6291456, most_bytes=6291456,
        limit_bytes=8388608, refused=0)],
    rpc=dict(calls=12345, failures=3, connections=1, connections_max=128),
    reasons=[dict(level="degraded", part="file", text="3 of 5 folders are watched, because the "
        "kernel's limit of inotify watches is reached",
        next_step="sysctl fs.inotify.max_user_watches=524288")])
EVENTS = dict(events=[
    event(1, "daemon.started", "", dict(version="0.1.0", pid=4123, was_clean=True), 1.5),
    event(2, "host.filesystem", "/var",
        dict(mount="/var", used_percent=91.2, free_bytes=1234567890)),
    dict(gap={"from": 3, "to": 9, "reason": "the journal is damaged there", "stream": "normal"}),
    event(1234567, "user.deploy", "web \x1b[31m", dict(text="two words", parts=["a", {"b": None}])),
], next=1234567, complete=True)
WHY = dict(
    causes=[event(1200, "host.filesystem", "/var", dict(mount="/var", used_percent=91.2), 1.0)],
    event=event(1201, "action.started", "disk-full", {"mapping": "disk-full", "action": "exec",
        "class": "assured", "key": "1200:disk-full", "attempt": 1,
        "guards": {"used_percent": 91.2, "mount": "/var"}}, 1.000412),
    effects=[
        dict(event=event(1202, "action.finished", "disk-full", {"mapping": "disk-full",
            "action": "exec", "class": "assured", "ok": False, "error": "exit status 3",
            "exit_status": 3}, 1.093), effects=[
                dict(event=event(1204, "user.alarm", "mail", dict(to="root"), 1.5), effects=[])]),
        dict(event=event(1203, "user.note", "x", {}, 59.0), effects=[]),
    ], beyond_retention=True, damaged=False, truncated=False)
WHY_NOT = dict(asked="disk-full", mapping="disk-full", reason="guard",
    detail="its condition did not hold: used_percent gt 90, but used_percent is 41.5",
    guard="used_percent gt 90", observed="used_percent is 41.5", last_event=2,
    event=EVENTS["events"][1], generation=7, last_acted=None, truncated=False)
WHY_NOT_KIND = dict(asked="host.filesystem", kind="host.filesystem", reason="no_event",
    detail="no such event is in the journal", last_event=None, event=None, generation=None,
    last_acted=None, mappings=[dict(mapping="disk-full", reason="no_event",
        detail="no event it listens to is in the journal")])
RELOAD = dict(ok=True, changed=True, dry_run=False, pending=True, generation=8, changes=[
    dict(path="mappings[disk-full].where", before="{ used_percent = { gt = 90 } }",
        after="{ used_percent = { gt = 85 } }", needs_restart=False),
    dict(path="http.listen", before='"127.0.0.1:2662"', after='"127.0.0.1:2700"',
        needs_restart=True),
    dict(path="mappings[new]", before=None, after="added", needs_restart=False),
    ], restart_needed=["http.listen"], problems=[],
    microseconds=dict(parse=312, check=201, apply=99, total=705), grade="A",
    statistics=dict(count=12, min=300, mean=412.5, p50=400, p99=900, max=1200))
SAME = dict(RELOAD, changed=False, pending=False, changes=[], restart_needed=[], generation=7)
DRY = dict(RELOAD, dry_run=True, pending=False, generation=7)
HISTORY = dict(active=8, generations=[
    dict(number=6, time="2020-02-28T10:00:00Z", author="start", verdict="good", hash="a" * 64),
    dict(number=7, time="2020-03-01T10:00:00Z", author="uid 0", verdict="undone", hash="b" * 64),
    dict(number=8, time="2020-03-01T10:00:01Z", author="undo of 7", verdict="active",
        hash="a" * 64)])
REFUSED = error(3004, "/etc/anna/config.toml has 2 errors; nothing was changed",
    name="ConfigParseError", retryable=False,
    hint="mend the lines named and check them: annactl config check", problems=[
        dict(file="/etc/anna/config.toml", line=3, column=1, severity="error",
            message='unknown key "used_percnt" in where of [[mappings]] "disk-full"; did you mean '
                '"used_percent"?'),
        dict(file="/etc/anna/conf.d/x.toml", line=12, column=9, severity="warning",
            message='key "old" is deprecated; use new')])

CASES = [
    # name, arguments, result or error, exit status
    ("status", ["status"], STATUS, 10),
    ("status_verbose", ["status", "--verbose"], STATUS, 10),
    ("health", ["health"], HEALTH, 10),
    ("events", ["events"], EVENTS, 0),
    ("why", ["why", "1201"], WHY, 0),
    ("why_not", ["why", "--not", "disk-full"], WHY_NOT, 0),
    ("why_not_kind", ["why", "--not", "host.filesystem"], WHY_NOT_KIND, 0),
    ("reload", ["reload", "--confirm", "60s"], RELOAD, 0),
    ("reload_same", ["reload"], SAME, 0),
    ("reload_dry", ["reload", "--dry-run"], DRY, 0),
    ("reload_refused", ["reload"], REFUSED, 5),
    ("reload_confirm", ["reload", "confirm"], dict(confirmed=True, generation=8), 0),
    ("undo", ["undo", "6"], dict(RELOAD, pending=False), 0),
    ("config_diff", ["config", "diff"], DRY, 0),
    ("config_show", ["config", "show", "--origin"], dict(text='daemon.name = "x"  # default\n'
        'http.listen = "\x1b"  # a:1\n'), 0),
    ("config_history", ["config", "history"], HISTORY, 0),
    ("capabilities", ["capabilities"], dict(capabilities=CAPABILITIES), 0),
    ("metrics", ["metrics"], dict(text="# TYPE anna_up gauge\nanna_up 1\n"), 0),
    ("emit", ["emit", "user.x", "a=1"], dict(id=77), 0),
    ("call", ["call", "anything"], dict(a=[1, {"b": None}]), 0),
    ("help", ["help"], None, 0),
    ("help_events", ["help", "events"], None, 0),
    ("help_emit", ["emit", "--help"], None, 0),
    ("help_config_check", ["help", "config", "check"], None, 0),
    ("completion_bash", ["completion", "bash"], None, 0),
    ("completion_zsh", ["completion", "zsh"], None, 0),
    ("completion_fish", ["completion", "fish"], None, 0),
]


@pytest.fixture
def place():
    made = Place()
    yield made
    made.close()


def play(place, told):
    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            kind = "error" if "code" in told else "result"
            wanted = HEALTH if request["method"] == "health" else told
            answer(connection, request, **{kind: wanted})
    return place.play(behave)


@pytest.mark.parametrize("name, args, told, status", CASES, ids=[case[0] for case in CASES])
def test_at_eighty_columns(place, name, args, told, status):
    if told is not None:
        play(place, told)
    result = place.ctl(*args, env=place.environment(COLUMNS="80"))
    assert result.returncode == status, result
    shown = result.stdout + ("--- stderr\n" + result.stderr if result.stderr else "")
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown)
    assert shown == golden.read_text()
    if not name.startswith("completion"):
        assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


# A watch without a terminal, so that the picture is the golden one: bars of the last samples, and
# in the second frame what changed.
BARS = [1, 2, None, 4, 8, 16, 8, 4, 2, 1]
SAMPLES = dict(every_sec=2, rpc_p99_us=[900 * n if n else None for n in BARS],
    rss_bytes=[12000000 + 1000 * (n or 0) for n in BARS], cpu_percent=[0.1] * 10,
    queue_depth=[0] * 9 + [12], loop_lag_p99_us=[100] * 10, sync_p99_us=[None] * 10)


def test_a_watched_screen_at_eighty_by_twenty_four(place):
    shown = []

    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            assert request["params"] == {"history": 24}
            shown.append(dict(HEALTH, history=SAMPLES,
                rpc=dict(HEALTH["rpc"], failures=3 + len(shown))))
            answer(connection, request, result=shown[-1])
    place.play(behave)
    process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(place.socket), "health",
        "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env=place.environment(COLUMNS="80"))
    try:
        text = ""
        while text.count("health degraded") < 3:
            text += os.read(process.stdout.fileno(), 1 << 16).decode()
    finally:
        process.kill()
        process.wait()
    second = "health degraded" + text.split("health degraded")[2]
    golden = GOLDEN / "health_watch.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(second)
    assert second == golden.read_text()
    assert max(map(len, second.splitlines())) <= 80 and len(second.splitlines()) <= 23
    assert "\x1b" not in second


@pytest.mark.parametrize("name, args, told, status", [case for case in CASES
    if case[2] is not None and case[0] != "reload_refused"], ids=lambda value: str(value)[:20])
def test_json_is_the_result_and_nothing_else(place, name, args, told, status):
    play(place, told)
    for command in (["--json", *args], [*args, "--json"]):
        result = place.ctl(*command)
        assert result.returncode == status, result
        assert result.stderr == "", result
        if name == "events":
            assert [json.loads(line) for line in result.stdout.splitlines()] == told["events"]
        else:
            assert json.loads(result.stdout) == told


def test_a_refused_reload_as_json_names_every_problem(place):
    play(place, REFUSED)
    result = place.ctl("reload", "--json")
    assert (result.returncode, result.stdout) == (5, "")
    assert json.loads(result.stderr)["error"]["problems"] == REFUSED["data"]["problems"]


def test_the_schema_names_every_command_with_its_options():
    schema = json.loads(subprocess.run([str(BIN / "annactl"), "--schema"], capture_output=True,
        text=True, check=True, timeout=60).stdout)
    names = [command["name"] for command in schema["commands"]]
    assert len(names) == len(set(names))
    wanted = ["status", "ping", "health", "events", "emit", "why", "undo", "reload",
        "reload confirm", "stop", "config check", "config show", "config default",
        "config diff", "config history", "capabilities", "metrics", "top", "host", "advise",
        "upgrade", "call", "version", "completion", "help", "doctor", "doctor explain", "doctor fix", "doctor report"]
    assert sorted(names) == sorted(wanted)
    aliases = {alias for command in schema["commands"] for alias in command["aliases"]}
    assert {"doctor check", "config validate", "validate"} <= aliases
    assert {option["key"] for option in schema["global_options"]} >= {"json", "socket", "timeout"}


def test_every_example_is_understood(place):
    """Each example of --schema parses: whatever fails, it is not the usage."""
    schema = json.loads(place.ctl("--schema").stdout)
    play(place, dict(EVENTS, **STATUS))
    (place.folder / "bin").mkdir()
    os.symlink(BIN / "annactl", place.folder / "bin" / "annactl")
    for command in schema["commands"]:
        for example in command["examples"]:
            if command["name"] == "stop" or re.search(r"--follow|--watch", example):
                continue  # they would wait
            if "<(" in example:
                continue  # for bash alone
            line = re.sub(r"[|>].*", "", example)
            result = subprocess.run(["sh", "-c", f"{line} > /dev/null"], capture_output=True,
                text=True, timeout=60, cwd=place.folder, check=False,
                env=place.environment(ANNA_SOCKET=str(place.socket),
                    PATH=f"{place.folder}/bin:/usr/bin:/bin"))
            assert result.returncode not in (2, 127), (example, result)


# --- following and watching ---

def lines_of(process):
    while (line := process.stdout.readline()):
        yield json.loads(line)


def test_follow_goes_on_after_the_last_event_when_the_daemon_comes_back(place):
    seen = []

    def first(server, connection, _):
        request = server.read(connection)
        seen.append(request["params"])
        answer(connection, request, result=dict(events=[event(1, "user.a", "", {})], next=1,
            complete=True))
        server.read(connection)  # it waits for more, and the daemon dies
        os.unlink(place.socket)  # before annactl can notice that it is gone
        server.close()
    place.play(first)
    process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(place.socket), "--state-dir",
        str(place.state), "events", "--follow", "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=place.environment())
    try:
        stream = lines_of(process)
        assert next(stream)["id"] == 1
        assert "waiting" in json.loads(process.stderr.readline())["note"]

        def second(server, connection, _):
            while (request := server.read(connection)) is not None:
                seen.append(request["params"])
                last = request["params"]["after"]
                if last >= 3:
                    return  # and holds the connection
                answer(connection, request, result=dict(events=[event(last + 1, "user.b", "", {})],
                    next=last + 1, complete=True))
        place.play(second)
        assert [next(stream)["id"], next(stream)["id"]] == [2, 3]
        assert "after event 1" in json.loads(process.stderr.readline())["note"]
        assert seen[0].get("wait_ms") is None and seen[1]["after"] == 1
        assert seen[1]["wait_ms"] > 0
    finally:
        process.kill()
        process.wait()


def test_all_pages_are_read(place):
    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            after = request["params"].get("after", 0)
            assert request["params"]["limit"] == 0
            answer(connection, request, result=dict(events=[event(after + 1, "user.a", "", {})],
                next=after + 1, complete=after == 4))
    place.play(behave)
    result = place.ctl("events", "--json", "--limit", "0")
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [1, 2, 3, 4, 5]


def test_watch_as_json_is_a_stream_that_outlives_the_daemon(place):
    server = play(place, HEALTH)
    process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(place.socket), "--state-dir",
        str(place.state), "health", "--watch", "--json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=place.environment())
    try:
        stream = lines_of(process)
        assert next(stream) == HEALTH
        server.close()
        os.unlink(place.socket)
        assert json.loads(process.stderr.readline())["error"]["exit_status"] == 3
        play(place, HEALTH)
        assert next(stream) == HEALTH
        process.send_signal(2)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_watch_gives_the_terminal_back(place):
    play(place, STATUS)
    leader, follower = os.openpty()
    process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(place.socket), "status",
        "--watch"], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        env=place.environment(TERM="xterm"))
    os.close(follower)
    shown = b""
    try:
        while b"ends it" not in shown:
            shown += os.read(leader, 1 << 16)
        assert shown.startswith(b"\x1b[?1049h")
        process.send_signal(2)
        assert process.wait(60) == 0
        while not shown.endswith(b"\x1b[?1049l"):
            shown += os.read(leader, 1 << 16)
        assert b"\x1b[?25h" in shown
    finally:
        process.kill()
        process.wait()
        os.close(leader)
