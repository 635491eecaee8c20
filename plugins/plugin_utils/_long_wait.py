# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says at ``-v`` that a task may take long, before it does: a TPM takes a second for an RSA key, or a minute."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ..module_utils._encoding.key_algorithm import KeyAlgorithm

_RSA = frozenset(each.value for each in KeyAlgorithm if each.is_rsa)


def announce(arguments: object, host: str) -> None:
    """Tells of the RSA keys that a task may have a TPM make.

    :param arguments: of the task, however deep the keys are in them
    """
    keys = sum(1 for algorithm in _algorithms(arguments) if algorithm in _RSA)
    if keys:
        which = "1 RSA key" if keys == 1 else f"{keys} RSA keys"
        told = f"{which} asked for. What is not there yet is made in the TPM, which takes some a minute for each."
        Display().v(told, host=host or None)


def _algorithms(value: object) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        yield str(value.get("algorithm", ""))
        for each in value.values():
            yield from _algorithms(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _algorithms(each)
