# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The socket of the PKCS#11 face, over real sockets and cards in software: the test is one program or many."""

from __future__ import annotations

import array
import contextlib
import functools
import grp
import os
import pwd
import random
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import CardGone
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import State
from ansible_collections.hardbound.identity.plugins.module_utils._edge.directory import Directory, UserCards
from ansible_collections.hardbound.identity.plugins.module_utils._edge.peer import Names, Peer
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11 import listener as listener_module
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.face import Pkcs11Face
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.handed_down import Keeper, take
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import Rv, User
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.tests.support.card_table import OneCard, private
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import (
    Mechanism,
    SocketClient,
    framed,
    request,
)
from ansible_collections.hardbound.identity.tests.support.selector_thread import SelectorThread
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN
from ansible_collections.hardbound.identity.tests.support.waiting import until

ME = pwd.getpwuid(os.getuid()).pw_name
DIGEST = bytes(range(32))


class SoftHost:
    """A store whose cards are in memory; each program gets a card of its own over the same keys."""

    def __init__(self) -> None:
        self.records: t.Dict[int, t.Any] = {}
        self.cards: t.List[OneCard] = []
        self.stamps: t.Dict[int, int] = {}

    def put(self, number: int = 0, owner: str = ME, group: str = "", **changes: t.Any) -> None:
        record = {"owner": owner, "group": group, "presented": True, "faces": (Face.PKCS11,), "state": State.READY}
        self.records[number] = types.SimpleNamespace(**{**record, **changes})
        self.stamps[number] = self.stamps.get(number, 0) + 1

    def numbers(self) -> t.Mapping[int, object]:
        return dict(self.stamps)

    def stamp(self, number: int) -> t.Optional[int]:
        return self.stamps.get(number)

    def record(self, number: int) -> t.Any:
        if number not in self.records:
            raise CardGone("no such card")
        return self.records[number]

    def open(self, number: int) -> t.Any:
        card = OneCard(number)
        card.add(0x9A, KeyAlgorithm.ECC_P256)
        self.cards.append(card)
        return card


class Serving:
    """The face, served by a thread as the card service serves it."""

    def __init__(self, host: SoftHost, path: str) -> None:
        self.path = path
        self.failures: t.List[Exception] = []
        self.face = Pkcs11Face(path, root_uses=True)
        self._selector = selectors.DefaultSelector()
        self.face.start(t.cast(t.Any, host), self._selector, self.failures.append)
        self._thread = SelectorThread(self._selector)

    def stop(self) -> None:
        self._thread.stop()
        self.face.stop()
        self._thread.close()

    @property
    def connections(self) -> int:
        return len(self._selector.get_map()) - 2


@pytest.fixture
def host() -> SoftHost:
    host = SoftHost()
    host.put()
    return host


@pytest.fixture
def path() -> t.Iterator[str]:
    """Where every user gets to, in a path that fits into a Unix socket's address."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        os.chmod(folder, 0o755)
        yield f"{folder}/s"


@pytest.fixture
def serving(host: SoftHost, path: str) -> t.Iterator[Serving]:
    serving = Serving(host, path)
    yield serving
    serving.stop()
    assert serving.failures == []


def logged_in(client: SocketClient, slot: int = 0) -> int:
    session = client.open(slot)
    client.call("C_Login", session, User.USER, PIN)
    return session


def sign(client: SocketClient, session: int) -> bytes:
    return client.sign(session, Mechanism(0x1041), private(client, session, 1), DIGEST)


@pytest.mark.parametrize("version", [0, 1, 2, 3, 255])
def test_a_program_of_any_release_signs(serving: Serving, version: int) -> None:
    client = SocketClient(serving.path, version)
    assert len(sign(client, logged_in(client))) == 64


def test_a_login_belongs_to_one_connection(serving: Serving) -> None:
    one, other = SocketClient(serving.path), SocketClient(serving.path)
    session = logged_in(one)
    assert other.rv("C_GetSessionInfo", session) is Rv.SESSION_HANDLE_INVALID
    assert other.find(other.open(0), (0, 3)) == [], "the other program has not logged in"
    assert other.rv("C_SignInit", other.open(0), Mechanism(0x1041), 0x9A * 8 + 3) is Rv.KEY_HANDLE_INVALID
    assert len(sign(one, session)) == 64


def test_a_program_that_is_gone_leaves_nothing_behind(serving: Serving, host: SoftHost) -> None:
    client = SocketClient(serving.path)
    logged_in(client)
    client.socket.close()
    until(lambda: host.cards[0].closed)
    until(lambda: serving.connections == 0)


def test_cards_come_and_go_and_change_hands(serving: Serving, host: SoftHost) -> None:
    client = SocketClient(serving.path)
    session = logged_in(client)
    host.put(3)
    assert client.call("C_GetSlotList", 1, 9) == ([0, 3],)
    host.put(0, owner="somebody else", group="")
    if os.getuid():
        assert client.rv("C_GetSessionInfo", session) is Rv.DEVICE_REMOVED
        assert client.call("C_GetSlotList", 1, 9) == ([3],)
    del host.stamps[0]
    host.put(3, faces=(Face.PCSC,))
    assert client.call("C_GetSlotList", 1, 9) == ([],)


# Who may use what.


@pytest.mark.parametrize(
    ("record", "root_uses", "uid", "gids", "may"),
    [
        ({"owner": "root"}, False, 0, (), True),
        ({"owner": "daemon"}, True, 1, (), True),
        ({"owner": "daemon"}, True, 2, (1, 2), False),
        ({"owner": "", "group": "daemon"}, True, 2, (1, 2), True),
        ({"owner": "", "group": "daemon"}, True, 2, (2,), False),
        ({"owner": "daemon"}, True, 0, (0,), True),
        ({"owner": "daemon"}, False, 0, (0,), False),
        ({"owner": "", "group": ""}, False, 0, (), True),
        ({"owner": "", "group": ""}, True, 1, (0,), False),
        ({"owner": "nobody that there is"}, False, 1, (1,), False),
        ({"owner": "daemon", "faces": (Face.PCSC,)}, True, 1, (), False),
        ({"owner": "daemon", "presented": False}, True, 1, (), False),
        ({"owner": "daemon", "state": State.DESTROYING}, True, 1, (), False),
    ],
)
def test_who_may_use_a_card(
    record: t.Dict[str, t.Any], root_uses: bool, uid: int, gids: t.Tuple[int, ...], may: bool
) -> None:
    host = SoftHost()
    host.put(5, **{"owner": "", **record})
    directory = Directory(t.cast(t.Any, host), root_uses, (Face.PKCS11,))
    assert directory.may_use(5, Peer(uid, frozenset(gids))) is may
    assert directory.usable(Peer(uid, frozenset(gids))) == [5] * may
    assert not directory.may_use(6, Peer(0, frozenset()))


def test_names_have_numbers() -> None:
    names = Names()
    assert (names.uid(ME), names.gid(grp.getgrgid(0).gr_name)) == (os.getuid(), 0)
    assert (names.uid(""), names.gid("no such group")) == (None, None)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
def test_another_user_on_the_socket_sees_their_own_cards(serving: Serving, host: SoftHost) -> None:
    """What a program says of itself does not matter: the kernel tells who it is."""
    host.put(0, owner="root")
    host.put(1, owner="daemon")
    host.put(2, owner="", group="daemon")
    host.put(3, owner="", group="tty")
    assert as_user(serving.path, "daemon", "daemon") == "[1, 2]"
    assert as_user(serving.path, "nobody", "tty") == "[3]"
    assert as_user(serving.path, "nobody", "nogroup") == "[]"


_OTHER = """
import os
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import SocketClient  # as root, who may read it
os.setgroups([{gid}]); os.setgid({gid}); os.setuid({uid})
print(SocketClient({path!r}).call("C_GetSlotList", 1, 9)[0])
"""


def as_user(path: str, user: str, group: str) -> str:
    program = _OTHER.format(path=path, uid=pwd.getpwnam(user).pw_uid, gid=grp.getgrnam(group).gr_gid)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Attacks.


def test_limits_for_one_user(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "MOST_OF_USER", 3)
    programs = [SocketClient(serving.path) for _each in range(3)]
    with pytest.raises((EOFError, AssertionError, ConnectionError)):
        SocketClient(serving.path)
    programs.pop().socket.close()
    until(lambda: serving.connections == 2)
    SocketClient(serving.path)


_MANY = """
import os, sys
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import SocketClient  # as root, who may read it
programs, refused = [], 0
for uid in range(100_000, 100_009):
    os.seteuid(uid)
    try:
        programs.append(SocketClient({path!r}))
    except (EOFError, AssertionError, ConnectionError):
        refused += 1
    os.seteuid(0)
print(len(programs), refused, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="root alone becomes others")
def test_one_user_who_is_many_leaves_room_for_owners(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a user namespace: the numbers are of nobody who owns a card."""
    monkeypatch.setattr(listener_module, "MOST_OF_USER", 4)
    command = [sys.executable, "-c", _MANY.format(path=serving.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as many:
        assert many.stdout is not None and many.stdout.readline() == "4 5\n"
        owner = SocketClient(serving.path)
        assert len(sign(owner, logged_in(owner))) == 64
        many.communicate()


def test_a_card_that_can_t_be_read_ends_nothing(
    host: SoftHost, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_number: int) -> t.NoReturn:
        raise StateError("the card's file is damaged", "restore it")

    with monkeypatch.context() as broken:
        broken.setattr(host, "record", damaged)
        SocketClient(serving.path).socket.close()
        until(lambda: serving.connections == 0)
    owner = SocketClient(serving.path)
    assert len(sign(owner, logged_in(owner))) == 64


def test_a_program_that_stops_in_the_middle_holds_nobody_up(serving: Serving) -> None:
    stopped = SocketClient(serving.path)
    whole = framed(request("C_GetSlotList", (1, 9), 2))
    for end in range(1, len(whole)):
        silent = SocketClient(serving.path)
        silent.socket.sendall(whole[:end])
    stopped.socket.sendall(whole[:7])
    other = SocketClient(serving.path)
    assert len(sign(other, logged_in(other))) == 64
    stopped.socket.sendall(whole[7:])
    assert stopped.receive(12)


def test_a_program_that_never_reads_holds_nobody_up(serving: Serving) -> None:
    deaf = SocketClient(serving.path)
    session = deaf.open(0)
    whole = framed(request("C_GenerateRandom", (session, 1 << 16), 2))
    deaf.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            deaf.socket.send(whole)
    other = SocketClient(serving.path)
    assert len(sign(other, logged_in(other))) == 64
    deaf.socket.settimeout(20)
    assert struct.unpack(">III", deaf.receive(12))[2] > 1 << 16


@pytest.mark.parametrize("body", [0xFFFFFFFF, (1 << 16) + 1])
def test_a_frame_that_is_too_long_gets_an_answer_and_no_memory(serving: Serving, body: int) -> None:
    client = SocketClient(serving.path)
    client.socket.sendall(struct.pack(">III", 99, 0, body))
    code, _options, size = struct.unpack(">III", client.receive(12))
    assert code == 99 and client.receive(size).endswith(bytes((Rv.DATA_LEN_RANGE,)))
    if body < 1 << 20:
        client.socket.sendall(bytes(body))
        assert client.call("C_GetSlotList", 1, 9) == ([0],)


def test_programs_that_vanish_at_any_point(serving: Serving, host: SoftHost) -> None:
    """As many as come in an hour, one a second, cut off anywhere."""
    chance = random.Random(13)
    stream = b"\2" + b"".join(
        framed(request(*each, 2), code)
        for code, each in enumerate(
            [
                ("C_Initialize", (b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1", 0, b"\0")),
                ("C_GetSlotList", (1, 9)),
                ("C_OpenSession", (0, 6)),
                ("C_GetTokenInfo", (0,)),
            ],
            16,
        )
    )
    for _each in range(3600):
        with socket.socket(socket.AF_UNIX) as program:
            program.connect(serving.path)
            with contextlib.suppress(BrokenPipeError):
                program.send(stream[: chance.randrange(len(stream) + 1)])
    until(lambda: serving.connections == 0)
    client = SocketClient(serving.path)
    assert len(sign(client, logged_in(client))) == 64
    assert all(card.closed for card in host.cards[:-1])


def test_noise_is_answered_or_ends_its_own_connection(serving: Serving) -> None:
    chance = random.Random(7)
    for _each in range(300):
        program = SocketClient(serving.path)
        program.socket.settimeout(0.001)
        for _frame in range(chance.randrange(4)):
            body = chance.randbytes(chance.randrange(60))
            program.socket.sendall(framed(body) if chance.random() < 0.7 else body)
        with contextlib.suppress(OSError, EOFError):
            program.receive(1 << 10)
        program.socket.close()
    client = SocketClient(serving.path)
    assert len(sign(client, logged_in(client))) == 64


def test_a_connection_that_nobody_is_behind_is_closed(host: SoftHost, path: str) -> None:
    """As one may be that was handed down: the service starts all the same."""
    listening, selector = socket.socket(socket.AF_UNIX), selectors.DefaultSelector()
    listening.bind(path)
    listening.listen()
    failures: t.List[Exception] = []
    cards = functools.partial(UserCards, Directory(t.cast(t.Any, host), True, (Face.PKCS11,)))
    listener = listener_module.Listener(listening, cards, selector, failures.append, Keeper(""))
    stray = socket.socket(socket.AF_UNIX)
    listener.adopt(stray, 2)
    assert stray.fileno() == -1 and [key.data for key in selector.get_map().values()] == [listener]
    listener.release()
    selector.close()
    assert failures == []


# The socket's place.


def test_a_socket_that_a_process_left_behind_is_replaced(host: SoftHost, path: str) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(path)
    serving = Serving(host, path)
    SocketClient(path)
    serving.stop()
    assert not os.path.exists(path)


def test_a_place_that_is_taken(host: SoftHost, serving: Serving, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="another program listens at"):
        Pkcs11Face(serving.path, True).start(t.cast(t.Any, host), selectors.DefaultSelector(), lambda _error: None)
    (tmp_path / "file").touch()
    face = Pkcs11Face(str(tmp_path / "file"), True)
    with pytest.raises(StateError, match="is there and is no socket"):
        face.start(t.cast(t.Any, host), selectors.DefaultSelector(), lambda _error: None)


def test_no_socket_where_none_is_wanted(host: SoftHost) -> None:
    selector = selectors.DefaultSelector()
    face = Pkcs11Face("", True)
    face.start(t.cast(t.Any, host), selector, lambda _error: None)
    assert not selector.get_map()
    face.stop()


# A restart.


class Systemd:
    """What systemd does for a service: it keeps copies of file descriptors, and gives them to the next process."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(self.address)
        self._notify.settimeout(20)
        self.kept: t.List[t.Tuple[str, int]] = []

    def take(self) -> None:
        message, rights, _flags, _address = self._notify.recvmsg(1024, socket.CMSG_SPACE(4))
        ((level, kind, data),) = rights
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        fields = dict(line.split("=") for line in message.decode().split("\n"))
        assert fields.pop("FDSTORE") == "1"
        self.kept.append((fields["FDNAME"], array.array("i", data)[0]))


def test_connections_are_given_to_systemd(
    host: SoftHost, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd = Systemd(tmp_path)
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (systemd.address,))
    serving = Serving(host, path)
    client = SocketClient(path, 1)
    systemd.take()
    serving.stop()
    ((name, number),) = systemd.kept
    assert name == "pkcs11-1"
    kept = socket.socket(fileno=number)
    client.socket.sendall(b"still there")
    assert kept.recv(99) == b"still there"
    kept.close()


def test_nothing_is_handed_down_to_another_process() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "pkcs11-1"}
    assert take(environment) == (None, ())
