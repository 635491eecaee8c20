# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card's file: its record as JSON, in the format of this release, read from those of older ones too."""

from __future__ import annotations

import base64
import json
import typing as t
from dataclasses import asdict

from .._encoding.blob import Blob, Creation
from .._encoding.evidence import GenesisEvidence, Statement
from .._encoding.key_algorithm import KeyAlgorithm
from .._pin import PinPolicy
from .admin_key import AdminChallenge, Cipher
from .derivation import Derivation
from .edge import Edge
from .face import Face
from .key import PinUse
from .migration import VERSION, NewerVersion, upgraded
from .model import Role
from .passkey import Passkey, PasskeyAttestation, PasskeyPresence, PasskeyStore, PasskeyUser, Protection
from .pin_record import PinRecord
from .record import Administration, KeyRecord, PendingSeal, Record, Renewal, State
from .recovery import HALVES, HostHalf, Recovery
from .telltale import Telltale

_BYTES = ("serial", "genesis", "salt", "storage_root", "ak_certificate", "attestation_issuer")
_SWITCHES = ("presented", "passkeys", "card_reset", "generated")


def dump(record: Record) -> bytes:
    """Returns the record as JSON."""
    return json.dumps({"version": VERSION, **_plain(record)}, indent=1, sort_keys=True).encode()


def load(data: bytes) -> Record:
    """Reads what :func:`dump` of this release or an older one wrote.

    :raises NewerVersion: if a newer release wrote it
    :raises ValueError: if it is damaged
    """
    try:
        return _record(upgraded(json.loads(data)))
    except NewerVersion:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is damaged") from error


def _plain(record: Record) -> t.Dict[str, t.Any]:
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    fields["pin_policy"] = asdict(record.pin_policy)
    fields["seals"] = {role.name: blob for role, blob in record.seals.items()}
    for name in ("pending", "telltales", "derivations"):
        fields[name] = {role.name: value for role, value in getattr(record, name).items()}
    return t.cast("dict[str, t.Any]", _text(fields))


def _text(value: t.Any) -> t.Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        return [_text(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _text(each) for key, each in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {name: _text(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _blob(fields: t.Mapping[str, str]) -> Blob:
    return Blob(_bytes(fields["private"]), _bytes(fields["public"]))


def _pending(fields: t.Mapping[str, t.Any]) -> PendingSeal:
    pin = None if fields["pin"] is None else _pin_record(fields["pin"])
    seal, nonce = _blob(fields["seal"]), _bytes(fields["nonce"])
    derivation = Derivation(fields["derivation"])
    return PendingSeal(seal, nonce, int(fields["bit"]), pin, bool(fields["by_task"]), derivation)


def _pin_record(fields: t.Mapping[str, t.Any]) -> PinRecord:
    rules = None if fields["rules"] is None else _pin_policy(fields["rules"])
    former = tuple(_bytes(each) for each in fields["former"])
    return PinRecord(int(fields["set_at"]), bool(fields["must_change"]), rules, former, int(fields["length"]))


def _telltale(fields: t.Mapping[str, t.Any]) -> Telltale:
    return Telltale(_bytes(fields["nonce"]), int(fields["bit"]))


def _key(fields: t.Mapping[str, t.Any]) -> KeyRecord:
    creation = {name: _bytes(text) for name, text in fields["creation"].items()}
    return KeyRecord(
        KeyAlgorithm(fields["algorithm"]),
        PinUse(fields["pin"]),
        _blob(fields["blob"]),
        _bytes(fields["public"]),
        Creation(**creation),
        bool(fields["certifiable"]),
        _bytes(fields["attestation"]),
    )


def _genesis_proof(fields: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[GenesisEvidence]:
    if fields is None:
        return None
    statement = Statement(*(_bytes(fields["creation"][name]) for name in ("attest", "signature")))
    return GenesisEvidence(_bytes(fields["public"]), _bytes(fields["creation_data"]), statement)


def _challenge(fields: t.Mapping[str, t.Any]) -> AdminChallenge:
    encrypted, decrypted, nonce = (_bytes(fields[name]) for name in ("encrypted", "decrypted", "nonce"))
    return AdminChallenge(Cipher(fields["cipher"]), encrypted, decrypted, nonce, bool(fields["well_known"]))


def _administration(fields: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[Administration]:
    if fields is None:
        return None
    renewal = fields["renewal"]
    if renewal is not None:
        renewal = Renewal(_blob(renewal["seal"]), _bytes(renewal["previous"]))
    return Administration(_challenge(fields["challenge"]), renewal)


def _passkey_store(fields: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[PasskeyStore]:
    if fields is None:
        return None
    passkeys = tuple(_passkey(each) for each in fields["passkeys"])
    readers = tuple(str(each) for each in fields["pin_length_readers"])
    return PasskeyStore(_blob(fields["wrapping"]), passkeys, _bytes(fields["large_blobs"]), readers)


def _recovery(fields: t.Optional[t.Mapping[str, t.Any]]) -> t.Optional[Recovery]:
    if fields is None:
        return None
    halves = (fields[name] for name in HALVES)
    return Recovery(*(each and HostHalf(str(each["identifier"]), _blob(each["blob"])) for each in halves))


def _passkey(fields: t.Mapping[str, t.Any]) -> Passkey:
    user, secret = fields["user"], fields["secret"]
    changed = {
        "identifier": _bytes(fields["identifier"]),
        "algorithm": KeyAlgorithm(fields["algorithm"]),
        "protection": Protection(fields["protection"]),
        "key": _blob(fields["key"]),
        "secret": None if secret is None else _blob(secret),
        "user": None if user is None else PasskeyUser(**{**user, "identifier": _bytes(user["identifier"])}),
        "blob": _bytes(fields["blob"]),
    }
    return Passkey(**{**fields, **changed})


def _pin_policy(fields: t.Mapping[str, t.Any]) -> PinPolicy:
    return PinPolicy().with_rules(fields)


def _numbered(fields: t.Mapping[str, str]) -> t.Mapping[int, bytes]:
    return {int(number): _bytes(value) for number, value in fields.items()}


def _record(fields: t.Dict[str, t.Any]) -> Record:
    changed = {
        **{name: _bytes(fields[name]) for name in _BYTES},
        **{name: bool(fields[name]) for name in _SWITCHES},
        "pin_policy": _pin_policy(fields["pin_policy"]),
        "state": State(fields["state"]),
        "edge": Edge(fields["edge"]),
        "faces": tuple(Face(each) for each in fields["faces"]),
        "presence": PasskeyPresence(fields["presence"]),
        "passkey_attestation": PasskeyAttestation(fields["passkey_attestation"]),
        "enterprise_attestation": tuple(fields["enterprise_attestation"]),
        "seals": {Role[role]: _blob(blob) for role, blob in fields["seals"].items()},
        "pending": {Role[role]: _pending(pending) for role, pending in fields["pending"].items()},
        "telltales": {Role[role]: _telltale(kept) for role, kept in fields["telltales"].items()},
        "derivations": {Role[role]: Derivation(each) for role, each in fields["derivations"].items()},
        "pin": _pin_record(fields["pin"]),
        "parent": _blob(fields["parent"]),
        "keys": {int(slot): _key(key) for slot, key in fields["keys"].items()},
        "certificates": _numbered(fields["certificates"]),
        "objects": _numbered(fields["objects"]),
        "administration": _administration(fields["administration"]),
        "ak": None if fields["ak"] is None else _blob(fields["ak"]),
        "genesis_proof": _genesis_proof(fields["genesis_proof"]),
        "passkey_store": _passkey_store(fields["passkey_store"]),
        "recovery": _recovery(fields["recovery"]),
    }
    return Record(**{**fields, **changed})
