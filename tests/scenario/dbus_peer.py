# SPDX-License-Identifier: Apache-2.0
"""A real dbus-daemon in a folder of the test's, and a systemd on it that plays what it is told.

The marshalling is written from the D-Bus Specification, apart from Anna's, so that neither hides a
mistake of the other; the dbus-daemon between them checks both.
"""

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
<allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
<allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
</policy></busconfig>"""
ALIGN = {"y": 1, "g": 1, "v": 1, "b": 4, "i": 4, "u": 4, "s": 4, "o": 4, "a": 4, "x": 8, "t": 8, "(": 8,
    "{": 8}


def first_type(signature):
    """The first complete type, and what is left."""
    if signature[0] == "a":
        inner, rest = first_type(signature[1:])
        return "a" + inner, rest
    if signature[0] in "({":
        depth = 0
        for i, letter in enumerate(signature):
            depth += (letter in "({") - (letter in ")}")
            if depth == 0:
                return signature[:i + 1], signature[i + 1:]
    return signature[0], signature[1:]


def types_of(signature):
    while signature:
        one, signature = first_type(signature)
        yield one


def put(out, signature, value):
    """Appends one value of one type to the bytearray, which begins on an 8-byte boundary."""
    kind = signature[0]
    out += b"\0" * (-len(out) % ALIGN[kind])
    if kind in "so":
        text = value.encode()
        out += struct.pack("<I", len(text)) + text + b"\0"
    elif kind == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif kind == "v":
        inner, content = value
        put(out, "g", inner)
        put(out, inner, content)
    elif kind == "a":
        at = len(out)
        out += b"\0" * 4
        out += b"\0" * (-len(out) % ALIGN[signature[1]])
        start = len(out)
        for item in value.items() if signature[1] == "{" else value:
            put(out, signature[1:], item)
        out[at:at + 4] = struct.pack("<I", len(out) - start)
    elif kind in "({":
        for inner, item in zip(types_of(signature[1:-1]), value):
            put(out, inner, item)
    else:
        out += struct.pack({"y": "<B", "b": "<I", "i": "<i", "u": "<I", "x": "<q", "t": "<Q"}[kind],
            value)


def marshal(signature, values):
    out = bytearray()
    for inner, value in zip(types_of(signature), values):
        put(out, inner, value)
    return bytes(out)


def get(data, at, signature):
    """(value, where the next begins)"""
    kind = signature[0]
    at += -at % ALIGN[kind]
    if kind in "so":
        n = struct.unpack_from("<I", data, at)[0]
        return data[at + 4:at + 4 + n].decode(), at + 5 + n
    if kind == "g":
        n = data[at]
        return data[at + 1:at + 1 + n].decode(), at + 2 + n
    if kind == "v":
        inner, at = get(data, at, "g")
        return get(data, at, inner)
    if kind == "a":
        n = struct.unpack_from("<I", data, at)[0]
        at += 4
        at += -at % ALIGN[signature[1]]
        end, items = at + n, []
        while at < end:
            item, at = get(data, at, signature[1:])
            items.append(item)
        return items, at
    if kind in "({":
        items = []
        for inner in types_of(signature[1:-1]):
            item, at = get(data, at, inner)
            items.append(item)
        return items, at
    fmt = {"y": "<B", "b": "<I", "i": "<i", "u": "<I", "x": "<q", "t": "<Q"}[kind]
    return struct.unpack_from(fmt, data, at)[0], at + struct.calcsize(fmt)


class Client:
    """One connection to a bus."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.serial = 0
        self.lock = threading.Lock()
        uid = str(os.geteuid()).encode().hex().encode()
        self.socket.sendall(b"\0AUTH EXTERNAL " + uid + b"\r\n")
        assert self.socket.recv(1024).startswith(b"OK ")
        self.socket.sendall(b"BEGIN\r\n")
        self.name = self.call("Hello")

    def send(self, kind, fields, signature="", values=(), flags=1):
        body = marshal(signature, values)
        if signature:
            fields = {**fields, 8: ("g", signature)}
        with self.lock:
            self.serial += 1
            head = bytearray(struct.pack("<cBBBII", b"l", kind, flags, 1, len(body), self.serial))
            put(head, "a(yv)", list(fields.items()))
            head += b"\0" * (-len(head) % 8)
            self.socket.sendall(bytes(head) + body)
            return self.serial

    def exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError("the bus is gone")
            data += part
        return data

    def receive(self):
        """(type, serial, {field: value}, body values)"""
        head = self.exactly(16)
        n = struct.unpack_from("<I", head, 12)[0]
        rest = self.exactly(n + -n % 8)
        body = self.exactly(struct.unpack_from("<I", head, 4)[0])
        fields = dict(get(head + rest, 12, "a(yv)")[0])
        values, at = [], 0
        for inner in types_of(fields.get(8, "")):
            value, at = get(body, at, inner)
            values.append(value)
        return head[1], struct.unpack_from("<I", head, 8)[0], fields, values

    def call(self, member, signature="", values=()):
        """To the bus itself; nothing else may be on its way."""
        serial = self.send(1, {1: ("o", "/org/freedesktop/DBus"), 3: ("s", member),
            2: ("s", "org.freedesktop.DBus"), 6: ("s", "org.freedesktop.DBus")}, signature, values,
            flags=0)
        while True:
            kind, _, fields, answer = self.receive()
            if kind in (2, 3) and fields.get(5) == serial:
                assert kind == 2, answer
                return answer[0] if answer else None

    def signal(self, path, interface, member, signature, values, destination=None):
        fields = {1: ("o", path), 2: ("s", interface), 3: ("s", member)}
        if destination:
            fields[6] = ("s", destination)
        self.send(4, fields, signature, values)

    def close(self):
        self.socket.close()


def path_of(unit):
    return "/org/freedesktop/systemd1/unit/" + "".join(
        c if c.isalpha() or (c.isdigit() and i) else f"_{ord(c):02x}" for i, c in enumerate(unit))


class Systemd(Client):
    """org.freedesktop.systemd1 with the units it is given."""

    def __init__(self, path):
        super().__init__(path)
        self.units = {}
        self.calls = []
        self.is_silent = False
        assert self.call("RequestName", "su", ("org.freedesktop.systemd1", 0)) == 1
        self.socket.settimeout(None)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def set(self, unit, state, sub="dead", announce=True, **more):
        """A unit's new state, told as systemd tells it."""
        old = self.units.get(unit, {"NRestarts": 0, "Result": "success", "ExecMainCode": 0,
            "ExecMainStatus": 0, "ExecMainPID": 0, "InactiveEnterTimestamp": 0, "Type": "simple"})
        self.units[unit] = {**old, "ActiveState": state, "SubState": sub, **more}
        if announce:
            self.signal(path_of(unit), "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                ("org.freedesktop.systemd1.Unit", {"ActiveState": ("s", state), "SubState": ("s", sub)},
                    ["Conditions"]))

    def remove(self, unit):
        del self.units[unit]

    def answer(self, serial, fields, signature="", values=()):
        self.send(2, {5: ("u", serial), 6: ("s", fields[7])}, signature, values)

    def serve(self):
        try:
            while True:
                kind, serial, fields, values = self.receive()
                if kind == 1 and not self.is_silent:
                    self.calls.append((fields[3], fields[1]))
                    self.handle(serial, fields, values)
        except OSError:
            pass

    def handle(self, serial, fields, values):
        member = fields[3]
        if member == "ListUnits":
            self.answer(serial, fields, "a(ssssssouso)", [[(name, "A unit", "loaded", unit["ActiveState"],
                unit["SubState"], "", path_of(name), 0, "", "/") for name, unit in self.units.items()]])
        elif member == "Get":
            text = {"Version": "252.39-1~deb12u1", "SystemState": "degraded"}[values[1]]
            self.answer(serial, fields, "v", [("s", text)])
        elif member == "GetAll":
            self.answer_unit(serial, fields)
        else:
            self.answer(serial, fields)

    def answer_unit(self, serial, fields):
        types = {"NRestarts": "u", "ExecMainCode": "i", "ExecMainStatus": "i", "ExecMainPID": "u",
            "InactiveEnterTimestamp": "t"}
        for name, unit in self.units.items():
            if path_of(name) == fields[1]:
                shown = {key: (types.get(key, "s"), value) for key, value in unit.items()}
                # More than Anna knows, in types she has to step over.
                shown["ExecStart"] = ("a(sasbttttuii)", [("/bin/x", ["/bin/x"], 0, 1, 2, 3, 4, 5, 6, 7)])
                shown["Environment"] = ("as", ["A=b", "C=d"])
                self.answer(serial, fields, "a{sv}", [shown])
                return
        self.send(3, {5: ("u", serial), 6: ("s", fields[7]),
            4: ("s", "org.freedesktop.systemd1.NoSuchUnit")}, "s", ["no such unit"])


class BusDaemon:
    """dbus-daemon on a socket in the folder."""

    def __init__(self, folder):
        self.socket = folder / "bus"
        self.config = folder / "bus.conf"
        self.config.write_text(CONFIG.format(socket=self.socket))
        self.process = None

    def start(self):
        self.socket.unlink(missing_ok=True)
        read, write = os.pipe()
        self.process = subprocess.Popen(["dbus-daemon", f"--config-file={self.config}", "--nofork",
            f"--print-address={write}"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as ready:
            assert "unix:" in ready.readline()
        return self

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.send_signal(signal.SIGCONT)
        if self.process:
            self.process.wait()


@pytest.fixture
def bus(tmp_path):
    if not shutil.which("dbus-daemon"):
        pytest.skip("dbus-daemon is not installed (tools/packages test)")
    daemon = BusDaemon(tmp_path).start()
    yield daemon
    daemon.stop()
