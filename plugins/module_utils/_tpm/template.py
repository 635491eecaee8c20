# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public areas of objects to be made. TPM 2.0 part 2, clause 12.2."""

from __future__ import annotations

import functools
import typing as t

from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.wire import unsized
from .pytss import load


class Template:
    """Public areas by what they are for."""

    @classmethod
    def _make(cls, algorithm: str, *attributes: str) -> t.Any:
        return cls._with(algorithm, "FIXEDTPM", "FIXEDPARENT", *attributes)

    @staticmethod
    def _with(algorithm: str, *attributes: str) -> t.Any:
        pytss = load()
        bits = pytss.TPMA_OBJECT(0)
        for attribute in attributes:
            bits |= getattr(pytss.TPMA_OBJECT, attribute)
        return pytss.TPM2B_PUBLIC.parse(alg=algorithm, objectAttributes=bits)

    @classmethod
    def storage_root(cls) -> t.Any:
        """The ECC P-256 template of TCG EK Credential Profile 2.5, clause B.4.4 with the SRK's attributes."""
        public = cls.parent()
        unique = public.publicArea.unique
        unique.ecc.x, unique.ecc.y = bytes(32), bytes(32)
        return public

    @classmethod
    def parent(cls) -> t.Any:
        return cls._make("ecc256:aes128cfb", "SENSITIVEDATAORIGIN", "USERWITHAUTH", "NODA", "RESTRICTED", "DECRYPT")

    @classmethod
    def genesis(cls) -> t.Any:
        return cls._make("keyedhash", "USERWITHAUTH", "NODA", "ADMINWITHPOLICY")

    @classmethod
    def seal(cls) -> t.Any:
        """Sealed data, which opens by policy alone. What counts the guesses is in the policy.

        Without NODA the TPM would count each power cut after a use as a failure: TPM 2.0 part 1, clause 17.8.6.
        """
        return cls._make("keyedhash", "ADMINWITHPOLICY", "NODA")

    @classmethod
    def attestation(cls) -> t.Any:
        """A restricted signing key: it signs what the TPM states, and nothing that a program made up."""
        return cls._make(
            "ecc256:ecdsa-sha256:null", "SENSITIVEDATAORIGIN", "USERWITHAUTH", "NODA", "SIGN_ENCRYPT", "RESTRICTED"
        )

    @classmethod
    def hmac(cls) -> t.Any:
        """A key for HMAC-SHA-256 by policy alone."""
        return cls._make("hmac:sha256", "SENSITIVEDATAORIGIN", "NODA", "ADMINWITHPOLICY", "SIGN_ENCRYPT")

    @classmethod
    def key(cls, algorithm: KeyAlgorithm) -> t.Any:
        """A key that signs and decrypts by policy alone, never by an authValue."""
        return cls._make(_bare(algorithm), "SENSITIVEDATAORIGIN", "NODA", "ADMINWITHPOLICY", "SIGN_ENCRYPT", "DECRYPT")

    @classmethod
    @functools.cache
    def area(cls, algorithm: t.Optional[KeyAlgorithm]) -> bytes:
        """Returns the TPMT_PUBLIC of a key, or of one for HMAC where there is no algorithm, without its policy."""
        template = cls.hmac() if algorithm is None else cls.key(algorithm)
        return unsized(template.marshal(), "TPM2B_PUBLIC")

    @classmethod
    def external_key(cls, algorithm: KeyAlgorithm, *public: bytes) -> t.Any:
        """An external key, which a TPM never calls fixed. Nothing in its policy lets it be duplicated again.

        :param public: modulus, or X and Y
        """
        template = cls._with(_bare(algorithm), "NODA", "ADMINWITHPOLICY", "SIGN_ENCRYPT", "DECRYPT")
        unique = template.publicArea.unique
        if len(public) == 1:
            unique.rsa.buffer = public[0]
        else:
            unique.ecc.x, unique.ecc.y = public
        return template


def _bare(algorithm: KeyAlgorithm) -> str:
    """A key type bound to no scheme, as tpm2-pytss and tpm2-tools write it."""
    return f"{'rsa' if algorithm.is_rsa else 'ecc'}{algorithm.bits}:null"
