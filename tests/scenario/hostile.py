#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, each run as a process of its own: hostile.py SOCKET KIND SECONDS. The last
line is JSON: how often it did what it does, and `wrong`: answers it should not have got.

`probe` is the other client, the one who only wants her answer: it pings a hundred times a second and
prints how long that took, in microseconds.
"""

import json
import os
import random
import select
import socket
import sys
import time

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
BUSY = 4001
MEBIBYTE = 1 << 20


class Refused(Exception):
    """No place was free."""


def pause(seconds):
    """Slowness is what some of these clients do harm with."""
    select.select([], [], [], seconds)


def connect(path, seconds=10):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(seconds)
    client.connect(path)
    return client


def read_line(client):
    data = b""
    while not data.endswith(b"\n"):
        part = client.recv(1 << 16)
        if not part:
            break
        data += part
    return data


def is_refusal(answer):
    error = answer.get("error", {})
    return error.get("code") == BUSY and error.get("data", {}).get("retryable") is True


def ask(path, line):
    """The answer to one line, or Refused."""
    with connect(path) as client:
        try:
            client.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused, or more than is taken: why is there to be read
        try:
            answer = read_line(client)
        except ConnectionResetError:
            raise Refused from None
        if not answer:
            raise Refused
        answer = json.loads(answer)
        answer = answer[0] if isinstance(answer, list) else answer
        if is_refusal(answer):
            raise Refused
        return answer


def send_some(client, data):
    """As much as is taken at once; False when nothing more goes."""
    client.setblocking(False)
    try:
        return client.send(data) > 0
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        return False


# --- one step of each ---

MESSAGES = {
    # kind: (line, the code it must get; None: a result)
    "too-long": (b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"' + b"a" * MEBIBYTE + b'"}\n', -32600),
    "deep": (b"[" * 1_000_000 + b"\n", -32700),
    "deep-objects": (b'{"a":' * 150_000 + b"\n", -32700),
    "bad-utf8": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\xff\xfe\xc0\x80"}}\n', -32700),
    "huge-number": (b'{"jsonrpc":"2.0","id":1,"method":"events","params":{"limit":1' + b"0" * 100_000
        + b"}}\n", None),
    "huge-exponent": (b'{"jsonrpc":"2.0","id":1,"method":"events","params":{"limit":1e999999999}}\n', None),
    "many-values": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":['
        + b"1," * 400_000 + b"1]}\n", None),
}


def message(path, kind):
    line, code = MESSAGES[kind]
    answer = ask(path, line)
    if "error" not in answer:
        return f"{kind}: accepted: {str(answer)[:200]}"
    if code is not None and answer["error"]["code"] != code:
        return f"{kind}: {str(answer)[:200]}"
    return None


def half(path, _):
    with connect(path) as client:
        client.sendall(PING[:random.randrange(len(PING))])
        pause(0.002)


def slow_writer(path, _):
    with connect(path) as client:
        try:
            for byte in PING:
                client.sendall(bytes([byte]))
                pause(0.001)
            answer = json.loads(read_line(client))
        except (BrokenPipeError, ConnectionResetError, ValueError):
            raise Refused from None
        if is_refusal(answer):
            raise Refused
        return None if "result" in answer else f"slow writer: {answer}"


def slow_reader(path, _):
    with connect(path) as client:
        try:
            client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"rpc.describe"}\n' * 20)
            for _ in range(100):
                client.recv(16)
                pause(0.002)
        except (BrokenPipeError, ConnectionResetError):
            raise Refused from None


def deaf(path, _):
    """Asks for much and never reads."""
    with connect(path) as client:
        request = b'{"jsonrpc":"2.0","id":1,"method":"rpc.describe"}\n' * 64
        for _ in range(500):
            if not send_some(client, request):
                break
        pause(0.2)


def flood(path, _):
    """Thousands of requests in one go, and every answer taken."""
    count = 5000
    with connect(path) as client:
        client.setblocking(False)
        rest, answers = PING * count, 0
        until = time.monotonic() + 20
        while answers < count and time.monotonic() < until:
            readable, writable, _ = select.select([client], [client] if rest else [], [], 1)
            try:
                if writable:
                    rest = rest[client.send(rest[:65536]):]
                if readable:
                    part = client.recv(1 << 16)
                    if not part or b'"error"' in part:
                        raise Refused
                    answers += part.count(b"\n")
            except (BrokenPipeError, ConnectionResetError):
                raise Refused from None
        return None if answers == count else f"flood: {answers} answers of {count}"


PHASES = (
    b"",  # connected
    b'{"jsonrpc"',  # in a message
    PING,  # asked, not answered
    b'{"jsonrpc":"2.0","id":1,"method":"rpc.describe"}\n',  # answered, not read
    b'{"jsonrpc":"2.0","id":1,"method":"events.emit","params":{"kind":"test.dying"}}\n',  # in the journal
    b'{"jsonrpc":"2.0","id":1,"method":"events","params":{"wait_ms":5000,"after":999999999}}\n',  # waiting
    b'{"jsonrpc":"2.0","id":1,"method":"reload","params":{"dry_run":true}}\n',  # in a job
    b'[' + b",".join([PING.strip()] * 50) + b"]\n",  # in a batch
    PING * 200,  # with more of it unread
)


def dying(path, _):
    """Goes away in every phase, some of them with half an answer read."""
    for phase in PHASES:
        client = connect(path)
        if phase:
            send_some(client, phase)
        if random.randrange(2):
            client.settimeout(0.005)
            try:
                client.recv(7)
            except OSError:
                pass
        client.close()


def keep_half(path, kept):
    """Messages begun and never ended, as many bytes as will go: together they are the input budget."""
    clients = kept.setdefault("clients", [])
    if len(clients) < 12:
        clients.append(connect(path))
    for client in list(clients):
        if not send_some(client, b'"' + b"a" * 60_000):
            readable, _, _ = select.select([client], [], [], 0)
            if readable:  # broken off: that is the answer
                clients.remove(client)
                client.close()
                kept["evicted"] = kept.get("evicted", 0) + 1
    pause(0.005)


STEPS = dict({kind: message for kind in MESSAGES}, half=half, dying=dying, deaf=deaf, flood=flood)
STEPS.update({"slow-writer": slow_writer, "slow-reader": slow_reader})


def attack(path, kind, seconds):
    """Does it again and again for so long."""
    until = time.monotonic() + seconds
    done, refused, wrong, kept = 0, 0, [], {}
    while time.monotonic() < until:
        try:
            if kind == "keep-half":
                problem = keep_half(path, kept)
            else:
                problem = STEPS[kind](path, kind)
            done += 1
        except Refused:
            refused += 1
            problem = None
            pause(0.01)
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            refused += 1
            problem = None
        except socket.timeout:
            problem = f"{kind}: no answer"
        if problem:
            wrong.append(problem)
    return {"done": done, "refused": refused, "wrong": wrong[:5], "evicted": kept.get("evicted", 0)}


# --- crowds ---

def crowd(path, attempts):
    """So many attempts to connect, all kept open as long as they are let: each gets a place and an
    answer, or the documented refusal."""
    kept, served, refused, wrong = [], 0, 0, []
    for _ in range(attempts):
        client = connect(path)
        try:
            client.sendall(PING)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = json.loads(read_line(client) or b"{}")
        except (ConnectionResetError, ValueError) as error:
            answer = {"nothing": str(error)}
        if "result" in answer:
            served += 1
            kept.append(client)
        elif is_refusal(answer):
            refused += 1
            client.close()
        else:
            wrong.append(str(answer)[:200])
            client.close()
    for client in kept:
        client.close()
    return {"done": served, "refused": refused, "wrong": wrong[:5], "wrongs": len(wrong)}


def operations(path, count):
    """So many operations in flight at the same time, over 50 connections: every one is answered."""
    clients = [connect(path, 30) for _ in range(50)]
    each = count // len(clients)
    for number, client in enumerate(clients):
        client.sendall(b"".join(
            b'{"jsonrpc":"2.0","id":%d,"method":"events.emit","params":{"kind":"test.crowd",'
            b'"attributes":{"n":%d}}}\n' % (i, number * each + i) for i in range(each)))
    ids, busy, wrong = [], 0, []
    for client in clients:
        data = b""
        while data.count(b"\n") < each:
            part = client.recv(1 << 16)
            if not part:
                break
            data += part
        lines = data.splitlines()
        if len(lines) != each:
            wrong.append(f"{len(lines)} answers of {each}")
        for line in lines:
            answer = json.loads(line)
            if "result" in answer:
                ids.append(answer["result"]["id"])
            elif is_refusal(answer):
                busy += 1
            else:
                wrong.append(str(answer)[:200])
        client.close()
    return {"done": len(ids), "refused": busy, "wrong": wrong[:5], "ids": ids}


def come_first(pid):
    """Before all that other programs on this machine want of its processors."""
    try:
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(10))
    except OSError:
        pass  # not root


def probe(path, seconds):
    """Latencies in microseconds, at a hundred a second on a fixed schedule."""
    come_first(0)
    client = connect(path)
    client.sendall(PING)
    read_line(client)
    print("ready", flush=True)
    begun, latencies = time.monotonic(), []
    while time.monotonic() < begun + seconds:
        due = begun + len(latencies) * 0.01
        early = due - time.monotonic()
        if early > 0:
            pause(early)
        sent = time.monotonic()
        client.sendall(PING)
        if b'"result"' not in read_line(client):
            return {"wrong": ["the probe lost its connection"], "latencies": latencies}
        latencies.append(int((time.monotonic() - sent) * 1e6))
    return {"wrong": [], "latencies": latencies}


def main(arguments):
    path, kind, amount = arguments[0], arguments[1], float(arguments[2])
    if kind == "probe":
        result = probe(path, amount)
    elif kind == "crowd":
        result = crowd(path, int(amount))
    elif kind == "operations":
        result = operations(path, int(amount))
    else:
        os.nice(10)
        result = attack(path, kind, amount)
    print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
