# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""libfido2, which ssh, pam_u2f, systemd and Firefox use, as the program: the library itself, over a pair of sockets."""

from __future__ import annotations

import ctypes
import os

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn

pytestmark = pytest.mark.tpm

PIN, WRONG = b"123456", b"654321"
RP, HASH = b"corp.example", bytes(range(32))
ES256, TRUE = -7, 2
EXT_HMAC_SECRET = 1
OK, PIN_INVALID, NO_CREDENTIALS = 0, 0x31, 0x2E

OPEN = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)
CLOSE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
READ = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class Io(ctypes.Structure):
    """fido_dev_io_t."""

    _fields_ = [("open", OPEN), ("close", CLOSE), ("read", READ), ("write", WRITE)]


class Libfido2:
    """The library's functions; what it makes is freed with the process."""

    def __init__(self, plugged_in: PluggedIn) -> None:
        try:
            self._library = ctypes.CDLL("libfido2.so.1")
        except OSError:
            pytest.skip("needs libfido2, as in Debian's libfido2-1")
        self("init", 0)
        self.device = self.new("dev")
        self._io = self._wired(plugged_in)
        assert self("dev_set_io_functions", self.device, ctypes.byref(self._io)) == OK
        assert self("dev_open", self.device, b"a pair of sockets") == OK

    @staticmethod
    def _wired(plugged_in: PluggedIn) -> Io:
        def read(_handle, buffer, size, _patience):
            packet = plugged_in.read_packet()[:size]
            ctypes.memmove(buffer, packet, len(packet))
            return len(packet)

        def write(_handle, buffer, size):
            plugged_in.write_packet(ctypes.string_at(buffer, size)[1:])  # the report's number is in front
            return size

        return Io(OPEN(lambda _path: 1), CLOSE(lambda _handle: None), READ(read), WRITE(write))

    def __call__(self, name, *arguments):
        return getattr(self._library, f"fido_{name}")(*arguments)

    def new(self, kind):
        make = getattr(self._library, f"fido_{kind}_new")
        make.restype = ctypes.c_void_p
        return ctypes.c_void_p(make())

    def octets(self, name, *arguments):
        point, measure = (getattr(self._library, f"fido_{each}") for each in (f"{name}_ptr", f"{name}_len"))
        point.restype, measure.restype = ctypes.c_void_p, ctypes.c_size_t
        return ctypes.string_at(point(*arguments), measure(*arguments))

    def make(self, pin, resident, extensions=0):
        made = self.new("cred")
        assert self("cred_set_type", made, ES256) == OK
        assert self("cred_set_clientdata_hash", made, HASH, ctypes.c_size_t(len(HASH))) == OK
        assert self("cred_set_rp", made, RP, b"Corp") == OK
        user = os.urandom(16)
        assert self("cred_set_user", made, user, ctypes.c_size_t(len(user)), b"alice", b"Alice", None) == OK
        assert self("cred_set_rk", made, TRUE if resident else 1) == OK
        assert self("cred_set_extensions", made, extensions) == OK
        return self("dev_make_cred", self.device, made, pin), made

    def get(self, pin, identifier=None, salt=b""):
        got = self.new("assert")
        assert self("assert_set_rp", got, RP) == OK
        assert self("assert_set_clientdata_hash", got, HASH, ctypes.c_size_t(len(HASH))) == OK
        if identifier:
            assert self("assert_allow_cred", got, identifier, ctypes.c_size_t(len(identifier))) == OK
        if salt:
            assert self("assert_set_extensions", got, EXT_HMAC_SECRET) == OK
            assert self("assert_set_hmac_salt", got, salt, ctypes.c_size_t(len(salt))) == OK
        return self("dev_get_assert", self.device, got, pin), got


@pytest.fixture
def library(plugged_in):
    return Libfido2(plugged_in)


@pytest.mark.parametrize("resident", [True, False])
def test_a_credential_is_made_used_and_verified(library, resident):
    status, made = library.make(PIN, resident)
    assert status == OK and library("cred_verify_self", made) == OK
    identifier, public = library.octets("cred_id", made), library.octets("cred_pubkey", made)
    status, got = library.get(PIN, None if resident else identifier)
    assert status == OK
    key = public_key(library, public)
    assert library("assert_verify", got, ctypes.c_size_t(0), ES256, key) == OK
    assert library("assert_set_clientdata_hash", got, bytes(32), ctypes.c_size_t(32)) == OK
    assert library("assert_verify", got, ctypes.c_size_t(0), ES256, key) != OK


def public_key(library, public):
    make = library._library.es256_pk_new
    make.restype = ctypes.c_void_p
    key = ctypes.c_void_p(make())
    assert library._library.es256_pk_from_ptr(key, public, ctypes.c_size_t(len(public))) == OK
    return key


def test_a_secret_for_a_disk(library):
    """As systemd-cryptenroll has it: hmac-secret, the same at each start."""
    status, made = library.make(PIN, False, EXT_HMAC_SECRET)
    assert status == OK
    secrets = []
    for salt in (b"s" * 32, b"s" * 32, b"t" * 32):
        status, got = library.get(PIN, library.octets("cred_id", made), salt)
        assert status == OK
        secrets.append(library.octets("assert_hmac_secret", got, ctypes.c_size_t(0)))
    assert secrets[0] == secrets[1] != secrets[2] and len(secrets[0]) == 32


def test_a_wrong_pin(library, card):
    assert library.make(WRONG, True)[0] == PIN_INVALID
    assert card.tries(Reference.PIN).left == 7
    assert library.get(PIN)[0] == NO_CREDENTIALS
    assert library("dev_set_pin", library.device, WRONG, PIN) == OK
    assert library.make(WRONG, True)[0] == OK
