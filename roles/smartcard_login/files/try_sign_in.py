# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs a user in through PAM, as a program would, before what PAM shall do takes effect.

Standard input is JSON: {"profile": text of a profile of pam-auth-update, "user": name, "pin": text, "limit": seconds,
"alone": what somebody reads whose PIN was right, and who has no second factor}.
In a copy of PAM's files the profile is enabled, and two things are tried there: whoever types nothing is asked for the
password in time, and the PIN, where one is given, lets its user in, or is right and lacks a second factor. Prints JSON:
what was asked, and the faults.

Without a profile the host's own stack is tried.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

_FAIL_DELAY = 10  # PAM_FAIL_DELAY
_PROMPTS = (1, 2)  # PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON
_SUCCESS = 0
_CONVERSATION_ERROR = 19

_libc = ctypes.CDLL("libc.so.6")
_libc.calloc.restype = ctypes.c_void_p
_libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
_libc.strdup.restype = ctypes.c_void_p
_libc.strdup.argtypes = [ctypes.c_char_p]


class _Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class _Response(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("code", ctypes.c_int))


_CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(_Message)),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)


_DELAY = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
_no_delay = _DELAY(lambda _status, _microseconds, _data: None)


class _Conversation(ctypes.Structure):
    _fields_ = (("converse", _CONVERSE), ("data", ctypes.c_void_p))


class Talk:
    """What a program asks, answered from a list."""

    def __init__(self, answers: t.Sequence[str]) -> None:
        self._answers = list(answers)
        self._began = time.monotonic()
        self.said: t.List[t.Dict[str, t.Any]] = []

    def converse(self, count: int, messages: t.Any, responses: t.Any, _data: t.Any) -> int:
        """pam_conv(3). PAM frees the answers."""
        block = _libc.calloc(count, ctypes.sizeof(_Response))
        if not block:
            return _CONVERSATION_ERROR
        array = ctypes.cast(block, ctypes.POINTER(_Response))
        for number in range(count):
            message = messages[number].contents
            asked = message.style in _PROMPTS
            text = (message.text or b"").decode(errors="replace")
            self.said.append({"text": text, "asked": asked, "seconds": round(time.monotonic() - self._began, 2)})
            if asked:
                answer = self._answers.pop(0) if self._answers else ""
                array[number].text = _libc.strdup(answer.encode())
        responses[0] = block
        return _SUCCESS


def sign_in(folder: str, service: str, user: str, answers: t.Sequence[str]) -> t.Dict[str, t.Any]:
    """:param folder: of the services, instead of /etc/pam.d; empty for that"""
    pam = ctypes.CDLL("libpam.so.0")
    pam.pam_strerror.restype = ctypes.c_char_p
    talk = Talk(answers)
    conversation = _Conversation(_CONVERSE(talk.converse), None)
    handle = ctypes.c_void_p()
    names = service.encode(), user.encode(), ctypes.byref(conversation)
    began = time.monotonic()
    if folder:
        status = pam.pam_start_confdir(*names, folder.encode(), ctypes.byref(handle))
    else:
        status = pam.pam_start(*names, ctypes.byref(handle))
    status = status or pam.pam_set_item(handle, _FAIL_DELAY, _no_delay)
    for step in (pam.pam_authenticate, pam.pam_acct_mgmt):
        status = status or step(handle, 0)
    result = {
        "status": status,
        "words": (pam.pam_strerror(handle, status) or b"").decode(errors="replace"),
        "seconds": round(time.monotonic() - began, 2),
        "said": talk.said,
    }
    pam.pam_end(handle, status)
    return result


SERVICE = "su-l"
"""SSSD knows it as one where cards are asked for. In the copy it has nothing but what all services share."""
_STACK = ("common-auth", "common-account")
"""Debian's @include would look for them in /etc/pam.d."""
_COPIED = ("etc/pam.d", "usr/share/pam-configs", "var/lib/pam")
_PROFILE = "usr/share/pam-configs/hardbound"
_REFUSED = 7  # PAM_AUTH_ERR
_SETTLING = 40.0
"""Seconds for SSSD to serve a user after its start: it remembers for 15 that it did not know them."""


def copy_of_pam(folder: str, profile: str) -> str:
    """Returns the folder of services in a copy where the profile is enabled."""
    for each in _COPIED:
        shutil.copytree(os.path.join("/", each), os.path.join(folder, each), symlinks=True)
    with open(os.path.join(folder, _PROFILE), "w", encoding="utf-8") as file:
        file.write(profile)
    command = ["pam-auth-update", "--root", folder, "--package", "--enable", os.path.basename(_PROFILE)]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, capture_output=True, env=quiet)  # noqa: S603 - the role's own words
    services = os.path.join(folder, "etc/pam.d")
    with open(os.path.join(services, SERVICE), "w", encoding="utf-8") as service:
        for name in _STACK:
            with open(os.path.join(services, name), encoding="utf-8") as file:
                service.write(file.read())
    return services


def faults(services: str, job: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yields what would lock people out, or would not let the PIN in."""
    with open(os.path.join(services or "/etc/pam.d", "common-auth"), encoding="utf-8") as file:
        if "try_cert_auth" not in file.read():
            yield "pam-auth-update leaves /etc/pam.d/common-auth alone, because it was changed by hand"
            return
    without = sign_in(services, SERVICE, job["user"], [])
    began = time.monotonic()
    while job["pin"] and not _asks_for_pin(without) and time.monotonic() - began < _SETTLING:
        time.sleep(1)
        without = sign_in(services, SERVICE, job["user"], [])
    yield from _password_faults(without, job["limit"])
    if job["pin"]:
        yield from _pin_faults(sign_in(services, SERVICE, job["user"], [job["pin"]]), job["alone"])


def _asks_for_pin(tried: t.Mapping[str, t.Any]) -> bool:
    return any(each["asked"] and "PIN" in each["text"] for each in tried["said"])


def _password_faults(tried: t.Mapping[str, t.Any], limit: float) -> t.Iterator[str]:
    asked = [each for each in tried["said"] if each["asked"]]
    if not asked or "assword" not in asked[-1]["text"]:
        yield f"nobody was asked for a password ({tried['words']})"
        return
    if tried["status"] != _REFUSED:
        yield f"an empty password was answered with {tried['words']!r}"
    began = asked[-2]["seconds"] if len(asked) > 1 else 0.0
    waited = asked[-1]["seconds"] - began
    if waited > limit:
        yield f"the password was asked for after {waited:.1f} seconds, and the limit is {limit}"


def _pin_faults(tried: t.Mapping[str, t.Any], alone: str) -> t.Iterator[str]:
    if any(each["text"].strip() == alone and not each["asked"] for each in tried["said"]):
        return
    asked = [each["text"].strip() for each in tried["said"] if each["asked"]]
    if not asked or "PIN" not in asked[0]:
        yield f"no PIN was asked for, but {asked[0] if asked else 'nothing'!r}"
    elif tried["status"] != _SUCCESS or len(asked) > 1:
        yield f"the PIN did not sign the user in ({tried['words']}); prompts: {', '.join(asked)}"


def main() -> None:
    job = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="hardbound-pam-") as folder:
        services = copy_of_pam(folder, job["profile"]) if job["profile"] else ""
        found = list(faults(services, job))
    sys.stdout.write(json.dumps({"faults": found}) + "\n")


if __name__ == "__main__":
    main()
