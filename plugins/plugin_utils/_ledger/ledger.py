# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA has decided, in a database: SQLite in the CA's folder, or any that SQLAlchemy speaks to.

Every method is one serializable transaction, tried again where another process was faster, so what holds
for one process holds for many, on every node, without a lock service. That a key has one certificate
is a unique constraint besides.
"""

from __future__ import annotations

import typing as t

from .certificates import Certificates
from .challenges import Challenges
from .database import Connection
from .halves import Halves
from .pins import Admission, PinnedKeys
from .record import CertificatePlace, IssuedCertificate


class Ledger(Certificates, PinnedKeys, Challenges, Halves):
    """The ledger behind a database URL."""

    def settle(
        self, admission: Admission, bundle: bytes, answered: t.Sequence[IssuedCertificate]
    ) -> t.Tuple[str, t.List[IssuedCertificate]]:
        """Makes count what a host's TPM has answered for: keys and Names are pinned, the evidence is kept, and the
        certificates are in use, or nothing of it.

        :param answered: the certificates that were sealed for the TPM
        :returns: SHA-256 of the bundle, in hex, and the certificates that were revoked because these replace them
        :raises Refusal: as :meth:`PinnedKeys._pin` and :meth:`Certificates._activate`; the refusal is recorded
        """

        def work(connection: Connection) -> t.Tuple[str, t.List[IssuedCertificate]]:
            self._pin(connection, admission)
            digest = self._keep_evidence(connection, admission.host, bundle)
            return digest, self._activate(connection, answered, digest)

        cards = list(admission.cards)
        place = CertificatePlace(admission.host, cards[0] if len(cards) == 1 else "")
        return self._or_note(place, lambda: self.writing(work))
