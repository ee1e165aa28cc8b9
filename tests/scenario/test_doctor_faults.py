# SPDX-License-Identifier: Apache-2.0
"""Faults done to a real daemon, its files or its surroundings: each is named by annactl doctor within
five seconds, by its id, with the exit status of its severity; where the doctor has a remedy, `doctor
fix` mends it and the check is silent again.

A fault is a function below, given a `Ward` (one Anna, and what the fault needs); what it begins is
ended by ward.finish. Those that cannot be done here (no root, no mounts) are skipped with the reason."""

import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from conftest import BIN, PATIENCE, Result, RpcError
from played import Played, answer, error

SECONDS = 5 * PATIENCE
STATUS = {"info": 0, "warning": 10, "critical": 11}
FAULTS = []
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_NODEV, MS_NOSUID, MS_RDONLY = 0x20000, 4, 2, 1
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18


def fault(finding, severity, fix=False, needs=(), config=None, start=True):
    """Registers a fault: what it must be called, how bad it is, whether the doctor mends it."""
    def register(function):
        FAULTS.append(pytest.param((function, finding, severity, fix, needs, config, start),
            id=function.__name__))
        return function
    return register


class Ward:
    """One Anna and the doctor who looks at her."""

    def __init__(self, anna):
        self.anna = anna
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
        self.annactl = BIN / "annactl"
        self.before = None  # runs in annactl's process before exec (its own mounts)
        self.ends = []

    def doctor(self, *args, seconds=30):
        command = [str(self.annactl), "--socket", str(self.anna.socket), "--state-dir",
            str(self.anna.state), *args]
        return Result(subprocess.run(command, cwd=self.anna.folder, capture_output=True, text=True,
            env=self.anna.environment(self.env), timeout=seconds * PATIENCE, check=False,
            stdin=subprocess.DEVNULL, preexec_fn=self.before))

    def finish(self):
        for end in reversed(self.ends):
            end()


def mounts_are_possible():
    if os.geteuid() != 0:
        return "needs root to mount"
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "mount namespaces are not allowed here"


def check_needs(needs):
    for need in needs:
        if need == "root" and os.geteuid() != 0:
            pytest.skip("needs root")
        if need in ("mounts", "fuse") and mounts_are_possible():
            pytest.skip(mounts_are_possible())
        if need == "fuse" and not os.access("/dev/fuse", os.R_OK | os.W_OK):
            pytest.skip("/dev/fuse is not to be had here")
        if need == "compiler" and not shutil.which("gcc"):
            pytest.skip("gcc is not here to make the shifted clock")
        if need == "plain" and PATIENCE != 1:
            pytest.skip("does not go with a sanitizer in the program")


def mount(source, target, kind, flags=0, options=None):
    failed = LIBC.mount(source.encode(), str(target).encode(), kind.encode() if kind else None, flags,
        options.encode() if options else None)
    if failed:
        raise OSError(ctypes.get_errno(), f"mount {target}")


def own_mounts():
    """A mount namespace of its own: nothing of it is seen by others."""
    if LIBC.unshare(CLONE_NEWNS) or LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "unshare")


# --- the process ---

@fault("daemon-stopped", "critical", fix=True)
def stopped_by_a_signal(ward):
    ward.anna.signal(signal.SIGSTOP)
    ward.ends.append(lambda: ward.anna.signal(signal.SIGCONT))


@fault("daemon-not-running", "critical", start=False)
def never_started(ward):
    pass


@fault("daemon-not-running", "critical")
def killed(ward):
    ward.anna.kill9()


@fault("daemon-not-running", "critical")
def stopped_in_order(ward):
    ward.anna.stop()


@fault("daemon-spinning", "warning", start=False)
def an_endless_loop(ward):
    """A shell called annad, at this socket's place: what the doctor goes by is the process."""
    shell = ward.anna.folder / "annad"
    shutil.copy("/bin/dash" if os.path.exists("/bin/dash") else "/bin/sh", shell)
    process = subprocess.Popen([str(shell), "-c", "while :; do :; done", "--socket",
        str(ward.anna.socket)])
    ward.anna.others.append(process)
    ward.anna.wait_for(lambda: int(pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[13])
        >= 5, what="the loop to run")


BLOCKED = """
#include <unistd.h>
int main(void) {
	if (vfork() == 0) { /* its parent waits in state D until it ends */
		pause();
		_exit(0);
	}
	return 0;
}
"""


@fault("daemon-blocked", "critical", needs=["compiler"], start=False)
def waiting_in_the_kernel(ward):
    """A program called annad in state D, named by the lock: what the doctor goes by is the process.
    Its command line is not asked for, since that could hang."""
    (ward.anna.folder / "blocked.c").write_text(BLOCKED)
    subprocess.run(["gcc", "-o", "annad", "blocked.c"], cwd=ward.anna.folder, check=True)
    process = subprocess.Popen([str(ward.anna.folder / "annad"), "--socket", str(ward.anna.socket)],
        start_new_session=True)
    ward.anna.others.append(process)
    ward.ends.append(lambda: os.killpg(process.pid, signal.SIGKILL))
    ward.anna.state.mkdir()
    (ward.anna.state / "lock").write_text(f"{process.pid}\n")
    ward.anna.wait_for(lambda: " D " in pathlib.Path(f"/proc/{process.pid}/stat").read_text(),
        what="state D")


@fault("daemon-not-ready", "warning", config="""
[daemon]
stop_timeout = "20s"
[[mappings]]
name = "slow"
on = "test.slow"
action = { type = "exec", argv = ["/bin/sleep", "20"], timeout = "30s" }
""")
def stopping_for_long(ward):
    ward.anna.emit("test.slow")
    ward.anna.wait_for(lambda: ward.anna.events("action.started"), what="the action")
    ward.anna.signal(signal.SIGTERM)
    ward.anna.wait_for(lambda: ward.anna.rpc("status")["state"] == "stopping", what="stopping")
    ward.ends.append(ward.anna.kill9)


@fault("restart-loop", "warning")
def killed_three_times(ward):
    for starts in (1, 2, 3, 4):
        ward.anna.wait_for(lambda: len(ward.anna.events("daemon.started")) == starts,  # noqa: B023
            what="a start in the journal")
        if starts < 4:
            ward.anna.kill9()
            ward.anna.start()


def run_slow_command(ward):
    ward.anna.emit("test.slow")
    started = ward.anna.wait_for(lambda: ward.anna.events("action.started"), what="the action")
    assert started
    return ward.anna.wait_for(lambda: find_process(b"ANNA_MAPPING=left"), what="the command")


def find_process(variable):
    for folder in pathlib.Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and variable in (folder / "environ").read_bytes() and \
                    b"sleep" in (folder / "comm").read_bytes():
                return int(folder.name)
        except OSError:
            pass
    return None


LEAVES = """
[[mappings]]
name = "left%d"
on = "test.slow"
action = { type = "exec", argv = ["/bin/sleep", "60"], timeout = "90s" }
""" % os.getpid()


@fault("leftover-processes", "warning", fix=True, config=LEAVES)
def a_command_outlives_its_daemon(ward):
    run_slow_command(ward)
    ward.anna.kill9()
    ward.anna.start()


# --- versions ---

def own_programs(ward, annad=None):
    """annactl with an annad of its own beside it."""
    folder = ward.anna.folder / "bin"
    folder.mkdir()
    shutil.copy(BIN / "annactl", folder / "annactl")
    ward.annactl = folder / "annactl"
    program = folder / "annad"
    if annad is None:
        shutil.copy(BIN / "annad", program)
    else:
        program.write_bytes(annad)
        program.chmod(0o755)
    return program


def start_copy(ward):
    program = own_programs(ward)
    command = ward.anna.command
    ward.anna.command = lambda args=(): [str(program), *command(args)[1:]]
    ward.anna.start()
    return program


@fault("binary-replaced", "warning", start=False)
def upgraded_and_not_restarted(ward):
    program = start_copy(ward)
    new = program.with_suffix(".new")
    shutil.copy(BIN / "annad", new)
    new.rename(program)


@fault("binary-replaced", "warning", start=False)
def removed_while_it_runs(ward):
    start_copy(ward).unlink()


@fault("binary-broken", "critical")
def half_an_upgrade(ward):
    """The file was cut while it was copied."""
    own_programs(ward, (BIN / "annad").read_bytes()[:3000])


@fault("binary-broken", "critical")
def another_program_in_its_place(ward):
    own_programs(ward, b"#!/bin/sh\necho hello\n")


@fault("binary-broken", "critical")
def an_installed_annad_that_hangs(ward):
    own_programs(ward, b"#!/bin/sh\nexec sleep 60\n")


@fault("version-differs", "warning")
def another_build_is_installed(ward):
    own_programs(ward, b"#!/bin/sh\necho 'annad 9.9.9 (build other)'\n")


@fault("client-differs", "warning")
def annactl_is_of_another_build(ward):
    own_programs(ward, b"#!/bin/sh\necho 'annad 9.9.9 (build other)'\n")


def play(ward, behave, backlog=64):
    ward.anna.state.mkdir()
    server = Played(ward.anna.socket, behave, backlog=backlog)
    ward.ends.append(server.close)


@fault("daemon-silent", "critical", start=False)
def a_deadlock(ward):
    """Connections are taken, and nothing is answered: what the predecessor called passed."""
    play(ward, lambda server, connection, _: server.read(connection))


@fault("daemon-silent", "critical", start=False)
def a_full_backlog(ward):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(ward.anna.socket))
    listener.listen(0)
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for client in waiting:
        client.setblocking(False)
        try:
            client.connect(str(ward.anna.socket))
        except BlockingIOError:
            pass
    ward.ends.append(lambda: [each.close() for each in [listener, *waiting]])


@fault("answer-invalid", "critical", start=False)
def something_else_listens(ward):
    def behave(server, connection, _):
        server.read(connection)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    play(ward, behave)


@fault("answer-broken-off", "critical", start=False)
def connections_are_closed(ward):
    play(ward, lambda server, connection, _: connection.shutdown(socket.SHUT_RDWR))


def answers(**by_method):
    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            said = by_method.get(request["method"].replace(".", "_"))
            if said is None:
                answer(connection, request, error=error(-32601, "there is no such method"))
            else:
                answer(connection, request, result=said)
    return behave


@fault("contract-differs", "critical", start=False)
def an_annad_of_another_contract(ward):
    play(ward, answers(ping={}, status={"contract": 77, "state": "running", "pid": 1}))


@fault("methods-missing", "warning", start=False)
def an_annad_that_knows_no_diagnosis(ward):
    play(ward, answers(ping={}, status={"contract": 1, "state": "running", "pid": 1}))


# --- socket ---

@fault("socket-missing", "critical")
def the_socket_is_deleted(ward):
    ward.anna.socket.unlink()


@fault("socket-stale", "warning", fix=True)
def a_crash_leaves_the_socket(ward):
    ward.anna.kill9()


@fault("socket-replaced", "critical", fix=True)
def a_file_in_the_sockets_place(ward):
    ward.anna.socket.unlink()
    ward.anna.socket.write_text("a file")


@fault("socket-replaced", "critical", fix=True)
def a_link_in_the_sockets_place(ward):
    ward.anna.socket.unlink()
    ward.anna.socket.symlink_to("/etc/passwd")


@fault("socket-replaced", "critical", fix=True, start=False)
def a_folder_in_the_sockets_place(ward):
    ward.anna.socket.mkdir()


@fault("socket-mode", "warning", fix=True)
def everybody_may_use_the_socket(ward):
    ward.anna.socket.chmod(0o777)


@fault("socket-mode", "warning", fix=True, needs=["root"])
def nobody_may_use_the_socket(ward):
    ward.anna.socket.chmod(0)


@fault("socket-owner", "warning", fix=True, needs=["root"])
def the_socket_is_given_away(ward):
    os.chown(ward.anna.socket, 65534, -1)


@fault("socket-folder", "warning", fix=True)
def others_may_replace_the_socket(ward):
    ward.anna.folder.chmod(0o777)


@fault("access-denied", "warning", needs=["root"])
def a_user_who_may_not(ward):
    ward.anna.folder.chmod(0o755)
    own_programs(ward)
    ward.before = lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))


@fault("connections-full", "critical", config="[rpc]\nmax_connections = 3\n")
def all_connections_are_taken(ward):
    held = []

    def refused():
        try:
            held.append(ward.anna.connect())
            held[-1].call("ping")
        except (OSError, RpcError):
            held.pop().close()  # full, or one that was closing still counted
        return len(held) == 3
    ward.anna.wait_for(refused, what="three connections")
    ward.ends.append(lambda: [each.close() for each in held])


# --- lock ---

@fault("lock-stale", "warning", fix=True)
def a_crash_leaves_the_lock(ward):
    ward.anna.kill9()


@fault("lock-stale", "warning", fix=True)
def garbage_in_the_lock(ward):
    ward.anna.stop()
    (ward.anna.state / "lock").write_text("rubbish\n")


@fault("lock-stale", "warning", fix=True)
def the_lock_names_a_stranger(ward):
    ward.anna.stop()
    (ward.anna.state / "lock").write_text(f"{os.getpid()}\n")


@fault("lock-lost", "critical")
def the_lock_is_deleted(ward):
    (ward.anna.state / "lock").unlink()


@fault("lock-lost", "critical")
def the_lock_is_replaced(ward):
    lock = ward.anna.state / "lock"
    lock.unlink()
    lock.write_text(f"{ward.anna.process.pid}\n")


@fault("two-daemons", "critical")
def two_daemons_at_one_socket(ward):
    ward.anna.socket.unlink()
    command = ward.anna.command()
    command[command.index(str(ward.anna.state))] = str(ward.anna.folder / "other")
    with open(ward.anna.log_file, "ab") as log:
        other = subprocess.Popen(command, cwd=ward.anna.folder, env=ward.anna.environment(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    ward.anna.others.append(other)
    ward.anna.wait_ready()


# --- state folder and files ---

@fault("state-mode", "critical", fix=True)
def others_may_write_to_the_state(ward):
    ward.anna.state.chmod(0o777)


@fault("state-mode", "warning", fix=True, needs=["root"])
def nobody_may_enter_the_state(ward):
    ward.anna.state.chmod(0)


@fault("state-owner", "critical", fix=True, needs=["root"])
def the_state_is_given_away(ward):
    os.chown(ward.anna.state, 65534, -1)


@fault("state-owner", "critical", fix=True, needs=["root"])
def a_dead_daemons_state_is_given_away(ward):
    """She would not start again, and says so only in her log."""
    ward.anna.stop()
    os.chown(ward.anna.state, 65534, -1)


@fault("state-missing", "critical")
def the_state_is_moved_away(ward):
    ward.anna.state.rename(ward.anna.folder / "moved")
    ward.anna.state.write_text("where the folder was")


def stop_with_state_file(ward):
    ward.anna.stop()
    return ward.anna.state / "state"


@fault("state-file-damaged", "warning", fix=True)
def a_bit_of_the_state_file_flips(ward):
    path = stop_with_state_file(ward)
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)


@fault("state-file-damaged", "warning", fix=True)
def the_state_file_is_cut(ward):
    os.truncate(stop_with_state_file(ward), 30)


@fault("state-file-damaged", "warning", fix=True)
def the_state_file_is_empty(ward):
    os.truncate(stop_with_state_file(ward), 0)


@fault("core-dumps", "warning")
def a_core_file(ward):
    (ward.anna.state / "core.123").write_bytes(b"\x7fELF")


def newest_segment(ward, stream="normal"):
    return max((ward.anna.state / "journal" / stream).glob("*.segment"))


@fault("journal-damaged", "warning")
def bits_of_the_journal_flip(ward):
    for i in range(20):
        ward.anna.emit("test.filler", attributes={"number": i, "text": "x" * 200})
    ward.anna.stop()
    path = min((ward.anna.state / "journal" / "normal").glob("*.segment"))
    data = bytearray(path.read_bytes())
    place = data.index(b'"number":3')
    data[place + 9] ^= 1
    path.write_bytes(data)


def crc32c(data):
    """Castagnoli, reflected (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@fault("journal-unreadable", "critical")
def a_journal_of_a_newer_version(ward):
    ward.anna.emit("test.filler")
    ward.anna.stop()
    path = min((ward.anna.state / "journal" / "normal").glob("*.segment"))
    data = bytearray(path.read_bytes())
    for at in (0, 512):  # two copies of the header, each under its own sum
        struct.pack_into("<I", data, at + 12, 99)
        struct.pack_into("<I", data, at + 8, crc32c(data[at + 12:at + 512]))
    path.write_bytes(data)


@fault("generation-damaged", "warning", fix=True, config="[daemon]\n")
def a_generation_is_cut(ward):
    ward.anna.stop()
    path = max((ward.anna.state / "generations").glob("*.conf"))
    os.truncate(path, 20)


def on_small_disk(ward, options):
    """The state folder on a tmpfs that only this Anna and this doctor see."""
    ward.anna.state.mkdir()
    keeper = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c",
        f"mount -t tmpfs -o {options} none {ward.anna.state} && echo ready && exec sleep 600"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    ward.anna.others.append(keeper)
    assert keeper.stdout.readline() == b"ready\n"
    space = os.open(f"/proc/{keeper.pid}/ns/mnt", os.O_RDONLY)

    def enter():
        if LIBC.setns(space, CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "setns")

    ward.before = enter
    ward.ends.append(lambda: os.close(space))
    ward.anna.start(preexec_fn=enter)
    return enter


@fault("state-on-tmpfs", "info", needs=["mounts"], start=False)
def the_state_is_in_memory(ward):
    on_small_disk(ward, "size=200m,mode=700")


@fault("disk-space", "warning", needs=["mounts"], start=False)
def the_disk_is_nearly_full(ward):
    on_small_disk(ward, "size=50m,mode=700")


@fault("disk-space", "critical", needs=["mounts"], start=False)
def the_disk_is_full(ward):
    enter = on_small_disk(ward, "size=40m,mode=700")
    subprocess.run(["dd", "if=/dev/zero", f"of={ward.anna.state}/ballast", "bs=64k"],
        preexec_fn=enter, check=False, capture_output=True)


@fault("disk-inodes", "critical", needs=["mounts"], start=False)
def no_inodes_are_left(ward):
    on_small_disk(ward, "size=200m,nr_inodes=45,mode=700")


@fault("state-read-only", "critical", needs=["mounts"], start=False)
def the_disk_goes_read_only(ward):
    enter = on_small_disk(ward, "size=200m,mode=700")
    # A writer has files open, so the disk itself may not be: what is seen under the name becomes it.
    state, view = str(ward.anna.state), ward.anna.folder / "view"
    view.mkdir()
    for command in (["--bind", state, str(view)], ["-o", "remount,ro,bind", str(view)],
            ["--bind", str(view), state]):
        subprocess.run(["mount", *command], preexec_fn=enter, check=True, capture_output=True)


@fault("journal-failing", "critical", needs=["mounts"], start=False)
def the_journal_finds_no_space(ward):
    enter = on_small_disk(ward, "size=24m,mode=700")
    subprocess.run(["dd", "if=/dev/zero", f"of={ward.anna.state}/ballast", "bs=4k"],
        preexec_fn=enter, check=False, capture_output=True)

    def failing():
        try:
            with ward.anna.connect() as connection:
                for _ in range(200):
                    connection.call("events.emit", {"kind": "test.filler",
                        "attributes": {"text": "x" * 60000}})
        except (RpcError, OSError):  # refused, as it should be
            pass
        return ward.anna.rpc("health")["journal"]["is_failing"]
    ward.anna.wait_for(failing, 20, "a journal that fails")


FAILING = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int is_failing(void) {
	const char *flag = getenv("FAILING_DISK");
	return flag && access(flag, F_OK) == 0;
}
int fdatasync(int fd) {
	return is_failing() ? (errno = EIO, -1) : (int)syscall(SYS_fdatasync, fd);
}
int fsync(int fd) {
	return is_failing() ? (errno = EIO, -1) : (int)syscall(SYS_fsync, fd);
}
"""


@fault("journal-failing", "critical", needs=["compiler", "plain"], start=False)
def the_disk_gives_errors(ward):
    """EIO from every sync, as from a dying disk."""
    (ward.anna.folder / "failing.c").write_text(FAILING)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "failing.so", "failing.c"],
        cwd=ward.anna.folder, check=True)
    flag = ward.anna.folder / "flag"
    ward.anna.start(env={"LD_PRELOAD": str(ward.anna.folder / "failing.so"),
        "FAILING_DISK": str(flag)})
    flag.touch()
    with pytest.raises(RpcError):
        ward.anna.emit("test.lost")
    ward.anna.wait_for(lambda: ward.anna.rpc("health")["journal"]["is_failing"], what="failing")


# --- systemd: played by a program that answers as systemctl does ---

SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")/.."
case "$1" in
show) cat show; echo "MainPID=$(cat pid 2>/dev/null || echo 0)" ;;
start|restart)
	if [ -s pid ]; then
		kill "$(cat pid)"
		while [ -e "/proc/$(cat pid)/fd/0" ]; do sleep 0.02; done
	fi
	sed -i 's/^ActiveState=.*/ActiveState=active/' show
	. ./command </dev/null >>annad.log 2>&1 &
	echo $! >pid ;;
daemon-reload) sed -i 's/^NeedDaemonReload=.*/NeedDaemonReload=no/' show ;;
enable) sed -i 's/^UnitFileState=.*/UnitFileState=enabled/' show ;;
*) exit 1 ;;
esac
"""
SHOW = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success",
    "UnitFileState": "enabled", "NRestarts": 0, "NeedDaemonReload": "no", "MemoryMax": "infinity",
    "TasksMax": "infinity", "LimitNOFILE": 524288, "ExecMainStatus": 0}


def under_systemd(ward, start=True, **changes):
    """systemd is the init, as far as this doctor sees: a folder in /run, and its systemctl."""
    folder = ward.anna.folder
    tools = folder / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    show = dict(SHOW, **changes)
    (folder / "show").write_text("".join(f"{key}={value}\n" for key, value in show.items()))
    (folder / "command").write_text(f"HOME={folder} exec {' '.join(ward.anna.command())}\n")
    ward.env["PATH"] = f"{tools}:{os.environ['PATH']}"
    if start:
        ward.anna.start()
        (folder / "pid").write_text(f"{ward.anna.process.pid}\n")
    else:
        (folder / "pid").write_text("")

    def enter():
        own_mounts()
        mount("none", "/run", "tmpfs")
        os.makedirs("/run/systemd/system")

    def end():
        pid = (folder / "pid").read_text().strip()
        if pid and int(pid) != (ward.anna.process.pid if ward.anna.process else 0):
            os.kill(int(pid), signal.SIGKILL)  # the one the played systemctl started
    ward.before = enter
    ward.ends.append(end)


@fault("unit-failed", "critical", needs=["mounts"], start=False)
def the_watchdog_killed_her(ward):
    under_systemd(ward, start=False, ActiveState="failed", SubState="failed", Result="watchdog")


@fault("daemon-not-running", "critical", fix=True, needs=["mounts"], start=False)
def an_enabled_unit_does_not_run(ward):
    under_systemd(ward, start=False, ActiveState="inactive", SubState="dead")


@fault("core-dumps", "critical", needs=["mounts"], start=False)
def she_dumped_core(ward):
    under_systemd(ward, start=False, ActiveState="failed", Result="core-dump")


@fault("unit-reload-needed", "warning", fix=True, needs=["mounts"], start=False)
def unit_files_were_changed(ward):
    under_systemd(ward, NeedDaemonReload="yes")


@fault("unit-disabled", "info", fix=True, needs=["mounts"], start=False)
def nobody_enabled_the_unit(ward):
    under_systemd(ward, UnitFileState="disabled")


@fault("unit-limits", "warning", needs=["mounts"], start=False)
def the_unit_has_too_little_memory(ward):
    under_systemd(ward, MemoryMax=8 << 20)


@fault("socket-missing", "critical", fix=True, needs=["mounts"], start=False)
def the_socket_of_a_unit_is_deleted(ward):
    under_systemd(ward)
    ward.anna.socket.unlink()


@fault("lock-lost", "critical", fix=True, needs=["mounts"], start=False)
def the_lock_of_a_unit_is_deleted(ward):
    under_systemd(ward)
    (ward.anna.state / "lock").unlink()


@fault("binary-replaced", "warning", fix=True, needs=["mounts"], start=False)
def a_unit_was_upgraded_and_not_restarted(ward):
    program = own_programs(ward)
    command = ward.anna.command
    ward.anna.command = lambda args=(): [str(program), *command(args)[1:]]
    under_systemd(ward)
    new = program.with_suffix(".new")
    shutil.copy(BIN / "annad", new)
    new.rename(program)


# --- configuration ---

@fault("config-drift", "warning", fix=True, config="[daemon]\nlog_level = \"info\"\n")
def edited_and_not_reloaded(ward):
    ward.anna.write_config("[daemon]\nlog_level = \"warn\"\n")


@fault("config-invalid", "warning", config="[daemon]\n")
def a_mistake_in_the_config(ward):
    ward.anna.write_config("[daemon]\nno_such_key = 1\n")


@fault("config-invalid", "warning", config="[daemon]\n")
def no_toml_at_all(ward):
    ward.anna.write_config("{]")


@fault("config-invalid", "warning", config="[daemon]\n")
def refused_by_a_reload(ward):
    ward.anna.write_config("[health]\nrpc_p95_ms = \"much\"\n")
    assert ward.anna.ctl("reload").status != 0


@fault("config-not-in-force", "warning", config="[daemon]\nlog_level = \"info\"\n")
def a_generation_was_undone(ward):
    ward.anna.write_config("[daemon]\nlog_level = \"warn\"\n")
    ward.anna.ctl("reload", ok=True)
    ward.anna.ctl("undo", ok=True)
    ward.anna.wait_for(lambda: ward.anna.rpc("health")["reasons"], what="a reason")


@fault("config-pending", "info", config="[daemon]\nlog_level = \"info\"\n")
def a_generation_on_trial(ward):
    ward.anna.write_config("[daemon]\nlog_level = \"warn\"\n")
    ward.anna.ctl("reload", "--confirm", "5m", ok=True)


@fault("config-missing", "warning", config="[daemon]\n")
def the_config_is_deleted(ward):
    ward.anna.config.unlink()


@fault("config-unreadable", "warning", config="[daemon]\n")
def a_folder_in_the_configs_place(ward):
    ward.anna.config.unlink()
    ward.anna.config.mkdir()


@fault("config-unreadable", "warning", config="[daemon]\n")
def a_config_of_nine_megabytes(ward):
    os.truncate(ward.anna.config, 9 << 20)


@fault("config-writable", "critical", fix=True, config="[daemon]\n")
def everybody_may_change_the_config(ward):
    ward.anna.config.chmod(0o666)


# --- resources and surroundings ---

@fault("memory-high", "critical", config="[health]\nmemory_warn = \"1MB\"\nmemory_critical = \"2MB\"\n")
def more_memory_than_allowed(ward):
    ward.anna.wait_for(lambda: ward.anna.rpc("health")["reasons"], what="a reason")


@fault("descriptor-limit", "warning", start=False)
def few_open_files_allowed(ward):
    ward.anna.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))


@fault("descriptors-short", "warning", start=False)
def open_files_run_out(ward):
    ward.anna.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
    held = []
    folder = pathlib.Path(f"/proc/{ward.anna.process.pid}/fd")
    while len(list(folder.iterdir())) < 88:
        held.append(ward.anna.connect())
        held[-1].call("ping")
    ward.ends.append(lambda: [each.close() for each in held])


@fault("http-off", "warning", start=False)
def the_port_is_taken(ward):
    listener = socket.create_server(("127.0.0.1", 0))
    ward.ends.append(listener.close)
    ward.anna.start(args=["--http", f"127.0.0.1:{listener.getsockname()[1]}"])


@fault("log-dropped", "warning", start=False, config="[daemon]\nlog_level = \"debug\"\n")
def nobody_reads_the_log(ward):
    """Standard error is a pipe of one page that nobody reads."""
    reader, writer = os.pipe()
    fcntl_setpipe = 1031  # F_SETPIPE_SZ
    LIBC.fcntl(writer, fcntl_setpipe, 4096)
    ward.anna.write_config("[daemon]\nlog_level = \"debug\"\n")
    ward.anna.process = subprocess.Popen(ward.anna.command(), cwd=ward.anna.folder,
        env=ward.anna.environment(), stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
        start_new_session=True)
    os.close(writer)
    ward.ends.append(lambda: os.close(reader))
    ward.anna.wait_ready()

    def dropped():
        ward.anna.signal(signal.SIGUSR1)  # logs a page or so
        return ward.anna.rpc("diagnosis")["log_dropped"] > 0
    ward.anna.wait_for(dropped, 20, "a dropped line")


@fault("capability-failed", "warning", config="""
[[files]]
name = "gone"
path = "/nonexistent/folder"
""")
def a_watched_folder_is_not_there(ward):
    ward.anna.wait_for(lambda: [each for each in ward.anna.rpc("capabilities")["capabilities"]
        if each["state"] in ("failed", "degraded")], what="a part that is not well")


@fault("bus-silent", "warning")
def a_dead_bus(ward):
    """It takes connections and says nothing, as one that was stopped."""
    path = ward.anna.folder / "bus"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    ward.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={path}"
    ward.ends.append(listener.close)


@fault("bus-silent", "warning")
def a_bus_that_is_gone(ward):
    path = ward.anna.folder / "bus"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    ward.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={path}"


def hanging_mount(ward, target):
    """A FUSE mount whose server never says a word, in a mount namespace of the doctor's own."""
    device = os.open("/dev/fuse", os.O_RDWR)
    ward.ends.append(lambda: os.close(device))  # ends every wait on it
    target.mkdir()

    def enter():
        own_mounts()
        mount("hangs", target, "fuse", MS_NODEV | MS_NOSUID,
            f"fd={device},rootmode=40000,user_id=0,group_id=0")
    ward.before = enter


@fault("mount-hangs", "warning", needs=["fuse"])
def a_mount_that_does_not_answer(ward):
    hanging_mount(ward, ward.anna.folder / "mount")


@fault("state-unreachable", "critical", needs=["fuse"], start=False)
def the_state_is_on_a_dead_mount(ward):
    hanging_mount(ward, ward.anna.state)


@fault("sandbox-blind", "warning", needs=["mounts"], start=False)
def the_sandbox_hides_proc_stat(ward):
    """As ProcSubset=pid does."""
    def enter():
        own_mounts()
        mount("proc", "/proc", "proc", 0, "subset=pid")
    ward.anna.start(preexec_fn=enter)


SHIFTED = """
#define _GNU_SOURCE
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *out) {
	int rc = (int)syscall(SYS_clock_gettime, id, out);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
		out->tv_sec += 86400;
	}
	return rc;
}
"""


@fault("clock-behind", "warning", needs=["compiler", "plain"], start=False)
def the_clock_went_back_a_day(ward):
    """A daemon whose clock is a day ahead; then the clock is what it was."""
    source = ward.anna.folder / "shift.c"
    source.write_text(SHIFTED)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "shift.so", "shift.c"], cwd=ward.anna.folder,
        check=True)
    ward.anna.start(env={"LD_PRELOAD": str(ward.anna.folder / "shift.so")})
    ward.anna.emit("test.future")
    ward.anna.stop()


# --- the tests ---

@pytest.fixture
def ward(anna):
    anna.is_crash_expected = True
    made = Ward(anna)
    yield made
    made.finish()
    if anna.is_alive():
        anna.kill9()


def expected_anyway():
    """What this machine has of itself, whatever Anna does."""
    state = ctypes.create_string_buffer(512)
    said = LIBC.adjtimex(state)
    unsynchronised = said == 5 or struct.unpack_from("i", state, 40)[0] & 0x40
    return {"clock-unsynchronised"} if unsynchronised else set()


def found_ids(report):
    return {finding["id"] for finding in report["findings"]}


@pytest.mark.parametrize("case", FAULTS)
def test_fault(ward, case, runs_commands):
    inflict, finding, severity, fix, needs, config, start = case
    check_needs(needs)
    if start:
        ward.anna.start(config)
    inflict(ward)
    began = time.monotonic()
    result = ward.doctor("doctor", "--json")
    took = time.monotonic() - began
    report = result.json
    assert finding in found_ids(report), json.dumps(report, indent=1)
    assert took < SECONDS, f"the doctor took {took:.1f} s"
    told = next(each for each in report["findings"] if each["id"] == finding)
    assert told["severity"] == severity, told
    assert told["what"] and told["evidence"] and told["fix"], told
    worst = max(STATUS[each["severity"]] for each in report["findings"])
    assert result.status == worst >= STATUS[severity], report
    assert told["can_fix"] or not fix, told
    if fix:
        mended = ward.doctor("doctor", "fix", finding, "--yes", "--json")
        assert mended.status == 0, mended
        assert [each["outcome"] for each in mended.json["fixes"]] == ["done"], mended
        again = ward.doctor("doctor", finding, "--json").json
        assert again["findings"] == [] and again["not_made"] == [], again


def test_there_are_sixty_faults():
    assert len(FAULTS) >= 60, len(FAULTS)


def test_a_healthy_daemon_has_no_finding(ward):
    ward.anna.start("[daemon]\n[health]\nmemory_warn = \"900MB\"\nmemory_critical = \"950MB\"\n")
    ward.anna.emit("test.healthy")
    began = time.monotonic()
    result = ward.doctor("doctor", "--json")
    assert time.monotonic() - began < SECONDS
    assert found_ids(result.json) <= expected_anyway(), json.dumps(result.json, indent=1)
    assert result.status == 0
    # What was not looked at is only what is not here.
    reasons = {each["why"] for each in result.json["not_made"]}
    assert all("systemd" in why or "unit" in why or "bus" in why for why in reasons), reasons
    assert result.json["made"] + len(result.json["not_made"]) == result.json["checks"]
