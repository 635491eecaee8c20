# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA's signature over a bundle, by which a third party knows that the CA has judged, and that a TPM has answered.

Evidence alone convinces nobody but who has asked: that the attestation key is in the TPM of the endorsement key shows
in the answer to a challenge, and whoever makes a challenge can answer it. So the CA signs for it.
"""

from __future__ import annotations

import json
import typing as t

from ...module_utils._cryptography import serialization
from ...module_utils._encoding.evidence import LARGEST_CERTIFICATE, Document
from ...module_utils._encoding.fields import Fields, encoded
from ...module_utils._encoding.key_algorithm import SignatureAlgorithm
from ...module_utils._encoding.wire import WireError
from ...module_utils._errors import InputError
from .._ca import evidence_key
from .._ca.oid import EVIDENCE_SIGNING
from .._ca.signer import Signer
from .._ledger import clock
from .bundle import judge_content
from .certificate import BasicConstraints, Certificate, Signed
from .der import DerError
from .finding import Code, Finding
from .path import find_path
from .trust import Trust
from .verifier import Verdict

VERSION = 2
LARGEST_SIGNATURE = 512
_CONTEXT = b"hardbound.identity evidence 2\0"
"""What is signed begins so, so that a signature for one use is none for another."""


def seal(content: Document, answers: t.Sequence[Document], signer: Signer, issuer: bytes) -> bytes:
    """Returns the bundle to keep, in JSON.

    :param answers: what :meth:`PendingChallenge.proof` returned, of each card that has answered rightly
    :param signer: the CA's key for evidence
    :param issuer: certificate of the CA that certified it, in DER
    """
    whole = {**content, "answers": list(answers)}
    own = signer.certificate.public_bytes(serialization.Encoding.DER)
    signed = _signed(whole)
    key = t.cast(t.Any, signer.key)
    document = {
        "version": VERSION,
        "content": whole,
        "signature": {
            "certificates": [encoded(own), encoded(issuer)],
            "value": encoded(evidence_key.sign(key, signed)),
        },
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def judge_bundle(bundle: t.Any, ours: t.Optional[Trust], trust: t.Optional[Trust] = None) -> Verdict:
    """Returns the verdict on a bundle, as of the time that it was made. Whatever it is, nothing is raised.

    It is accepted if it is signed, whole, nothing was found against the host then, and its TPM has answered.

    :param ours: the CA whose signature counts; without it nothing is accepted
    :param trust: anchors of TPM makers; without them the ones in the bundle are believed, and a warning says so
    """
    try:
        content = _opened(bundle, ours)
        verdict, answered = judge_content(content, trust)
    except _Unsigned as error:
        return Verdict("", (Finding(Code.BUNDLE_UNSIGNED, f"The bundle {error}."),))
    except (WireError, InputError, DerError, ValueError, RecursionError) as error:
        sentence = f"The bundle is malformed: {error}".rstrip(".") + "."
        return Verdict("", (Finding(Code.BUNDLE_MALFORMED, sentence),))
    return _of_answered(verdict, answered)


class _Unsigned(Exception):
    """What is wrong with the signature, as the end of a sentence."""


def _of_answered(verdict: Verdict, answered: t.AbstractSet[str]) -> Verdict:
    """Keeps the cards that have answered: of others nothing is shown but a claim."""
    if not answered & verdict.cards.keys():
        sentence = f"The bundle holds no answer by which the TPM of {verdict.host} has shown that it holds an AK."
        return verdict.refusing(Finding(Code.BUNDLE_UNANSWERED, sentence))
    silent = sorted(verdict.cards.keys() - answered)
    warnings = [f"The card {name} was not challenged then: another bundle speaks of it." for name in silent]
    return verdict.only(answered, warnings)


def _opened(bundle: t.Any, ours: t.Optional[Trust]) -> t.Any:
    fields = Fields(bundle, "")
    fields.demand_version(VERSION)
    content, signature = fields.value("content"), fields.object("signature")
    fields.end()
    own, issuer = (Certificate.parse(each) for each in signature.octets_list("certificates", 2, LARGEST_CERTIFICATE))
    value = signature.octets("value", LARGEST_SIGNATURE)
    signature.end()
    _check_signer(own, issuer, ours, content)
    if not Signed(_signed(content), SignatureAlgorithm.ECDSA_SHA256, value).is_signed_by(own.public_key):
        raise _Unsigned("was changed after it was signed, or was signed by another key")
    return content


def _check_signer(own: Certificate, issuer: Certificate, ours: t.Optional[Trust], content: t.Any) -> None:
    if ours is None:
        raise _Unsigned("is signed by a CA that you have not named, so its signature says nothing")
    purposes, constraints = own.purposes or frozenset(), own.basic_constraints or BasicConstraints()
    if EVIDENCE_SIGNING not in purposes or constraints.ca:
        raise _Unsigned("is signed by a key that is not for evidence")
    at = clock.read(str(content.get("at")) if isinstance(content, dict) else "")
    _path, faults = find_path(own, [issuer], ours, at)
    serious = [
        code for code, _clause in faults if code is not Code.EK_CHAIN_EXTENSION
    ]  # Of names it has none to limit.
    if serious:
        raise _Unsigned(f"is not signed by the CA that you have named ({serious[0].name})")


def _signed(content: t.Any) -> bytes:
    """Returns the one form of a document: what a JSON parser makes of any other form of it leads back to it."""
    return _CONTEXT + json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
