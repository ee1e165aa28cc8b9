# SPDX-License-Identifier: Apache-2.0
"""The disks' own reports. No disk here has one, so what smartctl would say is played at the helper's
socket; the report's shape is that of smartctl(8)."""

import json
import re
import socket
import threading


def report(pending):
    return json.dumps({"smartctl": {"exit_status": 0}, "model_name": "TEST 4000",
        "smart_status": {"passed": True}, "temperature": {"current": 33},
        "ata_smart_attributes": {"table": [{"id": 197, "raw": {"value": pending}}]}})


class Helper(threading.Thread):
    """Answers smart.read until it is closed; `reports` is by disk."""

    def __init__(self, path, reports):
        super().__init__(daemon=True)
        self.reports = reports
        self.asked = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                request = json.loads(peer.makefile().readline())
                device = request["params"]["device"]
                self.asked.append((request["verb"], device))
                peer.sendall(json.dumps({"ok": True, "exit_status": 0, "duration_ms": 1,
                    "output": self.reports[device], "output_cut": False}).encode() + b"\n")


def test_a_disk_that_begins_to_fail_is_an_event_and_its_numbers_are_metrics(anna):
    for name in ("sda", "nvme0n1", "loop0", "zram0"):
        (anna.folder / "root/sys/block" / name).mkdir(parents=True)
    path = anna.folder / "helper.sock"
    helper = Helper(path, {"sda": report(5), "nvme0n1": report(0)})
    anna.start(f"""
[daemon]
helper_socket = "{path}"
[smart]
enabled = true
""", args=["--sysroot", str(anna.folder / "root")])
    event = anna.wait_event("disk.failing")
    assert event["attributes"]["disk"] == "sda"
    assert "5 sectors" in event["attributes"]["reason"]
    anna.wait_for(lambda: len(helper.asked) == 2, what="both disks to be asked")
    assert sorted(helper.asked) == [("smart.read", "nvme0n1"), ("smart.read", "sda")]

    def metrics():
        text = anna.ctl("metrics", ok=True).out
        return dict(re.findall(r"^(anna_disk_\w+\{disk=\"\w+\"\}) (\S+)$", text, re.M))
    anna.wait_for(lambda: len(metrics()) == 6, what="the numbers of both disks")
    assert metrics()['anna_disk_pending_sectors{disk="sda"}'] == "5"
    assert metrics()['anna_disk_temperature_celsius{disk="nvme0n1"}'] == "33"

    helper.reports["sda"] = "no report"
    anna.write_config(anna.config.read_text() + 'interval = "2m"\n')
    anna.ctl("reload", ok=True)
    anna.wait_for(lambda: len(helper.asked) == 4, what="another round")
    anna.wait_for(lambda: "sda: " in anna.ctl("capabilities").out, what="the complaint")
    assert 'anna_disk_pending_sectors{disk="sda"}' not in metrics()
    helper.server.close()


def test_without_a_helper_the_source_says_what_to_do(anna):
    (anna.folder / "root/sys/block/sda").mkdir(parents=True)
    anna.start(f"""
[daemon]
helper_socket = "{anna.folder}/none"
[smart]
enabled = true
""", args=["--sysroot", str(anna.folder / "root")])
    anna.wait_for(lambda: "anna-helper.socket" in anna.ctl("capabilities", "--json").out,
        what="the reason")
