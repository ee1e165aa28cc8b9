# SPDX-License-Identifier: Apache-2.0
"""What a machine is made of, from recorded trees of machines that are not here, and of this one."""

import json
import os
import pathlib
import subprocess

TREES = pathlib.Path(__file__).parent.parent / "sysroots"


def profile(anna, tree=None):
    anna.start(args=["--sysroot", str(TREES / tree)] if tree else [])
    return anna.wait_for(lambda: answer(anna), what="the profile")


def answer(anna):
    result = anna.ctl("host", "--json")
    return result.json if result.status == 0 else None


def test_a_laptop_is_told_in_full(anna):
    host = profile(anna, "profile-laptop")
    assert host["system"] == {"hostname": "laptop",
        "os": {"name": "Debian GNU/Linux 12 (bookworm)", "id": "debian", "version": "12",
            "codename": "bookworm"},
        "kernel": "6.1.0-40-amd64", "architecture": "x86_64", "init": "systemd", "boot_mode": "efi",
        "cgroup_version": 2, "time_zone": "Europe/Vienna",
        "security_modules": ["lockdown", "capability", "yama", "apparmor"]}
    assert host["board"]["product_version"] == "ThinkPad X1 Carbon Gen 9"
    assert host["virtualisation"]["kind"] == "none"
    cpu = host["cpu"]
    assert (cpu["sockets"], cpu["cores"], cpu["threads"], cpu["max_mhz"]) == (1, 2, 4, 4200)
    assert [(c["level"], c["type"], c["size_bytes"]) for c in cpu["caches"]] == [
        (1, "Data", 48 << 10), (1, "Instruction", 32 << 10), (2, "Unified", 1280 << 10),
        (3, "Unified", 8 << 20)]
    assert host["memory"]["total_bytes"] == 49182720 * 1024
    assert host["memory"]["modules"] == [
        {"slot": "DIMM A", "size_bytes": 16 << 30, "type": "DDR4", "speed_mts": 3200,
            "manufacturer": "Samsung", "part": "M471A2K43DB1-CWE"},
        {"slot": "DIMM B", "size_bytes": 32 << 30, "type": "DDR4", "speed_mts": 3200,
            "manufacturer": "Samsung"}]
    disks = {disk["name"]: disk for disk in host["storage"]}
    assert set(disks) == {"nvme0n1", "dm-0"}  # an empty loop device is none
    assert disks["nvme0n1"]["size_bytes"] == 1000215216 * 512
    assert disks["nvme0n1"]["rotational"] is False and disks["nvme0n1"]["scheduler"] == "none"
    assert [m["mount"] for m in disks["nvme0n1"]["mounts"]] == ["/", "/boot/efi"]
    assert disks["dm-0"]["mounts"] == [
        {"device": "mapper/crypt-home", "mount": "/home", "fstype": "xfs"}]
    assert host["network"] == [{"name": "docker0", "kind": "bridge", "state": "down"},
        {"name": "enp0s31f6", "kind": "ethernet", "driver": "e1000e", "state": "up", "speed_mbps": 1000},
        {"name": "wlp0s20f3", "kind": "wireless", "driver": "iwlwifi", "state": "up"}]
    assert host["gpus"] == [{"slot": "0000:00:02.0", "vendor_id": "8086", "device_id": "9a49",
        "vendor": "Intel Corporation", "device": "TigerLake-LP GT2 [Iris Xe Graphics]",
        "driver": "i915"}]
    assert host["usb"] == [{"port": "1-4", "vendor_id": "046d", "device_id": "c52b",
        "vendor": "Logitech, Inc.", "device": "Unifying Receiver"}]
    assert host["batteries"] == [{"name": "BAT0", "model": "5B10W13930", "technology": "Li-poly",
        "health_percent": 75.8, "cycles": 312}]  # a mouse's battery is not the machine's
    assert host["notes"] == []


def test_serial_numbers_and_hardware_addresses_stay_where_they_are(anna):
    text = json.dumps(profile(anna, "profile-laptop")) + anna.ctl("host").out
    for secret in ("SECRET", "SERIAL0001", "00:11:22"):
        assert secret not in text


def test_what_cannot_be_read_is_absent_and_noted(anna):
    host = profile(anna, "profile-guest")
    assert host["virtualisation"] == {"kind": "vm", "name": "qemu", "known_by": "/sys/class/dmi/id/sys_vendor"}
    assert (host["cpu"]["sockets"], host["cpu"]["cores"], host["cpu"]["threads"]) == (2, 4, 4)
    assert "modules" not in host["memory"] and "max_mhz" not in host["cpu"]
    assert "swap_bytes" not in host["memory"]
    assert host["storage"][0]["mounts"] == [{"device": "vda1", "mount": "/", "fstype": "btrfs"}]
    assert host["system"]["time_zone"] == "America/St_Johns"
    notes = "\n".join(host["notes"])
    assert "the memory modules: cannot open " in notes and "network devices: nothing" in notes
    shown = anna.ctl("host", env={"COLUMNS": "80"})
    assert "4 things could not be read: annactl host --notes" in shown.out
    listed = anna.ctl("host", "--notes", env={"COLUMNS": "80"}).out
    assert "Not readable" in listed and max(map(len, (shown.out + listed).splitlines())) <= 80


def test_a_board_in_a_container_is_known_by_its_files(anna):
    host = profile(anna, "profile-board")
    assert host["virtualisation"] == {
        "kind": "container", "name": "lxc", "known_by": "/run/systemd/container"}
    assert host["board"] == {"product": "Raspberry Pi 4 Model B Rev 1.4"}
    assert host["system"]["boot_mode"] == "device tree"
    assert host["cpu"]["flags"] == ["asimd", "crc32", "atomics"]
    assert "rotational" not in host["storage"][0]


def test_this_machine_agrees_with_its_other_witnesses(anna):
    host = profile(anna)
    lscpu = {row["field"].rstrip(":"): row["data"] for row in json.loads(subprocess.run(
        ["lscpu", "--json"], capture_output=True, text=True, check=True).stdout)["lscpu"]}
    if "sockets" in host["cpu"]:
        assert host["cpu"]["threads"] == int(lscpu["CPU(s)"])
        assert host["cpu"]["sockets"] == int(lscpu["Socket(s)"])
        assert host["cpu"]["cores"] == int(lscpu["Core(s) per socket"]) * int(lscpu["Socket(s)"])
    assert host["memory"]["total_bytes"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert host["system"]["kernel"] == os.uname().release


def test_a_new_look_finds_what_changed(anna, tmp_path):
    (tmp_path / "root/proc/sys/kernel").mkdir(parents=True)
    name = tmp_path / "root/proc/sys/kernel/hostname"
    name.write_text("first\n")
    anna.start(args=["--sysroot", str(tmp_path / "root")])
    first = anna.wait_for(lambda: answer(anna), what="the profile")
    assert first["system"]["hostname"] == "first"
    name.write_text("second\n")
    assert answer(anna) == first  # what was made stands
    assert anna.ctl("host", "--refresh", "--json", ok=True).json == first  # it is younger than 10 s


def test_switched_off_is_said(anna):
    anna.start(config="[profile]\nenabled = false\n")
    result = anna.ctl("host")
    assert result.status == 1
    assert "the profile of this machine is switched off" in result.err
