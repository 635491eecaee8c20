# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down each time that a process of the controller opens a private key with its passphrase."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible.plugins.callback import CallbackBase
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import keyfile

FILE = pathlib.Path(os.environ["WITNESS_FOLDER"]) / "openings"
DOCUMENTATION = """
name: openings
type: notification
short_description: Writes down when keys are opened
description: For tests.
"""

_unlock = keyfile.unlock


def _witnessed(pem: bytes, passphrase: str, name: str) -> t.Any:
    with FILE.open("a") as file:
        file.write(f"{pathlib.Path(name).name}\n")
    return _unlock(pem, passphrase, name)


keyfile.unlock = _witnessed


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "openings"
    CALLBACK_NEEDS_ENABLED = True
