# SPDX-License-Identifier: Apache-2.0
"""Reload, undo, confirm: a config is taken as a whole or not at all, and what did not change does
not notice."""

import os
import time

import pytest

GOOD = """
[[mappings]]
name = "first"
on = "test.go"
action = { type = "log", message = "FIRST SAW {n}" }
"""
OTHER = GOOD.replace("first", "second").replace("FIRST", "SECOND")

pytestmark = pytest.mark.threads


def seen(anna, text):
    anna.emit("test.go", attributes={"n": 1})
    anna.wait_for(lambda: text in anna.log(), what=f"the log line {text!r}")


def test_the_answer_says_what_changed_and_how_long_each_phase_took(anna):
    anna.start(GOOD)
    before = anna.rpc("status")["generation"]
    anna.write_config(OTHER)
    answer = anna.ctl("reload", "--json", ok=True).json
    assert answer["generation"] == before + 1
    text = str(answer)
    for word in ("parse", "check", "apply", "first", "second", "grade"):
        assert word in text, word


def test_a_reload_without_a_change_makes_no_generation(anna):
    anna.start(GOOD)
    before = anna.rpc("status")["generation"]
    anna.ctl("reload", ok=True)
    assert anna.rpc("status")["generation"] == before


def test_all_mistakes_are_told_at_once_with_their_places(anna):
    anna.start(GOOD)
    anna.write_config(GOOD + """
[[mappings]]
name = "a"
on = "test.go"
actoin = { type = "log", message = "x" }

[[mappings]]
name = "b"
on = "test.go"
where = { n = { gt = } }
""".replace("{ gt = }", "{ greater = 1 }") + """
action = { type = "log", message = "{unclosed" }
""")
    result = anna.ctl("reload")
    assert result.status == 5
    lines = [line for line in result.err.splitlines() if "config.toml:" in line]
    assert len(lines) >= 3, result
    assert "action" in result.err and "greater" in result.err


def test_dry_run_says_what_would_change_and_changes_nothing(anna):
    anna.start(GOOD)
    before = anna.rpc("status")["generation"]
    anna.write_config(OTHER)
    result = anna.ctl("reload", "--dry-run", ok=True)
    assert "second" in result.out
    assert anna.rpc("status")["generation"] == before
    seen(anna, "FIRST SAW 1")
    assert "SECOND" not in anna.log()


def test_undo_goes_back_and_leaves_the_file_alone(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", ok=True)
    seen(anna, "SECOND SAW 1")
    anna.ctl("undo", ok=True)
    seen(anna, "FIRST SAW 1")
    assert anna.config.read_text() == OTHER


def test_what_was_undone_is_not_taken_again_by_a_restart(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", ok=True)
    anna.ctl("undo", ok=True)
    anna.restart()
    seen(anna, "FIRST SAW 1")
    assert "SECOND SAW" not in anna.log()
    anna.wait_for(lambda: anna.rpc("status")["health"] != "ok", what="health telling of it")


def test_an_unconfirmed_reload_undoes_itself(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", "--confirm", "1s", ok=True)
    generation = anna.rpc("status")["generation"]
    anna.wait_for(lambda: anna.rpc("status")["generation"] != generation, 5, "the way back")
    seen(anna, "FIRST SAW 1")


def test_a_confirmed_reload_stays(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", "--confirm", "60s", ok=True)
    anna.rpc("config.confirm")
    anna.restart()
    seen(anna, "SECOND SAW 1")


def test_an_unconfirmed_reload_is_undone_across_a_crash(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", "--confirm", "1s", ok=True)
    anna.kill9()
    until = time.monotonic() + 1.2
    anna.wait_for(lambda: time.monotonic() > until, what="the deadline to pass")
    anna.start()
    seen(anna, "FIRST SAW 1")


def test_history_lists_the_generations(anna):
    anna.start(GOOD)
    anna.write_config(OTHER)
    anna.ctl("reload", ok=True)
    out = anna.ctl("config", "history", "--json", ok=True).json
    items = out["generations"] if isinstance(out, dict) else out
    assert len(items) >= 2


def test_a_conf_d_file_is_merged(anna):
    anna.start(GOOD)
    folder = anna.folder / "conf.d"
    folder.mkdir()
    (folder / "10-more.toml").write_text(OTHER)
    anna.ctl("reload", ok=True)
    anna.emit("test.go", attributes={"n": 1})
    anna.wait_for(lambda: "FIRST SAW 1" in anna.log() and "SECOND SAW 1" in anna.log())


def test_a_running_action_does_not_notice_a_reload(anna):
    slow = """
[[mappings]]
name = "slow"
on = "test.slow"
action = { type = "exec", argv = ["/bin/sh", "-c", "read x < %s; echo done"], timeout = "30s" }
"""
    gate = anna.folder / "gate"
    os.mkfifo(gate)
    anna.start(GOOD + slow % gate)
    anna.emit("test.slow")
    anna.wait_event("action.started")
    anna.write_config(OTHER + slow % gate)
    anna.ctl("reload", ok=True)
    gate.write_text("go\n")
    event = anna.wait_event("action.finished", match=lambda e: e["attributes"].get("mapping") == "slow")
    assert event["attributes"]["ok"] is True


def test_no_event_is_lost_or_doubled_while_reloading(anna, scale):
    """20 reloads between two configs under a stream of events: each acked event acted on once."""
    count = 600 // scale
    anna.start(GOOD)
    with anna.connect() as emitter, anna.connect() as reloader:
        for n in range(count):
            emitter.post("events.emit", {"kind": "test.go", "attributes": {"n": n}})
            if n % (count // 20) == 0:
                anna.write_config(OTHER if (n // (count // 20)) % 2 else GOOD)
                reloader.post("config.reload")
            if n % 50 == 49:
                for _ in range(50):
                    assert "result" in emitter.answer()
    def finished():
        events = anna.events("action.finished")
        return events if len(events) >= count else None
    events = anna.wait_for(finished, 20, "an action for every event")
    assert len(events) == count
    assert len({event["cause"] for event in events}) == count
