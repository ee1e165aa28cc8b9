# SPDX-License-Identifier: Apache-2.0
"""What can be said of packaging, and of upgrades, without a machine of one's own; the rest is in
tests/systemd.
"""

import json
import re
import subprocess

import pytest

from conftest import BIN, ROOT, RpcError

UNIT = ROOT / "packaging/annad.service"


def sections():
    found, name = {}, None
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = []
        elif line and not line.startswith("#"):
            found[name].append(tuple(line.split("=", 1)))
    return found


def test_start_limits_are_where_systemd_reads_them():
    unit = sections()
    assert {"StartLimitIntervalSec", "StartLimitBurst"} <= {key for key, _ in unit["Unit"]}
    assert not [key for key, _ in unit["Service"] if key.startswith("StartLimit")]


def test_nothing_in_the_unit_blinds_her():
    service = dict(sections()["Service"])
    assert service["ProtectProc"] == "default" and service["ProcSubset"] == "all"
    assert service["ProtectHome"] == "read-only"
    assert not {"PrivateUsers", "PrivateNetwork", "InaccessiblePaths"} & set(service)
    assert service["MemoryMax"] == "80M" and service["Type"] == "notify" and service["Delegate"] == "yes"


@pytest.mark.slow
@pytest.mark.skipif(BIN.name in ("asan", "tsan", "coverage"), reason="installs the release build")
def test_make_install_puts_everything_below_its_prefix(tmp_path):
    def install():
        made = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/opt/anna"],
            cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert made.returncode == 0, made.stdout + made.stderr
    install()
    top = tmp_path / "opt/anna"
    for path in ("sbin/annad", "bin/annactl", "lib/anna/activate", "lib/sysusers.d/anna.conf",
            "lib/tmpfiles.d/anna.conf", "share/anna/annad.service", "share/anna/dropins/network.conf",
            "share/anna/config.toml", "share/man/man8/annad.8",
            "share/bash-completion/completions/annactl"):
        assert (top / path).is_file(), path
    unit = (top / "lib/systemd/system/annad.service").read_text()
    assert "ExecStart=/opt/anna/sbin/annad --config /etc/anna/config.toml" in unit
    assert "ExecReload=/opt/anna/bin/annactl --socket" in unit and "=/usr/" not in unit
    assert (tmp_path / "etc/anna/conf.d").is_dir() and (tmp_path / "etc/anna/policies.d").is_dir()
    # What the admin wrote stays.
    config = tmp_path / "etc/anna/config.toml"
    config.write_text("# mine\n")
    install()
    assert config.read_text() == "# mine\n"


def test_what_is_written_to_disk_has_numbers():
    said = subprocess.run([BIN / "annad", "--show", "formats"], capture_output=True, text=True,
        check=True).stdout
    formats = json.loads(said)
    assert set(formats) == {"journal", "journal_features", "state", "generation"}
    assert all(isinstance(value, int) for value in formats.values()) and formats["journal"] >= 1


def test_verify_asks_the_running_daemon(anna):
    anna.start()
    assert "runs and answers" in anna.ctl("upgrade", "--verify", ok=True).out
    status = anna.rpc("status")
    assert anna.ctl("--json", "upgrade", "--verify", ok=True).json == {
        "verified": True, "version": status["version"], "build": status["build"]}
    anna.stop()
    refused = anna.ctl("upgrade", "--verify", "--wait", "0s")
    assert refused.status in (1, 3) and "next:" in refused.err


def test_an_upgrade_needs_exactly_one_thing_to_do(anna):
    for args in ([], ["--resume", "--back"], ["x.deb", "--verify"]):
        assert anna.ctl("upgrade", *args).status == 2


def test_reports_of_an_upgrade_are_a_chain_that_nobody_can_forge(anna):
    anna.start()
    report = {"from": "1", "to": "2"}
    started = anna.rpc("upgrade.report", dict(report, phase="started"))["id"]
    anna.rpc("upgrade.report", dict(report, phase="rolled_back", reason="a test", cause=started))
    rolled = anna.wait_event("upgrade.rolled_back")
    assert rolled["cause"] == started and rolled["attributes"]["reason"] == "a test"
    assert rolled["source"] == "daemon"
    with pytest.raises(RpcError):
        anna.rpc("upgrade.report", dict(report, phase="dreamt"))
    with pytest.raises(RpcError):
        anna.emit("upgrade.finished")


# --- coming back after an upgrade that failed ---


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def generation_of_a_newer_annad(anna, number, activated, text):
    """As annad writes them, but for its version."""
    body = json.dumps({"path": str(anna.config), "bytes": len(text.encode())},
        separators=(",", ":")).encode() + b"\n" + text.encode() + b"\n"
    head = json.dumps({"format": 2, "number": number, "hash": "ab" * 32, "time_ns": 1, "author": "start",
        "writer": "9.9.9", "verdict": "active", "activated": activated, "body_bytes": len(body),
        "body_crc": crc32c(body)}, separators=(",", ":"))[:-1].encode()
    line = head + f',"crc":"{crc32c(head):08x}"}}\n'.encode()
    path = anna.state / "generations" / f"{number:08}.conf"
    path.write_bytes(line + body)
    path.chmod(0o600)


NEWER = "[daemon]\nlog_level = \"info\"\nwill_be_there_in = \"9.9.9\"\n"


def test_after_a_newer_annad_she_starts_with_what_she_wrote_herself(anna):
    anna.start("[daemon]\nlog_level = \"debug\"\n")
    history = anna.rpc("config.history")["generations"]
    own = anna.rpc("status")["generation"]
    assert [g["writer"] for g in history if g["number"] == own] == [anna.rpc("status")["version"]]
    anna.stop()
    generation_of_a_newer_annad(anna, own + 1, 90, NEWER)
    anna.start(NEWER)
    assert anna.rpc("status")["generation"] == own
    assert re.search(rf"generation {own + 1}, written by annad 9.9.9, does not load here", anna.log())
    anna.wait_for(lambda: "the configuration" in json.dumps(anna.rpc("health")["reasons"]), 10,
        "the health reason")
    # And once more: what is in force is marked so.
    anna.restart()
    assert anna.rpc("status")["generation"] == own


def test_a_newer_annads_generation_that_loads_is_taken(anna):
    anna.start("[daemon]\nlog_level = \"debug\"\n")
    own = anna.rpc("status")["generation"]
    anna.stop()
    generation_of_a_newer_annad(anna, own + 1, 90, "[daemon]\nlog_level = \"warn\"\n")
    anna.start(NEWER)
    assert anna.rpc("status")["generation"] == own + 1
