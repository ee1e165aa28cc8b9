# SPDX-License-Identifier: Apache-2.0
"""The package: what apt and dpkg make of it on a machine with systemd, and without one."""

import json
import shutil
import subprocess

import pytest

from conftest import install
from machine import ROOT


def dpkg_state(machine):
    return machine.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Version}", "anna",
        check=False).stdout.strip()


def test_the_package_is_what_debian_expects(packages):
    if not shutil.which("lintian"):
        pytest.skip("lintian is not there (tools/packages systemd)")
    said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", str(packages.real)],
        capture_output=True, text=True, check=False)
    assert said.returncode == 0 and said.stdout == "", said.stdout + said.stderr


def test_it_depends_on_what_its_binaries_need(packages):
    depends = subprocess.run(["dpkg-deb", "-f", str(packages.real), "Depends"], capture_output=True,
        text=True, check=True).stdout
    assert "libc6 (>= " in depends and "systemd" in depends


def test_an_upgrade_by_apt_runs_the_new_build(fresh, packages):
    pid, event = fresh.show("MainPID"), fresh.json("annactl", "emit", "test.before", "--json")["id"]
    said = install(fresh, packages.newer())
    assert "runs and answers" in said.stdout
    status = fresh.status()
    assert status["version"] == packages.next_number() and status["build"].startswith("new1")
    assert fresh.show("MainPID") != pid
    assert event in [e["id"] for e in fresh.events("test.before")]
    assert dpkg_state(fresh) == "ii " + packages.next_number()


def test_a_downgrade_by_apt_runs_the_old_build(bare, packages):
    install(bare, packages.newer())
    install(bare, packages.real)
    assert bare.status()["build"] == packages.build()


@pytest.mark.parametrize("name, end", [("exits", "exit 1"), ("hangs", "exec sleep 1000")])
def test_one_that_does_not_get_ready_fails_loudly(fresh, packages, name, end):
    fresh.write("/etc/systemd/system/annad.service.d/t.conf", "[Service]\nTimeoutStartSec=3\n")
    fresh.run("systemctl", "daemon-reload")
    said = install(fresh, packages.broken(name, end), check=False)
    assert said.returncode != 0
    text = said.stdout + said.stderr  # apt shows what dpkg's scripts complain about on either
    assert "anna: FAILED: the new annad does not get ready" in text
    assert "journalctl -u annad -n 50" in text
    assert dpkg_state(fresh).startswith("iF")
    # And a good one mends it.
    install(fresh, packages.newer(3))
    assert dpkg_state(fresh).startswith("ii") and fresh.status()["state"] == "running"


def test_remove_stops_and_keeps_what_is_hers(fresh, packages):
    event = fresh.json("annactl", "emit", "test.kept", "--json")["id"]
    fresh.write("/etc/anna/conf.d/mine.toml", "[daemon]\nlog_level = \"debug\"\n")
    fresh.run("apt-get", "remove", "-y", "anna")
    assert fresh.run("pidof", "annad", check=False).returncode != 0
    assert not fresh.path("/usr/sbin/annad").exists()
    assert fresh.path("/var/lib/anna/journal").exists() and fresh.path("/etc/anna/config.toml").exists()
    assert fresh.text("systemctl", "list-units", "--failed", "--no-legend", "annad*") == ""
    install(fresh, packages.real)
    assert fresh.show("ActiveState") == "active" and fresh.show("UnitFileState") == "enabled"
    assert event in [e["id"] for e in fresh.events("test.kept")]


def test_purge_leaves_nothing_but_the_user(fresh):
    fresh.write("/etc/anna/conf.d/mine.toml", "[daemon]\nlog_level = \"debug\"\n")
    said = fresh.run("apt-get", "purge", "-y", "anna")
    assert "state and configuration are gone" in said.stdout
    left = fresh.text("find", "/etc", "/usr", "/var/lib", "/run", "/lib/systemd", "-xdev", "-iname",
        "*anna*", "-not", "-path", "*/private/*", check=False)
    assert [line for line in left.splitlines() if "channa" not in line] == []
    assert dpkg_state(fresh) == ""
    fresh.run("getent", "passwd", "anna")
    assert "anna" not in fresh.text("systemctl", "list-unit-files", "--no-legend")


def test_what_the_admin_switched_off_stays_off(fresh, packages):
    fresh.run("systemctl", "disable", "--now", "annad")
    said = install(fresh, packages.newer())
    assert "annad.service is disabled: it was not started" in said.stdout
    assert fresh.show("ActiveState") == "inactive"
    fresh.run("systemctl", "mask", "annad")
    said = install(fresh, packages.newer(2))
    assert "annad.service is masked: it was not started" in said.stdout


def test_policy_rc_d_is_obeyed(bare, packages):
    bare.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    bare.run("chmod", "755", "/usr/sbin/policy-rc.d")
    said = install(bare, packages.real)
    assert "policy-rc.d forbids starting services" in said.stdout
    assert bare.show("ActiveState") == "inactive" and bare.show("UnitFileState") == "enabled"


def test_without_systemd_running_it_installs_and_says_so(bare, packages):
    inside = bare.copy(packages.real, "/root/anna.deb")
    said = bare.run("unshare", "--mount", "sh", "-c",
        f"mount -t tmpfs none /run && apt-get install -y {inside}")
    assert "systemd does not run here" in said.stdout
    assert bare.path("/etc/systemd/system/multi-user.target.wants/annad.service").is_symlink()
    bare.run("getent", "passwd", "anna")
    assert dpkg_state(bare).startswith("ii")


def test_make_install_does_what_the_package_does(bare, tmp_path):
    made = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}"], cwd=ROOT, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    for top in tmp_path.iterdir():  # not the folder itself, which is 0700
        shutil.copytree(top, bare.path("/") / top.name, dirs_exist_ok=True)
    assert "runs and answers" in bare.text("/usr/local/lib/anna/activate", "--first")
    assert (bare.show("ActiveState"), bare.show("UnitFileState")) == ("active", "enabled")
    pid = bare.show("MainPID")
    assert bare.text("readlink", f"/proc/{pid}/exe") == "/usr/local/sbin/annad"
    bare.run("systemctl", "reload", "annad")
    # Once more, as an upgrade: the one that runs is replaced.
    bare.run("/usr/local/lib/anna/activate")
    assert bare.show("MainPID") != pid and bare.status()["state"] == "running"
    bare.write("/etc/systemd/system/annad.service.d/t.conf", "[Service]\nExecStart=\nExecStart=/bin/false\n")
    failed = bare.run("/usr/local/lib/anna/activate", check=False)
    assert failed.returncode == 1 and "anna: FAILED: the new annad does not get ready" in failed.stderr


def test_the_helper_is_there_and_root_switches_it_on(fresh, packages):
    if not fresh.path("/lib/systemd/system/anna-helper.socket").exists():
        pytest.skip("the package has no helper yet")
    assert fresh.show("ActiveState", "anna-helper.socket") == "inactive"
    assert fresh.run("systemd-analyze", "verify", "--man=no", "anna-helper.service").stderr == ""
    fresh.run("systemctl", "enable", "--now", "anna-helper.socket")
    fresh.run("apt-get", "remove", "-y", "anna")
    assert fresh.show("ActiveState", "anna-helper.socket") == "inactive"
    install(fresh, packages.real)
    assert fresh.show("UnitFileState", "anna-helper.socket") == "enabled"


def test_a_changed_configuration_survives_upgrade_and_the_way_back(fresh, packages):
    text = fresh.path("/etc/anna/config.toml").read_text()
    mine = "# mine\n[daemon]\nlog_level = \"debug\"\n" + text
    fresh.path("/etc/anna/config.toml").write_text(mine)

    def change(tree):
        packages.restamp(tree, packages.next_number(), "conf")
        config = tree / "etc/anna/config.toml"
        config.write_text(config.read_text() + "# of the next release\n")
        (tree / "usr/share/anna/config.toml").write_text(config.read_text())
    newer = packages.make("newer-config", change, packages.next_number())
    fresh.run("annactl", "upgrade", fresh.copy(newer, "/root/n.deb"))
    assert fresh.path("/etc/anna/config.toml").read_text() == mine
    fresh.run("annactl", "upgrade", "--back")
    assert fresh.path("/etc/anna/config.toml").read_text() == mine
    # dpkg still knows that it was changed: the next one does not overwrite it either.
    fresh.run("annactl", "upgrade", fresh.copy(packages.newer(2), "/root/n2.deb"))
    assert fresh.path("/etc/anna/config.toml").read_text() == mine


LOAD = r"""
i=0
echo begun
while [ ! -e /root/enough ]; do
	i=$((i + 1))
	until annactl emit test.load n=$i --key "load-$i" >/dev/null 2>&1; do
		[ -e /root/enough ] && exit 0
	done
	echo $i
done
"""


def test_a_clean_upgrade_loses_no_event(fresh, packages):
    newer = fresh.copy(packages.newer(), "/root/n.deb")
    load = fresh.start("sh", "-c", LOAD)
    try:
        assert load.stdout.readline() == "begun\n"
        fresh.wait(lambda: len(fresh.events("test.load")) > 20, 20, "load before the upgrade")
        fresh.run("annactl", "upgrade", newer)
        before = len(fresh.events("test.load"))
        fresh.wait(lambda: len(fresh.events("test.load")) > before + 20, 20, "load after the upgrade")
    finally:
        fresh.run("touch", "/root/enough")
        acked = [int(line) for line in load.communicate(timeout=20)[0].split()]
    kept = [e["attributes"]["n"] for e in fresh.events("test.load")]
    assert len(acked) > 40
    assert sorted(set(acked) - set(kept)) == [], "acknowledged and not there"
    assert len(kept) == len(set(kept)), "there twice"
    finished = fresh.events("upgrade.finished")[0]["id"]
    ids = [e["id"] for e in fresh.events("test.load")]
    assert min(ids) < finished < max(ids)
    assert [e for e in fresh.events("source.gap")
        if e["attributes"].get("reason", "").startswith("unclean")] == []
    assert json.dumps(fresh.events("daemon.started")[-1]["attributes"]["was_clean"]) == "true"
