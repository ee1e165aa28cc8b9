# SPDX-License-Identifier: Apache-2.0
"""annactl doctor as a person and a program meet it: its words, exit statuses, explain, fix with its
audit and undo, report without secrets. The faults themselves are in test_doctor_faults.py."""

import json
import os
import signal
import stat
import subprocess
import tarfile

import pytest

from conftest import BIN, PATIENCE
from test_doctor_faults import Ward, expected_anyway, find_process

QUIET = "[health]\nmemory_warn = \"900MB\"\nmemory_critical = \"950MB\"\n"


@pytest.fixture
def ward(anna, runs_commands):
    anna.is_crash_expected = True
    made = Ward(anna)
    yield made
    made.finish()
    if anna.is_alive():
        anna.kill9()


def test_a_healthy_daemon_is_told_in_words_with_what_was_not_looked_at(ward):
    ward.anna.start(QUIET)
    result = ward.doctor("doctor")
    assert result.status == 0, result
    assert "checks made" in result.out
    assert "systemd is not the init here: unit-failed" in result.out or \
        os.path.isdir("/run/systemd/system")
    if not expected_anyway():
        assert result.out.startswith("nothing found"), result


def test_a_finding_says_what_where_and_what_to_do(ward):
    ward.anna.start(QUIET)
    ward.anna.signal(signal.SIGSTOP)
    result = ward.doctor("doctor")
    ward.anna.signal(signal.SIGCONT)
    assert result.status == 11, result
    lines = result.out.splitlines()
    assert lines[0] == "critical  daemon-stopped", result
    assert f"pid {ward.anna.process.pid}" in lines[1]
    assert f"  seen  /proc/{ward.anna.process.pid}/stat: state T" in lines
    assert f"  fix   kill -CONT {ward.anna.process.pid}" in lines
    assert "  page  annactl doctor explain daemon-stopped" in lines
    # Most checks need her answers: that they were not made is said, with the reason.
    assert "did not answer in time: " in result.out


def test_doctor_check_is_the_doctor(ward):
    assert ward.doctor("doctor", "check").status == 11
    assert "daemon-not-running" in ward.doctor("doctor", "check").out


def test_one_check_alone(ward):
    ward.anna.start(QUIET)
    report = ward.doctor("doctor", "socket-mode", "--json").json
    assert report["made"] == 1 and report["findings"] == [] and report["not_made"] == []


def test_an_unknown_check_is_a_usage_error(ward):
    for command in (["doctor", "no-such"], ["doctor", "fix", "no-such"], ["doctor", "explain", "no-such"]):
        result = ward.doctor(*command)
        assert result.status == 2 and "no check no-such" in result.err, result


def test_every_check_is_explained_with_its_page(ward):
    checks = ward.doctor("doctor", "explain", "--json").json
    assert len(checks) > 60
    assert {check["severity"] for check in checks} == {"info", "warning", "critical"}
    for check in checks:
        if check["cannot_be_undone"]:
            assert check["remedy"], check
    page = ward.doctor("doctor", "explain", "disk-space")
    assert page.status == 0 and "What to do" in page.out and "64 MiB" in page.out, page
    assert "disk-space" in ward.doctor("doctor", "explain").out


# --- fix ---

def test_a_dry_run_changes_nothing(ward):
    ward.anna.start(QUIET)
    ward.anna.socket.chmod(0o777)
    result = ward.doctor("doctor", "fix", "--dry-run")
    assert result.status == 0 and "gives the socket its mode again" in result.out, result
    assert "skipped: a dry run" in result.out
    assert stat.S_IMODE(ward.anna.socket.stat().st_mode) == 0o777
    assert ward.anna.events("doctor.*") == []


def test_a_fix_is_in_the_journal_with_its_undo(ward):
    ward.anna.start(QUIET)
    ward.anna.socket.chmod(0o777)
    result = ward.doctor("doctor", "fix", "socket-mode")
    assert result.status == 0, result
    assert f"undo   chmod 0777 {ward.anna.socket}" in result.out, result
    event = ward.anna.wait_event("doctor.fixed")
    assert event["subject"] == "socket-mode"
    told = event["attributes"]
    assert told["done"] is True and told["uid"] == os.geteuid()
    assert told["before"] == "mode 0777" and told["after"] == "mode 0660"
    assert told["undo"] == f"chmod 0777 {ward.anna.socket}"
    assert not (ward.anna.state / "doctor.log").exists()


def test_a_fix_of_a_dead_daemon_is_taken_into_the_journal_at_the_next_start(ward):
    ward.anna.start(QUIET)
    ward.anna.kill9()
    assert ward.doctor("doctor", "fix", "socket-stale", "--yes").status == 0
    log = ward.anna.state / "doctor.log"
    line = json.loads(log.read_text())
    assert line["id"] == "socket-stale" and line["done"] is True
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    with log.open("a") as file:
        file.write("not the doctor's\n{\"id\": 7}\n")
    ward.anna.start()
    event = ward.anna.wait_event("doctor.fixed")
    assert event["subject"] == "socket-stale" and event["attributes"]["at"] == line["time"]
    ward.anna.wait_for(lambda: not log.exists(), what="the log to be taken")
    assert "2 lines of" in ward.anna.log()
    ward.anna.restart()
    assert len(ward.anna.events("doctor.fixed")) == 1


def test_what_cannot_be_undone_needs_a_yes(ward):
    ward.anna.start(QUIET)
    ward.anna.kill9()
    result = ward.doctor("doctor", "fix", "socket-stale")
    assert result.status == 0 and "cannot be undone" in result.out, result
    assert "skipped: it cannot be undone: say --yes" in result.out, result
    assert ward.anna.socket.exists()


def test_a_check_without_a_remedy_says_what_to_do_by_hand(ward):
    result = ward.doctor("doctor", "fix", "disk-space")
    assert result.status == 2 and "free some space" in result.err, result


def test_a_fix_that_does_not_help_is_not_called_done(ward):
    """Without systemd there is nothing to start her with."""
    if os.path.isdir("/run/systemd/system"):
        pytest.skip("systemd is here")
    result = ward.doctor("doctor", "fix", "daemon-not-running", "--json")
    assert result.status == 1, result
    assert result.json["fixes"][0]["outcome"] == "not done", result
    assert "no unit of systemd" in result.json["fixes"][0]["why"]


def test_nothing_to_fix_is_said(ward):
    ward.anna.start(QUIET)
    result = ward.doctor("doctor", "fix")
    assert result.status == 0 and "nothing found that the doctor can fix" in result.out, result


def test_commands_of_a_living_daemon_are_left_alone(ward):
    name = f"living{os.getpid()}"
    ward.anna.start(QUIET + f"""
[[mappings]]
name = "{name}"
on = "test.slow"
action = {{ type = "exec", argv = ["/bin/sleep", "30"], timeout = "60s" }}
""")
    ward.anna.emit("test.slow")
    pid = ward.anna.wait_for(lambda: find_process(f"ANNA_MAPPING={name}".encode()), what="it")
    assert ward.doctor("doctor", "leftover-processes", "--json").json["findings"] == []
    os.kill(pid, 0)


def test_a_user_without_rights_is_told_what_could_not_be_checked(ward, needs_root):
    ward.anna.start(QUIET)
    ward.anna.folder.chmod(0o755)
    program = ward.anna.folder / "annactl"
    program.write_bytes((BIN / "annactl").read_bytes())
    program.chmod(0o755)
    ward.annactl = program
    ward.before = lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))
    result = ward.doctor("doctor", "--json")
    assert result.status == 10, result
    assert [each["id"] for each in result.json["findings"] if each["severity"] != "info"] == \
        ["access-denied"], result
    why = {each["id"]: each["why"] for each in result.json["not_made"]}
    assert "Permission denied" in why["journal-damaged"], why
    assert "may not see which program runs" in why["binary-replaced"], why
    assert "may not see" in why["leftover-processes"] and "may not see" in why["descriptors-short"]


def test_a_user_examines_a_daemon_of_his_own(ward, needs_root):
    """Neither is root: what the kernel does not show from outside she tells from inside."""
    ward.anna.folder.chmod(0o755)
    for name in ("annad", "annactl"):
        (ward.anna.folder / name).write_bytes((BIN / name).read_bytes())
        (ward.anna.folder / name).chmod(0o755)
    os.chown(ward.anna.folder, 65534, 65534)
    ward.annactl = ward.anna.folder / "annactl"
    ward.before = lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534))
    command = ward.anna.command
    ward.anna.command = lambda args=(): [str(ward.anna.folder / "annad"), *command(args)[1:]]
    ward.anna.start(QUIET, preexec_fn=ward.before)
    result = ward.doctor("doctor", "--json")
    assert {each["id"] for each in result.json["findings"]} <= expected_anyway(), result
    reasons = {each["why"] for each in result.json["not_made"]}
    assert all("systemd" in why or "unit" in why or "bus" in why for why in reasons), reasons
    new = ward.anna.folder / "annad.new"
    new.write_bytes((BIN / "annad").read_bytes())
    new.chmod(0o755)
    new.rename(ward.anna.folder / "annad")
    report = ward.doctor("doctor", "--json").json
    assert "binary-replaced" in {each["id"] for each in report["findings"]}, report


# --- report ---

SECRETS = QUIET + """
[[mappings]]
name = "tells"
on = "test.told"
action = { type = "exec", argv = ["/usr/bin/curl", "-H", "Authorization: Bearer S3CR3T-HEADER", \
"https://joe:S3CR3T-URL@example.org/"], env = { API_TOKEN = "S3CR3T-ENV" } }
"""


def read_archive(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read().decode()
            for member in archive.getmembers()}


def test_a_report_holds_what_is_needed_and_no_secret(ward):
    ward.anna.start(SECRETS)
    ward.anna.emit("user.private", attributes={"note": "S3CR3T-NOTE"})
    path = ward.anna.folder / "report.tar"
    result = ward.doctor("doctor", "report", path)
    assert result.status == 0 and str(path) in result.out, result
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    files = read_archive(path)
    assert {"versions.txt", "findings.json", "facts.json", "metrics.txt", "config.txt",
        "events-by-kind.txt", "process-status.txt"} <= set(files), files.keys()
    assert json.loads(files["facts.json"])["status"]["pid"] == ward.anna.process.pid
    assert json.loads(files["findings.json"])["checks"] > 60
    assert "user.private" in files["events-by-kind.txt"]
    for name, text in files.items():
        assert "S3CR3T" not in text, name
    assert "anna_events_accepted_total" in files["metrics.txt"]


def test_a_report_is_never_written_over_a_file(ward):
    path = ward.anna.folder / "report.tar"
    path.write_text("mine")
    result = ward.doctor("doctor", "report", path)
    assert result.status != 0 and "cannot make" in result.err, result
    assert path.read_text() == "mine"


def test_a_report_of_a_frozen_daemon(ward):
    ward.anna.start(QUIET)
    ward.anna.signal(signal.SIGSTOP)
    path = ward.anna.folder / "report.tar"
    result = ward.doctor("doctor", "report", path, seconds=10)
    ward.anna.signal(signal.SIGCONT)
    assert result.status == 0, result
    files = read_archive(path)
    assert "daemon-stopped" in files["findings.json"]
    assert "State:\tT" in files["process-status.txt"]


def test_tar_reads_a_report(ward):
    path = ward.anna.folder / "report.tar"
    assert ward.doctor("doctor", "report", path).status == 0
    listed = subprocess.run(["tar", "-tvf", str(path)], capture_output=True, text=True, check=False,
        timeout=30 * PATIENCE)
    assert listed.returncode == 0 and "findings.json" in listed.stdout, listed
