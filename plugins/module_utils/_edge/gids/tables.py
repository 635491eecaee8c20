# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a GIDS file system, as bytes. Numbers are little-endian.

They are structures of Microsoft's drivers, with the gaps that a C compiler leaves in them. ``CONTAINER_MAP_RECORD``
and ``CARD_CACHE_FILE_FORMAT`` are in its Smart Card Minidriver Specification 7.07; the others are as OpenSC's
``card-gids.h`` has them.
"""

from __future__ import annotations

import struct
import typing as t
import zlib

from ..._encoding.apdu import LONGEST_COMMAND_DATA, ApduError, StatusWord
from .reference import (
    CARD_APPLICATIONS,
    CARD_CACHE,
    CARD_ID,
    CONTAINER_MAP,
    KEY_FILES,
    File,
    ObjectPlace,
)

_VERSION = b"\x01"  # of the master table and the key map
_ENTRY = struct.Struct("<9s9sxxII")
_CONTAINER = struct.Struct("<80sBxHH")
_KEY = struct.Struct("<IBBHHxx")
_CACHE = struct.Struct("<BBHH")
_COMPRESSED = struct.Struct("<HH")
_ZLIB = 1
_VALID = 0x01
_DEFAULT = 0x02
_PRESENT = 1
_NO_KEY_FILE = 0xFFFF
_SIGNATURE_KEY = 0x9C
_EXCHANGE_KEY = 0x9A
_LONGEST_NAME = 39  # characters
_COUNT = 0x10000

DRIVER = b"mscp"
"""The folder of what belongs to Microsoft's driver."""
APPLICATIONS = DRIVER.ljust(8, b"\0")
"""The content of ``cardapps``: which folders belong to applications."""


class FileEntry(t.NamedTuple):
    """A file of the master table, or a folder, which has no name of its own."""

    folder: bytes
    name: bytes
    place: ObjectPlace


BASE: t.Tuple[FileEntry, ...] = (
    FileEntry(DRIVER, b"", ObjectPlace(File.USER_CREATE_DELETE, 0)),
    FileEntry(b"", b"cardid", CARD_ID),
    FileEntry(b"", b"cardapps", CARD_APPLICATIONS),
    FileEntry(b"", b"cardcf", CARD_CACHE),
    FileEntry(DRIVER, b"cmapfile", CONTAINER_MAP),
)
"""What every file system has."""


def read_master_table(data: bytes) -> t.List[FileEntry]:
    """:raises ApduError: 6A80 if it is none"""
    if data[:1] != _VERSION:
        raise ApduError(StatusWord.INCORRECT_DATA)
    records = _records(_ENTRY, data[1:])
    return [
        FileEntry(folder.rstrip(b"\0"), name.rstrip(b"\0"), ObjectPlace(file, tag))
        for folder, name, tag, file in records
    ]


def write_master_table(entries: t.Iterable[FileEntry]) -> bytes:
    packed = (_ENTRY.pack(entry.folder, entry.name, entry.place.tag, entry.place.file) for entry in entries)
    return _VERSION + b"".join(packed)


class Container(t.NamedTuple):
    """A container as programs see it: a name, and the size in bits of the key in it."""

    name: str = ""
    is_default: bool = False
    signature_bits: int = 0
    exchange_bits: int = 0

    @property
    def for_signatures_alone(self) -> bool:
        return self.signature_bits > self.exchange_bits


def read_container_map(data: bytes) -> t.List[Container]:
    """:raises ApduError: 6A80 if it is none"""
    return [
        Container(_text(name), bool(flags & _DEFAULT), signature, exchange)
        for name, flags, signature, exchange in _records(_CONTAINER, data)
    ]


def write_container_map(containers: t.Iterable[t.Optional[Container]]) -> bytes:
    """:param containers: in their order; None for one that is empty"""
    return b"".join(_container(each) for each in containers)


def _container(container: t.Optional[Container]) -> bytes:
    if container is None:
        return bytes(_CONTAINER.size)
    name, is_default, signature, exchange = container
    flags = _VALID | (_DEFAULT if is_default else 0)
    return _CONTAINER.pack(name[:_LONGEST_NAME].encode("utf-16-le"), flags, signature, exchange)


def _text(name: bytes) -> str:
    return name.decode("utf-16-le", "replace").split("\0")[0][:_LONGEST_NAME]


class MappedKey(t.NamedTuple):
    """A key of the key map."""

    slot: int
    algorithm: int
    for_signatures_alone: bool


def write_key_map(keys: t.Iterable[t.Optional[MappedKey]]) -> bytes:
    """:param keys: in the order of their containers; None for one that is empty"""
    return _VERSION + b"".join(_key(each) for each in keys)


def _key(key: t.Optional[MappedKey]) -> bytes:
    if key is None:
        return _KEY.pack(0, 0, 0, _NO_KEY_FILE, 0xFFFF)
    kind = _SIGNATURE_KEY if key.for_signatures_alone else _EXCHANGE_KEY
    return _KEY.pack(_PRESENT, key.algorithm, kind, KEY_FILES | key.slot, 0xFFFF)


class Freshness(t.NamedTuple):
    """Counters by which programs notice that what they have read before has changed."""

    version: int = 0
    pins: int = 0
    containers: int = 0
    files: int = 0

    @classmethod
    def read(cls, data: bytes) -> Freshness:
        """:raises ApduError: 6A80 if there are none"""
        if len(data) != _CACHE.size:
            raise ApduError(StatusWord.INCORRECT_DATA)
        return cls(*_CACHE.unpack(data))

    def write(self) -> bytes:
        return _CACHE.pack(*self)

    def moved(self, containers: int, files: int) -> Freshness:
        return self._replace(containers=(self.containers + containers) % _COUNT, files=(self.files + files) % _COUNT)


def compressed(certificate: bytes) -> bytes:
    """Returns a certificate as its file holds it."""
    return _COMPRESSED.pack(_ZLIB, len(certificate)) + zlib.compress(certificate)


def decompressed(data: bytes) -> bytes:
    """Returns the certificate of a file.

    :raises ApduError: 6A80 if it is not compressed as it should be
    """
    if len(data) < _COMPRESSED.size:
        raise ApduError(StatusWord.INCORRECT_DATA)
    method, size = _COMPRESSED.unpack_from(data)
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(data[_COMPRESSED.size :], LONGEST_COMMAND_DATA)
    except zlib.error:
        content = b""
    if method != _ZLIB or not content or len(content) != size or not inflater.eof:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return content


def _records(layout: struct.Struct, data: bytes) -> t.List[t.Tuple[t.Any, ...]]:
    if len(data) % layout.size:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return list(layout.iter_unpack(data))
