# SPDX-License-Identifier: Apache-2.0
"""What was acked is there after kill -9, once, in order; what could not be known is told."""

import json
import os
import random
import select
import subprocess
import threading

import pytest

from conftest import RpcError

LONG = bool(os.environ.get("ANNA_LONG"))


class Producer(threading.Thread):
    """Emits numbered events on one connection, and keeps the ids it was acked."""

    def __init__(self, anna, name, first):
        super().__init__()
        self.anna = anna
        self.producer = name
        self.number = first
        self.acked = []
        self.refused = []

    def run(self):
        try:
            with self.anna.connect() as connection:
                while True:
                    number = self.number
                    self.number += 1
                    connection.post("events.emit", {"kind": "test.load",
                        "subject": self.producer, "attributes": {"n": number}})
                    answer = connection.answer()
                    if "result" in answer:
                        self.acked.append((number, answer["result"]["id"]))
                    else:
                        self.refused.append(answer["error"])
        except (OSError, ValueError):
            pass  # annad was killed


def check(anna, acked):
    """Every acked event present once, in order per producer, ids rising."""
    events = anna.events("test.load")
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids)), "ids repeat or go back"
    kept = {}
    for event in events:
        kept.setdefault(event["subject"], []).append((event["attributes"]["n"], event["id"]))
    for producer, pairs in acked.items():
        have = kept.get(producer, [])
        numbers = [number for number, _ in have]
        assert numbers == sorted(set(numbers)), f"{producer}: doubled or out of order"
        missing = [pair for pair in pairs if pair not in set(have)]
        assert not missing, f"{producer}: acked and not there: {missing[:5]}"
    return len(events)


def kill_rounds(anna, rounds, seed):
    random_ = random.Random(seed)
    acked, numbers = {}, {}
    for _ in range(rounds):
        anna.start()
        producers = [Producer(anna, f"p{i}", numbers.get(f"p{i}", 0)) for i in range(4)]
        for producer in producers:
            producer.start()
        # Killed at a random moment: so much was acked until then, and a little later.
        enough = random_.randrange(1, 200)
        anna.wait_for(lambda: sum(len(p.acked) for p in producers) >= enough, 10, "some acks")
        select.select([], [], [], random_.random() * 0.003)
        anna.kill9()
        if random_.randrange(4) == 0:  # and once more on its way up, in the middle of recovery
            anna.start(wait=False)
            select.select([], [], [], random_.random() * 0.008)
            anna.kill9()
        for producer in producers:
            producer.join()
            acked.setdefault(producer.producer, []).extend(producer.acked)
            numbers[producer.producer] = producer.number
    anna.start()
    return check(anna, acked), sum(map(len, acked.values()))


def test_nothing_acked_is_lost_by_kill_9(anna):
    seed = int(os.environ.get("ANNA_SEED", "0")) or random.randrange(1 << 32)
    print(f"seed {seed}: repeat with ANNA_SEED={seed}")
    rounds = 1000 if LONG else 20
    kept, acked = kill_rounds(anna, rounds, seed)
    assert acked > rounds
    assert kept >= acked


@pytest.mark.slow
def test_nothing_acked_is_lost_by_kill_9_many_times(anna):
    seed = int(os.environ.get("ANNA_SEED", "0")) or random.randrange(1 << 32)
    print(f"seed {seed}: repeat with ANNA_SEED={seed}")
    kept, acked = kill_rounds(anna, 180, seed)
    assert kept >= acked


def test_an_unclean_stop_is_told_and_a_clean_one_is_not(anna):
    anna.start()
    anna.emit("test.one")
    anna.stop()
    anna.start()
    assert not anna.events("source.gap")
    anna.emit("test.two")
    anna.kill9()
    anna.start()
    gaps = anna.events("source.gap")
    assert len(gaps) == 1, gaps


def test_ids_never_repeat_over_restarts(anna):
    ids = []
    for clean in (True, False, False, True):
        anna.start()
        ids += [anna.emit("test.id") for _ in range(3)]
        anna.stop() if clean else anna.kill9()
    assert ids == sorted(set(ids))


def test_a_key_makes_an_event_once(anna):
    anna.start()
    first = anna.emit("test.once", key="abc")
    assert anna.emit("test.once", key="abc") == first
    assert len(anna.events("test.once")) == 1


def test_an_acked_event_is_on_disk_before_its_answer(anna):
    anna.start()
    number = anna.emit("test.disk", attributes={"text": "here-i-am"})
    anna.kill9()
    assert number
    anna.start()
    assert [event["id"] for event in anna.events("test.disk")] == [number]


def test_an_event_looks_as_promised(anna):
    anna.start()
    cause = anna.emit("test.cause")
    anna.emit("test.look", subject="thing", attributes={"a": 1, "b": "x", "c": 1.5, "d": True},
        cause=cause)
    event = anna.events("test.look")[0]
    assert set(event) >= {"id", "time", "kind", "source", "subject", "attributes", "cause",
        "trace", "generation"}
    assert event["attributes"] == {"a": 1, "b": "x", "c": 1.5, "d": True}
    assert event["cause"] == cause
    assert event["subject"] == "thing"
    assert event["time"].endswith("Z") and len(event["time"]) == len("2026-01-31T12:00:00.000000Z")
    assert event["trace"].startswith("00-") and len(event["trace"]) == 55
    # An effect is in its cause's trace.
    assert event["trace"][3:35] == anna.events("test.cause")[0]["trace"][3:35]


@pytest.mark.parametrize("kind", ["daemon.started", "action.finished", "host.filesystem", "nodot",
    "Test.upper", "test.", "test.a b", "unknown.kind", "test." + "x" * 200])
def test_declared_and_malformed_kinds_cannot_be_emitted(anna, kind):
    anna.start()
    with pytest.raises(RpcError):
        anna.emit(kind)
    result = anna.ctl("emit", kind)
    assert result.status != 0 and result.err


def test_follow_shows_new_events_as_they_come(anna):
    anna.start()
    command = [str(anna.command()[0]).replace("annad", "annactl"), "--socket", str(anna.socket),
        "events", "--follow", "--json", "--kind", "test.follow"]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
        env=anna.environment(), stdin=subprocess.DEVNULL)
    anna.others.append(follower)
    wanted = [anna.emit("test.follow", attributes={"n": n}) for n in range(20)]
    seen = [json.loads(follower.stdout.readline())["id"] for _ in range(len(wanted))]
    assert seen == wanted
    follower.terminate()
    follower.wait(5)


def test_after_since_kind_and_limit_narrow_the_list(anna):
    anna.start()
    ids = [anna.emit("test.list", attributes={"n": n}) for n in range(60)]
    anna.emit("test.other")
    def listed(*args):
        return [event["id"] for event in anna.ctl("events", "--json", *args, ok=True).lines]
    assert len(listed()) == 50  # when nothing is said
    assert listed("--kind", "test.list", "--limit", "0") == ids
    assert listed("--kind", "test.l*", "--limit", "5") == ids[-5:]
    assert listed("--kind", "test.list", "--after", ids[57], "--limit", "0") == ids[58:]
    assert listed("--kind", "test.list", "--since", "5m", "--limit", "0") == ids
    assert listed("--kind", "test.list", "--since", "2099-01-01T00:00:00Z") == []


def test_what_is_damaged_is_told_among_the_events(anna):
    anna.start()
    ids = [anna.emit("test.filler", attributes={"number": i, "text": "x" * 200}) for i in range(20)]
    anna.stop()
    path = min((anna.state / "journal" / "normal").glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[data.index(b'"number":3,') + 9] ^= 1
    path.write_bytes(data)
    anna.start()
    answer = anna.rpc("events", {"kind": "test.filler", "limit": 1000})
    gaps = [item["gap"] for item in answer["events"] if "gap" in item]
    kept = [item["id"] for item in answer["events"] if "gap" not in item]
    assert kept == [each for each in ids if each != ids[3]]
    assert [(gap["from"], gap["to"], gap["stream"]) for gap in gaps] == [(ids[3], ids[3], "normal")]
    # Where it stands among them, and in small pages too.
    pages, after = [], 0
    while (page := anna.rpc("events", {"kind": "test.filler", "limit": 2, "after": after}))["events"]:
        pages += page["events"]
        after = page["next"]
    assert pages == answer["events"]
    shown = anna.ctl("events", "--kind", "test.filler", "--limit", "0", ok=True)
    assert "damaged" in shown.out + shown.err, shown
