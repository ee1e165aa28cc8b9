# SPDX-License-Identifier: Apache-2.0
"""What has to survive or be noticed around the daemon: a full disk, a damaged state file, a changed
configuration, a socket that systemd hands over, a watchdog that is fed."""

import os
import signal
import socket
import subprocess
import time

import pytest

import conftest

MAPPING = """
[[mappings]]
name = "NAME"
on = "test.go"
action = { type = "log", message = "NAME SAW {n}" }
"""
AUTO = "[reload]\nauto = true\n"


# --- reload by itself: what was undone stays undone (the rest is in test_auto_reload.py) ---

def test_a_configuration_that_was_undone_is_left_alone_by_automatic_reload(anna):
    anna.start(AUTO)
    second = AUTO + MAPPING.replace("NAME", "second")
    anna.config.write_text(second)
    anna.wait_for(lambda: anna.rpc("status")["generation"] == 2, 10, "the second generation")
    anna.ctl("undo", ok=True)
    anna.write_config(second)  # the same text again: noticed, and left alone
    anna.wait_for(lambda: "undone as generation 2" in anna.log(), 15, "the log to say so")
    assert anna.rpc("status")["generation"] == 1


# --- disk ---

def test_a_full_disk_degrades_and_recovers_without_a_restart(anna, needs_root):
    disk = anna.folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs",
        str(disk)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    try:
        anna.state = disk / "state"
        anna.start()
        text = "x" * 60000
        acked = []

        def fill():
            with anna.connect() as client:
                for _ in range(600):
                    client.post("events.emit", {"kind": "test.fill", "attributes": {"t": text}})
                    answer = client.answer()
                    if "error" in answer:
                        return answer["error"]
                    acked.append(answer["result"]["id"])
            return None

        filler = disk / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        error = fill()
        assert error and error["data"]["retryable"], error
        anna.wait_for(lambda: anna.rpc("status")["health"] == "critical", 10, "health critical")
        filler.unlink()
        # Nobody emits: she tries again by herself, every second.
        anna.wait_for(lambda: anna.rpc("status")["health"] == "ok", 10, "health ok again")
        assert "result" in emit_once(anna)
        kept = {event["id"] for event in anna.events("test.fill")}
        assert set(acked) <= kept, "acked and not kept"
        anna.stop()
    finally:
        if anna.is_alive():
            anna.kill9()
        subprocess.run(["umount", "-l", str(disk)], check=False)


def emit_once(anna):
    with anna.connect() as client:
        client.post("events.emit", {"kind": "test.again"})
        return client.answer()


# --- the state file ---

def test_a_damaged_state_file_gives_way_to_the_one_before(anna):
    anna.start()
    anna.emit("test.one")
    anna.stop()
    anna.start()
    anna.emit("test.two")
    before = anna.rpc("status")["events_processed"]
    anna.stop()
    state = anna.state / "state"
    damaged = bytearray(state.read_bytes())
    damaged[-5] ^= 0x40
    state.write_bytes(damaged)
    anna.start()
    assert 0 < anna.rpc("status")["events_processed"] < before + 10
    assert "state file is damaged" in anna.log()


def test_counters_and_last_errors_are_there_after_a_restart(anna):
    anna.start(MAPPING.replace("NAME", "first"))
    anna.write_config("nonsense = 1\n")
    anna.ctl("reload")
    before = anna.rpc("status")
    assert before["errors"] == 1 and before["reloads"] == 1
    anna.write_config(MAPPING.replace("NAME", "first"))
    anna.restart()
    after = anna.rpc("status")
    assert after["errors"] == 1 and after["reloads"] == 1
    assert after["last_errors"][0]["message"] == before["last_errors"][0]["message"]
    assert after["events_processed"] > before["events_processed"]


# --- systemd's protocols ---

def test_a_socket_handed_over_is_used(anna):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(anna.socket))
    listening.listen(8)
    # LISTEN_PID must be the daemon's own pid: a shell that replaces itself knows it.
    command = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
    if listening.fileno() != 3:
        command += f" 3<&{listening.fileno()}"
    with open(anna.log_file, "ab") as log:
        anna.process = subprocess.Popen(["bash", "-c", command] + anna.command(),
            cwd=anna.folder, env=anna.environment(), pass_fds=[listening.fileno()], stdout=log,
            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    anna.wait_ready()
    assert anna.socket.exists()
    anna.stop()
    assert anna.socket.exists(), "a socket of systemd's is not ours to remove"
    listening.close()


def test_the_watchdog_is_fed_while_the_loop_runs_and_not_when_it_is_frozen(anna):
    path = anna.folder / "notify"
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(path))
    notify.settimeout(5 * conftest.PATIENCE)
    anna.start(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "300000"})

    def next_feed():
        while b"WATCHDOG=1" not in notify.recv(4096):
            pass

    next_feed()
    next_feed()
    os.kill(anna.process.pid, signal.SIGSTOP)
    notify.setblocking(False)
    try:
        while True:
            notify.recv(4096)
    except BlockingIOError:
        pass
    until = time.monotonic() + 0.5
    anna.wait_for(lambda: time.monotonic() > until)
    with pytest.raises(BlockingIOError):
        notify.recv(4096)
    os.kill(anna.process.pid, signal.SIGCONT)
    notify.settimeout(5 * conftest.PATIENCE)
    next_feed()
    notify.close()


# --- examples ---

@pytest.mark.parametrize("example", sorted((conftest.ROOT / "docs/examples").glob("*.toml")),
    ids=lambda path: path.name)
def test_every_shipped_example_is_valid(anna, example):
    text = example.read_text()
    copy = anna.folder / example.name
    copy.write_text(text)
    result = anna.ctl("config", "check", copy)
    assert result.status == 0, result


def test_every_toml_block_of_the_guide_is_valid(anna):
    for page in sorted((conftest.ROOT / "docs/guide").glob("*.md")) + [conftest.ROOT / "README.md"]:
        for number, block in enumerate(page.read_text().split("```toml\n")[1:]):
            copy = anna.folder / f"{page.stem}-{number}.toml"
            copy.write_text(block.split("```")[0])
            result = anna.ctl("config", "check", copy)
            assert result.status == 0, (page.name, number, result)


