# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM that a task names, with the authorisations of its hierarchies: where cards are made and proved."""

from __future__ import annotations

import typing as t

from .._tpm.connection import Tpm
from .._tpm.tcti import Tcti
from .arguments import endorsement_auth, owner_auth


def tpm_of(task: t.Mapping[str, t.Any]) -> Tpm:
    """Returns the TPM of a task that has the arguments PLACE, not yet taken.

    :raises InputError: if it names none
    """
    tcti, auth = Tcti.of_task(task["tpm"]), endorsement_auth(task)
    return Tpm(tcti, task["store"], owner_auth(task), endorsement_auth=auth)
