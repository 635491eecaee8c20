# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PKCS#11 module as a C program loads it: what the tests measure, and what they restart the service under.

Run as a program, it logs in and signs once for each line that it is given, and prints the CK_RV of each step::

    PIN=... pkcs11_module.py MODULE
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import typing as t

_FUNCTIONS = {
    name: number
    for number, name in {
        0: "C_Initialize",
        1: "C_Finalize",
        4: "C_GetSlotList",
        12: "C_OpenSession",
        13: "C_CloseSession",
        18: "C_Login",
        26: "C_FindObjectsInit",
        27: "C_FindObjects",
        28: "C_FindObjectsFinal",
        42: "C_SignInit",
        43: "C_Sign",
    }.items()
}
"""Their place in CK_FUNCTION_LIST: PKCS#11 2.40, pkcs11f.h."""

ECDSA = 0x1041
_USER, _SESSION = 1, 6
_OS_LOCKING_OK = 2


class Failed(Exception):
    def __init__(self, name: str, rv: int) -> None:
        super().__init__(f"{name} ended with {rv:#x}")
        self.rv = rv


class _InitializeArguments(ctypes.Structure):
    _fields_: t.ClassVar[t.Any] = [(name, ctypes.c_void_p) for name in ("create", "destroy", "lock", "unlock")] + [
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_char_p),
    ]


class _Attribute(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("size", ctypes.c_ulong)]


class _Mechanism(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("size", ctypes.c_ulong)]


class Module:
    """:param path: of the module's file"""

    def __init__(self, path: str) -> None:
        functions = ctypes.POINTER(ctypes.c_void_p)()
        assert not ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(functions))
        self._functions = functions
        self._made: t.Dict[str, t.Any] = {}

    def call(self, name: str, *arguments: t.Any) -> None:
        """:raises Failed: unless it ends with CKR_OK"""
        if name not in self._made:
            address = self._functions[1 + _FUNCTIONS[name]]  # the version comes first, and fills a pointer's place
            kinds = [_KINDS.get(type(each), ctypes.c_void_p) for each in arguments]
            self._made[name] = ctypes.CFUNCTYPE(ctypes.c_ulong, *kinds)(address)
        rv = self._made[name](*[_argument(each) for each in arguments])
        if rv:
            raise Failed(name, rv)

    def initialize(self) -> None:
        arguments = _InitializeArguments(flags=_OS_LOCKING_OK)
        self.call("C_Initialize", ctypes.byref(arguments))

    def slots(self) -> t.List[int]:
        found, count = (ctypes.c_ulong * 64)(), ctypes.c_ulong(64)
        self.call("C_GetSlotList", _Byte(1), ctypes.byref(found), ctypes.byref(count))
        return list(found[: count.value])

    def open(self, slot: int) -> int:
        session = ctypes.c_ulong()
        self.call("C_OpenSession", slot, _SESSION, None, None, ctypes.byref(session))
        return session.value

    def log_in(self, session: int, pin: str) -> None:
        self.call("C_Login", session, _USER, ctypes.create_string_buffer(pin.encode()), len(pin))

    def find_private_key(self, session: int, identifier: bytes) -> int:
        kind, name = ctypes.c_ulong(3), ctypes.create_string_buffer(identifier, len(identifier))
        template = (_Attribute * 2)(
            _Attribute(0, ctypes.cast(ctypes.byref(kind), ctypes.c_void_p), ctypes.sizeof(kind)),
            _Attribute(0x102, ctypes.cast(name, ctypes.c_void_p), len(identifier)),
        )
        found, count = ctypes.c_ulong(), ctypes.c_ulong()
        self.call("C_FindObjectsInit", session, ctypes.byref(template), 2)
        self.call("C_FindObjects", session, ctypes.byref(found), 1, ctypes.byref(count))
        self.call("C_FindObjectsFinal", session)
        assert count.value, "no such key"
        return found.value

    def sign(self, session: int, key: int, digest: bytes, mechanism: int = ECDSA) -> bytes:
        wanted, room = _Mechanism(mechanism, None, 0), ctypes.create_string_buffer(512)
        self.call("C_SignInit", session, ctypes.byref(wanted), key)
        size = ctypes.c_ulong(512)
        self.call("C_Sign", session, ctypes.create_string_buffer(digest), len(digest), room, ctypes.byref(size))
        return room.raw[: size.value]


class _Byte:
    """A CK_BBOOL, which an int would be too long for."""

    def __init__(self, value: int) -> None:
        self.value = value


_KINDS: t.Mapping[type, t.Any] = {int: ctypes.c_ulong, _Byte: ctypes.c_ubyte}


def _argument(value: t.Any) -> t.Any:
    if isinstance(value, _Byte):
        return value.value
    return ctypes.cast(value, ctypes.c_void_p) if isinstance(value, ctypes.Array) else value


def main(path: str, pin: str) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as every program in C has it that says nothing else
    module = Module(path)
    module.initialize()
    session = _log_in(module, pin)
    print("ready", flush=True)
    for _line in sys.stdin:
        try:
            module.sign(session, module.find_private_key(session, b"\1"), bytes(range(32)))
            print("signed", flush=True)
        except Failed as failed:
            session = _log_in(module, pin)
            print(hex(failed.rv), flush=True)


def _log_in(module: Module, pin: str) -> int:
    session = module.open(module.slots()[0])
    module.log_in(session, pin)
    return session


if __name__ == "__main__":
    main(sys.argv[1], os.environ["PIN"])
