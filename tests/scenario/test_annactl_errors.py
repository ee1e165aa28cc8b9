# SPDX-License-Identifier: Apache-2.0
"""annactl against daemons that are missing, dead, hung, old or lying: each has its own text with
the next step on stderr, its exit status, and nothing on stdout. The daemons are played by small
servers; annactl is the real one."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from played import BIN, Place, always, answer, error

ESCAPE = "\x1b[31m"


@pytest.fixture
def place():
    made = Place()
    yield made
    made.close()


def bytes_then(data, end):
    """Answers the first request with raw bytes, then `end`s: "close" or "hang"."""
    def behave(server, connection, _):
        server.read(connection)
        connection.sendall(data)
        if end == "close":
            connection.shutdown(socket.SHUT_RDWR)
    return behave


def hang(server, connection, _):
    server.read(connection)


def check(result, status, *texts):
    assert result.returncode == status, result
    assert result.stdout == "", result
    assert "\n  next: " in result.stderr, result
    assert result.stderr.startswith("annactl: "), result
    # A text may be broken over lines nowhere but at blanks.
    flat = " ".join(result.stderr.split())
    for text in texts:
        assert text in flat, result


# --- not reachable ---

def test_a_missing_socket(place):
    check(place.ctl("status"), 3, "its socket does not exist", str(place.socket), "not there",
        "next: start annad")


def test_a_refused_connection(place):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(place.socket))
    check(place.ctl("status"), 3, "nobody listens", "next: start annad")


def test_a_file_that_is_no_socket(place):
    place.socket.write_text("a file")
    check(place.ctl("status"), 3, "not a socket", "next: name the daemon's socket with --socket")


def test_a_denied_connection(place):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    place.play(hang)
    os.chmod(place.folder, 0o755)
    os.chmod(place.socket, 0o600)
    shutil.copy(BIN / "annactl", place.folder / "annactl")  # the build may not be for all to see
    result = subprocess.run(
        [str(place.folder / "annactl"), "--socket", str(place.socket), "status"],
        capture_output=True, text=True, user=65534, group=65534, extra_groups=[], timeout=60,
        env=place.environment(), cwd="/", check=False)
    check(result, 4, "may not open the daemon's socket", "next: run it as root")


def test_a_socket_path_too_long(place):
    result = place.ctl("status", "--socket", "/" + "x" * 200)
    check(result, 5, "a socket path has 1 to 107 bytes")


# --- hung ---

def test_a_daemon_that_takes_the_connection_and_says_nothing(place):
    server = place.play(hang)
    check(place.ctl("status", "--timeout", "300ms"), 6, "did not answer in time", "next: ")
    assert server.connections == 1  # the time was used up: no second try


def test_a_daemon_that_stops_in_the_middle_of_a_line(place):
    place.play(bytes_then(b'{"jsonrpc":"2.0","id":1,"res', "hang"))
    check(place.ctl("status", "--timeout", "300ms"), 6, "stopped in the middle of its answer")


def test_a_daemon_that_does_not_accept(place):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(place.socket))
    listener.listen(0)
    waiting = []
    while True:  # until its queue is full
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.setblocking(False)
        waiting.append(client)
        try:
            client.connect(str(place.socket))
        except BlockingIOError:
            break
    check(place.ctl("status", "--timeout", "200ms"), 6, "does not take new connections")
    for client in waiting:
        client.close()
    listener.close()


# --- answers that are none ---

@pytest.mark.parametrize("line, text", [
    (b"hello\n", "answer is not valid"),
    (b"\n", "answer is not valid"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "answer is not valid"),
    (b'{"jsonrpc":"2.0","id":1}\n', "neither a result nor an error"),
    (b'[]\n', "neither a result nor an error"),
    (b'{"jsonrpc":"2.0","id":99,"result":{}}\n', "it answers another request"),
    (b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}\n', "answer is not valid"),
    (b'{"jsonrpc":"2.0","id":1,"result":"\xff"}\n', "answer is not valid"),
])
def test_an_invalid_answer(place, line, text):
    server = place.play(bytes_then(line, "hang"))
    check(place.ctl("status"), 1, text, "next: see who listens on that socket")
    assert server.connections == 1


def test_half_a_line_is_tried_again_for_what_may_be_repeated(place):
    server = place.play(bytes_then(b'{"jsonrpc":"2.0","id":1,"res', "close"))
    check(place.ctl("status"), 3, "in the middle of its answer")
    assert server.connections == 4


def test_a_lost_answer_is_not_tried_again_for_what_may_not_be_repeated(place):
    server = place.play(bytes_then(b"", "close"))
    check(place.ctl("call", "reload"), 3, "before it answered")
    assert server.connections == 1


def test_an_oversized_answer(place):
    def flood(server, connection, _):
        server.read(connection)
        while True:
            connection.sendall(b" " * (1 << 20))
    place.play(flood)
    check(place.ctl("status", "--timeout", "30s"), 1, "larger than 17 MiB")


# --- answers that refuse ---

def test_an_older_daemon(place):
    place.play(always(error=error(-32601, "there is no such method", name="MethodNotFound")))
    check(place.ctl("status"), 1, "does not know status", "older than this annactl",
        "next: annactl version")


def test_a_daemon_still_starting_is_awaited(place):
    starting = error(4005, "Anna is starting", name="Unavailable", retryable=True,
        retry_after_ms=10)

    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            if len(server.requests) < 3:
                answer(connection, request, error=starting)
            else:
                answer(connection, request, result={"pong": True})
    server = place.play(behave)
    result = place.ctl("ping")
    assert result.returncode == 0, result
    assert len(server.requests) == 3


def test_a_daemon_that_stays_starting(place):
    place.play(always(error=error(4005, "Anna is starting: the journal is being read",
        name="Unavailable", retryable=True, hint="try again in a moment: annactl status")))
    check(place.ctl("ping"), 1, "the journal is being read", "next: try again in a moment")


@pytest.mark.parametrize("code, status", [(1003, 4), (2003, 5), (-32602, 5), (3004, 5), (4000, 1),
    (1001, 6), (12345, 1)])
def test_the_exit_status_follows_the_code(place, code, status):
    place.play(always(error=error(code, "because", name="Name", retryable=False, hint="do this")))
    check(place.ctl("call", "something"), status, "annactl: because", "next: do this")


def test_an_error_before_the_request_has_no_id(place):
    def refuse(_server, connection, _number):
        connection.sendall(json.dumps(dict(jsonrpc="2.0", id=None,
            error=error(4001, "too many connections", name="ResourceBusy", retryable=True,
                retry_after_ms=1, hint="wait"))).encode() + b"\n")
        connection.close()
    server = place.play(refuse)
    check(place.ctl("status"), 1, "too many connections")
    assert server.connections == 4


# --- repeating never doubles ---

def test_emit_repeats_a_lost_answer_with_the_same_key(place):
    def behave(server, connection, number):
        request = server.read(connection)
        if number > 1:
            answer(connection, request, result={"id": 7})
        connection.shutdown(socket.SHUT_RDWR)
    server = place.play(behave)
    result = place.ctl("emit", "user.x", "a=1", "--json")
    assert (result.returncode, json.loads(result.stdout)) == (0, {"id": 7}), result
    keys = [request["params"]["key"] for request in server.requests]
    assert len(keys) == 2 and keys[0] == keys[1] and len(keys[0]) > 20
    again = place.ctl("emit", "user.x", "a=1", "--json")
    assert again.returncode == 0
    assert server.requests[-1]["params"]["key"] != keys[0]


# --- how it is said ---

def test_errors_as_json_leave_stdout_empty(place):
    result = place.ctl("--json", "status")
    assert (result.returncode, result.stdout) == (3, "")
    told = json.loads(result.stderr)["error"]
    assert told["name"] == "SocketNotFound" and told["code"] == 1002
    assert told["exit_status"] == 3 and told["hint"] and str(place.socket) in told["where"]
    assert told["diagnosis"]["pid"] is None


def test_nothing_the_daemon_says_moves_the_cursor(place):
    place.play(always(error=error(4000, ESCAPE + "gone\r\x07\u202e", hint="\x9bhint", name="Bad")))
    result = place.ctl("call", "x")
    assert result.returncode == 1
    assert not set(result.stderr) & set("\x1b\r\x07\x9b\u202e"), result
    raw = place.ctl("call", "x", "--json")
    assert not set(raw.stderr) & set("\x1b\r\x07\x9b\u202e"), raw
    assert json.loads(raw.stderr)["error"]["message"].startswith(ESCAPE)


def test_the_socket_comes_from_the_environment(place):
    server = place.play(always(result={"pong": True}))
    for env in ({"ANNA_SOCKET": str(place.socket)}, {"XDG_RUNTIME_DIR": str(place.folder)}):
        if "XDG_RUNTIME_DIR" in env:
            (place.folder / "anna").mkdir()
            (place.folder / "anna" / "annad.sock").symlink_to(place.socket)
        result = subprocess.run([str(BIN / "annactl"), "ping"], capture_output=True, text=True,
            timeout=60, env=place.environment(**env), check=False)
        assert result.returncode == 0, result
    assert len(server.requests) == 2


@pytest.mark.parametrize("args", [["nonsense"], ["status", "--nonsense"], ["emit"],
    ["ping", "-n", "x"], ["config"], ["emit", "user.x", "noattribute"], ["call", "x", "{"]])
def test_usage_mistakes_never_reach_the_daemon(place, args):
    server = place.play(always(result={}))
    check(place.ctl(*args), 2)
    assert server.connections == 0


# --- a dead daemon is looked at from outside ---

def write_lock(place, pid):
    (place.state / "lock").write_text(f"{pid}\n" if pid else "")


def wait_state(pid, wanted):
    """Until /proc says the process is in that state."""
    while True:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        if text.rsplit(")", 1)[1].split()[0] == wanted:
            return


@pytest.fixture
def annad_lookalike(place):
    """A process whose name is annad."""
    script = place.folder / "annad"
    script.write_text("#!/bin/sh\nread line\n")
    script.chmod(0o755)
    process = subprocess.Popen([str(script)], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def test_a_lock_whose_owner_is_gone(place):
    ended = subprocess.Popen(["true"])
    ended.wait()
    write_lock(place, ended.pid)
    check(place.ctl("status"), 3, f"pid {ended.pid} is gone", "next: start annad")


def test_a_lock_that_was_let_go(place):
    write_lock(place, None)
    check(place.ctl("status"), 3, "stopped in an orderly way")


def test_a_lock_whose_pid_is_another_program_now(place):
    write_lock(place, os.getpid())
    check(place.ctl("status"), 3, f"pid {os.getpid()} is alive, but is")


def test_a_daemon_that_runs_without_this_socket(place, annad_lookalike):
    write_lock(place, annad_lookalike.pid)
    check(place.ctl("status"), 3, f"annad runs as pid {annad_lookalike.pid}")


def test_a_daemon_that_was_stopped_by_a_signal(place, annad_lookalike):
    write_lock(place, annad_lookalike.pid)
    annad_lookalike.send_signal(signal.SIGSTOP)
    wait_state(annad_lookalike.pid, "T")
    check(place.ctl("status"), 3, "is stopped by a signal (state T)",
        f"next: pid {annad_lookalike.pid} is stopped; let it go on: kill -CONT")


def test_an_unreadable_lock_is_said_to_be_so(place):
    (place.state / "lock").symlink_to("/etc/passwd")  # never followed
    check(place.ctl("status"), 3, "the lock may not be read")


def test_the_journal_of_a_killed_daemon_is_shown(anna):
    if not (BIN / "annad").exists():
        pytest.skip("annad is not built")
    anna.start()
    number = anna.emit("user.last", "words")
    anna.kill9()
    result = anna.ctl("status", "--state-dir", anna.state)
    assert result.status == 3, result
    assert str(number) in result.err and "user.last" in result.err, result
    assert "daemon." in result.err, result
    told = json.loads(anna.ctl("--json", "status", "--state-dir", anna.state).err)["error"]
    assert told["diagnosis"]["last_events"][-1]["kind"] == "user.last"
    assert told["diagnosis"]["last_daemon_event"]["kind"].startswith("daemon.")
