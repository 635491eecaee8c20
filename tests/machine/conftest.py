# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines that the role tpm_host has prepared, for each scenario one of its own."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import tempfile
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support import prepared_machine
from ansible_collections.hardbound.identity.tests.support.machine_controller import Controller
from ansible_collections.hardbound.identity.tests.support.machine_image import SUITES, Image, Unavailable, image
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit
from ansible_collections.hardbound.identity.tests.support.software_tpm import TpmMaker
from ansible_collections.hardbound.identity.tests.support.virtual_machine import (
    Machine,
    Snapshot,
    accelerator,
    check_host,
)

PREPARE = {"ansible.builtin.include_role": {"name": "hardbound.identity.tpm_host"}}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--suite", choices=sorted(SUITES), help="one release of Debian alone")
    parser.addoption("--briefly", action="store_true", help="the first release alone where the processor is emulated")


@pytest.fixture(scope="session", params=sorted(SUITES))
def suite(request: pytest.FixtureRequest) -> str:
    chosen = request.config.getoption("--suite")
    if chosen not in (None, request.param):
        pytest.skip(f"--suite {chosen}")
    if request.config.getoption("--briefly") and request.param != min(SUITES) and is_emulated():
        pytest.skip(f"takes too long on an emulated processor: ./run machine --suite {request.param}")
    return t.cast(str, request.param)


def is_emulated() -> bool:
    with or_skip():
        check_host()
        return "kvm" not in accelerator(image(min(SUITES)))


@pytest.fixture
def outfit() -> Outfit:
    """A module that wants more has a fixture of this name."""
    return Outfit()


@pytest.fixture
def debian(suite: str, outfit: Outfit) -> Image:
    """The image of a release, or a skip that says in one line why there is none."""
    with or_skip():
        check_host()
        return image(suite, *outfit.packages)


@pytest.fixture
def prepared(debian: Image, outfit: Outfit) -> t.Iterator[pathlib.Path]:
    """What is left of a machine that the role prepared and that was switched off.

    It is kept by what the collection is, so that who looks for a fault waits once.
    """

    def prepare(folder: pathlib.Path) -> None:
        with or_skip():
            _prepare(debian, outfit, folder)

    with prepared_machine.in_use(prepared_machine.home(debian, outfit), prepare) as folder:
        yield folder


def _prepare(debian: Image, outfit: Outfit, home: pathlib.Path) -> None:
    new = home.with_name(f"{home.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="hb-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        maker = TpmMaker(folder / "maker")
        maker.manufacture(folder / "tpm")
        with Machine(debian, Snapshot(folder)) as machine:
            Controller(folder / "controller", machine).tasks(PREPARE, **outfit.variables)
            machine.keep(new)
        shutil.copy(maker.anchors, new / "anchors.pem")
    new.rename(home)


@pytest.fixture
def lab(debian: Image, prepared: pathlib.Path, tmp_path: pathlib.Path) -> t.Iterator[Lab]:
    """A prepared machine that runs."""
    machine = Machine(debian, Snapshot(prepared))
    try:
        with or_skip():
            machine.start()
        yield Lab(machine, Controller(tmp_path / "controller", machine), prepared / "anchors.pem")
    finally:
        machine.discard()


@contextlib.contextmanager
def or_skip() -> t.Iterator[None]:
    """Says in one line why there is no machine."""
    try:
        yield
    except Unavailable as reason:
        pytest.skip(f"no virtual machine: {reason}")
