# SPDX-License-Identifier: Apache-2.0
"""A machine of our own: Debian with a real systemd as PID 1, in namespaces, gone when the test is.

The root file system comes from debootstrap and the mirror this machine's apt uses, once, into
build/systemd; each machine is an overlay over it in memory. Control groups are as here: v1 with its
controllers, or v2. Nothing of the host is changed but control groups named anna-test-*.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "systemd"
PACKAGES = "systemd,systemd-sysv,dbus,procps"
RECIPE = 1  # counts up when what is done to the root file system changes
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class Unavailable(Exception):
    """This machine cannot hold another; the text says why."""


def wait_for(condition, seconds=20, what="the condition", log=lambda: ""):
    deadline = time.monotonic() + seconds
    pause, value = 0.01, None
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        select.select([], [], [], pause)  # between two looks; the deadline decides
        pause = min(pause * 1.5, 0.2)
    raise AssertionError(f"{what} did not come within {seconds} s (last seen: {value!r})\n{log()}")


# --- the root file system ---


def apt_mirror():
    """(address, suite) that apt uses for Debian's main archive here."""
    said = subprocess.run(["apt-get", "indextargets", "--format",
        "$(SITE) $(CODENAME) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    for line in said.splitlines():
        words = line.split()
        if len(words) == 4 and words[2:] == ["main", "Debian"] and "-" not in words[1]:
            return words[0], words[1]
    raise Unavailable("apt has no index of Debian's main archive (apt-get update)")


def root_filesystem():
    """The folder, made when it is not there yet."""
    site, suite = apt_mirror()
    key = hashlib.sha256(f"{suite} {PACKAGES} {RECIPE}".encode()).hexdigest()[:12]
    folder = CACHE / f"rootfs-{suite}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder
        if not shutil.which("debootstrap"):
            raise Unavailable("debootstrap is not installed (tools/packages systemd)")
        new = CACHE / "rootfs.new"
        shutil.rmtree(new, ignore_errors=True)
        made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite,
            str(new), site], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            log = new / "debootstrap/debootstrap.log"
            tail = log.read_text(errors="replace")[-400:] if log.exists() else made.stderr[-400:]
            shutil.rmtree(new, ignore_errors=True)
            raise Unavailable(f"debootstrap failed: {tail.strip()}")
        for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(new / cache, ignore_errors=True)
        # No network in there: apt installs local files with what is on board.
        (new / "etc/apt/sources.list").write_text("")
        for old in CACHE.glob("rootfs-*"):
            shutil.rmtree(old, ignore_errors=True)
        new.rename(folder)
    return folder


# --- control groups ---


def hierarchies():
    """{folder below CGROUPS or "": mount options}: what systemd in there gets."""
    if (CGROUPS / "cgroup.controllers").exists():
        return {"": None}
    found = {}
    for name in ("systemd", "unified", "memory", "pids", "cpu", "cpuacct"):
        if (CGROUPS / name / "cgroup.procs").exists():
            found[name] = {"systemd": "none,name=systemd", "unified": None}.get(name, name)
    if "systemd" not in found:
        raise Unavailable("there is no cgroup hierarchy for systemd (name=systemd, or v2)")
    return found


def join(group, names):
    """In the new process: into a group of its own in every hierarchy."""
    for name in names:
        folder = CGROUPS / name / group
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.procs").write_text("0")


def remove_groups(group, names):
    for name in names:
        top = CGROUPS / name / group
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # the last processes are just going; they hold nothing


BOOT = r"""
set -e
lower=$1 work=$2 kept=$3 name=$4; shift 4
mount -t tmpfs -o mode=755 none "$work"
top=${kept:-$work}
mkdir "$top/upper" "$top/over" "$work/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$top/upper,workdir=$top/over" "$work/root"
r=$work/root
mount -t proc proc "$r/proc"
mount -t sysfs -o ro sysfs "$r/sys"
mount -t tmpfs -o mode=755 none "$r/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
	IFS=: read -r node major minor <<<"$device"
	mknod -m 666 "$r/dev/$node" c "$major" "$minor"
done
mkdir "$r/dev/pts" "$r/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$r/dev/pts"
ln -s pts/ptmx "$r/dev/ptmx"
ln -s /proc/self/fd "$r/dev/fd"
mount -t tmpfs -o mode=755 none "$r/run"
mount -t tmpfs none "$r/tmp"
if [ "$1" = v2 ]; then
	mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup"
else
	mount -t tmpfs -o mode=755 none "$r/sys/fs/cgroup"
	for hierarchy in "$@"; do
		mkdir "$r/sys/fs/cgroup/${hierarchy%%=*}"
		case "$hierarchy" in
		unified=*) mount -t cgroup2 cgroup2 "$r/sys/fs/cgroup/unified" ;;
		*) mount -t cgroup -o "${hierarchy#*=}" cgroup "$r/sys/fs/cgroup/${hierarchy%%=*}" ;;
		esac
	done
fi
ip link set lo up 2>/dev/null || true
hostname "$name"
mkdir "$r/old"
cd "$r"
pivot_root . old
umount -l old
rmdir old
# As on a real machine: what is mounted later reaches the sandboxes of running services.
mount --make-rshared /
exec env -i container=anna-test PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . \
	/lib/systemd/systemd --log-target=journal --show-status=0
"""


class Machine:
    count = 0

    def __init__(self, layers, folder, kept=None):
        """layers: the file systems, top first. kept: a folder for what is written, instead of memory."""
        Machine.count += 1
        self.name = f"anna-test-{os.getpid()}-{Machine.count}"
        self.folder = pathlib.Path(folder)
        self.names = hierarchies()
        self.console = self.folder / "console"
        work = self.folder / "work"
        work.mkdir()
        words = ["v2"] if "" in self.names else [
            f"{name}={options}" for name, options in self.names.items()]
        with open(self.console, "wb") as out:
            self.process = subprocess.Popen(["unshare", "--pid", "--mount", "--uts", "--ipc", "--net",
                "--cgroup", "--fork", "--propagation", "private", "--kill-child", "bash", "-c", BOOT,
                "boot", ":".join(map(str, layers)), str(work), str(kept or ""), self.name, *words],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                preexec_fn=lambda: join(self.name, self.names))
        try:
            self.leader = wait_for(self.find_leader, 10, "PID 1 of the machine", self.read_console)
            wait_for(self.is_up, 30, "the machine's multi-user.target", self.read_console)
        except AssertionError as error:
            self.close()
            raise Unavailable(str(error)) from error

    def read_console(self):
        return self.console.read_text(errors="replace")[-2000:]

    def find_leader(self):
        if self.process.poll() is not None:
            raise Unavailable("namespaces or mounts are not allowed here: "
                + self.read_console().strip()[-300:])
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        pids = children.read_text().split()
        # Before exec it is still the shell that mounts.
        return int(pids[0]) if pids and "systemd" in pathlib.Path(
            f"/proc/{pids[0]}/comm").read_text() else None

    def is_up(self):
        return self.run("systemctl", "is-active", "--quiet", "multi-user.target",
            check=False).returncode == 0

    # --- in there ---

    def enter(self, command):
        return ["nsenter", "-t", str(self.leader), "-a", "-r", "env", "-i", "-C", "/",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
            "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *map(str, command)]

    def run(self, *command, check=True, seconds=60, input=None):
        result = subprocess.run(self.enter(command), capture_output=True, text=True, timeout=seconds,
            input=input, stdin=subprocess.DEVNULL if input is None else None, check=False)
        if check:
            assert result.returncode == 0, \
                f"{command}: status {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
        return result

    def start(self, *command, **options):
        """A process in there that is not waited for."""
        return subprocess.Popen(self.enter(command), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def shell(self, script, **options):
        return self.run("sh", "-c", script, **options)

    def text(self, *command, **options):
        return self.run(*command, **options).stdout.strip()

    def json(self, *command, **options):
        return json.loads(self.run(*command, **options).stdout)

    def show(self, prop, unit="annad.service"):
        return self.text("systemctl", "show", "--value", "-p", prop, unit)

    def path(self, inside):
        """A path in there as seen from here."""
        return pathlib.Path(f"/proc/{self.leader}/root") / str(inside).lstrip("/")

    def write(self, inside, text):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def copy(self, source, inside):
        target = self.path(inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        return "/" + str(inside).lstrip("/")

    # --- Anna in there ---

    def status(self):
        # 10 and 11 stand for degraded and critical: an answer too.
        said = self.run("annactl", "status", "--json", check=False)
        assert said.returncode in (0, 10, 11), said.stderr
        return json.loads(said.stdout)

    def events(self, kind):
        said = self.text("annactl", "events", "--json", "--limit", "0", "--kind", kind)
        return [json.loads(line) for line in said.splitlines()]

    def journal(self, unit="annad"):
        self.run("journalctl", "--sync", check=False)
        said = self.text("journalctl", "-u", unit, "-o", "json", "--no-pager")
        return [json.loads(line) for line in said.splitlines()]

    def log(self):
        return self.run("journalctl", "--no-pager", "-n", "60", check=False).stdout

    def wait(self, condition, seconds=20, what="the condition"):
        return wait_for(condition, seconds, what, self.log)

    # --- ends ---

    def close(self):
        """PID 1 takes everything in there along."""
        if self.process.poll() is None:
            try:
                os.kill(getattr(self, "leader", None) or self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        remove_groups(self.name, self.names)
