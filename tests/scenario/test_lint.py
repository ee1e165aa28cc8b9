# SPDX-License-Identifier: Apache-2.0
"""Every rule of `make lint` finds the one thing wrong that is planted in a small clean tree."""

import shutil
import subprocess

import pytest

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
TREE = {
    "src/LAYERS": "base:\nsources: base\nengine: base\n",
    "src/base/banned.h": SPDX + "#pragma once\n#include <string.h>\n#pragma GCC poison strcpy\n",
    "src/base/text.h": SPDX + "#pragma once\n\nint text_length(const char *text);\n",
    "src/base/text.c": SPDX + '#include "base/text.h"\n\nint text_length(const char *text) {\n'
        "\treturn text[0];\n}\n",
    "src/base/text_test.c": SPDX + '#include "base/text.h"\n',
    "src/base/meson.build": "sources += {'base': files('text.c')}\nunit_tests += files('text_test.c')\n",
    "src/sources/sources.def": "// One row, one file.\nSOURCE(clock)\n",
    "src/sources/clock.c": SPDX + "DEFINE_SOURCE(clock) = {0};\n",
    "src/sources/clock_test.c": SPDX + '#include "base/text.h"\n',
    "src/sources/meson.build": "sources += {'sources': files()}\n",
    "src/engine/meson.build": "",
    "README.md": "# Title\n\nSee [the page](docs/page.md#a-part) and [here](#title).\n",
    "docs/page.md": "# Page\n\n## A part\n",
    "tools/untested.txt": "# path: reason\n",
    "tools/step": "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n",
    "tests/scenario/test_it.py": "# SPDX-License-Identifier: Apache-2.0\n",
}


@pytest.fixture
def lint(tmp_path, root):
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(root / ".clang-format", tmp_path)

    def run(rule=None, **planted):
        command = [str(root / "tools/lint"), "--root", str(tmp_path)]
        if rule:
            command += ["--rule", rule]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    run.tree = tmp_path
    return run


def test_a_clean_tree_passes(lint):
    result = lint()
    assert result.returncode == 0, result.stdout


CHECKS = ("// One row, one file.\nCHECK(disk_full)\n", SPDX + 'DEFINE_CHECK(disk_full) = {.id = "disk-full"};\n',
    "# disk-full: no room\n\n## What to do\n\nFree some.\n")


def plant_check(lint, rows, source, page):
    for name, text in (("src/doctor/checks.def", rows), ("src/doctor/disk_full.c", source),
            ("docs/guide/findings/disk-full.md", page)):
        path = lint.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("part, text, told", [
    (0, "// none\n", "docs/guide/findings/disk-full.md:1: is the page of no check"),
    (0, "CHECK(disk_full)\nCHECK(disk_slow)\n", "src/doctor/checks.def:2: disk-slow has no page"),
    (1, SPDX + 'DEFINE_CHECK(disk_full) = {.id = "disk-fool"};\n', "its id is not \"disk-full\""),
    (2, "# something\n", "begins with another heading"),
    (2, "# disk-full: no room\n", "has no part `## What to do`"),
])
def test_a_check_and_its_page_belong_together(lint, part, text, told):
    parts = list(CHECKS)
    plant_check(lint, *parts)
    assert lint("findings").returncode == 0, lint("findings").stdout
    parts[part] = text
    plant_check(lint, *parts)
    result = lint("findings")
    assert result.returncode == 1 and told in result.stdout, result.stdout


# rule, file, its new text (or what to append, after "+"), where it is told, what it says
PLANTED = [
    ("format", "src/base/text.c", "+static int  badly( int a ){return a;}\n",
        "src/base/text.c:", "run `make format`"),
    ("headers", "src/base/text.h", "+size_t text_width(struct unknown text);\n",
        "src/base/text.h:5:", "does not compile alone"),
    ("headers", "src/base/text.h", "+static inline void f(char *a) { strcpy(a, a); }\n",
        "src/base/text.h:5:", 'poisoned "strcpy"'),
    ("layers", "src/base/text.c", '+#include "engine/rule.h"\n',
        "src/base/text.c:7:", "base may not include engine"),
    ("layers", "src/base/text.c", '+#include "text.h"\n', "src/base/text.c:7:", "names no folder"),
    ("layers", "src/LAYERS", "base: engine\nsources: base\nengine: base\n",
        "src/LAYERS:1:", "goes in a circle: base -> engine -> base"),
    ("layers", "src/stray/a.h", SPDX + "#pragma once\n", "src/stray/a.h:1:", "has no line in src/LAYERS"),
    ("tables", "src/sources/sources.def", "// none\n",
        "src/sources/clock.c:2:", "has no row in src/sources/sources.def; add SOURCE(clock)"),
    ("tables", "src/sources/sources.def", "+SOURCE(ghost)\n",
        "src/sources/sources.def:3:", "row ghost has no DEFINE_SOURCE(ghost)"),
    ("tables", "src/sources/sources.def", "+SOURCE(clock)\n",
        "src/sources/sources.def:3:", "has a row already"),
    ("tables", "src/sources/sources.def", "+ACTION(clock)\n",
        "src/sources/sources.def:3:", "should be SOURCE(name)"),
    ("tables", "src/sources/host_collectors.def", "HOST_COLLECTOR(ghost)\n",
        "src/sources/host_collectors.def:1:",
        "row ghost has no DEFINE_HOST_COLLECTOR(ghost) in src/sources/host_ghost.c"),
    ("listed", "src/base/extra.c", SPDX, "src/base/extra.c:1:", "is compiled by nobody"),
    ("tests", "src/base/extra.c", SPDX, "src/base/extra.c:1:", "has no extra_test.c"),
    ("tests", "tools/untested.txt", "src/base/text.c: scenario tests\n",
        "tools/untested.txt:1:", "has a test now"),
    ("tests", "tools/untested.txt", "src/base/gone.c: scenario tests\n",
        "tools/untested.txt:1:", "is not there any more"),
    ("tests", "tools/untested.txt", "src/base/text.c:\n", "tools/untested.txt:1:", "needs a reason"),
    ("banned", "tests/scenario/test_it.py", "+import time\ntime.sl" + "eep(1)\n",
        "tests/scenario/test_it.py:3:", "wait for the condition with a deadline"),
    ("banned", "src/base/text_test.c", "+static void f(void) { nanosl" + "eep(0, 0); }\n",
        "src/base/text_test.c:3:", "use a timer of the loop"),
    ("braces", "src/base/text.c", "+int g(int a) {\n\tif (a &&\n\t\t(a > 1))\n\t\treturn 1;\n\treturn 0;\n}\n",
        "src/base/text.c:8:", "has no braces"),
    ("braces", "src/base/text.c", "+int g(int a) {\n\tif (a) {\n\t} else\n\t\ta = 1;\n\treturn a;\n}\n",
        "src/base/text.c:9:", "has no braces"),
    ("licence", "src/base/text.h", "#pragma once\n", "src/base/text.h:1:", "SPDX-License-Identifier"),
    ("unfinished", "src/base/text.c", "+// TO" + "DO: later\n", "src/base/text.c:7:", "file an issue"),
    ("docs", "tools/docs", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho old.md; exit 1\n",
        "tools/docs:1:", "run `make docs`"),
    ("links", "README.md", "+[gone](docs/gone.md)\n", "README.md:4:", "docs/gone.md, which is not there"),
    ("links", "README.md", "+[part](docs/page.md#no-part)\n", "README.md:4:", "has no heading #no-part"),
    ("scripts", "tools/step", "+if\n", "tools/step:1:", "does not parse"),
    ("scripts", "tests/scenario/test_it.py", "+def f(:\n",
        "tests/scenario/test_it.py:2:", "does not parse"),
]


@pytest.mark.parametrize("rule, file, text, where, says", PLANTED,
    ids=[f"{row[0]}-{number}" for number, row in enumerate(PLANTED)])
def test_a_planted_violation_is_found_at_its_place(lint, rule, file, text, where, says):
    path = lint.tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.read_text() + text[1:] if text.startswith("+") else text)
    if file == "tools/docs":
        path.chmod(0o755)
        (lint.tree / "build").mkdir()
        (lint.tree / "build/annad").write_text("")

    result = lint(rule)

    assert result.returncode == 1, result.stdout + result.stderr
    found = [line for line in result.stdout.splitlines() if line.startswith(where)]
    assert found, result.stdout
    assert says in found[0] and found[0].endswith(f"[{rule}]")


def test_without_the_rule_the_planted_violation_is_not_found(lint):
    (lint.tree / "src/base/text.c").write_text("int x;\n")
    assert lint("layers").returncode == 0


def test_folders_that_include_one_another_are_a_circle(lint):
    (lint.tree / "src/LAYERS").write_text("base: engine\nsources: base\nengine: base\n")
    (lint.tree / "src/base/text.c").write_text(SPDX + '#include "engine/rule.h"\n')
    (lint.tree / "src/engine/rule.h").write_text(SPDX + '#pragma once\n#include "base/text.h"\n')
    result = lint("layers")
    assert "folders include one another: base -> engine -> base" in result.stdout


def test_a_long_function_is_told_and_not_refused(lint):
    body = "".join(f"\ta = {i};\n" for i in range(90))
    (lint.tree / "src/base/text.c").write_text(SPDX + "int f(int a) {\n" + body + "\treturn a;\n}\n")
    result = lint("length")
    assert result.returncode == 0
    assert "note: src/base/text.c:2: a function of" in result.stdout
