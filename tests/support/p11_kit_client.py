# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program's side of p11-kit's protocol, for tests: says what p11-kit's client says, and what it never would."""

from __future__ import annotations

import re
import socket
import struct
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import Cka, Rv
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_calls import CALLS

HANDSHAKE = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
NULL = 0xFFFFFFFF
NUMBERS = {call.name: number for number, call in CALLS.items()}
_PARTS = re.compile("a[yuA]|f[yuA]|[yuvszMP]")
_WITH_PARAMETER = {0x09, 0x0D, 0x0E, 0x43, 0x44, 0x45, 0x47, 0x1050}
_BOOLEANS = {
    *(Cka.TOKEN, Cka.PRIVATE, Cka.TRUSTED, Cka.SENSITIVE, Cka.ENCRYPT, Cka.DECRYPT, Cka.WRAP, Cka.UNWRAP, Cka.SIGN),
    *(Cka.SIGN_RECOVER, Cka.VERIFY, Cka.VERIFY_RECOVER, Cka.DERIVE, Cka.EXTRACTABLE, Cka.LOCAL, Cka.ALWAYS_SENSITIVE),
    *(Cka.NEVER_EXTRACTABLE, Cka.MODIFIABLE, Cka.COPYABLE, Cka.ALWAYS_AUTHENTICATE, Cka.WRAP_WITH_TRUSTED),
}
_NUMBERS = {
    *(Cka.CLASS, Cka.CERTIFICATE_TYPE, Cka.CERTIFICATE_CATEGORY, Cka.KEY_TYPE, Cka.MODULUS_BITS, Cka.VALUE_LEN),
    Cka.KEY_GEN_MECHANISM,
}


class Refused(Exception):
    """The module has answered by a CK_RV alone."""

    def __init__(self, rv: int) -> None:
        super().__init__(Rv(rv).name if rv in list(Rv) else hex(rv))
        self.rv = rv


class Mechanism(t.NamedTuple):
    type: int
    parameter: t.Optional[t.Sequence[t.Union[int, bytes]]] = None


def request(name: str, arguments: t.Sequence[t.Any], version: int) -> bytes:
    """Returns the body of a request."""
    signature = CALLS[NUMBERS[name]].request
    start = struct.pack(">II", NUMBERS[name], len(signature)) + signature.encode()
    parts = _PARTS.findall(signature)
    assert len(parts) == len(arguments), name
    return start + b"".join(_written(part, value, version) for part, value in zip(parts, arguments))


def framed(body: bytes, code: int = 16, options: bytes = b"") -> bytes:
    return struct.pack(">III", code, len(options), len(body)) + options + body


def _written(part: str, value: t.Any, version: int) -> bytes:
    if part == "y":
        return bytes((value,))
    if part == "u":
        return struct.pack(">Q", value)
    if part in ("fy", "fu"):
        return struct.pack(">I", value)
    if part == "z":
        return _array(value)
    if part == "ay":
        return b"\1" + _array(value)
    if part == "M":
        return _mechanism(value, version)
    if part == "fA":
        return struct.pack(">I", len(value)) + b"".join(struct.pack(">II", *each) for each in value)
    assert part == "aA"
    return struct.pack(">I", len(value)) + b"".join(_attribute(*each) for each in value)


def _array(value: t.Optional[bytes]) -> bytes:
    return struct.pack(">I", NULL) if value is None else struct.pack(">I", len(value)) + value


def _mechanism(mechanism: t.Optional[Mechanism], version: int) -> bytes:
    if mechanism is None:
        return struct.pack(">I", NULL)
    number, parameter = mechanism
    start = struct.pack(">I", number)
    if number not in _WITH_PARAMETER:
        return start if version >= 2 else start + struct.pack(">I", NULL)
    if parameter is None:
        assert version >= 2
        return start + b"\0"
    written = b"".join(struct.pack(">Q", each) if isinstance(each, int) else _array(each) for each in parameter)
    return start + (b"\1" if version >= 2 else b"") + written


def _attribute(kind: int, value: t.Union[bool, int, bytes, None]) -> bytes:
    if value is None:
        return struct.pack(">IB", kind, 0)
    if isinstance(value, bool):
        return struct.pack(">IBIB", kind, 1, 1, value)
    if isinstance(value, int):
        return struct.pack(">IBIQ", kind, 1, 8, value)
    if not value and kind in _BOOLEANS | _NUMBERS:
        return struct.pack(">IBIB" if kind in _BOOLEANS else ">IBIQ", kind, 1, 0, 0)
    return struct.pack(">IBI", kind, 1, len(value)) + _array(value)


class Answer:
    """Reads an answer, and fails where anything is left or missing."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def _take(self, form: str) -> t.Any:
        size = struct.calcsize(form)
        assert len(self._body) >= size, "the answer is too short"
        (value,) = struct.unpack(form, self._body[:size])
        self._body = self._body[size:]
        return value

    def _array(self) -> t.Optional[bytes]:
        size = self._take(">I")
        return None if size == NULL else t.cast(bytes, self._take(f"{size}s"))

    def values(self, name: str) -> t.Tuple[t.Any, ...]:
        number, signature = self._take(">I"), self._array()
        if number == 0:
            assert signature == b"u"
            rv = self._take(">Q")
            assert rv and not self._body
            raise Refused(rv)
        assert (number, signature) == (NUMBERS[name], CALLS[NUMBERS[name]].answer.encode())
        values = tuple(self._value(part) for part in _PARTS.findall(CALLS[number].answer))
        assert not self._body
        return values

    def _value(self, part: str) -> t.Any:
        if part == "u":
            return self._take(">Q")
        if part == "v":
            return tuple(self._take("2s"))
        if part == "s":
            return (self._array() or b"").decode().rstrip()
        if part == "ay":
            return self._array() if self._take(">B") else self._take(">I")
        if part == "au":
            valid, count = self._take(">B"), self._take(">I")
            return [self._take(">Q") for _each in range(count)] if valid else count
        if part == "P":
            return self._take(">B")
        assert part == "aA"
        return [self._attribute() for _each in range(self._take(">I"))]

    def _attribute(self) -> t.Tuple[int, t.Any]:
        kind = self._take(">I")
        if not self._take(">B"):
            return kind, None
        size = self._take(">I")
        value = self._typed(kind)
        assert size == (1 if isinstance(value, bool) else 8 if isinstance(value, int) else len(value))
        return kind, value

    def _typed(self, kind: int) -> t.Any:
        if kind in _BOOLEANS:
            return bool(self._take(">B"))
        return self._take(">Q") if kind in _NUMBERS else self._array()


class Client:
    """:param exchange: takes a frame and returns the frame that answers it
    :param version: that the program offers
    """

    def __init__(self, exchange: t.Callable[[bytes], bytes], version: int = 2) -> None:
        self._exchange = exchange
        self._version = version
        self._code = 16

    def call(self, name: str, *arguments: t.Any) -> t.Tuple[t.Any, ...]:
        """:raises Refused: if the module answers by a CK_RV alone"""
        return Answer(self.body(request(name, arguments, self._version))).values(name)

    def body(self, body: bytes) -> bytes:
        """Returns what answers any bytes."""
        self._code += 1
        answer = self._exchange(framed(body, self._code))
        code, options, size = struct.unpack(">III", answer[:12])
        assert (code, options, size) == (self._code, 0, len(answer) - 12)
        return answer[12:]

    def initialize(self) -> None:
        self.call("C_Initialize", HANDSHAKE, 0, b"\0")

    def rv(self, name: str, *arguments: t.Any) -> Rv:
        """Returns how a call ends."""
        try:
            self.call(name, *arguments)
        except Refused as refused:
            return Rv(refused.rv)
        return Rv.OK

    def open(self, slot: int, writable: bool = True) -> int:
        return int(self.call("C_OpenSession", slot, 6 if writable else 4)[0])

    def find(self, session: int, *template: t.Tuple[int, t.Any]) -> t.List[int]:
        self.call("C_FindObjectsInit", session, template)
        (found,) = self.call("C_FindObjects", session, 100)
        self.call("C_FindObjectsFinal", session)
        return list(found)

    def attribute(self, session: int, handle: int, kind: int) -> t.Any:
        attributes, rv = self.call("C_GetAttributeValue", session, handle, [(kind, 0)])
        if rv:
            raise Refused(rv)
        return attributes[0][1]

    def sign(self, session: int, mechanism: Mechanism, key: int, data: bytes) -> bytes:
        self.call("C_SignInit", session, mechanism, key)
        return t.cast(bytes, self.call("C_Sign", session, data, 4096)[0])


class SocketClient(Client):
    """A program that is connected to the service's socket."""

    def __init__(self, path: str, version: int = 2, greet: bool = True) -> None:
        super().__init__(self._over_socket, version)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        if greet:
            self.socket.sendall(bytes((version,)))
            assert self.socket.recv(1) == bytes((min(version, 2),))
            self.initialize()

    def _over_socket(self, frame: bytes) -> bytes:
        self.socket.sendall(frame)
        start = self.receive(12)
        return start + self.receive(struct.unpack(">III", start)[2])

    def receive(self, size: int) -> bytes:
        """:raises EOFError: if the service has ended the connection"""
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data
