# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a TPM: what it shows of its cards, and how it opens a challenge. It can be told to lie."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace
from hashlib import sha256

from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.evidence import Question, show_card
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import Challenge, answer, unseal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import CardEvidence, Evidence
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import endorsement
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import object as tpm_object
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.endorsement import Endorsement
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.session import authorising
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.storage_root import storage_root_public
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.template import Template
from tpm2_pytss import TPM2_ALG, TPM2_RH, TPM2_ST
from tpm2_pytss.types import TPM2B_DIGEST, TPMA_OBJECT, TPMT_SIG_SCHEME, TPMT_TK_HASHCHECK

LARGEST = 1024


class Host:
    """Attests the cards of one TPM, with the collection's own hands or against its rules."""

    def __init__(self, tpm: Tpm) -> None:
        self.tpm = tpm
        self._scheme = TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL)

    def endorsement(self, title: str) -> Endorsement:
        """The EK of a template, whichever the collection would choose."""
        template = next(template for template in TEMPLATES if template.title == title)
        found = endorsement.find_endorsement(self.tpm)
        if found.template == template:
            return found
        others = tuple(each for each in TEMPLATES if each != template)
        with _without(others):
            return endorsement.find_endorsement(self.tpm)

    def make_ak(self, restricted: bool = True) -> t.Any:
        template = Template.attestation()
        if not restricted:
            template.publicArea.objectAttributes &= ~TPMA_OBJECT.RESTRICTED
        blob, _unused = tpm_object.create(self.tpm, self.tpm.storage_root(), template)
        return blob

    def card(self, record: Record, ak_blob: t.Any, nonce: bytes) -> CardEvidence:
        """With another AK than the card's own, as of a card from before there was a proof of genesis."""
        question = Question(record.number, nonce, frozenset(record.keys))
        proof = record.genesis_proof if ak_blob == record.ak else None
        return show_card(self.tpm, replace(record, ak=ak_blob, genesis_proof=proof), question)

    def evidence(self, title: str, cards: t.Sequence[CardEvidence]) -> Evidence:
        root = storage_root_public(self.tpm)
        found = self.endorsement(title)
        with endorsement.endorsement_key(self.tpm, found) as (_unused, ek):
            return Evidence(ek, found.certificates, root, tuple(cards))

    def open(self, title: str, ak_blob: t.Any, challenge: Challenge) -> t.Tuple[bytes, bytes]:
        """Returns the payload and the answer."""
        tpm, found = self.tpm, self.endorsement(title)
        with endorsement.endorsement_key(tpm, found) as (ek, _unused):
            with tpm_object.loaded(tpm, tpm.storage_root(), ak_blob) as ak:
                secret = endorsement.activate(tpm, found.template, ek, ak, challenge.credential)
        payload = unseal(secret, challenge.card, challenge.sealed)
        return payload, answer(secret, challenge.card, challenge.sealed)

    # Lies.

    def make_key_with_password(self, card: Card) -> t.Tuple[t.Any, t.Any]:
        """A key under the card's own parent that opens with an empty password too."""
        template = Template.key(KeyAlgorithm.ECC_P256)
        template.publicArea.objectAttributes |= TPMA_OBJECT.USERWITHAUTH
        record = card.record
        policy = record.model.key_policy(next(iter(record.keys.values())).pin)
        root, auth = self.tpm.storage_root(), card._session.require_pin().contents().parent_auth
        with tpm_object.loaded(self.tpm, root, record.parent, auth) as parent:
            return tpm_object.create(self.tpm, parent, template, policy)

    def sign_outside_data(self, ak_blob: t.Any, data: bytes) -> bytes:
        """TPM2_Sign over a digest of our own making; the TPM refuses it for a restricted key."""
        esapi = self.tpm.esapi()
        with tpm_object.loaded(self.tpm, self.tpm.storage_root(), ak_blob) as ak, authorising(self.tpm) as session:
            ticket = TPMT_TK_HASHCHECK(tag=TPM2_ST.HASHCHECK, hierarchy=TPM2_RH.NULL)
            return esapi.sign(ak, TPM2B_DIGEST(sha256(data).digest()), self._scheme, ticket, session1=session).marshal()


@contextlib.contextmanager
def _without(templates: t.Sequence[t.Any]) -> t.Iterator[None]:
    """Hides templates from the collection for a while."""
    kept = endorsement.TEMPLATES
    endorsement.TEMPLATES = tuple(each for each in kept if each not in templates)
    try:
        yield
    finally:
        endorsement.TEMPLATES = kept
