# SPDX-License-Identifier: Apache-2.0
"""Reload by itself when a config file changes (opt-in): whatever way an editor saves it."""

import pytest

AUTO = "[reload]\nauto = true\n"


def mapping(name):
    return f'[[mappings]]\nname = "{name}"\non = "test.go"\naction = {{ type = "log", message = "m" }}\n'



def in_force(anna, name):
    text = anna.ctl("config", "show", ok=True).out
    return name in text


@pytest.fixture
def auto(anna):
    anna.start(AUTO + mapping("before"))

    def expect(name):
        anna.wait_for(lambda: in_force(anna, name), 15, f"the mapping {name} in force")
    anna.expect = expect
    return anna


def test_a_file_renamed_over_it_is_taken(auto):
    auto.write_config(AUTO + mapping("renamed"))
    auto.expect("renamed")


def test_a_file_written_in_place_is_taken(auto):
    auto.config.write_text(AUTO + mapping("in-place"))
    auto.expect("in-place")


def test_a_new_file_in_a_new_conf_d_is_taken(auto):
    folder = auto.folder / "conf.d"
    folder.mkdir()
    (folder / "1.toml").write_text(mapping("beside"))
    auto.expect("beside")


def test_a_symlink_turned_elsewhere_is_taken(anna):
    first, second = anna.folder / "a.toml", anna.folder / "b.toml"
    first.write_text(AUTO + mapping("first"))
    second.write_text(AUTO + mapping("second"))
    anna.config.symlink_to(first)
    anna.start()
    link = anna.folder / "link"
    link.symlink_to(second)
    link.rename(anna.config)
    anna.wait_for(lambda: in_force(anna, "second"), 15, "what the link leads to now")


def test_a_file_of_any_name_that_the_symlink_leads_to_is_watched(anna):
    elsewhere = anna.folder / "elsewhere"
    elsewhere.mkdir()
    first, second = anna.folder / "first.conf", elsewhere / "second.conf"
    first.write_text(AUTO + mapping("first"))
    second.write_text(AUTO + mapping("second"))
    anna.config.symlink_to(first)
    anna.start()
    first.write_text(AUTO + mapping("edited"))
    anna.wait_for(lambda: in_force(anna, "edited"), 15, "the edit of the file it leads to")
    link = anna.folder / "link"
    link.symlink_to(second)
    link.rename(anna.config)
    anna.wait_for(lambda: in_force(anna, "second"), 15, "what the link leads to now")
    second.write_text(AUTO + mapping("third"))
    anna.wait_for(lambda: in_force(anna, "third"), 15, "the edit of the other file")


def test_a_broken_file_changes_nothing_and_is_told(auto):
    errors = auto.rpc("status")["errors"]
    auto.config.write_text("[[mappings]\n")
    auto.wait_for(lambda: auto.rpc("status")["errors"] > errors, 15, "the error counted")
    assert in_force(auto, "before")
    assert auto.rpc("status")["state"] == "running"


def test_many_writes_are_one_reload(auto):
    before = auto.rpc("status")["generation"]
    for n in range(50):
        auto.config.write_text(AUTO + mapping(f"write-{n}"))
    auto.expect("write-49")
    assert auto.rpc("status")["generation"] == before + 1


def test_without_it_a_change_is_left_alone(anna):
    anna.start(mapping("before"))
    anna.write_config(mapping("after"))
    anna.emit("test.go")  # something else happens after the change
    anna.wait_event("action.finished")
    assert in_force(anna, "before") and not in_force(anna, "after")


def test_what_was_undone_is_not_taken_by_itself(auto):
    auto.write_config(AUTO + mapping("undone"))
    auto.expect("undone")
    auto.ctl("undo", ok=True)
    auto.config.write_text(AUTO + mapping("undone"))  # the same content, saved again
    auto.config.with_name("other").write_text("noise")
    auto.write_config(AUTO + mapping("newer"))
    auto.expect("newer")
    assert not in_force(auto, '"undone"')
