# SPDX-License-Identifier: Apache-2.0
"""One Anna per state folder; a socket is never taken from a living one, nor through a link."""

import json
import os
import socket
import stat

import pytest

import conftest


def test_one_instance_per_state_folder(anna):
    anna.start()
    status, output = anna.run(args=["--socket", str(anna.folder / "other.sock")])
    assert status == 1, output
    assert str(anna.process.pid) in output
    assert anna.rpc("status")["state"] == "running"


def test_a_live_socket_is_never_unlinked(anna):
    anna.start()
    before = os.stat(anna.socket).st_ino
    status, output = anna.run(args=["--state-dir", str(anna.folder / "other")])
    assert status == 1, output
    assert os.stat(anna.socket).st_ino == before
    assert anna.rpc("ping") is not None


def test_a_stale_socket_is_replaced(anna):
    anna.start()
    anna.kill9()
    assert anna.socket.exists()
    anna.start()
    assert anna.rpc("ping") is not None


def test_a_symlinked_socket_is_refused_and_left_alone(anna):
    target = anna.folder / "target"
    target.write_text("precious")
    anna.socket.symlink_to(target)
    status, output = anna.run()
    assert status == 1, output
    assert str(anna.socket) in output
    assert target.read_text() == "precious" and anna.socket.is_symlink()


def test_a_plain_file_at_the_sockets_place_is_refused_and_left_alone(anna):
    anna.socket.write_text("precious")
    status, output = anna.run()
    assert status == 1, output
    assert anna.socket.read_text() == "precious"


def test_a_symlinked_state_folder_of_another_owner_is_refused(anna, needs_root):
    real = anna.folder / "real"
    real.mkdir()
    os.chown(real, 65534, 65534)
    anna.state.symlink_to(real)
    status, output = anna.run()
    assert status == 1, output
    assert not list(real.iterdir())


def test_socket_and_state_are_not_for_everyone(anna):
    anna.start()
    assert stat.S_IMODE(os.stat(anna.state).st_mode) == 0o700
    for folder, _, files in os.walk(anna.state):
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o077 == 0, name


@pytest.mark.parametrize("line, code", [
    (b"{nonsense\n", -32700),
    (b'{"jsonrpc":"2.0","id":1}\n', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n', -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"nonsense":1}}\n', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"text"}\n', -32602),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}\n', -32600),
    (b"[]\n", -32600),
    (b'"text"\n', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping\xff"}\n', -32700),
    (b"[" * 100000 + b"\n", -32700),
])
def test_a_bad_message_gets_its_error_and_the_daemon_goes_on(anna, line, code):
    anna.start()
    with anna.connect() as connection:
        connection.send(line)
        answer = connection.answer()
        answer = answer[0] if isinstance(answer, list) else answer
        assert answer["error"]["code"] in (code, -32600), answer
    assert anna.rpc("ping") is not None


def test_an_id_is_given_back_also_with_an_error(anna):
    anna.start()
    with anna.connect() as connection:
        for number in ("17", '"text"', "null"):
            connection.send(b'{"jsonrpc":"2.0","id":%s,"method":"no.such"}\n' % number.encode())
            assert connection.answer()["id"] == json.loads(number)


def test_one_byte_more_than_a_mebibyte_is_refused(anna):
    anna.start()
    with anna.connect() as connection:
        try:
            connection.send(b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"' + b"a" * (1 << 20))
        except OSError:
            pass  # refused before all of it was sent
        assert "error" in connection.answer()
    assert anna.rpc("ping") is not None


def test_half_a_message_and_a_vanished_client_do_no_harm(anna):
    anna.start()
    for part in (b"", b"{", b'{"jsonrpc":"2.0","id":1,"method":"ping"}'):
        with anna.connect() as connection:
            connection.send(part)
    with anna.connect() as connection:
        connection.send(b'{"jsonrpc":"2.0","id":1,')
        connection.send(b'"method":"ping"}\n')
        assert "result" in connection.answer()


def test_a_batch_and_a_notification(anna):
    anna.start()
    with anna.connect() as connection:
        connection.send(b'{"jsonrpc":"2.0","method":"ping"}\n'
            b'[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"ping"},'
            b'{"jsonrpc":"2.0","id":2,"method":"status"}]\n')
        answers = connection.answer()
        assert sorted(answer["id"] for answer in answers) == [1, 2]


def test_a_client_that_never_reads_does_not_delay_others(anna):
    anna.start()
    with anna.connect() as deaf:
        deaf.socket.setblocking(False)
        request = b'{"jsonrpc":"2.0","id":1,"method":"rpc.describe"}\n' * 64
        try:
            for _ in range(2000):
                deaf.socket.send(request)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        assert anna.rpc("ping") is not None
        assert anna.rpc("status")["state"] == "running"


def test_more_connections_than_allowed_are_told_so(anna):
    anna.start()
    connections = []
    try:
        refused = None
        for _ in range(400):
            connection = anna.connect()
            connections.append(connection)
            try:
                connection.post("ping")
            except BrokenPipeError:
                pass  # refused before we could ask; why is still there to be read
            answer = connection.answer()
            if "error" in answer:
                refused = answer
                break
        assert refused and refused["error"]["data"]["retryable"] is True, refused
    finally:
        for connection in connections:
            connection.close()
    anna.wait_for(lambda: can_ping(anna), what="a free place")


def can_ping(anna):
    try:
        return anna.rpc("ping") is not None
    except (OSError, conftest.RpcError):  # refused still
        return False


def test_another_uid_may_do_nothing(anna, needs_root):
    anna.start()
    os.chmod(anna.folder, 0o755)
    os.chmod(anna.socket, 0o666)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.connect(str(anna.socket))
            try:
                client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stop"}\n')
            except OSError:
                pass  # refused and closed before anything was sent; the refusal is there to read
            os.write(writer, client.recv(65536))
        finally:
            os._exit(0)
    os.close(writer)
    answer = os.read(reader, 65536)
    os.close(reader)
    os.waitpid(child, 0)
    assert b'"code":1003' in answer.replace(b" ", b""), answer
    assert anna.rpc("status")["state"] == "running"
