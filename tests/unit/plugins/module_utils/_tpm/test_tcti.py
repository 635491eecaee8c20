# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a TPM is, and what is said if there is none."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import Reason, TpmUnreachable, reason
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.support.open_files import open_below


@pytest.mark.parametrize(
    ("text", "managed", "plain"),
    [
        ("device:/dev/tpmrm0", True, True),
        ("device:/dev/tpmrm1", True, True),
        ("device:/dev/tpm0", False, True),
        ("swtpm:path=/run/tpm.sock", False, True),
        ("tabrmd:", True, False),
        ("tabrmd:bus_type=session", True, False),
    ],
)
def test_what_is_understood(text, managed, plain):
    tcti = Tcti.parse(text)
    assert (str(tcti), tcti.managed, tcti.is_plain) == (text, managed, plain)


def test_the_device_by_default():
    assert str(Tcti.parse("device:")) == "device:/dev/tpmrm0"


def test_a_task_that_names_no_tpm_means_the_hosts_own(tmp_path):
    written_down = tmp_path / "tpm"
    assert str(Tcti.of_task(None, str(written_down))) == "device:/dev/tpmrm0"
    written_down.write_text("swtpm:path=/run/hardbound/tpm.sock\n")
    assert str(Tcti.of_task(None, str(written_down))) == "swtpm:path=/run/hardbound/tpm.sock"
    assert str(Tcti.of_task("tabrmd:", str(written_down))) == "tabrmd:"
    with pytest.raises(InputError, match="tpm is '', which"):
        Tcti.of_task("", str(written_down))
    written_down.write_text("")
    with pytest.raises(InputError, match=f"{written_down} is '', which"):
        Tcti.of_task(None, str(written_down))


@pytest.mark.parametrize("text", ["", "/dev/tpmrm0", "mssim:host=x", "swtpm"])
def test_what_is_refused(text):
    with pytest.raises(InputError, match="which is no known TCTI"):
        Tcti.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("device:/dev/no-such-tpm", "enable a TPM 2.0 in the firmware settings"),
        ("device:/etc/hostname", "not a character device"),
        ("swtpm:path=/no/such/socket", "start it, or name another one in tpm"),
        ("swtpm:host=127.0.0.1,port=1", "start it, or name another one in tpm"),
    ],
)
def test_no_tpm_there(text, words):
    with pytest.raises(TpmUnreachable, match=words):
        Tcti.parse(text).connect()


@pytest.fixture
def socket_tpm(tmp_path):
    """Returns what connects to a software TPM: our end of the way to it, and the TPM's."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def connect():
            transport = stack.enter_context(contextlib.closing(Tcti.parse(f"swtpm:path={tmp_path / 's'}").connect()))
            return transport, stack.enter_context(listener.accept()[0])

        yield connect


def test_a_socket_that_closes_in_the_middle(socket_tpm):
    transport, tpm = socket_tpm()
    tpm.sendall(b"\x80\x01\x00\x00")
    tpm.shutdown(socket.SHUT_WR)
    with pytest.raises(OSError, match="the connection was closed"):
        transport.receive()


@pytest.mark.parametrize("size", [10, 12, 5000])
@pytest.mark.parametrize("first", [1, 6, 10])
def test_a_response_in_pieces(socket_tpm, size, first):
    response = b"\x80\x01" + size.to_bytes(4, "big") + bytes(range(256)) * 20
    response = response[:size]
    transport, tpm = socket_tpm()
    tpm.sendall(response[:first])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        received = pool.submit(transport.receive)
        tpm.sendall(response[first:])
        assert received.result() == response


def test_a_tpm_that_says_nothing(socket_tpm, monkeypatch):
    monkeypatch.setattr(tcti, "_PATIENCE", 1)
    transport, _tpm = socket_tpm()
    with pytest.raises(OSError, match="no answer within 1 seconds"):
        transport.receive()
    with pytest.raises(OSError, match="no answer within 1 seconds"):
        transport.send(bytes(1 << 22))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x9A2, Reason.BAD_AUTH),  # session 1
        (0x98E, Reason.AUTH_FAIL),
        (0x12F, Reason.AUTH_UNAVAILABLE),
        (0x921, Reason.LOCKOUT),
        (0x902, Reason.OBJECT_MEMORY),
        (0x5E0, Reason.TICKET),  # parameter 5
        (0x1E3, Reason.EXPIRED),  # parameter 1
        (0x99D, Reason.POLICY_FAIL),
        (0x2C2, Reason.ATTRIBUTES),
        (0x14B, Reason.NV_SPACE),
        (0x18B, Reason.HANDLE),
        (0x1DF, Reason.INTEGRITY),
        (0x000A0008, Reason.OTHER),  # not from the TPM, but from the stack in front of it
        (0x7777, Reason.OTHER),
    ],
)
def test_return_codes(code, expected):
    assert reason(code) is expected


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "\u0663"])
def test_a_port_that_is_none(port):
    with pytest.raises(InputError, match="whose port is none: give a number up to 65535"):
        Tcti.parse(f"swtpm:host=h,port={port}")


def test_a_device_that_is_no_tpm():
    """Rights are not what is missing."""
    with pytest.raises(TpmUnreachable, match=r"at /dev/null .*: this is no TPM: name the device of one"):
        Tpm(Tcti.parse("device:/dev/null"), "/no/such/folder").acquire()


def test_a_tpm_that_can_not_be_taken_keeps_no_lock_file_open(tmp_path):
    tpm = Tpm(Tcti.parse("device:/dev/null"), str(tmp_path))
    with pytest.raises(TpmUnreachable):
        tpm.acquire()
    assert len(open_below(tmp_path)) == 2
    with pytest.raises(TpmUnreachable), tpm.taken():
        pass
    assert not open_below(tmp_path)
