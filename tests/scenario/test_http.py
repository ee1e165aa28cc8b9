# SPDX-License-Identifier: Apache-2.0
"""The HTTP door: what it shows, and what it refuses to everyone a proxy or a browser could be."""

import re
import socket

import pytest


@pytest.fixture
def http(anna):
    anna.start(args=["--http", "127.0.0.1:0"])
    host, port = anna.rpc("status")["http"].rsplit(":", 1)
    address = (host.replace("http://", ""), int(port))

    def ask(data, seconds=10):
        """Everything the door answers to these bytes until it closes or falls silent."""
        with socket.create_connection(address, timeout=seconds) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                part = client.recv(65536)
                if not part:
                    return answer
                answer += part

    ask.address = address
    ask.host = b"Host: 127.0.0.1:%d\r\n" % address[1]
    ask.anna = anna
    return ask


def status(answer):
    match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(match[1]) if match else None


def get(http, path, more=b""):
    return http(b"GET " + path + b" HTTP/1.1\r\n" + http.host + more + b"\r\n")


def test_metrics_have_node_exporters_names_and_parse(http):
    http.anna.wait_for(lambda: b"node_cpu_seconds_total" in get(http, b"/metrics"), what="a first measure")
    answer = get(http, b"/metrics")
    assert status(answer) == 200
    body = answer.split(b"\r\n\r\n", 1)[1].decode()
    names = set()
    for line in body.splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(\{.*\})? (-?[\d.e+-]+|NaN|[+-]Inf)", line)
            assert match, line
            names.add(match[1])
    wanted = ["node_load1", "node_memory_MemTotal_bytes", "node_cpu_seconds_total",
        "node_network_receive_bytes_total"]
    # In a chroot without a mount of its own there is none to be seen.
    if any(line.split()[1] == "/" for line in open("/proc/self/mounts", encoding="utf-8")):
        wanted.append("node_filesystem_size_bytes")
    for name in wanted:
        assert name in names, name
    assert any(name.startswith("anna_") for name in names)


def test_health_and_readiness_are_told_by_status(http):
    assert status(get(http, b"/healthz")) == 200
    assert status(get(http, b"/readyz")) == 200
    assert status(get(http, b"/nowhere")) == 404


@pytest.mark.parametrize("line", [b"Host: evil.example\r\n", b"Host: evil.example:80\r\n", b""])
def test_a_foreign_or_missing_host_is_refused(http, line):
    """DNS rebinding: the browser believes that evil.example is us."""
    answer = http(b"GET /metrics HTTP/1.1\r\n" + line + b"\r\n")
    assert 400 <= status(answer) < 500
    assert b"node_" not in answer


def test_a_foreign_origin_is_refused(http):
    answer = get(http, b"/metrics", b"Origin: http://evil.example\r\n")
    assert status(answer) == 403
    assert b"node_" not in answer


@pytest.mark.parametrize("head", [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 4\r\nContent-Length: 5\r\n",
    b"Content-Length: +4\r\n",
    b"Content-Length: 4, 4\r\n",
    b"X: a\rGET /nowhere HTTP/1.1\r\n",
    b"X: a\n",
    b"X : a\r\n",
    b"X: a\r\n folded\r\n",
    b"X: a\0b\r\n",
    b"Host: second\r\n",
])
def test_what_could_be_understood_in_two_ways_is_refused_and_the_connection_closed(http, head):
    smuggled = b"GET /metrics HTTP/1.1\r\n" + http.host + b"\r\n"
    answer = http(b"GET /healthz HTTP/1.1\r\n" + http.host + head + b"\r\n" + smuggled)
    assert status(answer) in (400, 501), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "the bytes after it were taken for a request"
    assert status(get(http, b"/healthz")) == 200


def test_nothing_can_be_changed_here(http):
    for method in (b"POST", b"PUT", b"DELETE", b"PATCH"):
        answer = http(method + b" /metrics HTTP/1.1\r\n" + http.host + b"Content-Length: 0\r\n\r\n")
        assert status(answer) == 405


def test_a_head_without_end_is_refused(http):
    answer = b""
    try:
        answer = http(b"GET / HTTP/1.1\r\n" + http.host + b"X: " + b"a" * 100000)
    except (ConnectionResetError, BrokenPipeError):
        pass  # closed while we were still sending
    assert status(answer) in (431, 400, None)
    assert status(get(http, b"/healthz")) == 200


def test_it_listens_on_loopback_only(http):
    assert http.address[0] == "127.0.0.1"


def test_a_busy_configured_port_is_told_and_the_rest_runs(http, make_anna):
    other = make_anna()
    other.start(args=["--http", f"127.0.0.1:{http.address[1]}"])
    parts = {part["name"]: part for part in other.rpc("capabilities")["capabilities"]}
    assert parts["http"]["state"] == "failed"
    assert str(http.address[1]) in parts["http"]["reason"]
    other.wait_for(lambda: other.rpc("status")["health"] == "degraded", what="health telling of it")
