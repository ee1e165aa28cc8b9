# SPDX-License-Identifier: Apache-2.0
"""The second process: annad asks, root's files decide, the helper does."""

import os
import socket
import subprocess
import threading

import pytest

from conftest import BIN, wait_for

CONFIG = """
[daemon]
helper_socket = "SOCKET"

[[mappings]]
name = "renew"
on = "test.renew"
action = { type = "command", name = "renew" }

[[mappings]]
name = "heal"
on = "test.heal"
action = { type = "unit", unit = "{unit}", do = "restart" }
"""


@pytest.fixture
def helper(anna):
    """Starts the helper of this anna, with what it may do."""
    folder = anna.folder / "commands.d"
    folder.mkdir()
    folder.chmod(0o755)
    path = anna.folder / "helper.sock"

    def start(grants):
        file = folder / "a.toml"
        file.write_text(grants.replace("FOLDER", str(anna.folder)))
        file.chmod(0o644)
        log = open(anna.folder / "helper.log", "ab")
        with log:
            anna.others.append(subprocess.Popen([str(BIN / "annad"), "--helper", "--socket",
                str(path), "--grants", str(folder), "--user", "root"], stdout=log, stderr=log,
                env=anna.environment()))
        wait_for(path.exists, what="the helper's socket",
            log=(anna.folder / "helper.log").read_text)
        anna.start(CONFIG.replace("SOCKET", str(path)))
        return anna

    if os.geteuid() != 0:
        pytest.skip("not root: the helper would serve nobody")
    return start


def finished(anna, kind, attributes=None):
    number = anna.emit(kind, attributes=attributes)
    event = anna.wait_event("action.finished", after=number)
    return event["attributes"]


def test_a_granted_command_is_run_by_the_helper_and_why_tells_it(helper):
    anna = helper("""
[[commands]]
name = "renew"
argv = ["/bin/sh", "-c", "echo renewed by $(id -nu)"]
user = "nobody"
""")
    result = finished(anna, "test.renew")
    assert result["ok"] is True
    assert result["exit_status"] == 0
    assert result["output"] == "renewed by nobody\n"
    log = (anna.folder / "helper.log").read_text()
    assert "command.run runs /bin/sh as nobody" in log


def test_what_root_has_not_granted_is_refused_with_what_to_do(helper):
    anna = helper("""
[[units]]
unit = "web.service"
do = ["restart"]
""")
    result = finished(anna, "test.heal", {"unit": "ssh.service"})
    assert result["ok"] is False
    assert "no [[units]] grant lets Anna restart ssh.service" in result["error"]
    assert "/etc/anna/commands.d" in result["error"]
    result = finished(anna, "test.heal", {"unit": "--help.service"})
    assert "is no name of a unit" in result["error"]


def test_a_helper_that_is_not_there_is_said_with_the_command_that_starts_it(anna):
    anna.start(CONFIG.replace("SOCKET", str(anna.folder / "none.sock")))
    result = finished(anna, "test.renew")
    assert result["ok"] is False
    assert "systemctl enable --now anna-helper.socket" in result["error"]


@pytest.mark.parametrize("answer, said", [
    (b"nonsense\n", "not understood"),
    (b'{"ok":true', "went away"),
    (b"", "went away"),
    (b'{"ok":false,"error":{"name":"ResourceBusy","message":"full"}}\n', "full"),
])
def test_a_helper_that_talks_nonsense_is_an_error_and_not_a_hang(anna, answer, said):
    path = anna.folder / "false.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def serve():
        peer, _ = server.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    anna.start(CONFIG.replace("SOCKET", str(path)))
    result = finished(anna, "test.renew")
    thread.join()
    server.close()
    assert result["ok"] is False
    assert said in result["error"]


def test_a_stop_does_not_wait_for_what_the_helper_does(helper):
    anna = helper("""
[[commands]]
name = "renew"
argv = ["/bin/sh", "-c", "sleep 1; touch FOLDER/mark"]
""")
    anna.emit("test.renew")
    anna.wait_event("action.started")
    assert anna.stop(seconds=3) == 0
    wait_for((anna.folder / "mark").exists, what="the end of what was begun")
