# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the certificate of an attestation key calls its TPM, in the place of a subject.

Sources: TCG EK Credential Profile for TPM Family 2.0, version 2.5, clauses 3.1.2 and 3.2.9; WebAuthn Level 2,
section 8.3.1.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import astuple, dataclass

from ...module_utils._cryptography import x509
from .oid import TpmAttribute


@dataclass(frozen=True)
class TpmName:
    """Manufacturer, model and version of a TPM, from its verified EK certificate and nowhere else.

    :param manufacturer: ``id:`` and eight hexadecimal digits, such as ``id:49465800``
    """

    manufacturer: str
    model: str
    version: str

    def canonical(self) -> str:
        """One text for one TPM's name, to compare."""
        return json.dumps(astuple(self), separators=(",", ":"))

    def alternative_names(self) -> t.List[x509.GeneralName]:
        values = zip(TpmAttribute, astuple(self))
        attributes = [x509.NameAttribute(x509.ObjectIdentifier(kind.value), value) for kind, value in values]
        return [x509.DirectoryName(x509.Name(attributes))]
