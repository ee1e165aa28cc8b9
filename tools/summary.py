# SPDX-License-Identifier: Apache-2.0
"""Adds test results up: what meson, pytest and lint report becomes one list of outcomes."""

import dataclasses
import json
import xml.etree.ElementTree as xml


@dataclasses.dataclass
class Outcome:
    name: str
    state: str  # passed, failed, skipped; unsteady: failed, and passed when run alone
    text: str = ""
    node: str = ""  # what pytest calls it


@dataclasses.dataclass
class Suite:
    name: str
    budget: int  # seconds
    seconds: float = 0
    outcomes: list = dataclasses.field(default_factory=list)

    def add(self, name, state, text=""):
        self.outcomes.append(Outcome(name, state, text))

    def of(self, state):
        return [outcome for outcome in self.outcomes if outcome.state == state]


def read_junit(path):
    """The outcomes of a JUnit file, as pytest, meson and tools/lint write it."""
    outcomes = []
    for case in xml.parse(path).getroot().iter("testcase"):
        name = "::".join(filter(None, [case.get("classname"), case.get("name")]))
        broken = [child for child in case if child.tag in ("failure", "error")]
        skipped = case.find("skipped")
        node = case.get("classname", "").replace(".", "/") + ".py::" + case.get("name", "")
        if broken:
            text = "\n".join(filter(None, (broken[0].get("message"), broken[0].text)))
            outcomes.append(Outcome(name, "failed", text, node))
        elif skipped is not None:
            reason = skipped.get("message") or (skipped.text or "").strip() or "no reason given"
            outcomes.append(Outcome(name, "skipped", reason))
        else:
            outcomes.append(Outcome(name, "passed"))
    return outcomes


def read_tap(text):
    """The outcomes of one TAP program; what was planned and never ran has failed."""
    outcomes, planned = [], None
    for line in text.splitlines():
        words = line.split()
        if line.startswith("1.."):
            planned = int(line[3:].split()[0])
        elif words[:1] == ["ok"] or words[:2] == ["not", "ok"]:
            good = words[0] == "ok"
            rest = line.split("ok", 1)[1].strip()
            name = rest.split(" - ", 1)[-1] if " - " in rest else " ".join(rest.split()[1:])
            if "# skip" in rest.lower():
                reason = rest.split("#", 1)[1].strip()[4:].strip() or "no reason given"
                outcomes.append(Outcome(name.split("#")[0].strip() or reason, "skipped", reason))
            else:
                outcomes.append(Outcome(name, "passed" if good else "failed", ""))
    if planned is None:
        outcomes.append(Outcome("plan", "failed", "the program printed no plan"))
    elif len(outcomes) < planned:
        outcomes.append(Outcome(f"the other {planned - len(outcomes)}", "failed",
            f"{planned} tests were planned, {len(outcomes)} ran"))
    return outcomes


def read_meson(path):
    """The outcomes of meson's testlog.json: one JSON object a line, one line a program."""
    outcomes = []
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            program = json.loads(line)
            name = program["name"].split(" / ")[-1]
            results = read_tap(program.get("stdout", ""))
            output = (program.get("stdout", "")[-2000:] + program.get("stderr", "")[-4000:]).strip()
            broken = [outcome for outcome in results if outcome.state == "failed"]
            for outcome in results:
                outcome.name = f"{name}: {outcome.name}"
                if outcome.state == "failed":
                    outcome.text = (outcome.text + "\n" + output).strip()
            # A sanitizer's report comes after the last "ok": the exit status tells of it.
            if program["result"] not in ("OK", "SKIP") and not broken:
                results.append(Outcome(name, "failed",
                    f"{program['result']}, exit status {program['returncode']}\n{output}"))
            outcomes += results
    return outcomes


def format_total(suites):
    """The last line of `make test`. What passed when it was run alone has passed."""
    counts = {state: sum(len(suite.of(state)) for suite in suites)
        for state in ("passed", "failed", "skipped", "unsteady")}
    counts["passed"] += counts["unsteady"]
    text = f"{counts['passed']} passed, {counts['failed']} failed"
    return text + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
