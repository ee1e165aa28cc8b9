# SPDX-License-Identifier: Apache-2.0
"""Reload, undo, confirm: a config is taken as a whole or not at all, and what did not change does
not notice."""

import os
import threading
import time

import pytest

LONG = bool(os.environ.get("ANNA_LONG"))

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
    anna.rpc("reload.confirm")
    me = os.getuid()
    assert anna.wait_event("config.confirmed")["attributes"]["author"] == f"uid {me}"
    calls = [event["attributes"] for event in anna.events("rpc.called")]
    assert [call["method"] for call in calls] == ["reload", "reload.confirm"]
    assert calls[1]["uid"] == me and calls[1]["pid"] == os.getpid()
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


def test_a_running_action_does_not_notice_a_reload(anna, runs_commands):
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
    """Reloads between two configs under a stream of events: each acked event is acted on once."""
    reloads = 1000 if LONG else 20
    count = reloads * 30 // scale
    roomy = '[journal]\nnormal_size = "1GiB"\n'
    configs = [roomy + text.replace('\non =', '\nbudget = 1000000\non =') 
        for text in (GOOD, GOOD.replace("FIRST", "SECOND"))]
    anna.start(configs[0])
    outcomes = []

    def reload_on_and_on():
        with anna.connect(60) as reloader:
            for n in range(reloads):
                anna.write_config(configs[(n + 1) % 2])
                outcomes.append(reloader.call("reload"))

    thread = threading.Thread(target=reload_on_and_on)
    thread.start()
    ids = []
    with anna.connect(60) as emitter:
        while thread.is_alive() or len(ids) < count:
            for n in range(50):
                emitter.post("events.emit", {"kind": "test.go", "attributes": {"n": n}})
            ids += [emitter.answer()["result"]["id"] for _ in range(50)]
    thread.join()
    assert len(outcomes) == reloads and all(outcome["ok"] for outcome in outcomes)

    anna.wait_for(lambda: len(acted_on(anna)) >= len(ids) or is_quiet(anna), 60, "the actions")
    causes = acted_on(anna)
    lost, doubled = set(ids) - set(causes), len(causes) - len(set(causes))
    assert not lost and not doubled, (f"{len(lost)} of {len(ids)} lost ({sorted(lost)[:5]} ...), "
        f"{doubled} doubled; {anna.events('mapping.refused')[:2]}")


def is_quiet(anna):
    """Nothing new for two looks in a row."""
    before = anna.rpc("status")["events_processed"]
    pause = time.monotonic() + 1
    anna.wait_for(lambda: time.monotonic() > pause)
    return anna.rpc("status")["events_processed"] == before


def acted_on(anna):
    return [event["cause"] for event in anna.events("action.finished")]
