# SPDX-License-Identifier: Apache-2.0
"""The advisor through its doors: the answer, the explanation, the exit status, and what it does not know."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent


@pytest.fixture
def host(anna, tmp_path):
    """A small machine whose files the test writes."""
    root = tmp_path / "root"

    def put(path, text):
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    root.mkdir()
    put("/proc/meminfo", "MemTotal: 2097152 kB\nSwapTotal: 0 kB\n")
    put("/proc/vmstat", "oom_kill 0\n")
    put("/proc/mdstat", "md0 : active raid1 sda1[0]\n  10 blocks [2/1] [U_]\n"
        "md1 : active raid1 sda2[0]\n  10 blocks [2/1] [_U]\n")
    put("/proc/1/comm", "init\n")
    anna.start(args=["--sysroot", str(root)])
    return put


def test_findings_carry_evidence_reason_fix_and_risk(anna, host):
    answer = anna.ctl("advise", "--json", ok=True).json
    assert [f["id"] for f in answer["findings"]] == [
        "raid-degraded", "raid-degraded", "swap-missing", "time-unsynchronised"]
    first = answer["findings"][0]
    assert first["level"] == "error" and first["category"] == "storage"
    assert first["evidence"] == "/proc/mdstat says [U_] of md0"
    assert first["fix"] == "mdadm --detail /dev/md0"
    assert first["reason"] and first["risk"] and "md(4)" in first["references"]
    unknown = {one["id"]: one["why"] for one in answer["unknown"]}
    assert unknown["cpu-vulnerable"].startswith("there is nothing in ")
    assert answer["checked"] + len(unknown) == 27
    assert anna.rpc("advisor_run")["findings"] == answer["findings"]


def test_each_run_reads_the_state_anew(anna, host):
    host("/proc/mdstat", "md0 : active raid1 sda1[0] sdb1[1]\n  10 blocks [2/2] [UU]\n")
    host("/proc/vmstat", "oom_kill 4\n")
    found = {f["id"]: f["evidence"] for f in anna.rpc("advise")["findings"]}
    assert "raid-degraded" not in found
    assert found["oom-kills"] == "oom_kill in /proc/vmstat is 4"


def test_the_screen_fits_eighty_columns(anna, host, tmp_path):
    host("/proc/net/tcp", "sl\n   0: 00000000:18EB 00000000:0000 0A 0\n")
    shown = anna.ctl("advise", env={"COLUMNS": "80"}, ok=True).out
    # A path that is longer than the screen cannot be broken.
    assert [line for line in shown.splitlines() if len(line) > 80 and str(tmp_path) not in line] == []
    assert "error A RAID has lost a disk  raid-degraded" in shown
    assert "do     mdadm --detail /dev/md0" in shown
    assert "5 findings by " in shown and "; not known:" in shown


def test_one_rule_is_explained_with_what_it_finds_now(anna, host):
    answer = anna.ctl("advise", "--explain", "swap-missing", "--json", ok=True).json
    assert answer["rule"]["id"] == "swap-missing" and answer["rule"]["explain"]
    assert [f["evidence"] for f in answer["now"]["findings"]] == ["MemTotal is 2048 MiB, SwapTotal is 0"]
    shown = anna.ctl("advise", "--explain", "swap-missing", env={"COLUMNS": "80"}, ok=True).out
    assert "judges Fires below 4 GiB of MemTotal" in shown and "1 finding by 1 rule" in shown


def test_a_wrong_id_is_told_with_its_neighbour(anna, host):
    result = anna.ctl("advise", "--explain", "swap-mising")
    assert result.status == 1
    assert 'there is no rule "swap-mising"; did you mean "swap-missing"?' in result.err


def test_the_exit_status_tells_of_findings_only_when_asked(anna, host):
    assert anna.ctl("advise").status == 0
    assert anna.ctl("advise", "--exit-code").status == 1
    assert anna.ctl("advise", "--explain", "oom-kills", "--exit-code").status == 0


def test_this_machine_is_looked_at_and_nothing_is_held_up(anna):
    anna.start()
    answer = anna.rpc("advise")
    assert answer["checked"] + len(answer["unknown"]) == 27
    assert all(f["evidence"] for f in answer["findings"])


def test_the_guide_lists_every_rule():
    rules = [file.read_text() for file in (ROOT / "src/advice").glob("*.c")]
    ids = {match[1] for text in rules if (match := re.search(r'\.id = "([a-z-]+)"', text))}
    listed = set(re.findall(r"^\| `([a-z-]+)` \| (?:info|warn|error) \|",
        (ROOT / "docs/guide/advise.md").read_text(), re.M))
    assert listed == ids and len(ids) == 27
