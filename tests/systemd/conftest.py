# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests on a machine with a real systemd: the packages, and machines with and without
Anna. What this host does not allow skips the tests with its reason.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import debs  # noqa: E402
import machine  # noqa: E402


@pytest.fixture(scope="session")
def rootfs():
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, mounts and control groups")
    for program in ("unshare", "nsenter"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not there (package util-linux)")
    try:
        return machine.root_filesystem()
    except machine.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def packages(rootfs, tmp_path_factory):
    """anna_*.deb as `make deb` makes it (ANNA_DEB names one), and others made from it."""
    folder = tmp_path_factory.mktemp("debs")
    given = os.environ.get("ANNA_DEB")
    if not given:
        made = subprocess.run([machine.ROOT / "tools/deb", "--output", str(folder)],
            capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        given = made.stdout.strip().splitlines()[-1]
    return debs.Packages(pathlib.Path(given), folder)


def boot(layers, kept=None):
    folder = tempfile.mkdtemp(prefix="anna-machine-")
    try:
        return machine.Machine(layers, folder, kept)
    except machine.Unavailable as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(str(error))


def end(booted):
    booted.close()
    shutil.rmtree(booted.folder, ignore_errors=True)


def install(booted, package, **options):
    inside = booted.copy(package, f"/root/{package.name}")
    return booted.run("apt-get", "install", "-y", "--allow-downgrades", inside, **options)


@pytest.fixture(scope="session")
def with_anna(rootfs, packages, tmp_path_factory):
    """Layers of a machine on which apt has installed Anna, and what it said."""
    kept = tmp_path_factory.mktemp("installed")
    booted = boot([rootfs], kept)
    try:
        said = install(booted, packages.real)
        assert booted.status()["state"] == "running"
        booted.run("systemctl", "stop", "annad")
    finally:
        end(booted)
    return [kept / "upper", rootfs], said


@pytest.fixture
def bare(rootfs, packages):
    """A machine without Anna."""
    booted = boot([rootfs])
    yield booted
    end(booted)


@pytest.fixture(scope="module")
def anna(with_anna):
    """A machine with Anna, for the tests of one file in their order."""
    layers, said = with_anna
    booted = boot(layers)
    booted.installed = said
    yield booted
    end(booted)


@pytest.fixture
def fresh(with_anna):
    """A machine of its own with Anna."""
    booted = boot(with_anna[0])
    yield booted
    end(booted)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    for name in ("anna", "fresh", "bare"):
        booted = getattr(item, "funcargs", {}).get(name)
        if report.failed and booted is not None:
            report.sections.append(("journal of the machine", booted.log()[-6000:]))
