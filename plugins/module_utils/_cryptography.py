# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python package cryptography, each part imported when a file asks for it.

Files that use it import even where it is missing, so that Ansible's tools can look at every plugin, and a
module can say in words what it lacks: :func:`require`.
"""

from __future__ import annotations

import importlib
import typing as t

from ._errors import StateError, missing_package

OLDEST = 38
"""The release of Debian 12."""

__all__ = [
    "AESGCM",
    "CFB",
    "HKDF",
    "Cipher",
    "ConcatKDFHash",
    "InvalidSignature",
    "InvalidTag",
    "Scrypt",
    "TripleDES",
    "UnsupportedAlgorithm",
    "algorithms",
    "ec",
    "hashes",
    "modes",
    "padding",
    "require",
    "rsa",
    "serialization",
    "symmetric_padding",
    "utils",
    "x509",
    "x25519",
]

if t.TYPE_CHECKING:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives import padding as symmetric_padding
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils, x25519
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers.modes import CFB
    from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
else:
    _PRIMITIVES = "cryptography.hazmat.primitives"
    _HOMES = {
        "x509": "cryptography",
        "InvalidSignature": "cryptography.exceptions",
        "InvalidTag": "cryptography.exceptions",
        "UnsupportedAlgorithm": "cryptography.exceptions",
        "hashes": _PRIMITIVES,
        "serialization": _PRIMITIVES,
        "ec": f"{_PRIMITIVES}.asymmetric",
        "padding": f"{_PRIMITIVES}.asymmetric",
        "rsa": f"{_PRIMITIVES}.asymmetric",
        "utils": f"{_PRIMITIVES}.asymmetric",
        "x25519": f"{_PRIMITIVES}.asymmetric",
        "Cipher": f"{_PRIMITIVES}.ciphers",
        "algorithms": f"{_PRIMITIVES}.ciphers",
        "modes": f"{_PRIMITIVES}.ciphers",
        "AESGCM": f"{_PRIMITIVES}.ciphers.aead",
        "CFB": f"{_PRIMITIVES}.ciphers.modes",
        "TripleDES": f"{_PRIMITIVES}.ciphers.algorithms",
        "ConcatKDFHash": f"{_PRIMITIVES}.kdf.concatkdf",
        "HKDF": f"{_PRIMITIVES}.kdf.hkdf",
        "Scrypt": f"{_PRIMITIVES}.kdf.scrypt",
    }

    _MOVED = frozenset(("CFB", "TripleDES"))
    """What newer releases keep among the decrepit."""

    def __getattr__(name):
        if name == "symmetric_padding":
            return _part(_PRIMITIVES, "padding")
        if name not in _HOMES:
            raise AttributeError(name)
        return _part(_HOMES[name], name)

    def _moved(home):
        try:
            return importlib.import_module(home.replace(".primitives.", ".decrepit."))
        except ImportError:
            return importlib.import_module(home)

    def _part(home, name):
        try:
            package = _moved(home) if name in _MOVED else importlib.import_module(home)
        except ImportError:
            return Absent()
        try:
            return getattr(package, name)
        except AttributeError:
            return importlib.import_module(f"{home}.{name}")


class Absent:
    """Stands for whatever a missing package would hold."""

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_positional: object, **_named: object) -> Absent:
        return self


def require() -> None:
    """Does nothing where the package can be used.

    :raises StateError: where it is missing or too old
    """
    try:
        version = str(importlib.import_module("cryptography").__version__)
    except ImportError as error:
        remedy = f"install the package python3-cryptography, or cryptography {OLDEST} or newer with pip"
        raise missing_package("cryptography", error, remedy) from error
    if int(version.partition(".")[0]) < OLDEST:
        raise StateError(f"the Python package cryptography is {version}", f"install {OLDEST} or newer")
