# SPDX-License-Identifier: Apache-2.0
"""The fixture `anna`: a private annad in a folder of its own, driven as a person or a program would.

Nothing here sleeps for a fixed time: wait_for polls a condition and fails with what it last saw. All
processes are ended by their pid. When a test fails, its log is attached. ANNA_BIN says where the
binaries are (default build/), so the same tests run on sanitizer builds.
"""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("ANNA_BIN", ROOT / "build")).resolve()
# Sanitizer builds are several times slower.
PATIENCE = 4 if BIN.name in ("asan", "tsan", "coverage") else 1
SANITIZER = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")


class Result:
    """One run of annactl."""

    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        """Standard output as one JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def __repr__(self):
        return f"<status {self.status}\nout: {self.out[-2000:]}\nerr: {self.err[-2000:]}>"


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error.get("message"))
        self.code = error.get("code")
        self.message = error.get("message")
        self.data = error.get("data") or {}


class Connection:
    """A raw line-by-line client of the socket."""

    def __init__(self, path, seconds=10):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds * PATIENCE)
        self.socket.connect(str(path))
        self.buffer = b""
        self.next_id = 1

    def send(self, data):
        self.socket.sendall(data)

    def read_line(self):
        """One line without its end; b"" when the peer has closed."""
        while b"\n" not in self.buffer:
            part = self.socket.recv(1 << 16)
            if not part:
                rest, self.buffer = self.buffer, b""
                return rest
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def post(self, method, params=None):
        """Sends a request without waiting; its id."""
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method}
        if params is not None:
            request["params"] = params
        self.next_id += 1
        self.send(json.dumps(request).encode() + b"\n")
        return request["id"]

    def answer(self):
        line = self.read_line()
        if not line:
            raise ConnectionError("annad closed the connection")
        return json.loads(line)

    def call(self, method, params=None):
        wanted = self.post(method, params)
        while True:
            answer = self.answer()
            if answer.get("id") == wanted:
                break
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Anna:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.socket = self.folder / "annad.sock"
        self.config = self.folder / "config.toml"
        self.log_file = self.folder / "annad.log"
        self.process = None
        self.is_crash_expected = False
        self.others = []

    # --- life ---

    def write_config(self, text):
        """Replaces the file as an editor does: a new one, renamed over the old."""
        new = self.config.with_suffix(".new")
        new.write_text(text)
        new.rename(self.config)

    def command(self, args=()):
        command = [str(BIN / "annad"), "--state-dir", str(self.state), "--socket", str(self.socket)]
        # Never the configuration of an Anna that is installed here.
        command += ["--config", str(self.config) if self.config.exists() else "none"]
        if "--http" not in args:
            command += ["--http", "off"]
        return command + list(args)

    def environment(self, env=None):
        # Nothing of the caller's Anna: only what this test says.
        clean = {name: value for name, value in os.environ.items()
            if not name.startswith(("ANNA_SOCKET", "NOTIFY_", "LISTEN_", "XDG_", "INVOCATION_ID",
                "JOURNAL_STREAM"))}
        clean.pop("COLUMNS", None)
        return dict(clean, HOME=str(self.folder), NO_COLOR="1", **(env or {}))

    def start(self, config=None, args=(), wait=True, env=None, **options):
        assert not self.is_alive(), "annad runs already"
        if config is not None:
            self.write_config(config)
        log = open(self.log_file, "ab")
        with log:
            self.process = subprocess.Popen(self.command(args), cwd=self.folder,
                env=self.environment(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **options)
        if wait:
            self.wait_ready()
        return self

    def run(self, config=None, args=(), seconds=10, env=None):
        """annad in the foreground until it ends by itself: (status, what it printed)."""
        if config is not None:
            self.write_config(config)
        result = subprocess.run(self.command(args), cwd=self.folder, env=self.environment(env),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds * PATIENCE,
            check=False)
        return result.returncode, result.stdout + result.stderr

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, seconds=10):
        def ready():
            assert self.is_alive(), f"annad ended with status {self.process.returncode}\n{self.log()}"
            try:
                return self.rpc("status")["state"] == "running"
            except (OSError, RpcError):
                return False
        self.wait_for(ready, seconds, "the state running")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, seconds=5):
        """The exit status; fails when the process is still there after that time."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            pytest.fail(f"annad is still there after {seconds} s\n{self.log()[-3000:]}")

    def stop(self, seconds=5):
        """Asks with TERM and waits; the exit status."""
        if not self.is_alive():
            return self.process.returncode if self.process else None
        self.signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def restart(self, **options):
        self.stop()
        return self.start(**options)

    # --- asking ---

    def log(self):
        try:
            return self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def ctl(self, *args, seconds=15, env=None, input=None, ok=False):
        """annactl with this daemon's socket. With ok=True anything but status 0 fails the test."""
        result = Result(subprocess.run(
            [str(BIN / "annactl"), "--socket", str(self.socket), *map(str, args)], cwd=self.folder,
            env=self.environment(env), capture_output=True, text=True, timeout=seconds * PATIENCE,
            stdin=subprocess.DEVNULL if input is None else None, input=input, check=False))
        if ok:
            assert result.status == 0, result
        return result

    def connect(self, seconds=10):
        return Connection(self.socket, seconds)

    def rpc(self, method, params=None):
        with self.connect() as connection:
            return connection.call(method, params)

    def emit(self, kind, subject=None, attributes=None, **more):
        """The id of the event, once it is durable."""
        params = dict(kind=kind, **more)
        if subject is not None:
            params["subject"] = subject
        if attributes is not None:
            params["attributes"] = attributes
        return self.rpc("events.emit", params)["id"]

    def events(self, kind=None, after=None):
        """All events of a kind glob, oldest first."""
        args = ["events", "--json", "--limit", "0"]
        if kind:
            args += ["--kind", kind]
        if after is not None:
            args += ["--after", after]
        return self.ctl(*args, ok=True).lines

    def wait_for(self, condition, seconds=10, what=None):
        """Polls until condition() is true, and gives its value."""
        return wait_for(condition, seconds, what, self.log)

    def wait_event(self, kind, seconds=10, after=None, match=lambda event: True):
        """The first event of a kind that matches."""
        def found():
            return next((e for e in self.events(kind, after) if match(e)), None)
        return self.wait_for(found, seconds, f"an event {kind}")

    # --- ends ---

    def close(self):
        """Ends what runs; what a sanitizer reported, or None."""
        for other in self.others:
            if other.poll() is None:
                other.kill()
            other.wait()
        if self.is_alive():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(10 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return "annad did not stop on TERM within 10 s"
        found = SANITIZER.search(self.log())
        if found:
            return self.log()[max(0, found.start() - 200):][:6000]
        if self.process is not None and not self.is_crash_expected:
            status = self.process.returncode
            if status < 0 and status not in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
                return f"annad was ended by signal {-status}\n{self.log()[-3000:]}"
        return None


def wait_for(condition, seconds=10, what=None, log=None):
    deadline = time.monotonic() + seconds * PATIENCE
    value = None
    pause = 0.005
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        select.select([], [], [], pause)  # between two looks; the deadline decides
        pause = min(pause * 1.5, 0.1)
    text = what or getattr(condition, "__name__", "the condition")
    pytest.fail(f"{text} did not come within {seconds * PATIENCE} s (last seen: {value!r})\n"
        + (log()[-3000:] if log else ""))


@pytest.fixture
def make_anna(request):
    """Makes as many separate Annas as a test wants."""
    made = []

    def make():
        # Not pytest's tmp_path: a Unix socket's path has room for 107 bytes only.
        anna = Anna(tempfile.mkdtemp(prefix="anna-"))
        made.append(anna)
        request.node.annas = made
        return anna

    yield make
    reports = [report for report in (anna.close() for anna in made) if report]
    for anna in made:
        shutil.rmtree(anna.folder, ignore_errors=True)
    if reports:
        pytest.fail("\n".join(reports), pytrace=False)


@pytest.fixture
def anna(make_anna):
    return make_anna()


@pytest.fixture
def needs_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def runs_commands():
    """For tests that run commands and also run under TSan, which takes the memory a child shares with
    its parent until it calls exec (clone with CLONE_VM) for races between threads."""
    if BIN.name == "tsan":
        pytest.skip("TSan does not follow children made with CLONE_VM")


@pytest.fixture
def scale():
    """How much longer things may take on this build."""
    return PATIENCE


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for anna in getattr(item, "annas", []):
            if anna.log():
                report.sections.append(("log of annad", anna.log()[-8000:]))
