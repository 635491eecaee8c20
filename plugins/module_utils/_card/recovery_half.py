# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of a PUK, in the TPM.

The half is sealed under the storage root key, with the card's POLICY index in its policy: it opens in this TPM alone,
and ends with the card. Whoever is root opens it, and knows the PUK no better than before.
"""

from __future__ import annotations

from .._tpm import object as tpm_object
from .._tpm.session import Given
from .._tpm.template import Template
from .gate import Gates
from .key import PinUse
from .model import Role
from .recovery import HostHalf, NewHalves


def keep(gates: Gates, halves: NewHalves) -> HostHalf:
    """Has the TPM seal the host's half."""
    policy = gates.model.key_policy(PinUse.NEVER, certifiable=False)
    blob, _creation = tpm_object.create(gates.tpm, gates.root(), Template.seal(), policy, b"", halves.host)
    return HostHalf(halves.identifier, blob)


def reveal(gates: Gates, half: HostHalf) -> bytes:
    """Has the TPM open a half of the host.

    :raises CardLost: if the card's indices are gone
    :raises TpmError: if it is another TPM's, or another card's
    """
    policy = gates.model.key_policy(PinUse.NEVER, certifiable=False)
    given = Given.entity(gates.model.name(Role.POLICY), gates.entity(Role.POLICY, b""))
    with tpm_object.loaded(gates.tpm, gates.root(), half.blob) as entity:
        return tpm_object.unseal(gates.tpm, entity, policy, given)
