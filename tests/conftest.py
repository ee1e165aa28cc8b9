# SPDX-License-Identifier: Apache-2.0
"""What every Python test needs to know: where the repository is, and which marks there are."""

import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out under the sanitizers")
    config.addinivalue_line("markers", "threads: crosses threads, so it also runs under TSan")


@pytest.fixture(scope="session")
def root():
    return ROOT
