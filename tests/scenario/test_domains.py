# SPDX-License-Identifier: Apache-2.0
"""The domains as events: packages, devices, network, mounts, the kernel's and the journal's lines,
logins, and files under /etc; each from what really tells of it. What needs a namespace of its own or root
is skipped with its reason where that is not to be had."""

import ctypes
import json
import os
import pathlib
import struct
import subprocess
import time

import pytest

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC_PRIVATE = 0x4000 | 0x40000
LIBC = ctypes.CDLL(None, use_errno=True)

QUIET = "".join(f"[{name}]\nenabled = false\n"
    for name in ("packages", "devices", "links", "mounts", "kernel", "logins"))


def only(name, more=""):
    """A configuration in which only one of the domains speaks."""
    return QUIET.replace(f"[{name}]\nenabled = false\n", f"[{name}]\n{more}")


def namespaces(flags, hides_init=False):
    """For Popen: the child gets namespaces of its own, its mounts private. With hides_init it takes
    its own mount table for the machine's, which is otherwise that of PID 1."""
    def unshare():
        if LIBC.unshare(flags) != 0:
            os._exit(77)
        if flags & CLONE_NEWNS:
            LIBC.mount(None, b"/", None, MS_REC_PRIVATE, None)
        if hides_init:
            LIBC.mount(b"tmpfs", b"/proc/1", b"tmpfs", 0, None)
        if flags & CLONE_NEWNS and flags & CLONE_NEWNET:
            LIBC.mount(b"sysfs", b"/sys", b"sysfs", 0, None)  # of the new network
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    probe = subprocess.run(["true"], preexec_fn=unshare, check=False)
    if probe.returncode == 77:
        pytest.skip("this container may not make namespaces")
    return unshare


def inside(anna, *command):
    """Runs a command in the namespaces of that annad."""
    pid = str(anna.process.pid)
    subprocess.run(["nsenter", "--mount", "--net", "--target", pid, *map(str, command)], check=True,
        capture_output=True)


def state_of(anna, name):
    return next(c for c in anna.rpc("capabilities")["capabilities"] if c["name"] == name)


def wait_known(anna, meter):
    """Until the source knows what is there: from then on it tells what changes."""
    return anna.wait_for(lambda: f"\nanna_{meter} " in anna.ctl("metrics", ok=True).out,
        what=f"anna_{meter}")


# --- network ---

def test_links_addresses_and_default_routes_are_told_as_they_change(anna):
    anna.start(only("links"), preexec_fn=namespaces(CLONE_NEWNET))
    wait_known(anna, "links_known")
    inside(anna, "ip", "link", "add", "first0", "type", "veth", "peer", "name", "veth-quiet")
    inside(anna, "ip", "link", "set", "veth-quiet", "up")
    added = anna.wait_event("link.added")
    assert added["subject"] == "first0" and added["attributes"]["enabled"] is False
    inside(anna, "ip", "link", "set", "first0", "up")
    assert anna.wait_event("link.up")["attributes"]["interface"] == "first0"
    inside(anna, "ip", "addr", "add", "192.0.2.7/24", "dev", "first0")
    address = anna.wait_event("address.added", match=lambda e: e["attributes"]["family"] == "ipv4")
    assert address["attributes"]["address"] == "192.0.2.7/24"
    inside(anna, "ip", "route", "add", "default", "via", "192.0.2.1", "metric", "50")
    route = anna.wait_event("route.added")["attributes"]
    assert (route["gateway"], route["interface"], route["metric"]) == ("192.0.2.1", "first0", 50)
    # The kernel takes the route away without a word; it is found by listing.
    inside(anna, "ip", "link", "set", "first0", "down")
    assert anna.wait_event("link.down")["attributes"]["enabled"] is False
    gone = anna.wait_event("route.removed")["attributes"]
    assert gone["gateway"] == "192.0.2.1"
    inside(anna, "ip", "link", "set", "first0", "name", "other0")
    assert anna.wait_event("link.renamed")["attributes"]["from"] == "first0"
    inside(anna, "ip", "link", "del", "other0")
    assert anna.wait_event("link.removed")["attributes"]["interface"] == "other0"
    gone = anna.wait_event("address.removed", match=lambda e: e["attributes"]["family"] == "ipv4")
    assert gone["attributes"]["address"] == "192.0.2.7/24"
    told = {e["attributes"].get("interface") for e in anna.events("link.*")}
    assert told == {"first0", "other0"}  # veth* is ignored


def test_when_messages_are_lost_the_difference_is_told_and_a_gap(anna):
    anna.start(only("links"), preexec_fn=namespaces(CLONE_NEWNET))
    wait_known(anna, "links_known")
    os.kill(anna.process.pid, 19)  # SIGSTOP: it cannot read
    try:
        subprocess.run(["nsenter", "--net", "--target", str(anna.process.pid), "sh", "-c",
            "ip link add many0 type bridge; i=0; while [ $i -lt 30 ]; do "
            "(for j in $(seq 100); do echo link set many0 up; echo link set many0 down; done) "
            "| ip -batch -; i=$((i+1)); done; ip link add last0 type bridge; ip link del many0"],
            check=True, capture_output=True)
    finally:
        os.kill(anna.process.pid, 18)
    gap = anna.wait_event("source.gap", match=lambda e: e["attributes"]["source"] == "links")
    assert gap["attributes"]["reason"] == "overflow"
    anna.wait_event("link.added", match=lambda e: e["subject"] == "last0")
    wait_known(anna, "links_known")


# --- devices ---

def test_a_device_that_comes_and_goes_is_told_by_the_kernel(anna):
    anna.start(only("devices"), preexec_fn=namespaces(CLONE_NEWNET))
    wait_known(anna, "devices_known")
    inside(anna, "ip", "link", "add", "dev0", "type", "bridge")
    added = anna.wait_event("device.added", match=lambda e: e["subject"] == "dev0")
    assert added["attributes"]["subsystem"] == "net"
    assert added["attributes"]["path"] == "/devices/virtual/net/dev0"
    inside(anna, "ip", "link", "del", "dev0")
    anna.wait_event("device.removed", match=lambda e: e["subject"] == "dev0")


def test_a_device_message_of_a_process_is_not_believed(anna):
    anna.start(only("devices"), preexec_fn=namespaces(CLONE_NEWNET))
    wait_known(anna, "devices_known")
    forge = ("import socket;s=socket.socket(16,2,15);s.bind((0,0));"
        "s.sendto(b'add@/devices/forged\\0ACTION=add\\0DEVPATH=/devices/forged\\0SUBSYSTEM=usb\\0',"
        "(0,1))")
    inside(anna, "/usr/bin/python3", "-c", forge)
    inside(anna, "ip", "link", "add", "true0", "type", "bridge")
    anna.wait_event("device.added", match=lambda e: e["subject"] == "true0")
    assert not [e for e in anna.events("device.*") if "forged" in json.dumps(e)]


def test_when_device_messages_are_lost_sys_is_read_and_the_difference_told(anna):
    anna.start(only("devices"), preexec_fn=namespaces(CLONE_NEWNET | CLONE_NEWNS))
    wait_known(anna, "devices_known")
    inside(anna, "ip", "link", "add", "known0", "type", "bridge")
    anna.wait_event("device.added", match=lambda e: e["subject"] == "known0")
    os.kill(anna.process.pid, 19)  # SIGSTOP: it cannot read
    try:
        subprocess.run(["nsenter", "--net", "--target", str(anna.process.pid), "sh", "-c",
            "ip link add a0 type bridge; (i=0; while [ $i -lt 2500 ]; do echo link set a0 name b0; "
            "echo link set b0 name a0; i=$((i+1)); done) | ip -batch -; "
            "ip link add last0 type bridge; ip link del known0"], check=True, capture_output=True)
    finally:
        os.kill(anna.process.pid, 18)
    gap = anna.wait_event("source.gap", match=lambda e: e["attributes"]["source"] == "devices")
    assert gap["attributes"]["reason"] == "overflow"
    anna.wait_event("device.added", match=lambda e: e["subject"] == "last0")
    anna.wait_event("device.removed", match=lambda e: e["subject"] == "known0")
    twice = [e["subject"] for e in anna.events("device.added")]
    assert len(twice) == len(set(twice)), twice


# --- mounts ---

def test_mounts_are_told_and_a_file_system_that_turns_read_only_by_name(anna):
    point = anna.folder / "a b"
    point.mkdir()
    anna.start(only("mounts"), preexec_fn=namespaces(CLONE_NEWNS, hides_init=True))
    wait_known(anna, "mounts_known")
    inside(anna, "mount", "-t", "tmpfs", "-o", "size=1m", "scratch", point)
    added = anna.wait_event("mount.added", match=lambda e: e["subject"] == str(point))
    assert added["attributes"]["fstype"] == "tmpfs" and added["attributes"]["readonly"] is False
    inside(anna, "mount", "-o", "remount,ro", point)
    locked = anna.wait_event("mount.readonly")
    assert locked["attributes"]["readonly"] is True
    assert locked["attributes"]["options_before"].startswith("rw")
    inside(anna, "mount", "-o", "remount,rw,noexec", point)
    assert "noexec" in anna.wait_event("mount.changed")["attributes"]["options"]
    inside(anna, "umount", point)
    anna.wait_event("mount.removed", match=lambda e: e["subject"] == str(point))


# --- packages ---

STATUS = "Package: {}\nStatus: install ok installed\nArchitecture: all\nVersion: {}\n\n"


def test_a_package_that_dpkg_installs_is_told(anna, tmp_path):
    root = anna.folder / "root"
    admin = root / "var/lib/dpkg"
    for folder in (admin / "info", admin / "updates", admin / "triggers", anna.folder / "p/DEBIAN"):
        folder.mkdir(parents=True)
    (admin / "status").write_text("")
    (anna.folder / "p/DEBIAN/control").write_text("Package: hello-anna\nVersion: 1.0\n"
        "Architecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n")
    deb = anna.folder / "hello.deb"
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-bad-path", "--log=/dev/null"]
    subprocess.run(["dpkg-deb", "--build", anna.folder / "p", deb], check=True, capture_output=True)
    anna.start(only("packages"), args=["--sysroot", str(root)])
    wait_known(anna, "packages_known")
    subprocess.run([*dpkg, "--install", deb], check=True, capture_output=True)
    event = anna.wait_event("package.installed")
    assert event["subject"] == "hello-anna" and event["attributes"]["version"] == "1.0"
    subprocess.run([*dpkg, "--purge", "hello-anna"], check=True, capture_output=True)
    assert anna.wait_event("package.removed")["attributes"]["manager"] == "dpkg"


# --- the kernel's log ---

def test_a_line_in_the_kernels_log_is_told_and_a_program_cannot_forge_trouble(anna):
    try:
        log = open("/dev/kmsg", "wb", buffering=0)
    except OSError as error:
        pytest.skip(f"/dev/kmsg cannot be written here: {error}")
    mark = f"anna-{os.getpid()}"
    with log:
        anna.start(only("kernel",
            f'patterns = [{{ name = "mine", match = "{mark}*" }}]\n'))
        if state_of(anna, "kernel")["state"] != "active":
            pytest.skip(state_of(anna, "kernel")["reason"])
        log.write(f"<2>{mark}[7]: segfault at 0 ip 1\n".encode())
        event = anna.wait_event("kernel.line")
    assert event["attributes"]["pattern"] == "mine"
    assert event["attributes"]["is_kernel"] is False and event["attributes"]["level"] == 2
    assert not anna.events("kernel.segfault")


def test_a_log_that_is_not_there_is_a_disabled_part_with_a_reason(anna):
    (anna.folder / "empty").mkdir()
    anna.start(only("kernel"), args=["--sysroot", str(anna.folder / "empty")])
    anna.wait_for(lambda: state_of(anna, "kernel")["state"] == "disabled", what="disabled")
    assert "/dev/kmsg" in state_of(anna, "kernel")["reason"]


# --- systemd's journal ---

JOURNALCTL = """#!/bin/sh
echo "$@" >> {log}
cat {feed} 2>/dev/null
exec cat {pipe}
"""


def test_lines_of_the_journal_are_matched_and_its_reader_ends_with_anna(anna):
    """A reader that plays journalctl: what it is asked for, and that it is ended."""
    programs = anna.folder / "bin"
    programs.mkdir()
    names = {name: anna.folder / name for name in ("log", "feed", "pipe")}
    os.mkfifo(names["pipe"])
    (programs / "journalctl").write_text(JOURNALCTL.format(**names))
    (programs / "journalctl").chmod(0o755)
    names["feed"].write_text(json.dumps({"MESSAGE": "backup failed", "__CURSOR": "s=1;i=2",
        "_SYSTEMD_UNIT": "backup.service", "PRIORITY": "3"}) + "\nno json\n")
    anna.start(QUIET + '[[journald]]\nname = "b"\nmatch = "*failed*"\nunit = "backup*"\n',
        env={"PATH": f"{programs}:{os.environ['PATH']}"})
    event = anna.wait_event("journal.line")
    assert event["attributes"]["unit"] == "backup.service"
    assert event["attributes"]["priority"] == "err"
    asked = anna.wait_for(lambda: names["log"].read_text(), what="what journalctl was asked")
    assert "--follow" in asked and "--output=json" in asked and "--since=@" in asked
    children = subprocess.run(["pgrep", "-P", str(anna.process.pid)], capture_output=True, text=True,
        check=False).stdout.split()
    assert children
    anna.stop()
    for child in children:
        assert not os.path.exists(f"/proc/{child}")


JOURNALD = "/lib/systemd/systemd-journald"


def own_journal(anna):
    """A journald of our own in namespaces of its own; for Popen: the child joins it there."""
    unshare = namespaces(CLONE_NEWNS)
    for needed in (JOURNALD, "/etc/machine-id"):
        if not os.path.exists(needed):
            pytest.skip(f"{needed} is not here")

    def prepare():
        unshare()
        LIBC.mount(b"tmpfs", b"/run", b"tmpfs", 0, None)
        LIBC.mount(b"tmpfs", b"/var/log", b"tmpfs", 0, None)
    journald = subprocess.Popen([JOURNALD], preexec_fn=prepare, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    anna.others.append(journald)
    below = pathlib.Path(f"/proc/{journald.pid}/root/run")
    anna.wait_for(lambda: (below / "systemd/journal/stdout").exists()
        and list(below.glob("log/journal/*")), what="the journal")

    def join():
        if LIBC.setns(os.open(f"/proc/{journald.pid}/ns/mnt", os.O_RDONLY), CLONE_NEWNS) != 0:
            os._exit(77)
    return join


def write_to_journal(anna, text):
    subprocess.run(["nsenter", "--mount", "--target", str(anna.process.pid), "systemd-cat", "-t",
        "anna-test", "-p", "err"], input=text, text=True, check=True)


def test_a_real_journal_is_followed_also_over_the_end_of_its_reader(anna):
    anna.start(QUIET + '[[journald]]\nname = "mine"\nmatch = "it failed*"\npriority = "err"\n',
        preexec_fn=own_journal(anna))
    write_to_journal(anna, "it failed first\n")
    first = anna.wait_event("journal.line")["attributes"]
    assert first["line"] == "it failed first" and first["identifier"] == "anna-test"
    assert first["priority"] == "err"
    children = subprocess.run(["pgrep", "-P", str(anna.process.pid)], capture_output=True, text=True,
        check=True).stdout.split()
    os.kill(int(children[0]), 9)
    write_to_journal(anna, "it failed second\nthis is fine\n")
    anna.wait_event("journal.line", match=lambda e: e["attributes"]["line"] == "it failed second")
    lines = [e["attributes"]["line"] for e in anna.events("journal.line")]
    assert lines == ["it failed first", "it failed second"]  # none twice, none lost


def test_without_patterns_the_journal_is_not_read(anna):
    anna.start(QUIET)
    assert state_of(anna, "journald")["state"] == "disabled"


# --- logins ---

UTMP = struct.Struct("<hxxi32s4s32s256shhiii16s20x")


def utmp(kind, user, tty, host):
    return UTMP.pack(kind, 4242, tty.encode(), b"", user.encode(), host.encode(), 0, 0, 0,
        int(time.time()), 0, b"")


def test_logins_their_ends_and_failures_are_told(anna):
    logs = anna.folder / "root/var/log"
    logs.mkdir(parents=True)
    (logs / "wtmp").write_bytes(utmp(7, "old", "pts/0", ""))
    (logs / "btmp").write_bytes(b"")
    anna.start(only("logins"), args=["--sysroot", str(anna.folder / "root")])
    wait_known(anna, "logins_sessions")
    with open(logs / "wtmp", "ab") as wtmp, open(logs / "btmp", "ab") as btmp:
        wtmp.write(utmp(8, "", "pts/0", ""))
        btmp.write(utmp(6, "root", "ssh:notty", "203.0.113.9"))
    closed = anna.wait_event("login.closed")
    assert closed["attributes"]["user"] == "old" and closed["attributes"]["tty"] == "pts/0"
    failed = anna.wait_event("login.failed")["attributes"]
    assert (failed["user"], failed["host"]) == ("root", "203.0.113.9")


# --- files under /etc ---

def test_the_example_for_etc_watches_what_it_says(anna, root):
    """The shipped example, on a copy of /etc."""
    etc = anna.folder / "etc"
    (etc / "ssh").mkdir(parents=True)
    (etc / "systemd/system").mkdir(parents=True)
    (etc / "sudoers.d").mkdir()
    (etc / "fstab").write_text("# empty\n")
    example = (root / "docs/examples/etc-changes.toml").read_text()
    assert anna.run(example, args=["--check"], seconds=10)[0] == 0
    anna.start(QUIET + example.replace('"/etc', f'"{etc}'))
    (etc / "fstab.new").write_text("/dev/sda1 / ext4\n")
    (etc / "fstab.new").rename(etc / "fstab")
    anna.wait_event("file.*", match=lambda e: e["attributes"]["watch"] == "fstab"
        and e["subject"] == str(etc / "fstab"))
    (etc / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    anna.wait_event("file.created", match=lambda e: e["attributes"]["watch"] == "resolv.conf")
    (etc / "ssh/sshd_config").write_text("PermitRootLogin no\n")
    anna.wait_event("file.created", match=lambda e: e["attributes"]["watch"] == "ssh")
    told = anna.wait_for(lambda: "fstab" in anna.log() and anna.log(), what="the log line")
    assert "config changed" in told
