# SPDX-License-Identifier: Apache-2.0
"""Policy files, the predecessor's policies.d/*.yaml: loaded beside the configuration, acting, shown with
their origin, hot-reloaded, refused with their place, and undone."""

RULE = """- name: go
  when: event.kind == "test.go" and event.n > 3
  then: exec ["/bin/sh", "-c", "echo {{n}} >> {out}"]
  enabled: {enabled}
"""


def write(anna, name, text):
    folder = anna.folder / "policies.d"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.new").write_text(text)
    (folder / f"{name}.new").rename(folder / name)


def rule(anna, enabled="true"):
    return RULE.format(out=anna.folder / "out", enabled=enabled)


def output(anna):
    path = anna.folder / "out"
    return path.read_text().split() if path.exists() else []


def test_a_rule_on_an_event_acts_and_why_names_it(anna):
    write(anna, "go.yaml", rule(anna))
    anna.start("")
    anna.emit("test.go", attributes={"n": 2})
    number = anna.emit("test.go", attributes={"n": 4})
    anna.wait_for(lambda: output(anna) == ["4"], what="the command's output")
    finished = anna.wait_event("action.finished")
    assert finished["attributes"]["mapping"] == "policy:go"
    assert "policy:go" in anna.ctl("why", number, ok=True).out


def test_a_rule_on_a_figure_becomes_a_threshold_that_is_shown_with_its_origin(anna):
    write(anna, "memory.yaml", '- when: "memory.used_percent >= 97%"\n  then: send_alert\n')
    anna.start("")
    shown = anna.ctl("config", "show", "--origin", ok=True).out
    mine = [line for line in shown.splitlines() if "policy:memory-1" in line]
    assert any(line.startswith("thresholds[") and 'figure = "memory.used_percent"' in line
        and "policies.d/memory.yaml:1" in line for line in mine), mine
    assert any(line.startswith("mappings[") and "policies.d/memory.yaml" in line for line in mine)


def test_rules_are_reloaded_by_hand_and_by_themselves_and_undone(anna):
    anna.start("[reload]\nauto = true\n")
    write(anna, "go.yaml", rule(anna))
    assert "policy:go" in anna.ctl("reload", ok=True).out
    anna.emit("test.go", attributes={"n": 5})
    anna.wait_for(lambda: output(anna) == ["5"], what="the rule's output")
    write(anna, "go.yaml", rule(anna, "false"))  # now by itself
    anna.wait_for(lambda: "mappings[\"policy:go\"].enabled = false" in anna.ctl(
        "config", "show", ok=True).out, what="the rule switched off")
    anna.emit("test.go", attributes={"n": 6})
    anna.ctl("undo", ok=True)
    anna.emit("test.go", attributes={"n": 7})
    anna.wait_for(lambda: output(anna) == ["5", "7"], what="the rule after undo")


def test_what_is_not_in_the_grammar_is_refused_and_the_old_rules_stand(anna):
    write(anna, "go.yaml", rule(anna))
    anna.start("")
    write(anna, "bad.yaml", "- when: telemetry.disk_free_pct < 15\n  then: disable_autonomy\n"
        "  always: true\n- when: a.b > 1 && c.d > 2\n  then: log\n")
    refused = anna.ctl("reload")
    assert refused.status != 0
    told = refused.out + refused.err
    for part in ("bad.yaml:1:9", "name of the predecessor", "bad.yaml:3:3", 'unknown key "always"',
            "bad.yaml:4:17", "joined by the word and"):
        assert part in told, told
    anna.emit("test.go", attributes={"n": 8})
    anna.wait_for(lambda: output(anna) == ["8"], what="the old rule still acts")


def test_a_file_can_be_checked_alone_and_names_are_unique_over_all_files(anna):
    write(anna, "a.yaml", rule(anna))
    write(anna, "b.yaml", rule(anna))
    status, told = anna.run("", args=["--check"])
    assert status != 0 and "b.yaml:1" in told and "is taken already" in told
    (anna.folder / "elsewhere").mkdir()
    path = anna.folder / "elsewhere" / "alone.yaml"
    path.write_text("- when: load.per_cpu > 4\n  then: alert\n")
    checked = anna.ctl("config", "check", path)
    assert checked.status != 0 and "alone.yaml:2:9" in checked.out + checked.err
    path.write_text("- when: load.per_cpu > 4\n  then: log\n")
    assert anna.ctl("config", "check", path).status == 0
