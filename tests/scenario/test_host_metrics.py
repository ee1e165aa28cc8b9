# SPDX-License-Identifier: Apache-2.0
"""The host's figures against somebody else's: recorded machines (tests/sysroots) against hand-checked
texts and against node_exporter reading the same tree, this machine against node_exporter, df, ss."""

import difflib
import pathlib
import re
import shutil
import socket
import subprocess
import urllib.request

import pytest

from hung_folder import HungFolder

SYSROOTS = pathlib.Path(__file__).resolve().parent.parent / "sysroots"
MACHINES = ["server", "laptop", "plain", "vm"]
COLLECTORS = ["conntrack", "cpu", "cpufreq", "diskstats", "entropy", "filefd", "filesystem", "hwmon",
    "loadavg", "meminfo", "netclass", "netdev", "netstat", "os", "powersupplyclass", "pressure",
    "sockstat", "softnet", "stat", "thermal_zone", "timex", "uname", "vmstat"]
# Not of the host (other sources have node_exporter's names too), or of this very moment.
ABOUT_ITSELF = ("node_scrape_", "node_exporter_", "promhttp_")
OTHER_SOURCES = ("node_processes_", "node_systemd_")
MOMENT = ("node_time_seconds",)
# Where we differ on purpose, with the reason (docs/guide/metrics.md).
DIFFERENT = {"node_hwmon_humidity": 10}  # node_exporter 1.5 divides 0.001 % by ten times too much


def parse(text):
    """{family: {labels: value}}, {family: type}, {family: help}; fails on what is not well-formed."""
    samples, types, helps = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ", 3)
            assert name not in types, f"{name} begins twice"
            types[name] = kind
        elif line.startswith("# HELP "):
            name, _, text = line[7:].partition(" ")
            helps[name] = text
        elif line:
            match = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
            assert match, line
            labels = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "")))
            family = samples.setdefault(match[1], {})
            assert labels not in family, f"twice: {line}"
            family[labels] = float(match[3])
    return samples, types, helps


def our_text(anna):
    """By HTTP where that is on: it has no limit to the size of an answer."""
    address = anna.rpc("status")["http"]
    if address == "off":
        text = anna.ctl("metrics", ok=True).out
    else:
        address = address.removeprefix("http://")
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
            text = answer.read().decode()
    return [line for line in text.splitlines() if re.match(r"(# \w+ )?node_", line)
        and not re.match(r"(?:# \w+ )?(\w+)", line)[1].startswith(OTHER_SOURCES)]


def everything_gathered(anna):
    """The text once every collector and every mount has had its turn."""
    def gathered():
        lines = our_text(anna)
        samples, _, _ = parse("\n".join(lines))
        done = {labels[0][1] for labels in samples["node_scrape_collector_duration_seconds"]}
        on = {labels[0][1] for labels in samples["node_scrape_collector_success"]}
        return done == on and "node_filesystem_device_error" in samples and lines
    return anna.wait_for(gathered, what="a turn of every collector")


def start_recorded(anna, tree, config="", http="off"):
    return anna.start(config, args=["--sysroot", str(tree), "--http", http])


def is_of_the_tree(line):
    name = re.match(r"(?:# \w+ )?(\w+)", line)[1]
    return not name.startswith(ABOUT_ITSELF + MOMENT)


@pytest.mark.parametrize("machine", MACHINES + ["hostile"])
def test_a_recorded_machine_shows_exactly_what_was_checked_by_hand(anna, machine):
    start_recorded(anna, SYSROOTS / machine)
    shown = [line for line in everything_gathered(anna) if is_of_the_tree(line)]
    golden = SYSROOTS / machine / "metrics.txt"
    expected = golden.read_text(encoding="utf-8").splitlines()
    assert shown == expected, "\n".join(difflib.unified_diff(expected, shown, str(golden), lineterm=""))
    parse("\n".join(shown))
    # A kernel that lacks a file is no trouble; a collector that cannot read one would be.
    host = next(c for c in anna.rpc("capabilities")["capabilities"] if c["name"] == "host")
    if machine != "hostile":
        assert host["state"] == "active", host


@pytest.fixture
def node_exporter():
    """Starts one with these arguments; a function that gives its metrics."""
    binary = shutil.which("prometheus-node-exporter")
    if not binary:
        pytest.skip("prometheus-node-exporter is not installed")
    started = []

    def start(*args):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen([binary, f"--web.listen-address=127.0.0.1:{port}",
            "--web.disable-exporter-metrics", "--collector.disable-defaults",
            *(f"--collector.{name}" for name in COLLECTORS), "--collector.netdev.device-exclude=^$",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|"
            "var/lib/docker/.+|var/lib/containers/storage/.+)($|/)", *args],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)

        def scrape():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                return parse(answer.read().decode())
        return scrape

    yield start
    for process in started:
        process.kill()
        process.wait()


def answers(scrape):
    try:
        return scrape()
    except OSError:
        return None


def differences(ours, theirs, is_equal, left_out=()):
    """What is not the same, a line each."""
    samples, types, helps = ours
    their_samples, their_types, their_helps = theirs
    for name in sorted(set(samples) | set(their_samples)):
        if name.startswith(ABOUT_ITSELF + MOMENT + tuple(left_out)):
            continue
        if name not in samples or name not in their_samples:
            yield f"{name}: only {'theirs' if name in their_samples else 'ours'}"
            continue
        if types[name] != their_types[name] or helps[name] != their_helps[name]:
            yield f"{name}: {types[name]} {helps[name]!r}, theirs {their_types[name]} {their_helps[name]!r}"
        for labels in set(samples[name]) ^ set(their_samples[name]):
            yield f"{name}{dict(labels)}: only {'theirs' if labels in their_samples[name] else 'ours'}"
        for labels in set(samples[name]) & set(their_samples[name]):
            value = samples[name][labels] / DIFFERENT.get(name, 1)
            if not is_equal(name, labels, value, their_samples[name][labels]):
                yield f"{name}{dict(labels)}: {value}, theirs {their_samples[name][labels]}"


def is_same(_name, _labels, ours, theirs):
    return abs(ours - theirs) <= 1e-9 * max(abs(ours), abs(theirs))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_recorded_machine_is_what_node_exporter_sees_in_it(anna, node_exporter, machine):
    tree = SYSROOTS / machine
    scrape = node_exporter(f"--path.procfs={tree}/proc", f"--path.sysfs={tree}/sys",
        f"--path.rootfs={tree}", f"--path.udev.data={tree}/run/udev/data",
        "--no-collector.netdev.netlink")
    theirs = anna.wait_for(lambda: answers(scrape), what="node_exporter")
    start_recorded(anna, tree)
    ours = parse("\n".join(everything_gathered(anna)))
    # statfs, uname and adjtimex ask the machine node_exporter runs on; the number of packets nobody
    # handled it knows by netlink only.
    asked_live = ["node_filesystem_", "node_uname_info", "node_timex_",
        "node_network_receive_nohandler_total"]
    found = list(differences(ours, theirs, is_same, asked_live))
    assert not found, "\n".join(found)


# What moves by itself while we look: (of the value, absolute). Everything else, and every counter,
# lies between two looks of ours.
TOLERANCES = {
    r"node_memory_.*_bytes": (0.10, 512e6),
    r"node_memory_.*": (0.10, 1000),
    r"node_load\d+": (0.5, 5),
    r"node_(procs_(running|blocked)|disk_io_now)": (0, 50),
    r"node_filefd_allocated": (0.5, 2000),
    r"node_(sockstat|netstat)_.*": (0.1, 200),
    r"node_filesystem_(avail|free)_bytes": (0.01, 1e9),
    r"node_filesystem_files_free": (0.01, 20000),
    r"node_entropy_available_bits": (0, 256),
    r"node_nf_conntrack_entries": (0.5, 200),
    r"node_timex_(offset|maxerror|estimated_error|pps_jitter)_seconds": (0.5, 1),
    r"node_timex_frequency_adjustment_ratio": (0.001, 0),
    r"node_(cpu|cpu_scaling)_frequency_hertz": (1, 0),
    r"node_(hwmon|thermal_zone|cooling_device|power_supply)_.*": (0.3, 10),
    r"node_cpu_(guest_)?seconds_total": (0, 0.5),
}


def tolerance_of(name, value):
    for pattern, (share, absolute) in TOLERANCES.items():
        if re.fullmatch(pattern, name):
            return share * abs(value) + absolute
    return 1e-9 * abs(value)


def test_this_machine_is_what_node_exporter_sees(anna, node_exporter):
    scrape = node_exporter()
    anna.start()
    anna.wait_for(lambda: answers(scrape), what="node_exporter")
    everything_gathered(anna)
    before = parse("\n".join(our_text(anna)))
    theirs = scrape()
    # Ours are up to an interval old: look again when a whole turn has passed since theirs. The first
    # turn that is later may be half done, the one after it was begun when that one had ended.
    after = theirs
    for _ in range(2):
        least = after[0]["node_context_switches_total"][()]

        def later():
            now = parse("\n".join(our_text(anna)))
            return now if now[0]["node_context_switches_total"][()] > least else None
        after = anna.wait_for(later, what="a later turn")

    def lies_between(name, labels, value, their):
        again = after[0].get(name, {}).get(labels, value)
        slack = tolerance_of(name, their)
        return min(value, again) - slack <= their <= max(value, again) + slack
    slow = [  # on periods of their own: a counter may be older than both looks
        "node_network_carrier_changes_total", "node_network_receive_nohandler_total"]
    found = list(differences(before, theirs, lies_between, slow))
    assert not found, "\n".join(found)
    assert len(before[0]) > 150


def test_file_systems_are_what_df_says(anna):
    anna.start()
    samples, _, _ = parse("\n".join(everything_gathered(anna)))
    names = {"size": "size_bytes", "avail": "avail_bytes", "itotal": "files", "iavail": "files_free"}
    checked = 0
    for labels in samples.get("node_filesystem_size_bytes", {}):
        mount = dict(labels)["mountpoint"]
        answer = subprocess.run(["df", "-B1", "--output=size,avail,itotal,iavail", "--", mount],
            capture_output=True, text=True, check=True).stdout.splitlines()[1].split()
        for (column, name), text in zip(names.items(), answer):
            ours = samples[f"node_filesystem_{name}"][labels]
            theirs = 0 if text == "-" else float(text)
            slack = 0 if column in ("size", "itotal") else 0.01 * theirs + 1e9
            assert abs(ours - theirs) <= slack, (mount, column, ours, theirs)
            checked += 1
    if not checked:
        pytest.skip("no file system is mounted here that is shown")


def test_sockets_are_what_proc_and_ss_say(anna):
    anna.start()
    everything_gathered(anna)
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(25)]
    opened += [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
    for one in opened[25:]:
        one.bind(("127.0.0.1", 0))
    try:
        def has_seen_them():
            samples, _, _ = parse("\n".join(our_text(anna)))
            return samples if samples["node_sockstat_TCP_inuse"][()] >= 25 and \
                samples["node_sockstat_UDP_inuse"][()] >= 30 else None
        samples = anna.wait_for(has_seen_them, what="the sockets opened")
        if shutil.which("ss"):
            text = subprocess.run(["ss", "-s"], capture_output=True, text=True, check=True).stdout
            transports = dict(re.findall(r"^(TCP|UDP)\s+\d+\s+(\d+)", text, re.M))
            for name, count in transports.items():
                assert abs(samples[f"node_sockstat_{name}_inuse"][()] - int(count)) <= 10, text
    finally:
        for one in opened:
            one.close()


def quick(*names):
    return "".join(f'[[host.collectors]]\nname = "{name}"\nperiod = "200ms"\n' for name in names)


def test_a_sensor_that_vanishes_is_absent_and_one_that_comes_is_there(anna, tmp_path):
    tree = tmp_path / "laptop"
    shutil.copytree(SYSROOTS / "laptop", tree, symlinks=True)
    start_recorded(anna, tree, '[host]\ninterval = "200ms"\n' + quick("hwmon", "powersupplyclass"))

    def shown():
        return "\n".join(our_text(anna))
    anna.wait_for(lambda: 'node_hwmon_fan_rpm{chip="platform_thinkpad_hwmon"' in shown())
    (tree / "sys/class/hwmon/hwmon5").unlink()
    shutil.rmtree(tree / "sys/class/power_supply/BAT0")
    anna.wait_for(lambda: "thinkpad" not in shown() and 'power_supply="BAT0"' not in shown())
    new = tree / "sys/class/hwmon/hwmon7"
    new.mkdir()
    (new / "name").write_text("new\n")
    (new / "temp1_input").write_text("42500\n")
    anna.wait_for(lambda: 'node_hwmon_temp_celsius{chip="new",sensor="temp1"} 42.5' in shown())
    assert 'power_supply="BAT1"' in shown()


def test_a_sensor_that_hangs_is_told_of_and_hides_no_other(anna, tmp_path):
    tree = tmp_path / "server"
    shutil.copytree(SYSROOTS / "server", tree, symlinks=True)
    folder = tree / "sys/class/hwmon/hwmon9"
    folder.mkdir()
    files = {"name": b"stuck\n", "temp1_input": b"31000\n"}
    try:
        hung = HungFolder(folder, files, hanging={"temp2_input"})
    except OSError as error:
        pytest.skip(f"cannot mount a FUSE file system here: {error}")
    with hung:
        start_recorded(anna, tree, '[host]\ninterval = "200ms"\nsensor_answer_limit = "1s"\n'
            + quick("hwmon", "thermal_zone"))

        def health():
            return next(c for c in anna.rpc("capabilities")["capabilities"] if c["name"] == "host")

        def shown():
            return "\n".join(our_text(anna))
        anna.wait_for(hung.asked.is_set, what="the sensor being asked")
        told = anna.wait_for(lambda: health()["state"] == "degraded" and health())
        assert "hwmon9/temp2_input does not answer" in told["reason"], told
        # The other chips, the other collectors, and the daemon itself go on.
        text = anna.wait_for(lambda: "platform_coretemp_0" in shown() and shown())
        assert 'chip="stuck"' not in text and 'zone="0"' in text
        (tree / "sys/class/thermal/thermal_zone0/temp").write_text("99000\n")
        anna.wait_for(lambda: 'node_thermal_zone_temp{type="acpitz",zone="0"} 99' in shown())
        hung.release()
        anna.wait_for(lambda: 'chip="stuck",sensor="temp1"' in shown())
        anna.wait_for(lambda: health()["state"] == "active")


def test_4096_disks_are_shown_within_bounds_and_the_daemon_answers(anna, tmp_path):
    tree = tmp_path / "vm"
    shutil.copytree(SYSROOTS / "vm", tree, symlinks=True)
    numbers = " ".join(str(n) for n in range(1, 18))
    (tree / "proc/diskstats").write_text(
        "".join(f"   8 {i} dm-{i} {numbers}\n" for i in range(5000)))
    start_recorded(anna, tree, http="127.0.0.1:0")
    everything_gathered(anna)

    def all_disks():
        samples, _, _ = parse("\n".join(our_text(anna)))
        return samples["node_disk_io_now"] if len(samples["node_disk_io_now"]) == 4096 else None
    anna.wait_for(all_disks, seconds=20, what="4,096 disks")
    for _ in range(20):
        assert anna.rpc("ping") is not None


def test_collectors_are_switched_off_and_mistyped_names_are_told(anna):
    anna.start('[[host.collectors]]\nname = "netdev"\nenabled = false\n')
    everything_gathered(anna)
    assert not any("node_network_receive_bytes_total" in line for line in our_text(anna))
    anna.write_config("")
    anna.ctl("reload", ok=True)
    anna.wait_for(lambda: any("node_network_receive_bytes_total" in line for line in our_text(anna)))
    anna.write_config('[[host.collectors]]\nname = "hwmonn"\nenabled = false\n')
    refused = anna.ctl("reload")
    assert refused.status == 5 and 'did you mean "hwmon"' in refused.err + refused.out, refused
    anna.write_config('[[host.collectors]]\nname = "os"\n[[host.collectors]]\nname = "os"\n')
    refused = anna.ctl("reload")
    assert refused.status == 5 and "os twice" in refused.err + refused.out, refused
