# SPDX-License-Identifier: Apache-2.0
"""What is busy and who is it: exact on a recorded machine, against ps on this one, with children
that burn, hoard, hide and hang, with a real cgroup, and on a terminal."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pytest

from conftest import BIN, PATIENCE, RpcError, wait_for
from hung_folder import FLUSH, HungFolder

TREES = pathlib.Path(__file__).parent.parent / "sysroots"
FAST = '[processes]\ninterval = "1s"\ntop = 50\n[containers]\ninterval = "1s"\n'
CONTAINER = "c0ffee" + "0123456789abcdef" * 3 + "0123456789"
HIDDEN = "hunter" + "2"


def top_of(anna, condition=lambda top: True, seconds=15, what="a view of the processes"):
    """The first answer of `top` that has rates and meets the condition."""
    def ask():
        try:
            top = anna.rpc("top")
        except RpcError:
            return None  # the first look is under way
        return top if "interval_s" in top and condition(top) else None
    return anna.wait_for(ask, seconds, what)


def find(rows, **wanted):
    return next((row for row in rows
        if all(row.get(key) == value for key, value in wanted.items())), None)


@contextlib.contextmanager
def child(code, *args, **options):
    """A Python of its own; it says "ready" when it is."""
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


BURN = "while True: pass"
# As root it wins over whoever else is busy here.
BURN_ALL = ("import hashlib, os, threading\ntry: os.setpriority(os.PRIO_PROCESS, 0, -20)\n"
    "except OSError: pass\nfor i in range(os.cpu_count()): threading.Thread("
    "target=hashlib.pbkdf2_hmac, args=('sha512', b'x', b'y', 10**9)).start()")
HOARD = "import signal\nhoard = b'x' * (int(__import__('sys').argv[1]) << 20)\nsignal.pause()"
ZOMBIES = ("import os, signal\nfor i in range(5):\n  if os.fork() == 0: os._exit(0)\n"
    "signal.pause()")
THREADS = ("import signal, threading\nlock = threading.Lock()\nlock.acquire()\n"
    "for i in range(40): threading.Thread(target=lock.acquire, daemon=True).start()\n"
    "signal.pause()")
WRITE = ("import os\nfd = os.open(__import__('sys').argv[1], os.O_RDWR | os.O_CREAT)\n"
    "while True:\n  os.pwrite(fd, os.urandom(1 << 20), 0)\n  os.fsync(fd)")


# --- recorded ---

@pytest.fixture
def recorded(anna):
    tree = anna.folder / "machine"
    shutil.copytree(TREES / "top-server", tree)
    anna.start(FAST, args=["--sysroot", str(tree)])
    return tree


def test_a_recorded_machine_is_told_exactly(anna, recorded):
    top = top_of(anna, lambda top: "cpu_percent" in top["containers"][0])
    assert top["counts"] == {"processes": 7, "threads": 412, "running": 1, "sleeping": 4,
        "blocked": 1, "idle": 0, "stopped": 0, "traced": 0, "zombies": 1, "of_limit_percent": 10,
        "io_unknown": 1, "others_are_hidden": False}
    assert top["memory"] == {"total_bytes": 8000000 << 10, "available_bytes": 2000000 << 10,
        "swap_total_bytes": 1000000 << 10, "swap_used_bytes": 250000 << 10}
    assert top["pressure"] == {"cpu": 12.5, "memory": 0, "io": 4.25}
    assert top["cpu"] == {"cpus": 4, "load1": 1.25}  # nothing moved, so nothing is said of rates
    page = os.sysconf("SC_PAGESIZE")
    assert [p["name"] for p in top["by_memory"]] == ["postgres", "nginx", "nginx",
        "systemd", "app worker) S 1"]
    assert top["by_memory"][0] == {"pid": 900, "name": "postgres",
        "command": "postgres -c password=***", "user": "postgres",
        "unit": f"docker-{CONTAINER}.scope", "container": CONTAINER[:12], "cpu_percent": 0,
        "cpu_percent_of_machine": 0, "memory_bytes": 250000 * page,
        "swap_bytes": 250000 << 10, "read_bytes_per_second": 0, "write_bytes_per_second": 0,
        "threads": 1, "age_s": 2200, "state": "D"}
    assert top["by_memory"][4]["command"] == "/opt/app/bin/worker --api-token *** -v"
    assert top["by_memory"][4]["unit"] == "user@1000.service/app-x.service"
    assert HIDDEN not in json.dumps(top)
    assert top["by_cpu"] == [] and top["by_io"] == []
    assert find(top["units"], unit="nginx.service") == {"unit": "nginx.service", "processes": 2,
        "threads": 2, "cpu_percent": 0, "memory_bytes": 50000 * page,
        "read_bytes_per_second": 0, "write_bytes_per_second": 0}
    assert top["containers"] == [{"name": "db", "name_source": "docker", "runtime": "docker",
        "id": CONTAINER[:12], "cpu_percent": 0, "memory_bytes": 1610612736,
        "working_set_bytes": 1073741824, "memory_limit_bytes": 2147483648, "memory_percent": 50,
        "pids": 1, "oom_kills": 0, "restarts": 0}]
    figures = {(f["name"], f.get("label", "")): f["value"] for f in top["figures"]}
    assert figures["processes.zombies", ""] == 1
    assert figures["container.memory_percent", "db"] == 50


def test_what_a_recorded_process_uses_is_counted_to_the_tick(anna, recorded):
    stat = recorded / "proc/802/stat"
    top_of(anna)
    new = recorded / "new"
    new.write_text(stat.read_text().replace(" 9000 3000 ", " 9120 3030 "))
    new.rename(stat)
    top = top_of(anna, lambda top: top["by_cpu"], what="a process that uses CPU")
    busy = top["by_cpu"][0]
    assert (busy["pid"], busy["name"], busy["unit"], busy["user"]) == (
        802, "nginx", "nginx.service", "www-data")
    # 150 ticks are 1.5 s; the interval of one process differs by the time the walk takes
    assert busy["cpu_percent"] * top["interval_s"] == pytest.approx(150, rel=0.05)
    assert find(top["units"], unit="nginx.service")["cpu_percent"] == busy["cpu_percent"]


def test_sixty_thousand_processes_delay_nobody(anna):
    shared = pathlib.Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        pytest.skip("there is no /dev/shm to record 60,000 processes in")
    tree = pathlib.Path(tempfile.mkdtemp(prefix="anna-crowd-", dir=shared))
    try:
        shutil.copytree(TREES / "top-server", tree, dirs_exist_ok=True)
        text = (TREES / "top-server/proc/801/stat").read_text()
        for pid in range(10001, 70001):
            folder = tree / "proc" / str(pid)
            folder.mkdir()
            (folder / "stat").write_text(text.replace("801 ", f"{pid} ", 1))
        anna.start(FAST, args=["--sysroot", str(tree)])
        slowest = 0
        deadline = time.monotonic() + 60 * PATIENCE
        top = None
        with anna.connect() as connection:
            while top is None and time.monotonic() < deadline:
                before = time.monotonic()
                connection.call("ping")
                slowest = max(slowest, time.monotonic() - before)
                with contextlib.suppress(RpcError):
                    top = connection.call("top")
                select.select([], [], [], 0.01)
        assert top["counts"]["processes"] == 60007
        assert slowest < 0.25 * PATIENCE  # two busy cores are shared with whoever else tests here
        status = pathlib.Path(f"/proc/{anna.process.pid}/status").read_text()
        if PATIENCE == 1:
            assert int(re.search(r"VmHWM:\s+(\d+)", status)[1]) < 60 << 10
    finally:
        shutil.rmtree(tree)


# --- this machine ---

def test_a_child_uses_the_cpu_that_the_kernel_counts(anna):
    anna.start(FAST)
    with child(BURN) as process:
        def ticks():
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12]), time.monotonic()
        top_of(anna, lambda top: find(top["by_cpu"], pid=process.pid), what="the child")
        before = ticks()
        seen = {}
        while ticks()[1] - before[1] < 4:
            top = top_of(anna)
            row = find(top["by_cpu"], pid=process.pid)
            if row:
                seen[top["time"]] = row["cpu_percent"]
            select.select([], [], [], 0.2)
        after = ticks()
        used = (after[0] - before[0]) / (after[1] - before[1])
        assert len(seen) >= 2
        # The windows are not the same.
        assert sum(seen.values()) / len(seen) == pytest.approx(used, abs=20)
        assert row["state"] == "R" and row["command"].startswith(sys.executable)


def test_the_busiest_child_is_first_and_the_culprit_of_an_event(anna):
    anna.start(FAST + '[host]\ninterval = "1s"\n[[thresholds]]\nname = "busy"\n'
        'figure = "cpu.used_percent"\nabove = 20\nfor = "2s"\n')
    with child(BURN_ALL) as process:
        if os.geteuid() == 0:
            top_of(anna, lambda top: top["by_cpu"] and top["by_cpu"][0]["pid"] == process.pid,
                20, "the child as the first")
            shown = anna.ctl("top", env={"COLUMNS": "80", "LANG": "C.UTF-8"}, ok=True).out
            assert re.match(r"cpu \d+ % – (mostly|led by) python3", shown)
            assert max(map(len, shown.splitlines())) <= 80
        event = anna.wait_event("host.threshold", 20,
            match=lambda event: event["attributes"]["threshold"] == "busy")
        assert event["attributes"]["culprit_kind"] == "process"
        if os.geteuid() == 0:  # as others are as busy and may not be outdone
            assert event["attributes"]["culprit_pid"] == process.pid
            assert event["attributes"]["culprit_value_unit"] == "percent"


def is_as_ps_says(anna):
    text = anna.ctl("metrics", ok=True).out
    counted = {state: int(n) for state, n in
        re.findall(r'node_processes_state{state="(.)"} (\d+)', text)}
    states = subprocess.run(["ps", "-eo", "state="], capture_output=True, text=True,
        check=True).stdout.split()
    pids = int(re.search(r"node_processes_pids (\d+)", text)[1])
    return (abs(counted["S"] - states.count("S")) <= 5 and abs(pids - len(states)) <= 5 and
        abs(counted["Z"] - states.count("Z")) <= 2)


def test_memory_threads_and_states_are_those_of_ps(anna):
    anna.start(FAST)
    with child(HOARD, "150") as hoarder, child(ZOMBIES) as careless, child(THREADS) as threaded:
        def is_there(top):
            row = find(top["by_memory"], pid=hoarder.pid)
            return row and row["memory_bytes"] > 150 << 20 and top["counts"]["zombies"] >= 5
        top = top_of(anna, is_there, 30, "the hoarder and the zombies")
        ps = subprocess.run(["ps", "-o", "rss=,nlwp=,user=", "-p", str(hoarder.pid)],
            capture_output=True, text=True, check=True).stdout.split()
        row = find(top["by_memory"], pid=hoarder.pid)
        assert row["memory_bytes"] == pytest.approx(int(ps[0]) << 10, rel=0.02)
        assert (str(row["threads"]), row["user"]) == (ps[1], ps[2])
        assert row["age_s"] < 60 and row["fds"] >= 3
        threads = find(top["by_memory"], pid=threaded.pid)
        assert threads is None or threads["threads"] == 41
        # Others come and go on this machine: in some moment both say the same.
        anna.wait_for(lambda: is_as_ps_says(anna), 30, "the same counts as those of ps")
        limit = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
        assert f"node_processes_max_processes {limit}\n" in anna.ctl("metrics", ok=True).out
        assert careless.poll() is None


def test_who_writes_is_first_by_io(anna):
    anna.start(FAST)
    folder = tempfile.mkdtemp(prefix="anna-io-", dir="/var/tmp")
    try:
        with child(WRITE, folder + "/file") as writer:
            top = top_of(anna, lambda top: (find(top["by_io"], pid=writer.pid) or {}).get(
                "write_bytes_per_second", 0) > 0, what="the writer")
            def written():
                text = pathlib.Path(f"/proc/{writer.pid}/io").read_text()
                return int(re.search(r"^write_bytes: (\d+)", text, re.M)[1])
            first, begun = written(), time.monotonic()
            rates = set()
            while time.monotonic() - begun < 4:
                top = top_of(anna)
                rates.add((top["time"],
                    find(top["by_io"], pid=writer.pid)["write_bytes_per_second"]))
                select.select([], [], [], 0.2)
            rate = (written() - first) / (time.monotonic() - begun)
            mean = sum(rate for _, rate in rates) / len(rates)
            assert rate / 3 < mean < rate * 3  # a disk that others use too
    finally:
        shutil.rmtree(folder)


def test_hostile_names_reach_neither_terminal_nor_columns(anna):
    code = ("import ctypes, signal\nctypes.CDLL(None).prctl(15, b'a b) R 1\\n\\x1b[2J')\n"
        "hoard = b'x' * (300 << 20)\nsignal.pause()")
    anna.start(FAST)
    with child(code, "\x1b]0;owned\x07\n\x1b[2J", "--password=" + HIDDEN) as process:
        top = top_of(anna, lambda top: (find(top["by_memory"], pid=process.pid) or {}).get(
            "name", "").startswith("a b) R 1"), what="the hostile child")
        row = find(top["by_memory"], pid=process.pid)
        assert row["state"] == "S" and row["name"] == "a b) R 1\ufffd\ufffd[2J"
        raw = json.dumps(row, ensure_ascii=False)
        assert not re.search(r"[\x00-\x1f\x7f]", raw) and HIDDEN not in raw
        shown = anna.ctl("top", ok=True).out
        assert "\x1b" not in shown and HIDDEN not in shown


def test_processes_of_others_have_no_io_without_the_right_to_read_it(anna, needs_root):
    """As a user without capabilities, which is how the service runs."""
    anna.write_config(FAST)
    os.chown(anna.folder, 65534, 65534)
    anna.config.chmod(0o644)
    anna.start(user=65534, group=65534, extra_groups=[])
    with child(WRITE, str(anna.folder / "file")) as writer:
        top = top_of(anna, lambda top: find(top["by_cpu"] + top["by_memory"], pid=writer.pid))
        row = find(top["by_cpu"] + top["by_memory"], pid=writer.pid)
        assert "write_bytes_per_second" not in row and "fds" not in row
        assert find(top["by_io"], pid=writer.pid) is None
        assert top["counts"]["io_unknown"] > 5
        assert "CAP_SYS_PTRACE" in anna.ctl("top", ok=True).out


class HungClose(HungFolder):
    """Whose files open, but do not close."""

    def __init__(self, path):
        self.closing = []
        super().__init__(path, {"file": b""})

    def handle(self, opcode, unique, node, body):
        if opcode == FLUSH:
            self.closing.append(unique)
            self.asked.set()
        else:
            super().handle(opcode, unique, node, body)

    def release(self):
        for unique in self.closing:
            self.reply(unique)


# An exec closes files while it holds a lock that readers of /proc/PID take: of io, and on newer
# kernels of stat as well.
STUCK = ("import os, sys\nos.set_inheritable(os.open(sys.argv[1], os.O_RDONLY), False)\n"
    "os.execv('/bin/cat', ['cat'])")


def test_a_process_stuck_in_a_dead_mount_costs_only_its_own_part(anna, needs_root, runs_commands):
    mount = tempfile.mkdtemp(prefix="anna-dead-")
    try:
        folder = HungClose(mount)
    except OSError as error:
        os.rmdir(mount)
        pytest.skip(f"no file system can be mounted here: {error}")
    try:
        # Left in the other order, so that what is stuck is let go before it is waited for.
        with child(STUCK, mount + "/file", stdin=subprocess.PIPE) as stuck, folder:
            assert folder.asked.wait(20 * PATIENCE)
            anna.start(FAST)

            def state():
                return find(anna.rpc("capabilities")["capabilities"], name="processes")
            anna.wait_for(lambda: f"process {stuck.pid} does not let itself" in
                (state()["reason"] or ""), 20, "the reason")
            # The rest goes on, with new figures every time.
            first = top_of(anna, lambda top: top["by_memory"])
            assert find(first["by_memory"], pid=1)
            top_of(anna, lambda top: top["time"] > first["time"])
            assert state()["state"] == "degraded"
            folder.release()
            anna.wait_for(lambda: state()["state"] == "active", 20, "the part to be well again")
            top_of(anna, lambda top: any("command" in row for row in top["by_memory"]),
                what="commands again")
            folder.release()  # the other files, if it has
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(mount)


# --- a real cgroup ---

def hierarchies():
    base = pathlib.Path("/sys/fs/cgroup")
    if (base / "cgroup.controllers").exists():
        return {"unit": base, "cpu": base, "memory": base}
    return {"unit": base / "systemd", "cpu": base / "cpuacct", "memory": base / "memory"}


@pytest.fixture
def groups(needs_root):
    """Makes cgroups in the hierarchies named; they are removed with what is in them."""
    made = []

    def make(path, *names):
        folders = []
        for name in names:
            folder = hierarchies()[name] / path
            try:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "cgroup.procs").read_text()
            except OSError as error:
                pytest.skip(f"no cgroup can be made here: {error}")
            made.append(folder)
            folders.append(folder)
        return folders

    yield make
    for folder in reversed(made):
        for _ in range(100):
            try:
                folder.rmdir()
                break
            except OSError:
                select.select([], [], [], 0.05)  # its last process is going
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def enter(process, folders):
    for folder in folders:
        (folder / "cgroup.procs").write_text(str(process.pid))


def test_a_real_cgroup_names_the_unit(anna, groups):
    folders = groups(f"annatest{os.getpid()}.slice/anna-top-test.service", "unit")
    anna.start(FAST)
    with child(BURN) as process:
        enter(process, folders)
        top = top_of(anna, lambda top: find(top["units"], unit="anna-top-test.service"), 40)
        unit = find(top["units"], unit="anna-top-test.service")
        assert (unit["processes"], unit["threads"]) == (1, 1)
        row = find(top["by_cpu"] + top["by_memory"], pid=process.pid)
        assert row["unit"] == "anna-top-test.service"


def test_a_real_cgroup_of_a_container_is_measured_and_its_oom_kills_counted(anna, groups):
    ident = os.urandom(32).hex()
    folders = groups(f"docker/{ident}", "cpu", "memory")
    limit = folders[1] / "memory.limit_in_bytes"
    limit = limit if limit.exists() else folders[1] / "memory.max"
    if not limit.exists():
        pytest.skip("the memory controller is not switched on where cgroups can be made")
    limit.write_text(str(128 << 20))
    anna.start(FAST)
    with child(BURN) as burner, child("input()\n" + HOARD, "400", stdin=subprocess.PIPE) as hoarder:
        enter(burner, folders)
        enter(hoarder, folders)
        def own(top):
            return find(top["containers"], id=ident[:12])
        top = top_of(anna, lambda top: own(top) and own(top).get("cpu_percent", 0) > 5, 30)
        container = own(top)
        assert (container["runtime"], container["name_source"]) == ("docker", "id")
        assert container["memory_limit_bytes"] == 128 << 20 and container["oom_kills"] == 0
        assert container["memory_bytes"] <= 128 << 20
        assert find(top["by_cpu"], pid=burner.pid)["container"] == ident[:12]
        hoarder.stdin.write(b"\n")
        hoarder.stdin.flush()
        assert hoarder.wait(60 * PATIENCE) == -signal.SIGKILL  # by the kernel, for its limit
        top = top_of(anna, lambda top: own(top)["oom_kills"] > 0, 30, "the OOM kill")
        assert own(top)["oom_kills"] == 1
        figure = find(top["figures"], name="container.oom_kills_per_minute", label=ident[:12])
        assert figure["value"] == 1
        assert f'anna_container_oom_kills_total{{name="{ident[:12]}",runtime="docker"}} 1\n' in \
            anna.ctl("metrics", ok=True).out


# --- annactl ---

def test_it_is_printed_once_where_there_is_no_terminal(anna):
    anna.start(FAST)
    top_of(anna)
    assert anna.ctl("top", "--json", ok=True).json["counts"]["processes"] > 1
    once = anna.ctl("top", "--once", ok=True).out
    assert once.startswith("cpu ") and "\x1b" not in once and "ends it" not in once
    assert anna.ctl("top", "--once", "--watch").status == 2


def test_watched_as_json_it_is_a_line_each_and_new_each_time(anna):
    anna.start("")
    top_of(anna)
    process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(anna.socket), "top",
        "--watch", "--json", "--interval", "1200ms"], stdout=subprocess.PIPE, text=True)
    try:
        times = [json.loads(process.stdout.readline())["time"] for _ in range(4)]
        assert len(set(times)) >= 3  # with nobody watching it would be every 5 s
    finally:
        process.terminate()
        process.wait()


def test_switched_off_it_says_so(anna):
    anna.start("[processes]\nenabled = false\n[containers]\nenabled = false\n")
    result = anna.ctl("top")
    assert result.status == 1 and "switched on" in result.err
    assert find(anna.rpc("capabilities")["capabilities"], name="processes")["state"] == "disabled"
    anna.write_config(FAST)
    anna.ctl("reload", ok=True)
    assert top_of(anna)["by_memory"]


class Terminal:
    """annactl on a terminal of its own."""

    def __init__(self, anna, *args, rows=24, columns=80):
        self.leader, follower = os.openpty()
        self.before = termios.tcgetattr(follower)
        self.follower = follower
        self.resize(rows, columns)
        env = dict(anna.environment({"TERM": "xterm", "LANG": "C.UTF-8"}))
        env.pop("NO_COLOR", None)
        self.process = subprocess.Popen([str(BIN / "annactl"), "--socket", str(anna.socket),
            *args], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
            env=env)
        self.shown = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.leader, keys)

    def read(self, seconds=0.1):
        while select.select([self.leader], [], [], seconds)[0]:
            self.shown += os.read(self.leader, 1 << 16)
            seconds = 0

    def wait(self, condition, what):
        def look():
            self.read()
            return condition(self.shown)
        wait_for(look, 20, what, lambda: repr(self.shown[-3000:]))

    def frames(self):
        """What was drawn, each as lines without styles."""
        plain = re.sub(rb"\x1b\[[0-9;?]*[lmhKJ]", b"", self.shown)
        return [[line.rstrip(b"\r") for line in frame.split(b"\n")]
            for frame in plain.split(b"\x1b[H")[1:]]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.leader)
        os.close(self.follower)


@pytest.fixture
def terminal(anna):
    made = []

    def make(*args, **options):
        made.append(Terminal(anna, *args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def is_given_back(one):
    one.read()
    return one.shown.endswith(b"\x1b[?1049l") and b"\x1b[?25h" in one.shown and \
        termios.tcgetattr(one.follower)[3] == one.before[3]


def test_the_screen_fits_and_obeys_its_keys(anna, terminal):
    anna.start(FAST)
    top_of(anna)
    screen = terminal("top", "--interval", "500ms")
    screen.wait(lambda shown: shown.count(b"\x1b[H") >= 3, "three frames")
    assert screen.shown.startswith(b"\x1b[?1049h\x1b[?25l")
    for frame in screen.frames()[:-1]:
        assert len(frame) <= 24 and max(len(line.decode()) for line in frame) <= 80
        assert frame[0].startswith(b"cpu ") and b"q or Ctrl-C ends it" in frame[-1]
    screen.press(b"i")
    screen.wait(lambda _: any(b"PID" in line or b"reads or writes" in line
        for line in screen.frames()[-1]), "the list by I/O")
    screen.press(b" ")
    screen.wait(lambda _: any(b"; paused" in line for line in screen.frames()[-1]), "the pause")
    screen.press(b"m")
    n = screen.shown.count(b"\x1b[H")
    screen.wait(lambda shown: shown.count(b"\x1b[H") > n, "a frame after the key")
    screen.press(b" ")
    screen.resize(50, 200)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.wait(lambda _: any(b"USER" in line for line in screen.frames()[-1]), "the wide screen")
    screen.press(b"q")
    assert screen.process.wait(20) == 0
    assert is_given_back(screen)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_terminal_is_given_back_whatever_ends_it(anna, terminal, number, status):
    anna.start(FAST)
    top_of(anna)
    screen = terminal("top")
    screen.wait(lambda shown: b"ends it" in shown, "the screen")
    screen.process.send_signal(number)
    assert screen.process.wait(20) == status
    assert is_given_back(screen)


def test_a_lost_daemon_is_said_and_awaited(anna, terminal):
    anna.start(FAST)
    top_of(anna)
    screen = terminal("top", "--interval", "500ms")
    screen.wait(lambda shown: b"ends it" in shown, "the screen")
    anna.stop()
    screen.wait(lambda _: b"reachable" in screen.frames()[-1][0], "the loss")
    assert any(line.startswith(b"cpu ") for line in screen.frames()[-1])  # what was, stays
    anna.start(FAST)
    screen.wait(lambda _: screen.frames()[-1][0].startswith(b"cpu "), "its return")
    screen.press(b"q")
    assert screen.process.wait(20) == 0
