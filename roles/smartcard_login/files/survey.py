# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a host before anything is changed: one connection for all that the role has to know.

Standard input is JSON: {"packages": [name], "users": [name], "domains": [name], "options": {section: {option: value}},
"ours": path of the role's own file for SSSD, "etc": SSSD's folder, "socket": path, "profile": path, "crls": path,
"policy": path of the Hello policy, or nothing, "factors": {second factor that it may ask for: {"package": name}},
"pin_change": path of what changes PINs, "traces": {part: [{"path": path, "text": text, which may be missing}]}}.
Prints JSON.
"""

from __future__ import annotations

import configparser
import json
import os
import pwd
import stat
import subprocess
import sys
import typing as t


def missing_packages(wanted: t.Sequence[str]) -> t.List[str]:
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the role's own words
    lines = done.stdout.splitlines()
    return [name for name in wanted if f"installed {name}" not in lines]


def asked_of_sign_in(policy: str) -> t.Dict[str, t.Any]:
    """Returns what the host's Hello policy says to the sign-in; nothing without a policy."""
    text = text_of(policy) if policy else ""
    try:
        return dict(json.loads(text).get("sign_in", {})) if text else {}
    except (ValueError, TypeError, AttributeError):
        raise SystemExit(f"{policy} is damaged: write it again with the module hello_policy, or remove it") from None


def unknown_users(names: t.Sequence[str]) -> t.List[str]:
    known = {each.pw_name for each in pwd.getpwall()}
    return [name for name in names if name not in known]


class Elsewhere:
    """What SSSD is told by files that are not the role's: sssd.conf(5), "CONFIGURATION SNIPPETS".

    :param ours: path of the role's own file
    """

    def __init__(self, folder: str, ours: str) -> None:
        self._said: t.Dict[t.Tuple[str, str], t.Tuple[str, str]] = {}
        self.files = [path for path in _configuration(folder) if path != ours]
        for path in self.files:
            self._read(path)

    def _read(self, path: str) -> None:
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise SystemExit(f"{path} can't be read: {error}") from None
        for section in parser.sections():
            for option, value in parser.items(section):
                self._said[section.strip(), option.strip()] = (path, value)

    def domains(self) -> t.List[str]:
        return sorted({section[7:] for section, _option in self._said if section.startswith("domain/")})

    def value(self, section: str, option: str) -> str:
        return self._said.get((section, option), ("", ""))[1]

    def conflicts(self, options: t.Mapping[str, t.Mapping[str, str]]) -> t.List[str]:
        """Returns what is said otherwise than the role would say it."""
        found = []
        for section, wanted in options.items():
            for option, value in wanted.items():
                path, there = self._said.get((section, option), ("", value))
                if there.strip().lower() != value.strip().lower():
                    fault = f"{path} says {option} = {there} in [{section}]"
                    found.append(f"{fault}, and cards need {value}: take that line out, or let it say this.")
        return found


def _configuration(folder: str) -> t.List[str]:
    snippets = os.path.join(folder, "conf.d")
    names = sorted(os.listdir(snippets)) if os.path.isdir(snippets) else []
    paths = [os.path.join(snippets, name) for name in names if name.endswith(".conf") and not name.startswith(".")]
    return [path for path in (os.path.join(folder, "sssd.conf"), *paths) if os.path.isfile(path)]


def is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def is_left(trace: t.Mapping[str, str]) -> bool:
    """Tells whether a part of the role has left a file, or a text in a file of others, whose bytes may be any."""
    path, text = trace["path"], trace.get("text", "")
    if not text or not os.path.isfile(path):
        return not text and os.path.exists(path)
    with open(path, encoding="latin-1", newline="") as file:
        return text in file.read()


def survey(job: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    elsewhere = Elsewhere(job["etc"], job["ours"])
    sign_in = asked_of_sign_in(job["policy"])
    beside = [job["factors"][each]["package"] for each in sign_in.get("second_factors", ())]
    return {
        "missing": missing_packages([*job["packages"], *beside]),
        "sign_in": sign_in,
        "unknown": unknown_users(job["users"]),
        "files": elsewhere.files,
        "domains": elsewhere.domains(),
        "services": elsewhere.value("sssd", "services"),
        "conflicts": elsewhere.conflicts(job["options"]),
        "socket": is_socket(job["socket"]),
        "systemd": os.path.isdir("/run/systemd/system"),
        "profile": text_of(job["profile"]),
        "enabled": "try_cert_auth" in text_of("/etc/pam.d/common-auth"),
        "pin_change": os.path.isfile(job["pin_change"]),
        "crls": "BEGIN X509 CRL" in text_of(job["crls"]),
        "left": {part: any(map(is_left, traces)) for part, traces in job["traces"].items()},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(survey(json.load(sys.stdin))) + "\n")
