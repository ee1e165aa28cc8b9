# SPDX-License-Identifier: Apache-2.0
"""tools/soak in short: memory and descriptors stay where they are under the load of many hours. The
long form, and the build that leaks and must fail it, are part of make test-long."""

import importlib.machinery
import importlib.util

import pytest

import conftest


@pytest.fixture(scope="module")
def soak():
    loader = importlib.machinery.SourceFileLoader("soak", str(conftest.ROOT / "tools" / "soak"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("soak", loader))
    loader.exec_module(module)
    return module


def test_a_line_that_rises_is_told_from_one_that_does_not(soak):
    flat = [1800 + (i * 37 % 11) - 5 for i in range(96)]
    rising = [value + i * 168 / 95 for i, value in enumerate(flat)]  # 100 bytes per 1,000 events
    said = []
    assert soak.verdict({"allocated": flat, "resident": flat}, [19] * 96, said.append)
    assert not soak.verdict({"allocated": rising, "resident": flat}, [19] * 96, said.append)
    assert "allocated memory grows by" in said[-1]
    steps = [value + 300 * (i > 60) for i, value in enumerate(flat)]
    assert not soak.verdict({"allocated": flat, "resident": steps}, [19] * 96, said.append)
    assert not soak.verdict({"allocated": flat, "resident": flat}, [19] * 60 + [20] * 36, said.append)


@pytest.mark.slow
def test_hours_of_load_leave_memory_and_descriptors_where_they_were(soak, monkeypatch):
    build = conftest.ROOT / "build" / "bench"
    if not (build / "tests" / "soak" / "libsoak_trim.so").exists():
        pytest.skip("build/bench is not built: tools/build bench")
    monkeypatch.setattr(soak, "WARM_HOURS", 8)
    said = []
    assert soak.soak(build, 8, say=said.append), said
