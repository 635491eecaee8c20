# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kept bundle, judged again from the bundle alone."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import replace

from ...module_utils._errors import InputError, StateError
from .._attestation.seal import judge_bundle
from .._attestation.trust import Trust
from .._attestation.verifier import Verdict
from .._ledger.ledger import Ledger
from .desk import ca_folder

LARGEST_BUNDLE = 64 << 20


def judge_again(bundle: t.Any, ca: str = "", trust_anchors: str = "") -> Verdict:
    """Returns the verdict on a bundle, as of the time that it was made.

    :param bundle: what a JSON parser made of it
    :param ca: the CA that has to have signed it: its name, its folder, or a file with its certificates
    :param trust_anchors: your own; without them the bundle's are believed, and a warning says so
    :raises InputError, StateError: if certificates can't be read
    """
    ours = Trust.load(_certificates_of(ca)) if ca else None
    makers = Trust.load(trust_anchors) if trust_anchors else None
    verdict = judge_bundle(bundle, ours, makers)
    unread = [warning for trust in (ours, makers) if trust is not None for warning in trust.warnings]
    return replace(verdict, warnings=(*verdict.warnings, *unread))


def _certificates_of(ca: str) -> str:
    if os.path.isfile(ca):
        return ca
    folder = ca_folder(ca)
    return str(folder.chain if folder.exists else folder.path)


def read_bundle(path: str) -> t.Any:
    """Returns what is in a file on the controller.

    :raises StateError: if it can't be read
    :raises InputError: if it is no JSON
    """
    try:
        with open(path, "rb") as file:
            return parse_bundle(file.read(LARGEST_BUNDLE), path)
    except OSError as error:
        raise StateError(f"{path} can't be read ({error.strerror})", "check its permissions") from None


def kept_bundle(ledger: Ledger, digest: str) -> t.Any:
    """Returns the bundle that a certificate was issued upon.

    :raises InputError: if the ledger does not hold it
    """
    return parse_bundle(ledger.evidence(digest), f"evidence {digest}")


def parse_bundle(data: t.Union[str, bytes], where: str) -> t.Any:
    """:raises InputError: if it is no JSON"""
    try:
        return json.loads(data)
    except ValueError:
        raise InputError("bundle", f"({where}) is no JSON", "give what an enrolment kept") from None
