# SPDX-License-Identifier: Apache-2.0
"""bench.py [--quick] [NAME]: the table of speed and size, and build/bench.json.

Each row measures Anna and, where there is one, its peer in the same call, in turn (ours, peer, ours,
peer ...), with the same programs pinned to the same processors, and gives the median of at least five
rounds. NAME picks the rows whose name contains it; `curves` draws the cost curves of docs/bench
instead (bench/curves.py). --quick is for CI: one short round, so its figures
say that the bench runs, and little more.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench" / "bench"
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, CLIENT_CPU = CPUS[0], CPUS[-1]
EMIT = ('{"jsonrpc":"2.0","id":1,"method":"events.emit","params":{"kind":"test.bench",'
    '"subject":"producer","attributes":{"n":12345,"text":"a line of some length"}}}')
PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
# Of node_exporter: those Anna has as well. She watches more (units, containers, packages, logins, ...).
COLLECTORS = ["conntrack", "cpu", "cpufreq", "diskstats", "entropy", "filefd", "filesystem", "hwmon",
    "loadavg", "meminfo", "netclass", "netdev", "netstat", "os", "powersupplyclass", "pressure",
    "processes", "sockstat", "softnet", "stat", "thermal_zone", "time", "timex", "uname", "vmstat"]
ROWS = []


class Failed(Exception):
    pass


def row(name, unit, better, bound, peer_name=None, peer_unit=None):
    """Registers a measurement: function(bench) gives (ours, peer or None)."""
    def register(function):
        ROWS.append({"name": name, "unit": unit, "better": better, "bound": bound,
            "peer_name": peer_name, "measure": function})
        return function
    return register


class Bench:
    def __init__(self, quick):
        self.quick = quick
        self.rounds = 1 if quick else 5
        # Not /tmp, which may be memory: what is measured is a disk.
        (ROOT / "build").mkdir(exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="b-", dir=ROOT / "build"))
        # A socket's path is short; from a deep folder it would not fit.
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="anna-bench-"))
        self.count = 0

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def fresh(self, name):
        self.count += 1
        path = self.folder / f"{name}{self.count}"
        path.mkdir()
        return path

    def scaled(self, full, short):
        return short if self.quick else full

    def medians(self, ours, peer=None):
        """Medians over the rounds, ours and peer in turn."""
        mine, other = [], []
        for _ in range(self.rounds):
            mine.append(ours())
            if peer:
                other.append(peer())
        return statistics.median(mine), statistics.median(other) if peer else None


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


@contextlib.contextmanager
def here(cpu):
    """This process is the client: pinned as other clients are."""
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CPUS)


def program(name, *args, cpu=CLIENT_CPU, seconds=600):
    """Runs one of our load programs; its line of JSON."""
    result = subprocess.run([str(PROGRAMS / name), *map(str, args)], capture_output=True, text=True,
        timeout=seconds, preexec_fn=pinned(cpu), check=False)
    if result.returncode != 0:
        raise Failed(result.stderr.strip() or f"{name} ended with status {result.returncode}")
    answer = json.loads(result.stdout)
    if answer.get("errors") or answer.get("failed"):
        raise Failed(f"{name}: {answer}")
    return answer


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        select.select([], [], [], 0.005)
    raise Failed(f"{what} did not come within {seconds} s")


def rpc(path, method, params=None, connection=None):
    own = connection or socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if connection is None:
            own.settimeout(60)
            own.connect(str(path))
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        own.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            part = own.recv(1 << 20)
            if not part:
                raise Failed(f"{method}: annad closed the connection")
            answer += part
    finally:
        if connection is None:
            own.close()
    answer = json.loads(answer)
    if "error" in answer:
        raise Failed(f"{method}: {answer['error']}")
    return answer["result"]


def annad_command(state, path, config=None, http="off"):
    command = [str(ROOT / "build/annad"), "--state-dir", str(state), "--socket", str(path),
        "--http", http, "--log-level", "error"]
    return command + (["--config", str(config)] if config else [])


@contextlib.contextmanager
def annad(bench, config=None, http="off", state=None, cpu=SERVER_CPU, end=signal.SIGTERM):
    """A running annad: (process, socket)."""
    state = state or bench.fresh("annad")
    path = bench.sockets / f"{state.name}.sock"
    file = None
    if config is not None:
        file = state / "config.toml"
        file.write_text(config)
    with open(state / "log", "ab") as log:
        process = subprocess.Popen(annad_command(state / "state", path, file, http), stdout=log,
            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=pinned(cpu), start_new_session=True)
    def ready():
        if process.poll() is not None:
            raise Failed(f"annad ended: {(state / 'log').read_text()[-500:]}")
        try:
            return rpc(path, "status")["state"] == "running"
        except (OSError, Failed):
            return False
    try:
        until(ready, 60, "annad's readiness")
        yield process, path
    finally:
        stop(process, end)


@contextlib.contextmanager
def redis(bench, *args):
    folder = bench.fresh("redis")
    path = bench.sockets / f"{folder.name}.sock"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(path), "--dir",
            str(folder), "--save", "", *args], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            preexec_fn=pinned(SERVER_CPU), start_new_session=True)
    try:
        until(path.exists, 20, "redis")
        yield path
    finally:
        stop(process)


def redis_benchmark(path, requests, *command):
    """Requests a second."""
    result = subprocess.run(["redis-benchmark", "-s", str(path), "-c", "50", "-n", str(requests),
        "--csv", *command], capture_output=True, text=True, timeout=600,
        preexec_fn=pinned(CLIENT_CPU), check=False)
    lines = [line for line in result.stdout.splitlines() if line.startswith('"')]
    if result.returncode != 0 or not lines:
        raise Failed(f"redis-benchmark: {result.stdout}{result.stderr}")
    return float(lines[-1].rsplit('",', 1)[0].split('","')[1])


@row("rpc ping throughput", "requests/s", "higher", ("ratio", ">=", 0.8),
    "redis PING, redis-benchmark -c 50, unix socket")
def ping_throughput(bench):
    requests = bench.scaled(200000, 20000)
    with annad(bench) as (_, path), redis(bench, "--appendonly", "no") as other:
        return bench.medians(
            lambda: program("rpc_load", path, 50, requests, 0, PING)["per_second"],
            lambda: redis_benchmark(other, requests, "PING"))


@row("rpc ping p99 at 100/s", "µs", "lower", ("ours", "<=", 1000))
def ping_latency(bench):
    requests = bench.scaled(1000, 200)
    with annad(bench) as (_, path):
        return bench.medians(
            lambda: program("rpc_load", path, 1, requests, 100, PING, cpu=SERVER_CPU)["p99_us"])


@row("durable emit, 50 producers", "events/s", "higher", ("ratio", ">=", 1.0),
    "redis XADD, appendfsync always")
def emit_many(bench):
    requests = bench.scaled(50000, 5000)
    with annad(bench) as (_, path), \
            redis(bench, "--appendonly", "yes", "--appendfsync", "always") as other:
        return bench.medians(
            lambda: program("rpc_load", path, 50, requests, 0, EMIT)["per_second"],
            lambda: redis_benchmark(other, requests, "XADD", "bench", "*", "kind", "test.bench",
                "subject", "producer", "n", "12345", "text", "a line of some length"))


@row("durable emit, 1 producer, p50", "µs", "lower", ("ratio", "<=", 1.5),
    "better of append and overwrite, with fdatasync")
def emit_one(bench):
    requests = bench.scaled(2000, 300)
    with annad(bench) as (_, path):
        size = record_bytes(path, bench)
        floor = lambda: min(program("disk_floor", how, bench.folder / "floor", size, requests,
            cpu=SERVER_CPU)["p50_us"] for how in ("append", "overwrite"))
        return bench.medians(
            lambda: program("rpc_load", path, 1, requests, 0, EMIT, cpu=SERVER_CPU)["p50_us"], floor)


def record_bytes(path, bench):
    """How many bytes the journal writes for the event of EMIT, by its own count."""
    def appended():
        for line in json.dumps(rpc(path, "metrics")).split("\\n"):
            if "anna_journal" in line and "bytes_total" in line and not line.startswith("#"):
                return float(line.split()[-1])
        return None
    try:
        before = appended()
        program("rpc_load", path, 1, 100, 0, EMIT)
        after = appended()
        if before is not None and after is not None and after > before:
            return round((after - before) / 100)
    except (Failed, ValueError):
        pass
    return 256


@row("event to exec, reflex, p99", "µs", "lower", ("both", "<=", 1000, 2),
    "pipe ping-pong + posix_spawn")
def event_to_exec(bench):
    count = bench.scaled(500, 300)
    stamp = bench.sockets / "stamp"
    program_path = PROGRAMS / "exec_stamp"
    config = f"""
[[mappings]]
name = "bench"
on = "test.bench"
class = "reflex"
budget = 1000000
action = {{ type = "exec", argv = ["{program_path}", "{stamp}", "{{sent}}"] }}
"""
    with annad(bench, config) as (_, path):
        return bench.medians(
            lambda: program("exec_load", "anna", path, stamp, count, cpu=SERVER_CPU)["p99_us"],
            lambda: program("exec_load", "peer", program_path, stamp, count, cpu=SERVER_CPU)["p99_us"])


def mappings(count, changed):
    return "".join(f"""
[[mappings]]
name = "mapping-{i}"
on = "test.kind{i}"
where = {{ n = {{ gt = {i} }}, mount = {{ glob = "/var/*" }} }}
action = {{ type = "log", message = "{{n}} at {{mount}} {changed if i == count // 2 else 0}" }}
""" for i in range(count))


def reload_time(bench, count, groups):
    """The median time of a reload that changes one mapping, in µs, as the client sees it."""
    state = bench.fresh("reload")
    per_group = count // groups
    (state / "conf.d").mkdir()
    for group in range(1, groups):
        text = mappings(per_group, 0).replace('"mapping-', f'"group-{group}-')
        (state / "conf.d" / f"{group:02}.toml").write_text(text)
    times = []
    with annad(bench, mappings(per_group, 0), state=state) as (_, path), here(CLIENT_CPU):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with connection:
            connection.connect(str(path))
            warm = 5  # until memory has been asked for once
            for i in range(warm + bench.scaled(25, 15)):
                (state / "config.toml").write_text(mappings(per_group, i + 1))
                begun = time.monotonic_ns()
                rpc(path, "reload", connection=connection)
                if i >= warm:
                    times.append((time.monotonic_ns() - begun) / 1e3)
    return statistics.median(times)


for size, parts in ((10, 2), (50, 5), (100, 10)):
    @row(f"reload, {size} mappings in {parts} groups", "µs", "lower", ("ours", "<=", 2000))
    def reload_small(bench, size=size, parts=parts):
        return reload_time(bench, size, parts), None


@row("reload, 1000 mappings", "µs", "lower", ("ours", "<=", 2000))
def reload_large(bench):
    return reload_time(bench, 1000, 1), None


def cpu_ns(pid):
    """Processor time of a process and its children, in ns."""
    total = 0
    for process in [pid] + children(pid):
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{process}/task"):
                total += int(open(f"/proc/{process}/task/{task}/schedstat").read().split()[0])
    return total


def children(pid):
    with contextlib.suppress(OSError):
        return [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    return []


def memory_bytes(pid):
    """Resident memory; of children what is theirs alone."""
    total = 0
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            total = int(line.split()[1]) * 1024
    for child in children(pid):
        with contextlib.suppress(OSError):
            for line in open(f"/proc/{child}/smaps_rollup"):
                if line.startswith("Private_"):
                    total += int(line.split()[1]) * 1024
    return total


def host_watch(bench):
    """Both watch this host at once for a minute, each scraped once a second:
    (our bytes, peer's bytes, our CPU share, peer's CPU share)."""
    if hasattr(bench, "watched"):
        return bench.watched
    if not shutil.which("prometheus-node-exporter"):
        raise Failed("prometheus-node-exporter is not installed")
    port = free_port()
    exporter = subprocess.Popen(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}",
        "--collector.disable-defaults", *(f"--collector.{name}" for name in COLLECTORS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pinned(SERVER_CPU),
        start_new_session=True)
    own_port = free_port()
    try:
        with annad(bench, http=f"127.0.0.1:{own_port}") as (process, _):
            def scrape(number):
                with urllib.request.urlopen(f"http://127.0.0.1:{number}/metrics", timeout=5) as answer:
                    return answer.read()
            def both_answer():
                try:
                    return scrape(port) and scrape(own_port)
                except OSError:
                    return False
            until(both_answer, 10, "both exporters")
            shares, sizes = ([], []), ([], [])
            window = bench.scaled(12, 3)
            pids = (process.pid, exporter.pid)
            due = time.monotonic()
            for _ in range(5):
                before = [cpu_ns(pid) for pid in pids]
                begun = time.monotonic_ns()
                for _ in range(window):
                    for number in (own_port, port):
                        scrape(number)
                    due += 1
                    select.select([], [], [], max(0, due - time.monotonic()))
                passed = time.monotonic_ns() - begun
                for i, pid in enumerate(pids):
                    shares[i].append((cpu_ns(pid) - before[i]) / passed * 100)
                    sizes[i].append(memory_bytes(pid))
            bench.watched = [statistics.median(values) for values in (*sizes, *shares)]
    finally:
        stop(exporter)
    return bench.watched


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@row("host watch rss", "MB", "lower", ("both", "<=", 12, 0.7), "prometheus-node-exporter")
def watch_rss(bench):
    ours, peer, _, _ = host_watch(bench)
    return ours / 1e6, peer / 1e6


@row("host watch cpu", "% of one CPU", "lower", ("ratio", "<=", 0.5), "prometheus-node-exporter")
def watch_cpu(bench):
    _, _, ours, peer = host_watch(bench)
    return ours, peer


def ready_time(bench, state):
    path = bench.sockets / "notify"
    config = state / "config.toml"
    command = annad_command(state / "state", bench.sockets / f"{state.name}.sock",
        config if config.exists() else None)
    return program("spawn_time", "ready", path, *command, cpu=SERVER_CPU)["ready_us"]


@row("start to ready", "µs", "lower", ("ours", "<=", 30000))
def start_to_ready(bench):
    state = bench.fresh("start")
    ready_time(bench, state)  # the very first makes folders and segments
    return bench.medians(lambda: ready_time(bench, state))


@row("restart after kill -9 with 1,000,000 events", "µs", "lower", ("ours", "<=", 200000))
def restart(bench):
    events = bench.scaled(1000000, 20000)
    state = bench.fresh("restart")
    roomy = '[journal]\nnormal_size = "2GiB"\n'
    with annad(bench, roomy, state=state, end=signal.SIGKILL) as (_, path):
        program("rpc_load", path, 100, events, 0, EMIT)
    def killed_again():
        took = ready_time(bench, state)
        with annad(bench, roomy, state=state, end=signal.SIGKILL) as (_, path):
            program("rpc_load", path, 10, 100, 0, EMIT)
        return took
    return bench.medians(killed_again)


@row("annactl status wall", "µs", "lower", ("ours", "<=", 5000))
def status_wall(bench):
    with annad(bench) as (_, path):
        return bench.medians(lambda: program("spawn_time", "wall", bench.scaled(200, 20),
            ROOT / "build/annactl", "--socket", path, "status", cpu=SERVER_CPU)["p50_us"])


def environment():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
        if line.startswith("model name")), platform.machine())
    version = subprocess.run([str(ROOT / "build/annad"), "--version"], capture_output=True, text=True,
        check=False).stdout.strip()
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "kernel": platform.release(),
        "cpu": cpu, "cpus": len(CPUS), "server_cpu": SERVER_CPU, "client_cpu": CLIENT_CPU,
        "load": os.getloadavg()[0], "annad": version,
        "file_system": subprocess.run(["stat", "-f", "-c", "%T", str(ROOT)], capture_output=True,
            text=True, check=False).stdout.strip()}


def verdict(bound, ours, ratio):
    """(what must be reached, whether it is)."""
    if bound[0] == "both":
        _, sign, most, ratio_most = bound
        return f"{sign} {most:g}, ratio {sign} {ratio_most:g}", ours <= most and ratio <= ratio_most
    which, sign, limit = bound
    value = ours if which == "ours" else ratio
    text = f"{'ratio ' if which == 'ratio' else ''}{sign} {limit:g}"
    return text, value >= limit if sign == ">=" else value <= limit


def figure(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def measure(bench, entry):
    ours, peer = entry["measure"](bench)
    ratio = ours / peer if peer else None
    must, good = verdict(entry["bound"], ours, ratio)
    print(f"{entry['name']:<44} {figure(ours):>10} {entry['unit']:<12} {figure(peer):>10} "
        f"{figure(ratio):>7}  {must:<22} {'ok' if good else 'MISSED'}", flush=True)
    return good, {"name": entry["name"], "unit": entry["unit"], "ours": round(ours, 3),
        "peer": peer and round(peer, 3), "peer_name": entry["peer_name"],
        "ratio": ratio and round(ratio, 4), "better": entry["better"]}


def build():
    targets = ["bench/" + path.stem for path in sorted((ROOT / "bench").glob("*.c"))]
    return all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0
        for command in (["tools/build", "release"], ["tools/build", "bench", *targets]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("name", nargs="*")
    options = parser.parse_args()
    wanted = " ".join(options.name)
    if wanted == "curves":
        import curves
        return curves.draw(Bench(options.quick))
    rows = [entry for entry in ROWS if wanted in entry["name"]]
    if not rows:
        print(f"bench: no row is called {wanted!r}; there are:", file=sys.stderr)
        print("\n".join("  " + entry["name"] for entry in ROWS), file=sys.stderr)
        return 2
    if not build():
        return 1
    bench = Bench(options.quick)
    record = {"environment": environment(), "quick": options.quick, "rows": []}
    print("  ".join(f"{name} {value}" for name, value in record["environment"].items()))
    print(f"{'row':<44} {'ours':>10} {'unit':<12} {'peer':>10} {'ratio':>7}  {'must be':<22}"
        + ("  (short run)" if options.quick else ""))
    missed = failed = 0
    try:
        for entry in rows:
            try:
                good, result = measure(bench, entry)
                record["rows"].append(result)
                missed += not good
            except (Failed, OSError, subprocess.TimeoutExpired, KeyError) as error:
                print(f"{entry['name']:<44} FAILED: {error}", flush=True)
                failed += 1
    finally:
        bench.close()
    (ROOT / "build" / "bench.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"bench: {len(rows) - missed - failed} rows reach their bound, {missed} miss it, "
        f"{failed} could not be measured; build/bench.json")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
