# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING's "where do I add" table, tried: one source, one collector of the host's, one action, one
RPC method, one route and one command are added, each one file and one row, and taken out again.
Builds twice."""

import shutil
import subprocess

import pytest

import conftest

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
ADDED = {
    "sources": ("sources.def", "SOURCE(hello)", SPDX + """// hello: one event at the start.
#include "base/alloc.h"
#include "flow/capability.h"

static void *start(const struct services *services, const struct capability_config *config,
	struct err *err) {
	(void)config;
	struct event *event = event_create("hello.started", "hello", STR("world"));
	return bus_publish(services->bus, event, NULL, NULL, err) ? xcalloc(1, 1) : NULL;
}

static void stop(void *self) {
	free(self);
}

static const struct kind kinds[] = {
	{"hello.started", STREAM_NORMAL, "The source hello has started.", NULL},
	{NULL},
};

DEFINE_SOURCE(hello) = {
	.name = "hello",
	.summary = "one event at the start",
	.section = &(const struct section){.name = "hello", .summary = "Nothing to set."},
	.kinds = kinds,
	.start = start,
	.stop = stop,
};
"""),
    "sources/host_": ("host_collectors.def", "HOST_COLLECTOR(answer)", SPDX + """// answer: one number.
#include "formats/exposition.h"
#include "sources/host_collector.h"

static void gather(void *arg, struct host_turn *turn) {
	(void)turn;
	*(int *)arg += 42;
}

static void collect(const void *arg, struct exposition *out) {
	exposition_family(out, "node_answer", "gauge", "The answer.");
	exposition_sample(out, *(const int *)arg ? 42 : 0, NULL);
}

DEFINE_HOST_COLLECTOR(answer) = {
	.name = "answer",
	.summary = "The answer.",
	.size = sizeof(int),
	.gather = gather,
	.collect = collect,
};
"""),
    "actions": ("actions.def", "ACTION(nothing)", SPDX + """// nothing: is done at once.
#include "engine/action.h"

static void run(struct action_call *call) {
	event_set_text(call->result, "did", "nothing");
	call->on_done(call, NULL);
}

DEFINE_ACTION(nothing) = {
	.name = "nothing",
	.summary = "Does nothing, successfully.",
	.run = run,
};
"""),
    "rpc": ("methods.def", "METHOD(hello)", SPDX + """// hello: says so.
#include "rpc/method.h"

static void handle(struct call *call) {
	json_raw(call_result(call), STR("{\\"hello\\":\\"world\\"}"));
	call_reply(call);
}

DEFINE_METHOD(hello) = {
	.name = "hello",
	.summary = "Says hello.",
	.role = ROLE_READ,
	.is_idempotent = true,
	.result = "{hello}",
	.handle = handle,
};
"""),
    "ctl": ("commands.def", "COMMAND(hello)", SPDX + """// `annactl hello`: what the method says.
#include "ctl/command.h"

static int run(struct invocation *in, const void *options) {
	(void)options;
	const struct value *result = invocation_ask(in, "hello");
	if (!result) {
		return in->exit_status;
	}
	output_text(&in->output, "hello from the daemon\\n");
	return 0;
}

DEFINE_COMMAND(hello) = {
	.name = "hello",
	.summary = "Says hello.",
	.run = run,
};
"""),
}

pytestmark = pytest.mark.slow


def build(tree):
    result = subprocess.run(["tools/build", "release"], cwd=tree, capture_output=True, text=True,
        check=False)
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    assert "warning:" not in result.stdout + result.stderr


def places(tree):
    """Of each: its file, its table, the row and the text."""
    for key, (table, row, text) in ADDED.items():
        folder, _, prefix = key.partition("/")
        where = tree / "src" / folder
        yield where / (prefix + row.split("(")[1].rstrip(")") + ".c"), where / table, row, text


def test_one_file_and_one_row_each(anna, root, tmp_path, monkeypatch):
    tree = tmp_path / "anna"
    def ignore(folder, names):
        return {".git", "__pycache__"} | ({"build"} if folder == str(root) else set())

    shutil.copytree(root, tree, ignore=ignore, symlinks=True)
    for file, table, row, text in places(tree):
        file.write_text(text)
        with open(table, "a", encoding="utf-8") as rows:
            rows.write(row + "\n")
    build(tree)
    monkeypatch.setattr(conftest, "BIN", tree / "build")

    anna.start("""
[[mappings]]
name = "greet"
on = "hello.started"
action = { type = "nothing" }
""")
    anna.wait_event("hello.started")
    finished = anna.wait_event("action.finished")
    assert finished["attributes"]["did"] == "nothing"
    assert anna.rpc("hello") == {"hello": "world"}
    assert anna.ctl("hello", ok=True).out == "hello from the daemon\n"
    assert "hello" in anna.ctl("help", ok=True).out
    assert "\nnode_answer 42\n" in anna.ctl("metrics", ok=True).out
    anna.stop()

    for file, table, row, _ in places(tree):
        file.unlink()
        table.write_text(table.read_text().replace(row + "\n", ""))
    build(tree)
    anna.start("# nothing\n")
    assert anna.ctl("hello").status == 2
