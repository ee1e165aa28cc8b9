# SPDX-License-Identifier: Apache-2.0
"""annactl upgrade on a real machine: every check fails once, every step fails once, and what a kill
leaves is repaired.
"""

import json
import subprocess

import pytest

from conftest import install
from machine import wait_for

STATE = "/var/lib/anna-upgrade/state"
CHECKS = ["installed", "package", "version", "program", "dependencies", "configuration", "formats",
    "space", "daemon"]


def check(machine, package, *options):
    """({check: (verdict, detail)}, exit status) of --check."""
    inside = machine.copy(package, "/root/next.deb")
    said = machine.run("annactl", "upgrade", "--json", "--check", *options, inside, check=False)
    found = json.loads(said.stdout)
    verdicts = {row["check"]: (row["verdict"], row["detail"]) for row in found["checks"]}
    assert list(verdicts) == CHECKS
    assert found["all_hold"] == (said.returncode == 0)
    return verdicts, said.returncode


def failed(verdicts):
    return {name: detail for name, (verdict, detail) in verdicts.items() if verdict == "failed"}


def control(tree, field, value):
    path = tree / "DEBIAN/control"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(field + ":")]
    lines.insert(1, f"{field}: {value}")
    path.write_text("\n".join(lines) + "\n")


def wrap(tree, script):
    """Puts a script in place of annad, which it finds as annad.real."""
    annad = tree / "usr/sbin/annad"
    annad.rename(tree / "usr/lib/anna/annad.real")
    annad.write_text("#!/bin/sh\nreal=${0%/*}/../lib/anna/annad.real\n" + script + '\nexec "$real" "$@"\n')
    annad.chmod(0o755)


# --- checks ---


def test_a_good_package_holds_every_check_and_changes_nothing(anna, packages):
    before = anna.status()
    verdicts, status = check(anna, packages.newer())
    assert failed(verdicts) == {} and status == 0
    after = anna.status()
    assert (before["pid"], before["build"]) == (after["pid"], after["build"])
    assert anna.text("ls", "/var/lib/anna-upgrade") == "lock"


BAD_PACKAGES = {
    # the check that must fail: (what is done to the package, a part of what is said)
    "package": (lambda p, tree: control(tree, "Package", "banna"), "it is the package banna"),
    "architecture": (lambda p, tree: control(tree, "Architecture", "s390x"), "it is for s390x"),
    "program": (lambda p, tree: (tree / "usr/sbin/annad").write_text("#!/bin/sh\nexit 1\n"),
        "does not say what it is"),
    "annactl": (lambda p, tree: (tree / "usr/bin/annactl").write_text("#!/bin/sh\nexit 9\n"),
        "annactl ended with 9"),
    "dependencies": (lambda p, tree: control(tree, "Depends", "no-such-package-of-anna"),
        "apt-get ended with 100"),
    "configuration": (lambda p, tree: wrap(tree, '[ "$1" = --check ] && { echo no; exit 5; }'),
        "the new annad refuses it: no"),
    "formats": (lambda p, tree: wrap(tree, '[ "$2" = formats ] && { echo \'{"journal":2,'
        '"journal_features":0,"state":1,"generation":1}\'; exit 0; }'), "the journal in format 2"),
    "space": (lambda p, tree: control(tree, "Installed-Size", "900000000"), "are needed"),
}


@pytest.mark.parametrize("name", BAD_PACKAGES)
def test_a_bad_package_fails_its_check(anna, packages, name):
    change, text = BAD_PACKAGES[name]

    def make(tree):
        packages.restamp(tree, packages.next_number(), "bad")
        change(packages, tree)
    package = packages.make(f"bad-{name}", make, packages.next_number())
    verdicts, status = check(anna, package)
    wanted = {"architecture": "package", "annactl": "program"}.get(name, name)
    assert status == 5
    assert text in failed(verdicts).get(wanted, ""), verdicts


def test_a_damaged_package_fails(anna, packages):
    def damage(tree):
        path = tree / "usr/share/anna/config.toml"
        path.write_text(path.read_text() + "#\n")
    package = packages.make("damaged", damage, packages.next_number(), is_whole=False)
    verdicts, status = check(anna, package)
    assert "did NOT match" in failed(verdicts)["package"] and status == 5
    assert {verdict for verdict, _ in verdicts.values()} == {"ok", "failed", "unknown"}
    cut = packages.folder / "cut.deb"
    cut.write_bytes(packages.newer().read_bytes()[:200000])
    verdicts, status = check(anna, cut)
    assert "package" in failed(verdicts) and status == 5


def test_a_sum_that_is_given_must_be_the_files(anna, packages):
    package = packages.newer()
    right = subprocess.run(["sha256sum", str(package)], capture_output=True, text=True,
        check=True).stdout.split()[0]
    assert check(anna, package, "--sha256", right)[1] == 0
    verdicts, status = check(anna, package, "--sha256", "0" * 64)
    assert "SHA-256" in failed(verdicts)["package"] and status == 5


def test_one_that_is_not_newer_fails_unless_that_is_meant(anna, packages):
    verdicts, status = check(anna, packages.real)
    assert "is not newer" in failed(verdicts)["version"]
    assert "the very build that is installed" in failed(verdicts)["program"] and status == 5
    older = packages.make("older", lambda tree: packages.restamp(tree, packages.number, "older"),
        f"{packages.number}~older")
    assert "version" in failed(check(anna, older)[0])
    assert check(anna, older, "--allow-downgrade")[1] == 0


def test_a_configuration_the_new_one_cannot_read_fails(anna, packages):
    anna.write("/etc/anna/conf.d/private.toml", "[daemon]\nlog_level = \"debug\"\n")
    anna.run("chmod", "600", "/etc/anna/conf.d/private.toml")
    verdicts, status = check(anna, packages.newer())
    anna.run("rm", "/etc/anna/conf.d/private.toml")
    assert "configuration" in failed(verdicts) and status == 5


def test_a_stopped_daemon_fails(anna, packages):
    anna.run("systemctl", "stop", "annad")
    verdicts, status = check(anna, packages.newer())
    anna.run("systemctl", "start", "annad")
    assert "annad.service is not active" in failed(verdicts)["daemon"] and status == 5


def test_a_running_daemon_that_is_not_the_installed_one_fails(anna, packages):
    """The predecessor compared the client on disk with itself here."""
    tree = packages.folder / "other"
    subprocess.run(["dpkg-deb", "-x", str(packages.newer()), str(tree)], check=True)
    anna.copy(tree / "usr/sbin/annad", "/root/annad")
    anna.run("chmod", "755", "/root", "/root/annad")
    anna.write("/etc/systemd/system/annad.service.d/other.conf",
        "[Service]\nExecStart=\nExecStart=/root/annad --config /etc/anna/config.toml\n")
    anna.run("systemctl", "daemon-reload")
    anna.run("systemctl", "restart", "annad")
    verify = anna.run("annactl", "upgrade", "--verify", "--wait", "0s", check=False)
    verdicts, status = check(anna, packages.newer(), "--wait", "0s")
    anna.run("rm", "/etc/systemd/system/annad.service.d/other.conf")
    anna.run("systemctl", "daemon-reload")
    anna.run("systemctl", "restart", "annad")
    assert "the daemon that answers is " + packages.next_number() in failed(verdicts)["daemon"]
    assert status == 5 and verify.returncode == 1
    assert anna.run("annactl", "upgrade", "--verify").returncode == 0


def test_changed_files_leave_nothing_to_go_back_to(anna, packages):
    anna.run("cp", "-a", "/usr/lib/anna/activate", "/root/activate")
    anna.shell("echo '# changed' >> /usr/lib/anna/activate")
    verdicts, status = check(anna, packages.newer())
    anna.run("cp", "-a", "/root/activate", "/usr/lib/anna/activate")
    assert "/usr/lib/anna/activate is not as the package had it" in failed(verdicts)["installed"]
    assert status == 5


def test_only_root_and_only_one_thing_at_a_time(anna):
    assert anna.run("runuser", "-u", "daemon", "--", "annactl", "upgrade", "/x.deb",
        check=False).returncode == 4
    assert anna.run("annactl", "upgrade", check=False).returncode == 2
    assert anna.run("annactl", "upgrade", "--resume", "--back", check=False).returncode == 2
    assert "no upgrade was interrupted" in anna.text("annactl", "upgrade", "--resume")
    anna.run("chmod", "777", "/var/lib/anna-upgrade")
    refused = anna.run("annactl", "upgrade", "--resume", check=False)
    anna.run("chmod", "711", "/var/lib/anna-upgrade")
    assert refused.returncode == 4 and "only root may write" in refused.stderr


# --- steps ---


def test_an_upgrade_is_verified_and_told_as_a_chain(fresh, packages):
    inside = fresh.copy(packages.newer(), "/root/next.deb")
    result = fresh.json("annactl", "upgrade", "--json", inside)
    assert result["result"] == "upgraded" and result["all_hold"]
    assert fresh.status()["build"].startswith("new1")
    started, finished = fresh.events("upgrade.started")[0], fresh.events("upgrade.finished")[0]
    assert finished["cause"] == started["id"]
    assert finished["attributes"]["from"] == packages.version
    assert finished["attributes"]["to"] == packages.next_number()
    assert not fresh.path(STATE).exists()
    assert fresh.text("dpkg-deb", "-f", "/var/lib/anna-upgrade/previous.deb", "Version") == \
        packages.version
    back = fresh.json("annactl", "upgrade", "--json", "--back")
    assert back["result"] == "went_back" and fresh.status()["build"] == packages.build()
    assert fresh.text("dpkg", "--verify", "anna") == ""


@pytest.mark.parametrize("name, end", [("exits", "exit 1"), ("hangs", "exec sleep 1000"),
    ("lies", 'exec "${{0%/*}}/../lib/anna/annad.real" --state-dir /var/lib/anna --config none')])
def test_one_that_does_not_get_ready_is_rolled_back(fresh, packages, name, end):
    fresh.write("/etc/systemd/system/annad.service.d/t.conf", "[Service]\nTimeoutStartSec=3\n")
    fresh.run("systemctl", "daemon-reload")
    event = fresh.json("annactl", "emit", "test.before", "--json")["id"]
    number = packages.next_number(2)

    def change(tree):
        # The liar's binary is the old one under a new name: it starts, and answers as the old.
        if name != "lies":
            packages.restamp(tree, number, name)
        annad = tree / "usr/sbin/annad"
        annad.rename(tree / "usr/lib/anna/annad.real")
        annad.write_text(f"""#!/bin/sh
case "$*" in
--version) echo "annad {number} (build {name})" ;;
--check*|--show*) exec "${{0%/*}}/../lib/anna/annad.real" "$@" ;;
*) {end.format()} ;;
esac
""")
        annad.chmod(0o755)
    inside = fresh.copy(packages.make(f"bad-{name}", change, number), "/root/next.deb")
    said = fresh.run("annactl", "upgrade", "--json", "--wait", "2s", inside, check=False, seconds=90)
    result = json.loads(said.stdout)
    assert said.returncode == 1 and result["result"] == "rolled_back", said
    assert result["all_hold"] is True
    status = fresh.status()
    assert status["build"] == packages.build() and status["state"] == "running"
    rolled = fresh.events("upgrade.rolled_back")[0]
    assert rolled["cause"] == fresh.events("upgrade.started")[0]["id"] and rolled["attributes"]["reason"]
    assert event in [e["id"] for e in fresh.events("test.before")]
    assert fresh.text("dpkg", "--verify", "anna") == "" and fresh.text("dpkg", "--audit") == ""
    assert not fresh.path(STATE).exists()
    error = json.loads(said.stderr.strip().splitlines()[-1])
    assert "runs again" in json.dumps(error)


# --- what a kill leaves ---


def slow_package(packages):
    """A good next one whose postinst stops in the middle until it may go on."""
    def change(tree):
        packages.restamp(tree, packages.next_number(), "slow")
        path = tree / "DEBIAN/postinst"
        path.write_text(path.read_text().replace("configure)\n",
            "configure)\n\ttouch /root/here\n\twhile [ ! -e /root/go ]; do read -t 1 x </dev/zero || "
            "sleep 0.1; done\n", 1))
    return packages.make("slow", change, packages.next_number())


def start_and_kill(machine, packages):
    """An upgrade whose annactl is killed while dpkg runs the postinst."""
    inside = machine.copy(slow_package(packages), "/root/next.deb")
    upgrade = machine.start("annactl", "upgrade", inside)
    wait_for(lambda: machine.path("/root/here").exists(), 30, "the postinst", machine.log)
    pid = machine.text("pgrep", "-x", "annactl")
    machine.run("kill", "-KILL", pid)
    upgrade.communicate(timeout=20)
    assert json.loads(machine.path(STATE).read_text())["phase"] == "installing"


def test_killed_while_dpkg_works_the_next_run_waits_and_goes_on(fresh, packages):
    start_and_kill(fresh, packages)
    resume = fresh.start("annactl", "upgrade", "--resume")
    assert "waiting for the upgrade that runs" in resume.stdout.readline()
    fresh.run("touch", "/root/go")
    said = resume.communicate(timeout=60)[0]
    assert resume.returncode == 0 and "the upgrade is finished" in said, said
    assert fresh.status()["build"].startswith("slow")
    assert not fresh.path(STATE).exists()
    assert fresh.events("upgrade.finished")[0]["cause"] == fresh.events("upgrade.started")[0]["id"]


def test_killed_with_its_dpkg_the_next_run_goes_back(fresh, packages):
    start_and_kill(fresh, packages)
    fresh.shell("pkill -KILL -x dpkg; pkill -KILL -f 'anna[.]postinst'; true")
    said = fresh.run("annactl", "upgrade", "--resume", seconds=90)
    assert "interrupted while dpkg was at work" in json.dumps(
        [e["attributes"] for e in fresh.events("upgrade.rolled_back")]) , said.stdout
    assert fresh.status()["build"] == packages.build()
    assert fresh.text("dpkg", "--audit") == "" and not fresh.path(STATE).exists()


def test_any_next_run_repairs_first(fresh, packages):
    start_and_kill(fresh, packages)
    fresh.shell("pkill -KILL -x dpkg; pkill -KILL -f 'anna[.]postinst'; true")
    fresh.run("annactl", "upgrade", fresh.copy(packages.newer(3), "/root/n3.deb"), seconds=90)
    assert fresh.events("upgrade.rolled_back") and fresh.events("upgrade.finished")
    assert fresh.status()["build"].startswith("new3")


@pytest.mark.parametrize("phase", ["keeping", "verifying", "returning"])
def test_killed_in_any_other_phase_is_repaired(fresh, packages, phase):
    fresh.run("annactl", "upgrade", fresh.copy(packages.newer(), "/root/n.deb"))
    build = fresh.status()["build"]
    old = {"package": packages.version, "number": packages.number, "build": packages.build()}
    new = {"package": packages.next_number(), "number": packages.next_number(), "build": build}
    record = {"format": 1, "phase": phase, "from": old, "to": new, "event": 0, "reason": "a test"}
    fresh.path(STATE).write_text(json.dumps(record))
    said = fresh.text("annactl", "upgrade", "--resume")
    assert f"ended while {phase}" in said
    assert fresh.status()["build"] == (packages.build() if phase == "returning" else build)
    assert not fresh.path(STATE).exists()


def test_a_damaged_record_is_not_guessed_at(anna):
    anna.path(STATE).write_text("{")
    refused = anna.run("annactl", "upgrade", "--resume", check=False)
    anna.run("rm", STATE)
    assert refused.returncode != 0 and "not a record of an upgrade" in refused.stderr


# --- the way back for the configuration ---


def test_the_old_one_starts_with_the_last_generation_it_wrote(fresh, packages):
    """The new one knew an option the old one does not; the file now says it."""
    fresh.write("/etc/anna/conf.d/mine.toml", "[daemon]\nstop_timeout = \"3s\"\n")
    fresh.run("systemctl", "reload", "annad")
    own = fresh.status()["generation"]

    def change(tree):
        packages.restamp(tree, packages.next_number(), "knows")
        # The same length: what the new one calls stop_tymeout is the old one's stop_timeout.
        annad = tree / "usr/sbin/annad"
        content = annad.read_bytes()
        assert content.count(b"stop_timeout\\0".replace(b"\\0", b"\0")) >= 1
        annad.write_bytes(content.replace(b"stop_timeout\0", b"stop_tymeout\0"))
    fresh.path("/etc/anna/conf.d/mine.toml").unlink()
    fresh.run("systemctl", "reload", "annad")
    own = fresh.status()["generation"]
    fresh.run("annactl", "upgrade", fresh.copy(
        packages.make("knows", change, packages.next_number()), "/root/n.deb"))
    fresh.write("/etc/anna/conf.d/mine.toml", "[daemon]\nstop_tymeout = \"4s\"\n")
    fresh.run("systemctl", "reload", "annad")
    history = {g["number"]: g for g in fresh.json("annactl", "config", "history", "--json")["generations"]}
    newest = fresh.status()["generation"]
    assert newest > own and history[newest]["writer"] == packages.next_number()
    assert history[own]["writer"] == packages.number
    fresh.run("annactl", "upgrade", "--back")
    status = fresh.status()
    assert status["build"] == packages.build() and status["generation"] == own
    assert any("written by annad " + packages.next_number() in str(line.get("MESSAGE"))
        for line in fresh.journal())


def test_installing_over_a_kept_previous_does_not_need_annactl_upgrade(fresh, packages):
    fresh.run("annactl", "upgrade", fresh.copy(packages.newer(), "/root/n.deb"))
    said = install(fresh, packages.newer(3))
    assert "runs and answers" in said.stdout and fresh.status()["build"].startswith("new3")
