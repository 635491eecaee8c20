# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared machine is kept until the collection is another, whatever other scenarios keep. No machine runs here."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hardbound.identity.tests.support import prepared_machine
from ansible_collections.hardbound.identity.tests.support.machine_image import Image
from ansible_collections.hardbound.identity.tests.support.machine_lab import Outfit
from ansible_collections.hardbound.identity.tests.support.prepared_machine import home, in_use

PLAIN, PASSKEYS = Outfit(), Outfit(variables={"tpm_host_passkeys": True})


@pytest.fixture
def image(tmp_path: pathlib.Path) -> Image:
    return Image(tmp_path / "bookworm-0123456789ab", "bookworm")


def prepare(image: Image, outfit: Outfit = PLAIN) -> pathlib.Path:
    with in_use(home(image, outfit), pathlib.Path.mkdir) as folder:
        assert folder.is_dir()
    return folder


def change_collection(monkeypatch: pytest.MonkeyPatch, digest: str = "fedcba987654") -> None:
    monkeypatch.setattr(prepared_machine, "_collection", lambda: digest)


def test_it_is_prepared_once(image: Image) -> None:
    folder = prepare(image)
    with in_use(home(image, PLAIN), lambda _folder: pytest.fail("prepared again")) as again:
        assert again == folder


def test_each_outfit_keeps_its_own(image: Image) -> None:
    """Though the packages in both are the same, so that both stand upon one image."""
    first, second = prepare(image), prepare(image, PASSKEYS)
    assert first != second and first.exists() and second.exists()


def test_what_is_outdated_goes_and_is_of_the_same_outfit(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    outdated, other = prepare(image), prepare(image, PASSKEYS)
    change_collection(monkeypatch)
    folder = prepare(image)
    assert folder.exists() and other.exists() and not outdated.exists()


def test_what_is_outdated_stays_while_a_machine_uses_it(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of another checkout, whose collection is another, would find no disk at its next start."""
    with in_use(home(image, PLAIN), pathlib.Path.mkdir) as used:
        change_collection(monkeypatch)
        prepare(image)
        assert used.exists()
    change_collection(monkeypatch, "0" * 12)
    prepare(image)
    assert not used.exists()


def test_what_could_not_be_prepared_is_not_kept(image: Image) -> None:
    def fail(_folder: pathlib.Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), in_use(home(image, PLAIN), fail):
        pass
    assert prepare(image).exists()
