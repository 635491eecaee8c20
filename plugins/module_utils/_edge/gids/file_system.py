# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file system of a GIDS card: data objects, and the tables that tell what is where.

The tables are made from the card's keys and certificates when somebody reads them. So they are right whoever put
those there, over PC/SC or on the host. What only programs know is kept as they wrote it: names of containers, places
of files, files of their own.
"""

from __future__ import annotations

import typing as t
import zlib

from ..._card.key import FIRST_CONTAINER, Key, slot_name
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.tlv import encode, parse, parse_one
from ..card import Card
from .key_file import KeyFiles, container
from .reference import (
    ACCESSES,
    CARD_APPLICATIONS,
    CARD_CACHE,
    CARD_ID,
    CONTAINER_MAP,
    FIRST_FREE_TAG,
    FIRST_TAG,
    KEY_MAP,
    LAST_TAG,
    MASTER_TABLE,
    Access,
    File,
    ObjectPlace,
)
from .tables import (
    APPLICATIONS,
    BASE,
    DRIVER,
    Container,
    FileEntry,
    Freshness,
    MappedKey,
    compressed,
    decompressed,
    read_container_map,
    read_master_table,
    write_container_map,
    write_key_map,
    write_master_table,
)

_TAG_LIST = 0x5C
_SIGNATURE_CERTIFICATE = b"ksc"
_EXCHANGE_CERTIFICATE = b"kxc"
_CARD_ID_SIZE = 16


class FileSystem:
    """What the files A000 and following hold."""

    def __init__(self, card: Card, key_files: KeyFiles) -> None:
        self._card = card
        self._key_files = key_files
        self._announced: t.Set[FileEntry] = set()
        """Certificates' files that a program has entered into the master table, and not written yet."""

    def get(self, file: int, request: bytes) -> bytes:
        """Answers GET DATA.

        :param request: a tag list with one tag
        :raises ApduError: 6A82 if there is no such file, 6A88 no such object, 6982 for who may not read it
        :raises NotVerified, PinDue: for a file that wants the PIN
        :raises TlvError: if the request is malformed
        """
        if file not in ACCESSES:
            raise ApduError(StatusWord.NOT_FOUND)
        place = ObjectPlace(file, int.from_bytes(parse_one(request, _TAG_LIST), "big"))
        self._require(ACCESSES[file].get)
        value = self._read(place) if self._card.generated else None
        if value is None:
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        return encode(place.tag, value)

    def put(self, file: int, data: bytes) -> None:
        """Carries out PUT DATA with one data object.

        Writing the master table gives a card its file system. Without one nothing else can be written.

        :raises ApduError: as :meth:`get`; 6A80 for a table that is none
        :raises NotVerified, PinDue, TlvError: as :meth:`get`
        """
        if file not in ACCESSES:
            raise ApduError(StatusWord.NOT_FOUND)
        self._require(ACCESSES[file].put)
        objects = parse(data)
        if len(objects) != 1 or not FIRST_TAG <= objects[0].tag <= LAST_TAG:
            raise ApduError(StatusWord.INCORRECT_DATA)
        place = ObjectPlace(file, objects[0].tag)
        if place == MASTER_TABLE:
            self._write_master_table(objects[0].value)
        elif not self._card.generated:
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        else:
            self._write(place, objects[0].value)

    def _require(self, access: Access) -> None:
        if access is Access.EVERYONE or (access is not Access.NOBODY and self._card.administered):
            return
        if access is not Access.EITHER:
            raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)
        self._card.require_pin()

    def _read(self, place: ObjectPlace) -> t.Optional[bytes]:
        table = _TABLES.get(place)
        if table is not None:
            return table(self)
        slot = self._certified(place)
        if slot is not None:
            certificate = self._card.certificate(slot)
            return compressed(certificate) if certificate else None
        return self._card.protected(_number(place)) if _is_protected(place) else self._kept(place)

    def _write(self, place: ObjectPlace, value: bytes) -> None:
        slot = self._certified(place)
        if slot is not None:
            self._card.store_certificate(slot, decompressed(value) if value else None)
            self._announced = {each for each in self._announced if each.place != place}
        elif place == KEY_MAP:
            pass  # It tells nothing that the keys do not.
        elif _is_protected(place):
            was = self._card.protected(_number(place))
            self._card.store_protected(_number(place), _content(was, value))
        else:
            was = self._kept(place)
            self._card.store_object(_number(place), _content(was, self._checked(place, value)))

    def _checked(self, place: ObjectPlace, value: bytes) -> bytes:
        """Returns what is kept of a file's new content.

        :raises ApduError: 6A80 for a table that is none
        """
        if place == CONTAINER_MAP:
            read_container_map(value)
        elif place == CARD_CACHE:
            return Freshness.read(value).moved(*(-count for count in self._changes())).write()
        elif place == CARD_ID and len(value) != _CARD_ID_SIZE:
            raise ApduError(StatusWord.INCORRECT_DATA)
        return value

    def _kept(self, place: ObjectPlace) -> t.Optional[bytes]:
        return self._card.object(_number(place))

    # The master table.

    def _write_master_table(self, value: bytes) -> None:
        entries = read_master_table(value)
        if self._card.generated:
            self._announced |= set(entries) - set(self._entries())
        else:
            self._card.generate()
        self._card.store_object(_number(MASTER_TABLE), value)

    def _entries(self) -> t.List[FileEntry]:
        """The entries that programs wrote, without files of certificates that are gone, and with those of new ones."""
        kept = self._kept(MASTER_TABLE)
        entries = read_master_table(kept) if kept else list(BASE)
        names = {self._certificate_name(slot): slot for slot in self._card.certificates}
        present = [each for each in entries if self._is_there(each, names)]
        for name in names:
            if not any((each.folder, each.name) == (DRIVER, name) for each in present):
                present.append(FileEntry(DRIVER, name, self._free_place(present)))
        return present

    def _is_there(self, entry: FileEntry, names: t.Container[bytes]) -> bool:
        is_certificate = entry.folder == DRIVER and entry.name[:3] in (_SIGNATURE_CERTIFICATE, _EXCHANGE_CERTIFICATE)
        return not is_certificate or entry.name in names or entry in self._announced

    def _free_place(self, entries: t.Sequence[FileEntry]) -> ObjectPlace:
        """:raises ApduError: 6A84 if programs have left none"""
        taken = {each.place for each in entries}
        places = (ObjectPlace(File.EVERYONE_READ_USER_WRITE, tag) for tag in range(FIRST_FREE_TAG, LAST_TAG + 1))
        for place in places:
            if place not in taken and not self._kept(place):
                return place
        raise ApduError(StatusWord.NOT_ENOUGH_MEMORY)

    def _master_table(self) -> bytes:
        return write_master_table(self._entries())

    # Certificates.

    def _certificate_name(self, slot: int) -> bytes:
        kind = _SIGNATURE_CERTIFICATE if self._named(slot).for_signatures_alone else _EXCHANGE_CERTIFICATE
        return kind + b"%02X" % container(slot)

    def _certified(self, place: ObjectPlace) -> t.Optional[int]:
        """Returns the slot whose certificate is at a place."""
        slots = {*self._key_files.slots(), *self._card.certificates}
        names = {self._certificate_name(slot): slot for slot in slots}
        entry = next((each for each in self._entries() if each.place == place and each.folder == DRIVER), None)
        return names.get(entry.name) if entry else None

    # Containers.

    def _named(self, slot: int) -> Container:
        """Returns what programs have written of a container."""
        number = container(slot)
        written = read_container_map(self._kept(CONTAINER_MAP) or b"")
        return written[number] if number < len(written) else Container()

    def _by_container(self) -> t.List[t.Optional[int]]:
        """Returns the slots that have a key file, and None for empty containers before the last."""
        slots = self._key_files.slots()
        return [slot if slot in slots else None for slot in range(FIRST_CONTAINER, max(slots, default=0) + 1)]

    def _container_map(self) -> bytes:
        slots = self._by_container()
        keys = self._card.keys()
        first = next((slot for slot in slots if slot is not None and self._named(slot).is_default), None)
        default = first or next((slot for slot in slots if slot is not None), None)
        return write_container_map(
            None if slot is None else self._container(slot, keys.get(slot), slot == default) for slot in slots
        )

    def _container(self, slot: int, key: t.Optional[Key], is_default: bool) -> Container:
        written = self._named(slot)
        bits = key.algorithm.bits if key else max(written.signature_bits, written.exchange_bits)
        sizes = (bits, 0) if written.for_signatures_alone else (0, bits)
        return Container(written.name or slot_name(slot), is_default, *sizes)

    def _key_map(self) -> bytes:
        keys = self._card.keys()
        return write_key_map(
            None
            if slot is None
            else MappedKey(
                slot, (keys[slot].algorithm.gids or 0) if slot in keys else 0, self._named(slot).for_signatures_alone
            )
            for slot in self._by_container()
        )

    # What is there on every card.

    def _card_id(self) -> bytes:
        return self._kept(CARD_ID) or self._card.serial

    def _card_applications(self) -> bytes:
        return self._kept(CARD_APPLICATIONS) or APPLICATIONS

    def _card_cache(self) -> bytes:
        kept = self._kept(CARD_CACHE)
        return (Freshness.read(kept) if kept else Freshness()).moved(*self._changes()).write()

    def _changes(self) -> t.Tuple[int, int]:
        """Numbers that are others when keys or certificates have changed, by whatever hand."""
        keys = {slot: key.public for slot, key in self._card.keys().items()}
        return _digest(keys), _digest(self._card.certificates)


def _content(was: t.Optional[bytes], value: bytes) -> t.Optional[bytes]:
    """Returns what is kept of an object. One that is emptied twice is no more, as programs delete on GIDS cards."""
    return None if was == value == b"" else value


def _digest(values: t.Mapping[int, bytes]) -> int:
    return zlib.crc32(b"".join(slot.to_bytes(2, "big") + value for slot, value in sorted(values.items()))) & 0xFFFF


def _number(place: ObjectPlace) -> int:
    """The name under which the card keeps an object."""
    return place.file << 16 | place.tag


def _is_protected(place: ObjectPlace) -> bool:
    return ACCESSES[place.file].get is not Access.EVERYONE


_TABLES: t.Mapping[ObjectPlace, t.Callable[[FileSystem], bytes]] = {
    MASTER_TABLE: FileSystem._master_table,
    KEY_MAP: FileSystem._key_map,
    CARD_ID: FileSystem._card_id,
    CARD_APPLICATIONS: FileSystem._card_applications,
    CARD_CACHE: FileSystem._card_cache,
    CONTAINER_MAP: FileSystem._container_map,
}
