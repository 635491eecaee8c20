# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program's connection: bytes come in, frames are answered. It never waits for the program."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from ..._encoding.p11_kit_frame import Frame, Frames, read_frame, whole_size
from .program import Program

_CHUNK = 1 << 16
_LOOKS = 16
"""How often one looks for the rest of a frame before others get their turn: some 50 microseconds."""


class Disconnected(Exception):
    """The program has gone, or speaks another language."""


class Connection:
    """Answers one request each time that the caller's selector says that there is something to read.

    A request stays in the kernel's hands until its answer is there. So if this process dies over it, the next one,
    which systemd gives the connection to, answers it: the program never waits for ever.

    :param start: makes the interpreter, once the program has said which version it speaks
    :param offered: the version, for a connection that outlived the process that it began with
    """

    def __init__(
        self, connection: socket.socket, start: t.Callable[[int], Program], offered: t.Optional[int] = None
    ) -> None:
        self.socket = connection
        self.socket.setblocking(False)
        self.offered = offered
        self._start = start
        self._program: t.Optional[Program] = None
        self._frames = Frames()
        self._unsent = b""

    @property
    def wants_to_write(self) -> bool:
        """Whether an answer waits for the program to take it. Until then it is not listened to."""
        return bool(self._unsent)

    def on_readable(self) -> int:
        """Takes what is there, one request at most. Returns how many were answered.

        :raises Disconnected: if the program has gone
        """
        program = self._program
        if program is None and self.offered is not None:
            program = self._program = self._start(self.offered)
        if program is None:
            return self._greet(self._receive(1))
        if not self._frames.is_empty:
            return self._gather(program, self._receive(min(self._frames.missing, _CHUNK)))
        start, size = self._peek()
        if start and size == len(start):
            return self._answer_peeked(program, start)
        return self._gather(program, self._receive(len(start))) if start else 0

    def _peek(self) -> t.Tuple[bytes, t.Optional[int]]:
        """Returns the first frame as far as it has come, and how long it gets. p11-kit writes one in three pieces."""
        for _look in range(_LOOKS):
            start = self._receive(_CHUNK, socket.MSG_PEEK)
            size = whole_size(start)
            if not start or (size is not None and size <= len(start)):
                break
            os.sched_yield()
        return start[:size], size

    def _greet(self, offered: bytes) -> int:
        if offered:
            self.offered = offered[0]
            self._program = self._start(self.offered)
            self._send(bytes((self._program.version,)))
        return 0

    def _gather(self, program: Program, data: bytes) -> int:
        """Keeps a part of a frame."""
        self._frames.feed(data)
        return self._answer(program, self._frames.next())

    def _answer(self, program: Program, frame: t.Optional[Frame]) -> int:
        if frame is None:
            return 0
        self._send(program.respond(frame))
        return 1

    def _answer_peeked(self, program: Program, whole: bytes) -> int:
        """Answers a frame that is whole, and takes it out of the kernel's hands only then.

        Before the answer goes out: a process that died in between would have the next one answer a second time, and
        p11-kit waits for ever for whomever such an answer might be for.
        """
        answer = program.respond(read_frame(whole))
        self._receive(len(whole))
        self._send(answer)
        return 1

    def on_writable(self) -> None:
        """:raises Disconnected: if the program has gone"""
        self._send(b"")

    def close(self) -> None:
        """Ends the connection, with all copies of it, and what the program had opened."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self._program is not None:
            self._program.end()

    def release(self) -> None:
        """Ends what the program had opened, and leaves the connection to whoever holds a copy.

        One that is in the middle of a frame can't go on from there elsewhere, so it ends.
        """
        if self._unsent or not self._frames.is_empty:
            self.close()
            return
        self.socket.close()
        if self._program is not None:
            self._program.end()

    def _receive(self, size: int, flags: int = 0) -> bytes:
        try:
            data = self.socket.recv(size, flags)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise Disconnected(str(error)) from None
        if not data:
            raise Disconnected("closed by the program")
        return data

    def _send(self, data: bytes) -> None:
        self._unsent += data
        if not self._unsent:
            return
        try:
            sent = self.socket.send(self._unsent, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except OSError as error:
            raise Disconnected(str(error)) from None
        self._unsent = self._unsent[sent:]
