# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommands of ``hardbound-card``, and what each of them writes."""

from __future__ import annotations

import argparse
import datetime
import os
import typing as t

from .._encoding.owner_call import SOCKET, Message
from .._errors import HardboundError
from . import due, passkeys, pin_change, status, trial, uri
from .certificate import REVOCATION_LISTS, revocation_lists
from .choice import chosen, the_one, those_named
from .exit_code import CommandError, ExitCode
from .service import CardService
from .terminal import Terminal
from .trial import Trial

Notify = t.Callable[[str, str], bool]
_DAYS = 7
_DESCRIPTION = "Shows and tests your smart cards in this computer's TPM, and changes their PINs."


class Work(t.NamedTuple):
    """What a subcommand works with.

    :param notify: shows a summary and a text on the desktop; tells whether there is one
    """

    options: argparse.Namespace
    service: CardService
    terminal: Terminal
    notify: Notify

    @property
    def cards(self) -> t.List[Message]:
        return chosen(self.service.cards(), self.options.card)

    @property
    def card(self) -> Message:
        return the_one(self.service.cards(), self.options.card)


def _show_status(work: Work) -> ExitCode:
    cards, lists = work.cards, revocation_lists(work.options.crls)
    lines = (line for card in cards for line in status.lines(card, lists, _now()))
    work.terminal.tell({"cards": [status.told(card, lists) for card in cards]}, lines)
    return ExitCode.FINE


def _change_pin(work: Work) -> ExitCode:
    pin_change.change(work.card, work.service, work.terminal)
    return ExitCode.FINE


def _unblock(work: Work) -> ExitCode:
    card = work.card
    puk = work.terminal.ask(f"PUK of {card['name']}")
    work.service.unblock(card["card"], puk, work.terminal.ask_new("PIN"))
    work.terminal.tell({"unblocked": card["name"]}, [f"{card['name']} has a new PIN, with all its tries."])
    return ExitCode.FINE


def _test(work: Work) -> ExitCode:
    card = work.card
    trials = list(trial.ways(card, work.options.pcscd, work.options.p11_kit))
    trials += _keys_tried(work, card) if card["keys"] else [Trial("keys", ExitCode.CARD, "there are none")]
    answer = {"trials": [{"what": each.what, "layer": _layer(each), "said": each.said} for each in trials]}
    work.terminal.tell(answer, map(_trial_line, trials))
    return next((each.code for each in trials if each.code), ExitCode.FINE)


def _keys_tried(work: Work, card: Message) -> t.Iterator[Trial]:
    """One PIN for all keys. What is wrong with it, or with the TPM, is said once and costs one try at most."""
    lists = revocation_lists(work.options.crls)
    pin = work.terminal.ask(f"PIN of {card['name']}") if any(key["pin"] != "never" for key in card["keys"]) else None
    for key in card["keys"]:
        try:
            yield trial.signature(work.service, card, key, pin)
        except CommandError as error:
            yield Trial(key["slot"], error.code, str(error))
            return
        yield from trial.certificate(key, lists, _now())


def _layer(each: Trial) -> t.Optional[str]:
    return each.code.layer if each.code else None


def _trial_line(each: Trial) -> str:
    return f"{each.what:<22} {each.said}" + (f"  [fault: {each.code.layer}]" if each.code else "")


def _passkeys(work: Work) -> ExitCode:
    card, beginning = work.card, work.options.remove
    pin = work.terminal.ask(f"PIN of {card['name']}")
    found = work.service.passkeys(card["card"], pin)
    if beginning is None:
        work.terminal.tell({"passkeys": list(map(passkeys.told, found))}, map(passkeys.line, found))
        return ExitCode.FINE
    gone = passkeys.named(found, beginning)
    work.service.remove_passkey(card["card"], pin, gone["passkey"])
    work.terminal.tell({"removed": passkeys.told(gone)}, [f"Removed: {passkeys.line(gone)}"])
    return ExitCode.FINE


def _show_uris(work: Work) -> ExitCode:
    found = [(card, key) for card in work.cards for key in card["keys"]]
    answer = [{"card": card["name"], "slot": key["slot"], "uri": uri.uri(card, key)} for card, key in found]
    work.terminal.tell({"uris": answer}, [each["uri"] for each in answer])
    return ExitCode.FINE


def _show_ssh(work: Work) -> ExitCode:
    card = work.card
    keys = [uri.authorized_key(card, key) for key in uri.ssh_keys(card)]
    config = list(uri.ssh_config(card, os.path.expanduser("~"), uri.proxy()))
    lines = ["# ~/.ssh/authorized_keys on the server", *keys, "# ~/.ssh/config here", *config]
    work.terminal.tell({"authorized_keys": keys, "config": config}, lines)
    return ExitCode.FINE


def _show_due(work: Work) -> ExitCode:
    """Whoever has no card has nothing to see to: the timer runs for everybody."""
    lists, options = revocation_lists(work.options.crls), work.options
    cards = those_named(work.service.cards(), options.card)
    found = [each for card in cards for each in due.coming(card, lists, _now(), options.days)]
    if found and options.notify and work.notify("Smart card", "\n".join(found)):
        return ExitCode.FINE
    work.terminal.tell({"due": found}, found)
    return ExitCode.SOON if found and not options.notify else ExitCode.FINE


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class _Subcommand(t.NamedTuple):
    run: t.Callable[[Work], ExitCode]
    help: str


SUBCOMMANDS: t.Mapping[str, _Subcommand] = {
    "status": _Subcommand(_show_status, "show your cards: readers, tries, PIN, certificates"),
    "change-pin": _Subcommand(_change_pin, "change the PIN of a card"),
    "unblock": _Subcommand(_unblock, "give a card a new PIN with its PUK"),
    "test": _Subcommand(_test, "have each key sign, and name the layer at fault"),
    "uri": _Subcommand(_show_uris, "print the PKCS#11 URIs of the keys"),
    "ssh": _Subcommand(_show_ssh, "print the lines for authorized_keys and ~/.ssh/config"),
    "passkeys": _Subcommand(_passkeys, "show the passkeys of a card, or remove one"),
    "due": _Subcommand(_show_due, "show what ends soon: PINs and certificates"),
}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command's arguments. None of them is a secret."""
    whole = argparse.ArgumentParser(prog="hardbound-card", description=_DESCRIPTION)
    subcommands = whole.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    for name, subcommand in SUBCOMMANDS.items():
        each = subcommands.add_parser(name, help=subcommand.help, description=subcommand.help)
        each.set_defaults(run=subcommand.run)
        each.add_argument("--card", metavar="NAME", help="name or number of a card; needed where you have several")
        each.add_argument("--json", action="store_true", help="write JSON")
        for option, default in _PLACES.items():
            each.add_argument(option, default=default, help=argparse.SUPPRESS)
        if name == "passkeys":
            each.add_argument("--remove", metavar="ID", help="remove the passkey whose ID begins so")
        if name == "due":
            each.add_argument("--days", type=int, default=_DAYS, help="how long before the end (default: %(default)s)")
            each.add_argument("--notify", action="store_true", help="show it on the desktop, where there is one")
    return whole


_PLACES = {"--socket": SOCKET, "--crls": REVOCATION_LISTS, "--pcscd": trial.PCSCD, "--p11-kit": trial.P11_KIT}
"""Where things are on a host, for tests."""


def main(arguments: t.Sequence[str], notify: Notify = lambda _summary, _text: False) -> int:
    """Runs the command.

    :param arguments: without the program's name
    :returns: an :class:`~.exit_code.ExitCode`
    """
    options = parser().parse_args(arguments)
    terminal = Terminal(options.json)
    try:
        return int(options.run(Work(options, CardService(options.socket), terminal, notify)))
    except CommandError as error:
        terminal.complain(error)
        return int(error.code)
    except HardboundError as error:
        terminal.complain(CommandError(ExitCode.SERVICE, str(error)))
        return int(ExitCode.SERVICE)
