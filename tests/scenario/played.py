# SPDX-License-Identifier: Apache-2.0
"""Daemons played by small servers, for tests of the real annactl without an annad."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("ANNA_BIN", ROOT / "build")).resolve()


class Played:
    """A server on a Unix socket; `behave(connection, number)` plays its part for one connection."""

    def __init__(self, path, behave, backlog=16):
        self.behave = behave
        self.requests = []
        self.connections = 0
        self.open = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen(backlog)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.play, args=(connection, self.connections),
                daemon=True).start()

    def play(self, connection, number):
        try:
            self.behave(self, connection, number)
        except OSError:
            pass  # annactl went away, as it may

    def read(self, connection):
        """The next request of a connection, or None when it ended."""
        line = b""
        while not line.endswith(b"\n"):
            part = connection.recv(1 << 16)
            if not part:
                return None
            line += part
        request = json.loads(line)
        self.requests.append(request)
        return request

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()


class Place:
    """A folder with a socket, and annactl pointed at it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ctl-"))
        self.socket = self.folder / "annad.sock"
        self.state = self.folder / "state"
        self.state.mkdir()
        self.servers = []

    def play(self, behave, **options):
        server = Played(self.socket, behave, **options)
        self.servers.append(server)
        return server

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items()
            if not k.startswith(("ANNA_SOCKET", "ANNA_STATE", "XDG_", "COLUMNS"))}
        return dict(clean, HOME=str(self.folder), LANG="C.UTF-8", LC_ALL="C.UTF-8", TZ="UTC",
            **more)

    def ctl(self, *args, env=None, **options):
        command = [str(BIN / "annactl"), "--socket", str(self.socket),
            "--state-dir", str(self.state), *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.folder,
            env=env or self.environment(), check=False, stdin=subprocess.DEVNULL, **options)

    def close(self):
        for server in self.servers:
            server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def answer(connection, request, **members):
    message = dict(jsonrpc="2.0", id=request["id"], **members)
    connection.sendall(json.dumps(message).encode() + b"\n")


def error(code, message, **data):
    return dict(code=code, message=message, data=data)


def always(**members):
    """A daemon that answers every request with this."""
    def behave(server, connection, _):
        while (request := server.read(connection)) is not None:
            answer(connection, request, **members)
    return behave
