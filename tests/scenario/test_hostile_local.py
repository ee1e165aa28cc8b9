# SPDX-License-Identifier: Apache-2.0
"""People and programs on the same machine who may not do what they try: by what Anna reads, by what
she is started with, by what she runs. The other half of docs/threat-model.md's tables; the socket's is
in test_socket.py and test_hostile.py, the HTTP door's in test_http.py."""

import os
import socket
import stat
import subprocess
import time

import pytest

import conftest

WATCH = """
[[files]]
name = "drop"
path = "{folder}"
recursive = true
debounce = "0s"
"""
RUN = """
[[mappings]]
name = "run"
on = "test.go"
action = { type = "exec", argv = ["/usr/bin/env"], env = { GIVEN = "{text}" } }
"""


# --- what she logs ---

@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_somebody_writes_cannot_forge_a_line_of_the_log(anna, log_format):
    anna.start("""
[[mappings]]
name = "say"
on = "test.go"
action = { type = "log", message = "saw {text}" }
""", args=["--log-format", log_format])
    forged = "x\n2026-01-01T00:00:00.000000Z error daemon: all is lost\r\x1b[2J\x9b\u2028\0end"
    anna.emit("test.go", attributes={"text": forged})
    anna.wait_for(lambda: "saw x" in anna.log())
    lines = [line for line in anna.log().split("\n") if "all is lost" in line]
    assert len(lines) == 1 and "saw x" in lines[0], lines
    assert not any(ord(c) < 32 for c in lines[0]), lines
    # Nor can it reach a terminal through annactl.
    for words in (["events"], ["why", str(anna.wait_event("action.finished")["id"])]):
        shown = anna.ctl(*words, ok=True).out
        assert "\x1b" not in shown and "\x9b" not in shown and "\r" not in shown, words


# --- what she watches ---

def test_hostile_names_and_links_under_a_watched_folder_are_only_names(anna):
    folder = anna.folder / "watched"
    folder.mkdir()
    secret = anna.folder / "secret"
    secret.write_text("precious")
    anna.start(WATCH.format(folder=folder) + """
[[mappings]]
name = "say"
on = "file.created"
action = { type = "exec", argv = ["/bin/echo", "{path}"] }
""")
    names = ["$(touch INJECTED)", "`id`", "-rf", "a\nb", "{kind}", "x" * 255, "\x1b[2J"]
    for name in names:
        (folder / name).write_text("")
    bad = os.path.join(os.fsencode(folder), b"\xff\xfe not text")
    with open(bad, "wb"):
        pass
    (folder / "link").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "fifo")
    device = socket.socket(socket.AF_UNIX)
    device.bind(str(folder / "socket"))
    deep = folder
    for _ in range(40):
        deep = deep / ("d" * 50)
        deep.mkdir()
    (folder / "last").write_text("")
    anna.wait_event("file.created", match=lambda e: str(e["attributes"].get("path", "")).endswith("/last"))
    seen = "\n".join(str(event) for event in anna.events("file.*"))
    assert "$(touch INJECTED)" in seen and "{kind}" in seen
    assert not list(anna.folder.rglob("INJECTED")) and secret.read_text() == "precious"
    assert anna.rpc("status")["state"] == "running"
    device.close()


def test_a_flood_of_files_is_bounded_and_told(anna):
    folder = anna.folder / "watched"
    folder.mkdir()
    anna.start(WATCH.format(folder=folder) + "max_files = 100\n")
    for number in range(3000):
        (folder / f"f{number}").write_text("")
    anna.wait_for(lambda: anna.rpc("ping") is not None)
    told = anna.wait_for(lambda: [e for e in anna.events("source.gap")] or
        [part for part in anna.rpc("capabilities")["capabilities"]
            if part["name"] == "files" and part["state"] == "degraded"], 15, "the limit to be told")
    assert told


# --- how she is configured ---

def test_an_unreadable_config_is_refused_and_the_last_good_one_stays(anna, needs_root):
    anna.start(RUN)
    anna.config.unlink()
    anna.config.mkdir()
    result = anna.ctl("reload")
    assert result.status != 0 and str(anna.config) in result.out + result.err, result
    assert anna.rpc("status")["generation"] == 1
    anna.emit("test.go", attributes={"text": "still"})
    assert "GIVEN=still" in anna.wait_event("action.finished")["attributes"]["output"]


@pytest.mark.parametrize("what", ["oversized", "device", "fifo", "deep", "nul"])
def test_a_hostile_config_is_refused_at_once_and_bounded(anna, what):
    anna.start(RUN)
    anna.config.unlink()
    if what == "oversized":
        with open(anna.config, "wb") as file:
            file.truncate(64 << 20)
    elif what == "device":
        anna.config.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(anna.config)
    elif what == "deep":
        anna.config.write_text("a = " + "[" * 200000)
    else:
        anna.config.write_bytes(b"[daemon]\n\0\xff")
    begun = time.monotonic()
    result = anna.ctl("reload")
    assert result.status != 0, result
    assert time.monotonic() - begun < 5 * conftest.PATIENCE
    assert anna.rpc("status")["generation"] == 1
    if anna.config.is_symlink() or what == "fifo":
        anna.config.unlink()


# --- what she is started with, and what she runs ---

def test_a_command_gets_nothing_of_the_environment_but_what_is_listed(anna):
    env = {"LD_PRELOAD_OF_SOMEBODY": "evil", "SECRET_TOKEN": "hunter2", "BASH_ENV": "/tmp/evil",
        "IFS": "x", "ANNA_EVENT_KIND": "forged", "PYTHONPATH": "/tmp"}
    anna.start(RUN, env=env)
    anna.emit("test.go", attributes={"text": "a\nFORGED=1"})
    output = anna.wait_event("action.finished")["attributes"]["output"]
    for name in env:
        if name != "ANNA_EVENT_KIND":
            assert name + "=" not in output, output
    assert "hunter2" not in output and "ANNA_EVENT_KIND=test.go" in output


def test_secrets_in_the_environment_and_on_her_command_line_are_not_told(anna):
    anna.start(RUN, env={"SECRET_TOKEN": "hunter2"})
    anna.emit("test.go", attributes={"text": "x"})
    anna.wait_event("action.finished")
    told = anna.log() + str(anna.events()) + str(anna.rpc("status")) + str(anna.rpc("config.show"))
    told += str(anna.rpc("metrics")) + str(anna.rpc("capabilities"))
    assert "hunter2" not in told


def test_what_she_writes_is_hers_alone_whatever_the_umask(anna):
    old = os.umask(0)
    try:
        anna.start(RUN)
        anna.emit("test.go", attributes={"text": "x"})
        anna.wait_event("action.finished")
    finally:
        os.umask(old)
    for folder, _, files in os.walk(anna.state):
        assert stat.S_IMODE(os.stat(folder).st_mode) & 0o077 == 0, folder
        for name in files:
            mode = os.stat(os.path.join(folder, name), follow_symlinks=False).st_mode
            assert stat.S_IMODE(mode) & 0o077 == 0, (folder, name)
    assert stat.S_IMODE(os.stat(anna.socket).st_mode) & 0o007 == 0


def test_descriptors_of_whoever_starts_her_do_not_reach_commands(anna):
    secret = anna.folder / "secret"
    secret.write_text("precious")
    with open(secret, "rb") as file:
        os.set_inheritable(file.fileno(), True)
        anna.start("""
[[mappings]]
name = "look"
on = "test.go"
action = { type = "exec", argv = ["/bin/ls", "-l", "/proc/self/fd"] }
""", pass_fds=[file.fileno()])
        anna.emit("test.go")
        output = anna.wait_event("action.finished")["attributes"]["output"]
    assert "secret" not in output, output


def test_links_in_the_state_folder_are_not_followed(anna):
    victim = anna.folder / "victim"
    victim.write_text("precious")
    anna.state.mkdir(mode=0o700)
    for name in ("state", "state.tmp", "lock", "timers", "timers.tmp"):
        (anna.state / name).symlink_to(victim)
    status, _ = 0, None
    anna.start(wait=False)
    anna.wait_for(lambda: not anna.is_alive() or anna.socket.exists(), what="it to start or refuse")
    anna.is_crash_expected = True
    if anna.is_alive():
        status = anna.stop()
    assert victim.read_text() == "precious", status
    assert victim.stat().st_size == len("precious")


def test_a_segment_that_is_a_pipe_or_a_link_does_not_hold_or_mislead_her(anna):
    anna.start()
    anna.emit("test.kept")
    anna.stop()
    folder = anna.state / "journal" / "normal"
    os.mkfifo(folder / "00000000000000fe.segment")
    victim = anna.folder / "victim"
    victim.write_text("precious")
    (folder / "00000000000000fd.segment").symlink_to(victim)
    anna.start(wait=False)
    anna.wait_for(lambda: not anna.is_alive() or anna.socket.exists(), 10, "it to start or refuse")
    if anna.is_alive():
        anna.wait_ready()
        assert len(anna.events("test.kept")) == 1
    else:
        assert "00000000000000f" in anna.log()
    assert victim.read_text() == "precious"


# --- what others may read of her ---

def test_another_uid_reads_neither_journal_nor_state_nor_config_through_her(anna, needs_root):
    anna.start(RUN)
    anna.emit("test.private", attributes={"text": "precious"})
    os.chmod(anna.folder, 0o755)
    os.chmod(anna.socket, 0o666)
    program = ("import os,socket,sys\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for method in sys.argv[2:]:\n"
        "    c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])\n"
        "    try:\n"
        "        c.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\\n' % method.encode())\n"
        "    except OSError: pass\n"
        "    print(method, c.recv(65536))\n"
        "for path in (sys.argv[1] + '/../state', ):\n"
        "    try: print('listed', os.listdir(path))\n"
        "    except OSError as error: print(error)\n")
    methods = [method["name"] for method in anna.rpc("rpc.describe")["methods"]]
    result = subprocess.run(["/usr/bin/python3", "-c", program, str(anna.socket), *methods],
        capture_output=True, text=True, check=False, timeout=60)
    lines = [line for line in result.stdout.splitlines() if line.split()[0] in methods]
    assert len(lines) == len(methods), result
    for line in lines:
        assert '"code":1003' in line.replace(" ", ""), line
    assert "precious" not in result.stdout and "listed" not in result.stdout
    assert anna.rpc("status")["state"] == "running"


def test_a_flood_of_ones_own_events_does_not_flush_the_audit_trail(anna):
    anna.start('[journal]\nnormal_size = "8MiB"\n' + RUN)
    started = anna.wait_event("daemon.started")["id"]
    first = anna.emit("test.flood", attributes={"n": 0})
    text = "x" * 60000
    with anna.connect(60) as client:
        for _ in range(30):
            for _ in range(10):
                client.post("events.emit", {"kind": "test.flood", "attributes": {"t": text}})
            for _ in range(10):
                assert "result" in client.answer()
    anna.wait_for(lambda: anna.events("test.flood")[0]["id"] > first, what="the oldest to be dropped")
    assert anna.events("daemon.started")[0]["id"] == started


# --- the HTTP door, in time ---

@pytest.mark.slow
def test_a_head_that_is_never_finished_does_not_keep_its_place(anna):
    anna.start(args=["--http", "127.0.0.1:0"])
    host, port = anna.rpc("status")["http"].replace("http://", "").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=30 * conftest.PATIENCE) as client:
        begun = time.monotonic()
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        while time.monotonic() - begun < 30 * conftest.PATIENCE:
            client.settimeout(1)
            try:
                client.sendall(b"a")  # a byte a second, for ever
                if not client.recv(4096):
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        assert time.monotonic() - begun < 20 * conftest.PATIENCE, "it is still open"
