# SPDX-License-Identifier: Apache-2.0
"""The cost curves: what grows with what, measured and drawn as docs/bench/*.svg by gnuplot.

Each curve is one list of points (x, y...), kept beside its plot as a .csv, so that a plot can be
checked without measuring again. Called by bench.py with the name `curves`; with --quick only the
small sizes run, into build/, which says that the drawing works.
"""

import json
import shutil
import signal
import statistics
import subprocess
import time

import bench as b

ROUNDS = 5


def small_mappings(count, changed=0):
    """As short as a mapping can be: 100,000 of them fit the 8 MiB of a configuration."""
    return "".join(f'[[mappings]]\nname="m{i}"\non="t.k{i}"\naction={{type="log",message="'
        f'{changed if i == 0 else "x"}"}}\n' for i in range(count))


def rss_mb(pid):
    return b.memory_bytes(pid) / 1e6


def mappings_curve(bench):
    """(mappings, reload in ms, one durable event in µs, resident MB)"""
    sizes = [10, 100, 1000] if bench.quick else [10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000]
    for size in sizes:
        state = bench.fresh("curve")
        with b.annad(bench, small_mappings(size), state=state) as (process, path):
            times = []
            for i in range(ROUNDS):
                (state / "config.toml").write_text(small_mappings(size, i + 1))
                begun = time.monotonic_ns()
                b.rpc(path, "reload")
                times.append((time.monotonic_ns() - begun) / 1e6)
            event = statistics.median(b.program("rpc_load", path, 1, bench.scaled(1000, 100), 0,
                b.EMIT, cpu=b.SERVER_CPU)["p50_us"] for _ in range(ROUNDS))
            yield size, statistics.median(times), event, rss_mb(process.pid)


def rate_curve(bench):
    """(events/s offered, events/s answered, p50 in ms, p99 in ms)"""
    rates = [1000, 5000] if bench.quick else [1000, 2000, 5000, 10000, 15000, 20000, 30000, 40000,
        50000, 60000, 80000, 100000, 120000, 150000]
    with b.annad(bench) as (_, path):
        for rate in rates:
            runs = [b.program("rpc_load", path, 64, max(1000, rate * bench.scaled(2, 1)), rate,
                b.EMIT) for _ in range(bench.scaled(3, 1))]
            yield (rate, *(statistics.median(run[key] / scale for run in runs)
                for key, scale in (("per_second", 1), ("p50_us", 1e3), ("p99_us", 1e3))))


def journal_curve(bench):
    """(events kept, restart after kill -9 in ms, `why` of the oldest in ms, newest 20 in ms)"""
    sizes = [1000, 10000] if bench.quick else [1000, 10000, 100000, 300000, 1000000, 3000000]
    roomy = '[journal]\nnormal_size = "4GiB"\n'
    state = bench.fresh("curve")
    have = 0
    for size in sizes:
        with b.annad(bench, roomy, state=state, end=signal.SIGKILL) as (_, path):
            b.program("rpc_load", path, 100, size - have, 0, b.EMIT)
            oldest = b.rpc(path, "events", {"kind": "test.bench", "limit": 1, "after": 0})
            have = size
        restarts, whys, newest = [], [], []
        for _ in range(ROUNDS):
            restarts.append(b.ready_time(bench, state) / 1e3)
            with b.annad(bench, roomy, state=state, end=signal.SIGKILL) as (_, path):
                for times, method, params in (
                        (whys, "why", {"id": oldest["events"][0]["id"]}),
                        (newest, "events", {"limit": 20})):
                    begun = time.monotonic_ns()
                    b.rpc(path, method, params)
                    times.append((time.monotonic_ns() - begun) / 1e6)
        yield size, *(statistics.median(times) for times in (restarts, whys, newest))


CURVES = {
    "mappings": (mappings_curve, "mappings", ["reload (ms)", "durable event (µs)", "resident (MB)"],
        "What mappings cost"),
    "rate": (rate_curve, "events a second offered", ["answered (thousands/s)", "p50 (ms)", "p99 (ms)"],
        "Durable events up to saturation, 64 connections"),
    "journal": (journal_curve, "events kept", ["restart after kill -9 (ms)", "why (ms)",
        "newest 20 (ms)"], "What a long journal costs"),
}


def plot(folder, name, label, columns, title):
    script = f"""
set terminal svg size 760,420 font "sans-serif,13" background "#ffffff"
set output "{name}.svg"
set datafile separator ","
set logscale xy
set format x "%.0s%c"
set grid back lc rgb "#dddddd"
set key outside top center horizontal
set title "{title}"
set xlabel "{label}"
plot for [i=2:{len(columns) + 1}] "{name}.csv" using 1:i with linespoints lw 2 pt 7 ps 0.6 \
title columnheader(i)
"""
    subprocess.run(["gnuplot"], input=script, text=True, cwd=folder, check=True)


def draw(bench):
    if not shutil.which("gnuplot"):
        print("bench: gnuplot is missing: tools/packages curves")
        return 1
    if not b.build():
        return 1
    folder = b.ROOT / ("build/curves" if bench.quick else "docs/bench")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name, (measure, label, columns, title) in CURVES.items():
            lines = [",".join(f'"{text}"' for text in (label, *columns))]
            for point in measure(bench):
                x, *values = point
                if name == "rate":
                    values[0] /= 1000
                lines.append(",".join(f"{value:.6g}" for value in (x, *values)))
                print(f"{name}: {lines[-1]}", flush=True)
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
            plot(folder, name, label, columns, title)
        (folder / "environment.json").write_text(json.dumps(b.environment(), indent=1) + "\n")
    finally:
        bench.close()
    print(f"bench: drew {', '.join(CURVES)} in {folder.relative_to(b.ROOT)}")
    return 0
