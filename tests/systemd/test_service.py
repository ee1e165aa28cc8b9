# SPDX-License-Identifier: Apache-2.0
"""Anna as a service under a real systemd: what `apt install` gives, and how she lives in it. The tests
share one machine; each leaves the service running.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "packaging" / "annad.service"
DROPINS = sorted((ROOT / "packaging" / "dropins").glob("*.conf"))
MOST = 1.5


def exposure(folder):
    said = subprocess.run(["systemd-analyze", "security", "--offline=yes", str(folder / "annad.service")],
        capture_output=True, text=True, check=False)
    return float(re.search(r"Overall exposure level for annad.service: ([0-9.]+)", said.stdout)[1])


def drop_in(machine, name, text):
    machine.write(f"/etc/systemd/system/annad.service.d/{name}.conf", text)
    machine.run("systemctl", "daemon-reload")


def remove_drop_in(machine, name):
    machine.run("rm", f"/etc/systemd/system/annad.service.d/{name}.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "annad")


def add_mapping(machine, name, script):
    machine.write(f"/etc/anna/conf.d/{name}.toml", f'''
[[mappings]]
name = "{name}"
on = "test.{name}"
action = {{ type = "exec", shell = """{script}""" }}
''')
    machine.run("systemctl", "reload", "annad")


def act(machine, name):
    """Emits the mapping's event and gives the attributes of its action.finished."""
    event = machine.json("annactl", "emit", f"test.{name}", "--json")["id"]

    def finished():
        return next((e for e in machine.events("action.finished") if e.get("cause") == event
            or e["attributes"].get("mapping") == name and e["id"] > event), None)
    return machine.wait(finished, 20, f"the end of the action {name}")["attributes"]


# --- installed ---


def test_apt_install_gives_a_running_service(anna, packages):
    assert anna.show("ActiveState") == "active"
    assert anna.show("UnitFileState") == "enabled"
    status = anna.status()
    assert status["state"] == "running" and status["build"] == packages.build()
    pid = anna.show("MainPID")
    assert anna.text("stat", "-c", "%U %G", f"/proc/{pid}") == "anna anna"
    assert "runs and answers" in anna.installed.stdout


def test_what_is_hers_has_her_owner_and_what_is_roots_has_root(anna):
    assert anna.text("stat", "-c", "%U %G %a", "/var/lib/anna", "/run/anna/annad.sock",
        "/etc/anna", "/etc/anna/config.toml", "/var/lib/anna-upgrade").splitlines() == [
        "anna anna 750", "anna anna 660", "root root 755", "root root 644", "root root 711"]


def test_the_configuration_installed_is_the_default_in_comments(anna):
    text = anna.text("cat", "/etc/anna/config.toml")
    assert text == anna.text("annad", "--show", "default")
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_unit_is_kept_for_the_doctor_to_compare(anna):
    anna.run("cmp", "/lib/systemd/system/annad.service", "/usr/share/anna/annad.service")


def test_manual_pages_completions_and_examples_are_there(anna):
    for path in ("man/man8/annad.8.gz", "man/man1/annactl.1.gz", "man/man5/anna.toml.5.gz",
            "bash-completion/completions/annactl", "fish/vendor_completions.d/annactl.fish",
            "zsh/vendor-completions/_annactl", "anna/dropins/network.conf", "doc/anna/copyright"):
        anna.run("test", "-s", f"/usr/share/{path}")


# --- the unit ---


def test_the_unit_has_nothing_to_complain_about(anna):
    said = anna.run("systemd-analyze", "verify", "--man=no", "annad.service")
    assert said.stdout + said.stderr == ""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
def test_the_exposure_is_low_and_nothing_that_blinds_is_set(tmp_path):
    shutil.copy(UNIT, tmp_path)
    assert exposure(tmp_path) <= MOST
    text = UNIT.read_text()
    assert not re.search(r"^(ProcSubset=pid|ProtectProc=(invisible|noaccess|ptraceable)|PrivateUsers=y)",
        text, re.M)


def test_the_running_unit_is_as_tight_as_the_file(anna):
    said = anna.text("systemd-analyze", "security", "annad.service")
    assert float(re.search(r"annad.service: ([0-9.]+)", said)[1]) <= MOST


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not there")
@pytest.mark.parametrize("dropin", DROPINS, ids=lambda path: path.stem)
def test_each_drop_in_names_its_cost(dropin, tmp_path):
    shutil.copy(UNIT, tmp_path)
    before = exposure(tmp_path)
    (tmp_path / "annad.service.d").mkdir()
    shutil.copy(dropin, tmp_path / "annad.service.d")
    text = dropin.read_text()
    assert f"# Cost: exposure {before} -> {exposure(tmp_path)}." in text


@pytest.mark.parametrize("dropin", DROPINS, ids=lambda path: path.stem)
def test_she_starts_with_each_drop_in(anna, dropin):
    if dropin.stem == "kernel-log" and not anna.path("/dev/kmsg").exists():
        anna.run("mknod", "-m", "640", "/dev/kmsg", "c", "1", "11")
    anna.run("install", "-d", "-m", "0700", "/etc/anna/credentials")
    drop_in(anna, "x", dropin.read_text())
    try:
        anna.run("systemctl", "restart", "annad")
        assert anna.status()["state"] == "running"
    finally:
        anna.run("systemctl", "reset-failed", "annad")
        remove_drop_in(anna, "x")


def test_a_credential_reaches_her(anna):
    anna.run("install", "-d", "-m", "0700", "/etc/anna/credentials")
    anna.write("/etc/anna/credentials/token", "secret of the test\n")
    drop_in(anna, "x", (ROOT / "packaging/dropins/credentials.conf").read_text())
    try:
        anna.run("systemctl", "restart", "annad")
        pid = anna.show("MainPID")
        said = anna.text("nsenter", "-t", pid, "-m", "cat",
            "/run/credentials/annad.service/anna_token")
        assert said == "secret of the test"
    finally:
        remove_drop_in(anna, "x")


# --- life ---


def test_a_good_reload_succeeds_and_is_in_force_when_it_returns(anna):
    before = anna.status()["generation"]
    anna.write("/etc/anna/conf.d/level.toml", "[daemon]\nlog_level = \"debug\"\n")
    anna.run("systemctl", "reload", "annad")
    assert anna.status()["generation"] > before
    anna.run("rm", "/etc/anna/conf.d/level.toml")
    anna.run("systemctl", "reload", "annad")
    assert anna.show("ActiveState") == "active"


def test_a_refused_reload_fails_says_why_and_changes_nothing(anna):
    before, pid = anna.status()["generation"], anna.show("MainPID")
    anna.write("/etc/anna/conf.d/bad.toml", "[daemon]\nlog_lefel = \"debug\"\n")
    refused = anna.run("systemctl", "reload", "annad", check=False)
    anna.run("rm", "/etc/anna/conf.d/bad.toml")
    assert refused.returncode != 0
    assert (anna.status()["generation"], anna.show("MainPID")) == (before, pid)
    assert any("bad.toml:2:1" in line.get("MESSAGE", "") and "log_level" in line["MESSAGE"]
        for line in anna.journal() if isinstance(line.get("MESSAGE"), str))
    anna.run("systemctl", "reload", "annad")


def test_a_restart_keeps_what_was_acknowledged(anna):
    event = anna.json("annactl", "emit", "test.kept", "--json")["id"]
    pid = anna.show("MainPID")
    anna.run("systemctl", "restart", "annad")
    assert anna.show("MainPID") != pid
    assert event in [e["id"] for e in anna.events("test.kept")]
    assert anna.events("daemon.started")[-1]["attributes"]["was_clean"] is True


def test_a_frozen_daemon_is_killed_by_the_watchdog_and_comes_back_whole(anna):
    drop_in(anna, "watchdog", "[Service]\nWatchdogSec=1\n")
    anna.run("systemctl", "restart", "annad")
    event = anna.json("annactl", "emit", "test.frozen", "--json")["id"]
    restarts = int(anna.show("NRestarts"))
    anna.run("kill", "-STOP", anna.show("MainPID"))
    anna.wait(lambda: int(anna.show("NRestarts")) > restarts, 20, "the restart by the watchdog")
    anna.wait(lambda: anna.show("ActiveState") == "active", 20, "the service")
    assert event in [e["id"] for e in anna.events("test.frozen")]
    assert anna.events("daemon.started")[-1]["attributes"]["was_clean"] is False
    assert any("atchdog timeout" in str(line.get("MESSAGE")) for line in anna.journal())
    remove_drop_in(anna, "watchdog")


def test_a_busy_daemon_is_not_killed_by_the_watchdog(anna):
    drop_in(anna, "watchdog", "[Service]\nWatchdogSec=1\n")
    anna.run("systemctl", "restart", "annad")
    pid = anna.show("MainPID")
    anna.shell("i=0; end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do "
        "annactl emit test.busy >/dev/null; done")
    assert anna.show("MainPID") == pid
    remove_drop_in(anna, "watchdog")


def memory_limit(anna):
    for path in ("/sys/fs/cgroup/memory/system.slice/annad.service/memory.limit_in_bytes",
            "/sys/fs/cgroup/system.slice/annad.service/memory.max"):
        if anna.path(path).exists():
            return anna.path(path).read_text().strip()
    return None


def test_the_kernel_holds_her_to_80_megabytes(anna):
    limit = memory_limit(anna)
    if limit is None:
        pytest.skip("there is no memory controller in this machine's control groups")
    assert limit == str(80 * 1024 * 1024)


def test_an_action_that_eats_memory_dies_alone(anna):
    if memory_limit(anna) is None:
        pytest.skip("there is no memory controller in this machine's control groups")
    add_mapping(anna, "eater", "exec perl -e '$x = q(a) x 200000000; print length $x'")
    pid = anna.show("MainPID")
    finished = act(anna, "eater")
    assert finished["ok"] is False and finished.get("signal") in (9, "KILL", "SIGKILL"), finished
    assert anna.show("MainPID") == pid and anna.status()["state"] == "running"


def test_more_than_her_limit_kills_and_restarts_her(anna):
    if memory_limit(anna) is None:
        pytest.skip("there is no memory controller in this machine's control groups")
    pid = anna.show("MainPID")
    # Nothing in her grows that far, so a process that counts as her main one does it for her.
    drop_in(anna, "eater", "[Service]\nExecStart=\nType=simple\nWatchdogSec=0\n"
        "ExecStart=/usr/bin/perl -e 'select(undef, undef, undef, 0.3); $x = q(a) x 200000000; sleep 60'\n")
    anna.run("systemctl", "restart", "annad")
    restarts = int(anna.show("NRestarts"))
    anna.wait(lambda: int(anna.show("NRestarts")) > restarts, 20, "the restart after the kill")
    anna.run("systemctl", "stop", "annad")
    remove_drop_in(anna, "eater")
    assert anna.status()["state"] == "running" and anna.show("MainPID") != pid


def test_stop_is_orderly_and_final(anna):
    anna.run("systemctl", "stop", "annad")
    assert (anna.show("ActiveState"), anna.show("Result")) == ("inactive", "success")
    assert anna.run("annactl", "ping", check=False).returncode == 3
    anna.run("systemctl", "start", "annad")
    assert anna.status()["state"] == "running"


def test_a_crash_is_restarted_and_a_wrong_command_line_is_not(anna):
    pid = anna.show("MainPID")
    anna.run("kill", "-SEGV", pid)
    anna.wait(lambda: anna.show("ActiveState") == "active" and anna.show("MainPID") != pid, 20,
        "the restart after a crash")
    drop_in(anna, "wrong", "[Service]\nExecStart=\nExecStart=/usr/sbin/annad --no-such-option x\n")
    before = int(anna.show("NRestarts"))
    assert anna.run("systemctl", "restart", "annad", check=False).returncode != 0
    assert (anna.show("ActiveState"), anna.show("ExecMainStatus")) == ("failed", "2")
    assert int(anna.show("NRestarts")) in (0, before)
    remove_drop_in(anna, "wrong")


# --- what she sees and what she may ---


def test_the_log_arrives_in_the_journal_with_its_fields(anna):
    lines = [line for line in anna.journal() if line.get("_COMM") == "annad"]
    ready = [line for line in lines if line.get("MESSAGE") == "starting -> running: ready"]
    assert ready and ready[-1]["PRIORITY"] == "6"
    assert ready[-1]["ANNA_FOLDER"] == "daemon" and ready[-1]["SYSLOG_IDENTIFIER"] == "annad"
    assert ready[-1]["_TRANSPORT"] == "journal"


def test_an_error_has_the_priority_of_one(anna):
    anna.write("/etc/anna/conf.d/bad.toml", "[daemon]\nlog_lefel = 1\n")
    anna.run("systemctl", "reload", "annad", check=False)
    anna.run("rm", "/etc/anna/conf.d/bad.toml")
    refused = [line for line in anna.journal() if line.get("_COMM") == "annad"
        and "was refused" in str(line.get("MESSAGE"))]
    assert refused and int(refused[-1]["PRIORITY"]) <= 4
    anna.run("systemctl", "reload", "annad")


LOOK = r"""
head -n 1 /proc/stat
echo comm $(cat /proc/1/comm)
echo mounts $(grep -c . /proc/1/mountinfo)
echo home $(stat -f -c %b /home)
echo sys $(ls /sys/class/net)
echo writes $(touch /usr/x /etc/x /var/lib/x 2>&1 | grep -c Read-only)
echo groups $(cat /proc/self/cgroup | sed -n 's/^0:://p')
echo privileges $(sed -n 's/^NoNewPrivs:\s*//p' /proc/self/status)
echo nofile $(ulimit -n)
"""


@pytest.fixture(scope="module")
def seen(anna):
    # A size that nothing else here has.
    anna.run("mount", "-t", "tmpfs", "-o", "size=7m", "home", "/home")
    anna.run("systemctl", "restart", "annad")
    add_mapping(anna, "look", LOOK.replace("\\", "\\\\"))
    output = act(anna, "look")["output"]
    words = {}
    for line in output.splitlines():
        name, _, rest = line.partition(" ")
        words[name] = rest
    return words


def test_in_the_sandbox_she_sees_the_machine(anna, seen):
    assert seen["cpu"].strip()
    assert seen["comm"] == "systemd"
    assert int(seen["mounts"]) > 5
    assert seen["home"] == anna.text("stat", "-f", "-c", "%b", "/home") == str(7 * 256)
    assert "lo" in seen["sys"]


def test_in_the_sandbox_she_writes_nowhere_else(seen):
    assert seen["writes"] == "3"
    assert seen["privileges"] == "1"


def test_her_own_view_is_of_the_machine(anna):
    """Not through an action: what annad herself measures."""
    metrics = anna.text("annactl", "metrics")
    total = int(re.search(r"^MemTotal:\s+(\d+)", anna.text("cat", "/proc/meminfo"), re.M)[1]) * 1024
    assert f"node_memory_MemTotal_bytes {total}" in metrics
    assert re.search(r'^node_cpu_seconds_total\{cpu="0",mode="user"\}', metrics, re.M)


def readonly(anna, point):
    found = re.search(rf'^node_filesystem_readonly{{.*mountpoint="{point}"}} (\d)',
        anna.text("annactl", "metrics"), re.M)
    return found and found[1]


def test_the_sandbox_is_not_taken_for_the_machine(anna):
    """In it all is read-only, and there are mounts that the machine does not have."""
    anna.run("mkdir", "-p", "/mnt/disk")
    anna.run("mount", "-t", "tmpfs", "disk", "/mnt/disk")
    anna.run("systemctl", "restart", "annad")
    try:
        anna.wait(lambda: readonly(anna, "/mnt/disk") is not None, 20, "the figure")
        assert readonly(anna, "/mnt/disk") == "0"
        assert "/run/systemd/incoming" not in anna.text("annactl", "metrics")
        anna.run("mount", "-o", "remount,ro", "/mnt/disk")
        anna.wait(lambda: readonly(anna, "/mnt/disk") == "1", 20, "what turned read-only")
    finally:
        anna.run("umount", "/mnt/disk")


def test_she_knows_who_is_at_the_other_end(anna):
    anna.run("runuser", "-u", "daemon", "--", "annactl", "reload", check=False)
    anna.run("annactl", "reload")
    called = anna.events("rpc.called")
    assert called[-1]["attributes"]["uid"] == 0
    denied = anna.run("runuser", "-u", "daemon", "--", "annactl", "status", check=False)
    assert denied.returncode in (3, 4), denied.stderr
    anna.run("usermod", "-aG", "anna", "daemon")
    emitted = anna.run("runuser", "-u", "daemon", "--", "annactl", "emit", "test.peer")
    assert "in the journal" in emitted.stdout
    refused = anna.run("runuser", "-u", "daemon", "--", "annactl", "stop", check=False)
    assert refused.returncode == 4 and anna.show("ActiveState") == "active"


def test_an_action_runs_in_a_group_of_its_own(anna, seen):
    own = next(line.split("::", 1)[1] for line in
        anna.text("cat", f"/proc/{anna.show('MainPID')}/cgroup").splitlines() if line.startswith("0::"))
    if own == "/":
        pytest.skip("there is no cgroup v2 in this machine")
    assert own.endswith("/annad.service/annad")
    assert seen["groups"].startswith(own.removesuffix("annad")) and seen["groups"] != own


CONNECT = ("perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => shift, Timeout => 2)"
    " ? q(open) : q(closed)' {}")
LISTEN = ("perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => q(0.0.0.0:9), "
    "Listen => 5, ReuseAddr => 1) or die; $| = 1; print qq(ready\n); 1 while $s->accept'")


def test_an_action_reaches_this_machine_but_no_other(anna):
    if not shutil.which("ip"):
        pytest.skip("ip is not there (package iproute2)")
    # 192.0.2.0/24 is nobody's (RFC 5737): an address that is not loopback, yet on this machine.
    subprocess.run(["nsenter", "-t", str(anna.leader), "-n", "ip", "address", "replace",
        "192.0.2.1/32", "dev", "lo"], check=True)
    listener = anna.start("sh", "-c", LISTEN)
    try:
        assert listener.stdout.readline() == "ready\n"
        assert anna.shell(CONNECT.format("192.0.2.1:9")).stdout == "open"  # outside the sandbox
        add_mapping(anna, "near", CONNECT.format("127.0.0.1:9"))
        add_mapping(anna, "far", CONNECT.format("192.0.2.1:9"))
        assert act(anna, "near")["output"] == "open"
        far = act(anna, "far")["output"]
        if not any(anna.path(f"/sys/fs/cgroup/{v2}cgroup.procs").exists() for v2 in ("", "unified/")):
            pytest.skip("there is no cgroup v2 in this machine: systemd cannot filter addresses")
        assert far == "closed"
    finally:
        listener.kill()
        listener.wait()


def test_what_the_host_mounts_later_is_seen_in_the_sandbox(anna):
    anna.run("mkdir", "-p", "/mnt/later")
    anna.run("mount", "-t", "tmpfs", "later", "/mnt/later")
    try:
        assert " /mnt/later " in anna.text("cat", f"/proc/{anna.show('MainPID')}/mountinfo")
    finally:
        anna.run("umount", "/mnt/later")


# --- the helper ---

GRANTS = """
[[units]]
unit = "healed.service"
do = ["restart"]
"""


def test_a_failed_unit_is_restarted_through_the_helper(anna):
    anna.write("/etc/systemd/system/healed.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/test -e /run/is-mended\n")
    anna.write("/etc/anna/commands.d/a.toml", GRANTS)
    anna.run("systemctl", "daemon-reload")
    anna.run("systemctl", "enable", "--now", "anna-helper.socket")
    anna.write("/etc/anna/conf.d/heal.toml", '''
[[mappings]]
name = "heal"
on = "test.heal"
action = { type = "unit", unit = "{unit}", do = "restart" }
''')
    anna.run("systemctl", "reload", "annad")
    assert anna.run("systemctl", "start", "healed", check=False).returncode != 0
    anna.write("/run/is-mended", "")
    try:
        event = anna.json("annactl", "emit", "test.heal", "unit=healed.service", "--json")["id"]
        done = anna.wait(lambda: next((e for e in anna.events("action.finished")
            if e["id"] > event), None), what="the end of the action")
        assert done["attributes"]["ok"], done
        assert anna.show("ActiveState", "healed.service") == "active"
        event = anna.json("annactl", "emit", "test.heal", "unit=ssh.service", "--json")["id"]
        done = anna.wait(lambda: next((e for e in anna.events("action.finished")
            if e["id"] > event), None), what="the end of the action")
        assert "no [[units]] grant" in done["attributes"]["error"]
        said = " ".join(line["MESSAGE"] for line in anna.journal("anna-helper"))
        assert "unit.control runs /usr/bin/systemctl as root" in said
    finally:
        anna.run("rm", "-r", "/etc/anna/conf.d/heal.toml", "/etc/anna/commands.d/a.toml",
            "/etc/systemd/system/healed.service", "/run/is-mended")
        anna.run("systemctl", "stop", "healed")
        anna.run("systemctl", "disable", "--now", "anna-helper.socket")
        anna.run("systemctl", "daemon-reload")
        anna.run("systemctl", "reload", "annad")


def test_the_doctor_is_silent_about_a_service_that_is_well(anna):
    anna.run("systemctl", "restart", "annad")
    said = anna.json("annactl", "doctor", "--json", check=False)
    # The clock of a container is the host's to synchronise.
    found = [(one["id"], one["what"]) for one in said["findings"] if one["severity"] != "info"]
    assert found == [], found
    assert anna.status()["health"] in ("ok", {"level": "ok"}) or anna.status()["health"]["level"] == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_machine_is_this_suites_own(anna):
    """What every test above rests on: nothing of the host's systemd was asked."""
    assert anna.text("cat", "/proc/1/comm") == "systemd"
    assert anna.leader != 1
