# SPDX-License-Identifier: Apache-2.0
"""The small loop, from a first event to a first action, and `why` telling it."""

import os
import subprocess

import pytest

EXEC = """
[[mappings]]
name = "write"
on = "test.go"
where = { n = { gt = 3 } }
action = { type = "exec", argv = ["/bin/sh", "-c", "echo $ANNA_EVENT_KIND $ANNA_EVENT_ID $TRACEPARENT >> OUT"] }
"""


def with_output(anna, text):
    return text.replace("OUT", str(anna.folder / "out"))


def output(anna):
    path = anna.folder / "out"
    return path.read_text() if path.exists() else ""


def test_an_emitted_event_runs_a_command_and_why_tells_the_chain(anna):
    anna.start(with_output(anna, EXEC))
    number = anna.emit("test.go", attributes={"n": 4})
    anna.wait_for(lambda: output(anna), what="the command's output")
    kind, event_id, trace = output(anna).split()
    assert (kind, event_id) == ("test.go", str(number))
    assert trace.startswith("00-")

    finished = anna.wait_event("action.finished")
    assert finished["attributes"]["ok"] is True
    assert finished["attributes"]["mapping"] == "write"
    told = anna.ctl("why", finished["id"], ok=True).out
    for word in ("test.go", "n=4", "write", "action.finished", "exit_status=0"):
        assert word in told, told
    down = anna.ctl("why", number, ok=True).out
    assert "action.started" in down and "action.finished" in down


def test_why_not_names_the_guard_that_stopped_it(anna):
    anna.start(with_output(anna, EXEC))
    anna.emit("test.go", attributes={"n": 2})
    told = anna.ctl("why", "--not", "write", ok=True).out
    assert "n gt 3" in told and "2" in told, told
    assert not output(anna)


def test_a_failing_command_is_told_with_its_status_and_output(anna):
    anna.start("""
[[mappings]]
name = "fail"
on = "test.go"
action = { type = "exec", argv = ["/bin/sh", "-c", "echo no luck; exit 7"] }
""")
    anna.emit("test.go")
    attributes = anna.wait_event("action.finished")["attributes"]
    assert attributes["ok"] is False
    assert "7" in str(attributes) and "no luck" in str(attributes)


def test_a_command_over_its_time_is_ended_with_all_its_children(anna):
    never = anna.folder / "never"
    os.mkfifo(never)
    anna.start(f"""
[[mappings]]
name = "long"
on = "test.go"
action = {{ type = "exec", argv = ["/bin/sh", "-c", "(read x < {never}) & echo $!; wait"], timeout = "300ms" }}
""")
    anna.emit("test.go")
    attributes = anna.wait_event("action.finished")["attributes"]
    assert attributes["ok"] is False
    child = int("".join(c for c in str(attributes.get("output", "")) if c.isdigit()) or 0)
    assert child, attributes
    anna.wait_for(lambda: not os.path.exists(f"/proc/{child}")
        or open(f"/proc/{child}/stat").read().split()[2] == "Z", what="the grandchild's end")


def test_attributes_cannot_inject_into_a_command(anna):
    anna.start("""
[[mappings]]
name = "say"
on = "test.go"
action = { type = "exec", argv = ["/bin/echo", "{text}", "{missing}", "end"] }
""")
    nasty = "$(touch INJECTED); `id` {kind} ' \" \\ | & * \x01"
    anna.emit("test.go", attributes={"text": nasty})
    attributes = anna.wait_event("action.finished")["attributes"]
    assert attributes["ok"] is True, attributes
    assert "{kind}" in attributes["output"] and "$(touch" in attributes["output"]
    assert not (anna.folder / "INJECTED").exists()


def test_a_mapping_that_triggers_itself_is_stopped_by_its_depth_or_budget(anna):
    """`on = "*"` may not become a fork bomb."""
    anna.start("""
[[mappings]]
name = "everything"
on = ["*", "action.*", "mapping.*"]
action = { type = "log", message = "again {kind}" }
""")
    anna.emit("test.go")
    refused = anna.wait_event("mapping.refused")
    assert refused["attributes"]["mapping"] == "everything"
    assert anna.rpc("ping") is not None
    assert anna.stop(5) == 0


def test_a_timer_makes_events(anna):
    anna.start("""
[[timers]]
name = "tick"
every = "200ms"
""")
    anna.wait_for(lambda: len([e for e in anna.events("timer.fired")]) >= 3, what="three ticks")


def test_a_changed_file_is_an_event(anna):
    folder = anna.folder / "watched"
    folder.mkdir()
    anna.start(f"""
[[files]]
name = "drop"
path = "{folder}"
""")
    (folder / "new.txt").write_text("hello")
    event = anna.wait_event("file.*", match=lambda e: "new.txt" in str(e))
    assert event["source"] == "file"


def mount_tmpfs(folder):
    folder.mkdir()
    result = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "anna-test", str(folder)],
        capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {result.stderr.strip()}")


def test_a_file_system_filled_past_its_threshold_runs_the_command_and_why_tells_it(anna, needs_root):
    mount = anna.folder / "mount"
    mount_tmpfs(mount)
    try:
        anna.start(with_output(anna, f"""
[[mappings]]
name = "disk-full"
on = "host.filesystem"
where = {{ mount = "{mount}", used_percent = {{ gt = 90 }} }}
action = {{ type = "exec", argv = ["/bin/sh", "-c", "echo $0 $1 >> OUT", "{{mount}}", "{{used_percent}}"] }}
"""))
        (mount / "big").write_bytes(b"x" * (39 * 1024 * 1024 // 10))
        anna.wait_for(lambda: output(anna), 15, "the command's output")
        path, used = output(anna).split()
        assert path == str(mount) and float(used) > 90
        finished = anna.wait_event("action.finished",
            match=lambda e: e["attributes"]["mapping"] == "disk-full")
        told = anna.ctl("why", finished["id"], ok=True).out
        assert "host.filesystem" in told and "disk-full" in told and "used_percent" in told
    finally:
        anna.stop()
        subprocess.run(["umount", str(mount)], check=False)
