# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command hardbound-card, asking a service whose cards are in software."""

from __future__ import annotations

import collections
import datetime
import io
import json
import re
import socket
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyUser, WantedPasskey
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._command import program
from ansible_collections.hardbound.identity.plugins.module_utils._command.exit_code import ExitCode
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.owner_desk import OwnerDesk, SoftHost
from ansible_collections.hardbound.identity.tests.support.soft_card import PIN, PUK
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NEW = "654321"
MAN = COLLECTION / "roles/tpm_host/files/hardbound-card.1"
COMPLETION = COLLECTION / "roles/tpm_host/files/hardbound-card.bash"


class Shell:
    """A user who runs the command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.host = SoftHost()
        self.card = self.host.put()
        self.shown: t.List[t.Tuple[str, str]] = []
        self.desktop = True
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._folder = tempfile.TemporaryDirectory(prefix="hb-")
        self.folder = Path(self._folder.name)
        self.desk = OwnerDesk(self.host, self.folder)
        self.sockets = [self._listen(name) for name in ("p11-kit", "pcscd")]

    def _listen(self, name: str) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.folder / name))
        listening.listen()
        return listening

    def close(self) -> None:
        self.desk.stop()
        for each in self.sockets:
            each.close()
        self._folder.cleanup()

    def run(self, *arguments: str, typed: str = "") -> t.Tuple[ExitCode, str]:
        """Returns how it ended, and what it wrote."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        places = {"--socket": "owners", "--crls": "crls.pem", "--pcscd": "pcscd", "--p11-kit": "p11-kit"}
        options = [each for option, name in places.items() for each in (option, str(self.folder / name))]
        code = program.main([*arguments, *options], self._notify)
        captured = self._capsys.readouterr()
        return ExitCode(code), captured.out + captured.err

    def _notify(self, summary: str, text: str) -> bool:
        self.shown.append((summary, text))
        return self.desktop

    def revoke(self, slot: int) -> None:
        """Has the certificate's issuer, which is the key itself, revoke it."""
        certificate = x509.load_der_x509_certificate(self.card.certificates[slot])
        now = datetime.datetime(2024, 2, 1)
        entry = x509.RevokedCertificateBuilder(certificate.serial_number, now).build()
        builder = x509.CertificateRevocationListBuilder(certificate.issuer, now, now.replace(year=2044), [], [entry])
        crl = builder.sign(self.card._private[slot], hashes.SHA256())
        (self.folder / "crls.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> t.Iterator[Shell]:
    shell = Shell(monkeypatch, capsys)
    yield shell
    shell.close()


def test_status_says_what_there_is_to_know(shell: Shell) -> None:
    code, said = shell.run("status")
    assert code is ExitCode.FINE
    assert said.splitlines()[0] == "Card of Alice (card 0, PIV)"
    assert re.search(r"PIN +3 of 3 tries left; does not expire\n", said)
    assert re.search(r"PUK +3 of 3 tries left\n", said)
    assert re.search(r"authentication +ecc_p256; CN=slot 9A, ends on 2044-01-01, whether it was revoked is not", said)
    assert re.search(r"key_management +rsa_2048; no certificate", said)


def test_status_for_programs(shell: Shell) -> None:
    shell.card.pin_expires_at = 1_900_000_000
    shell.revoke(0x9A)
    code, said = shell.run("status", "--json")
    (card,) = json.loads(said)["cards"]
    assert (code, card["pin_expires_at"], card["tries"]["puk"]) == (ExitCode.FINE, 1_900_000_000, {"left": 3, "of": 3})
    assert card["keys"][0]["certificate"]["revoked"] is True
    assert card["keys"][0]["certificate"]["ends"] == "2044-01-01T00:00:00+00:00"


@pytest.mark.parametrize("there", [True, False])
def test_status_of_a_card_in_a_reader(shell: Shell, there: bool) -> None:
    shell.card.faces = (Face.PCSC,)
    if there:
        (shell.folder / "0000.present").touch()
    said = shell.run("status")[1]
    assert "reader 'Card of Alice 00 00'" in said
    assert ("NOT in" in said) is not there


def test_whoever_has_no_card_is_told_so(shell: Shell) -> None:
    shell.host.owners[0] = "nobody"
    assert shell.run("status")[0] is ExitCode.NO_CARD
    assert shell.run("due") == (ExitCode.FINE, ""), "the timer runs for everybody"


def test_one_of_several_cards_is_chosen(shell: Shell) -> None:
    shell.host.put(1, "Second card")
    code, said = shell.run("change-pin", typed=f"{PIN.decode()}\n{NEW}\n")
    assert code is ExitCode.NO_CARD
    assert "Card of Alice (0), Second card (1)" in said
    assert shell.run("change-pin", "--card", "Second card", typed=f"{PIN.decode()}\n{NEW}\n")[0] is ExitCode.FINE
    assert shell.run("change-pin", "--card", "1", typed=f"{NEW}\n{PIN.decode()}\n")[0] is ExitCode.FINE
    assert shell.run("status", "--card", "Third")[0] is ExitCode.NO_CARD


def test_a_pin_is_changed(shell: Shell) -> None:
    code, said = shell.run("change-pin", typed=f"{PIN.decode()}\n{NEW}\n")
    assert (code, said) == (ExitCode.FINE, "The PIN of Card of Alice is changed.\n")
    code, said = shell.run("change-pin", typed=f"{PIN.decode()}\n{NEW}\n")
    assert code is ExitCode.WRONG
    assert "2 tries left" in said


def test_the_rule_is_named_that_a_new_pin_breaks(shell: Shell) -> None:
    code, said = shell.run("change-pin", typed=f"{PIN.decode()}\n123\n")
    assert code is ExitCode.RULE
    assert "shorter than the 6 characters that the PIN policy asks for" in said
    assert "123" not in said


def test_a_blocked_card_is_unblocked(shell: Shell) -> None:
    for _each in range(3):
        shell.run("change-pin", typed=f"000000\n{NEW}\n")
    assert shell.run("change-pin", typed=f"{PIN.decode()}\n{NEW}\n")[0] is ExitCode.BLOCKED
    assert "BLOCKED" in shell.run("status")[1]
    assert shell.run("unblock", typed=f"{PUK.decode()}\n{NEW}\n")[0] is ExitCode.FINE
    assert shell.card.tries(Reference.PIN).left == 3


def test_a_card_without_puk_is_not_unblocked(shell: Shell) -> None:
    del shell.card._secrets[Reference.PUK]
    code, said = shell.run("unblock", typed=f"{PUK.decode()}\n{NEW}\n")
    assert code is ExitCode.CARD
    assert "has no PUK" in said


def test_nothing_typed_is_no_try(shell: Shell) -> None:
    assert shell.run("change-pin")[0] is ExitCode.USAGE
    assert shell.card.tries(Reference.PIN).left == 3


def test_the_test_has_each_key_sign(shell: Shell) -> None:
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.FINE
    assert re.findall(r"^(\S+) +signs$", said, re.MULTILINE) == ["authentication", "key_management"]
    assert "fault" not in said


def test_the_test_names_a_service_that_is_away(shell: Shell) -> None:
    missing = shell.folder / "nothing"
    code = program.main(["test", "--socket", str(missing)])
    assert code == ExitCode.SERVICE
    (shell.folder / "p11-kit").unlink()
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.SERVICE
    assert "[fault: service]" in said


def test_the_test_names_pcscd_and_the_reader(shell: Shell) -> None:
    shell.card.faces = (Face.PCSC,)
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.READER
    assert "not in Card of Alice 00 00  [fault: reader]" in said
    (shell.folder / "pcscd").unlink()
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.PCSCD
    assert "[fault: pcscd]" in said


@pytest.mark.parametrize("why", ["revoked", "ended", "another key", "unreadable"])
def test_the_test_names_the_certificate(shell: Shell, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "revoked":
        shell.revoke(0x9A)
    elif why == "ended":
        end = datetime.datetime(2045, 1, 1, tzinfo=datetime.timezone.utc)
        monkeypatch.setattr(program, "_now", lambda: end)
    elif why == "another key":
        shell.card.certificates[0x9A] = shell.host.put(1, owner="nobody").certificates[0x9A]
    else:
        shell.card.certificates[0x9A] = b"what some program wrote there"
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.CERTIFICATE
    words = {
        "revoked": "was revoked",
        "ended": "ended on 2044-01-01",
        "another key": "is for another key",
        "unreadable": "can't be read",
    }
    assert f"authentication, certificate {words[why]}  [fault: certificate]" in said
    if why != "ended":
        shown = {"revoked": "REVOKED", "another key": "ANOTHER KEY", "unreadable": "NOT BE READ"}
        assert shown[why] in shell.run("status")[1]


def test_a_certificate_that_is_none_hides_nothing_else(shell: Shell) -> None:
    """Any program that may write to a card may write anything there."""
    shell.card.certificates[0x9A] = b"what some program wrote there"
    code, said = shell.run("status", "--json")
    key = json.loads(said)["cards"][0]["keys"][0]
    assert (code, key["slot"], key["certificate"]["fault"]) == (ExitCode.FINE, "authentication", "can't be read")
    assert "authentication, can't be read" in shell.run("due")[1]


def test_the_test_spends_one_try_of_a_wrong_pin(shell: Shell) -> None:
    code, said = shell.run("test", typed="000000\n")
    assert code is ExitCode.WRONG
    assert said.count("Wrong PIN, 2 tries left") == 1
    assert shell.card.tries(Reference.PIN).left == 2


def test_the_test_names_the_card_where_a_signature_is_wrong(shell: Shell) -> None:
    shell.card._private[0x9A] = ec.generate_private_key(ec.SECP256R1())
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.CARD
    assert "signs wrongly  [fault: card]" in said


def test_a_pin_that_has_to_be_changed_is_named(shell: Shell) -> None:
    shell.card.due = "has expired"
    assert "has expired" in shell.run("status")[1]
    code, said = shell.run("test", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.DUE
    assert "The PIN has expired: change it." in said


def test_uris_name_the_keys(shell: Shell) -> None:
    serial = shell.card.serial.hex()[:16]
    assert shell.run("uri")[1].splitlines() == [
        f"pkcs11:token=Card%20of%20Alice;serial={serial};id=%01;type=private",
        f"pkcs11:token=Card%20of%20Alice;serial={serial};id=%03;type=private",
    ]
    shell.card.faces = (Face.PCSC,)
    opensc = shell.card.serial.hex()[16:]
    assert shell.run("uri")[1].startswith(f"pkcs11:serial={opensc};id=%01;"), "as OpenSC shows the card"


def test_lines_for_ssh(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shell.folder))
    (shell.folder / ".ssh").mkdir()
    (shell.folder / ".ssh/Card_of_Alice-8684d1a4-authentication-cert.pub").touch()
    code, said = shell.run("ssh", "--json")
    told = json.loads(said)
    (line,) = told["authorized_keys"]
    public = serialization.load_ssh_public_key(line.encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert public.public_numbers() == shell.card._private[0x9A].public_key().public_numbers()
    assert line.endswith(" Card_of_Alice-authentication")
    assert told["config"][-1] == '    CertificateFile "~/.ssh/Card_of_Alice-8684d1a4-authentication-cert.pub"'
    assert code is ExitCode.FINE


def test_what_ends_within_a_week_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime(2043, 12, 28, tzinfo=datetime.timezone.utc)
    monkeypatch.setattr(program, "_now", lambda: now)
    shell.card.pin_expires_at = int((now + datetime.timedelta(days=8)).timestamp())
    code, said = shell.run("due")
    assert code is ExitCode.SOON
    assert said.splitlines() == [
        "The certificate of Card of Alice, authentication, ends on 2044-01-01: ask your administrator for a new one"
    ]
    assert len(shell.run("due", "--days", "8")[1].splitlines()) == 2
    assert shell.run("due", "--days", "3") == (ExitCode.FINE, "")


@pytest.mark.parametrize("desktop", [True, False])
def test_what_is_due_is_shown_on_the_desktop_or_written(shell: Shell, desktop: bool) -> None:
    shell.card.due, shell.desktop = "has expired", desktop
    code, said = shell.run("due", "--notify")
    assert code is ExitCode.FINE, "a user's timer has not failed"
    assert len(shell.shown) == 1
    assert "hardbound-card change-pin" in shell.shown[0][1]
    assert ("has expired" in said) is not desktop


def test_errors_for_programs(shell: Shell) -> None:
    code, said = shell.run("change-pin", "--json", typed=f"000000\n{NEW}\n")
    error = json.loads(said)["error"]
    assert (error["code"], error["layer"]) == (int(code), "card") == (5, "card")


def make_passkeys(shell: Shell, *users: str) -> None:
    shell.card.verify(PIN)
    for number, user in enumerate(users):
        about = PasskeyUser(bytes((number,)), user)
        shell.card.passkeys.make(WantedPasskey("site.example", about, discoverable=True))
    shell.card.logout()


def test_passkeys_are_shown_and_one_is_removed(shell: Shell) -> None:
    make_passkeys(shell, "alice", "root")
    code, said = shell.run("passkeys", typed=f"{PIN.decode()}\n")
    assert code is ExitCode.FINE
    first, second = said.splitlines()
    assert re.fullmatch(r"[0-9a-f]{8}  site\.example +alice +made on 1970-01-01", first)
    code, said = shell.run("passkeys", "--remove", second[:8], typed=f"{PIN.decode()}\n")
    assert (code, said) == (ExitCode.FINE, f"Removed: {second}\n")
    (left,) = json.loads(shell.run("passkeys", "--json", typed=f"{PIN.decode()}\n")[1])["passkeys"]
    assert left["user"] == "alice" and left["passkey"].startswith(first[:8])


@pytest.mark.parametrize(("beginning", "words"), [("", "no passkey ''"), ("zz", "no passkey 'zz'")])
def test_a_passkey_that_is_not_there(shell: Shell, beginning: str, words: str) -> None:
    make_passkeys(shell, "alice")
    code, said = shell.run("passkeys", "--remove", beginning, typed=f"{PIN.decode()}\n")
    assert code is ExitCode.CARD and words in said
    assert len(shell.card.passkeys.listed()) == 1


def test_an_id_that_is_not_enough_removes_none(shell: Shell) -> None:
    make_passkeys(shell, *map(str, range(17)))
    counted = collections.Counter(each.identifier.hex()[0] for each in shell.card.passkeys.listed())
    ((digit, _count),) = counted.most_common(1)
    code, said = shell.run("passkeys", "--remove", digit, typed=f"{PIN.decode()}\n")
    assert code is ExitCode.CARD and "several passkeys" in said
    assert len(shell.card.passkeys.listed()) == 17


def test_a_website_says_nothing_to_the_terminal(shell: Shell) -> None:
    make_passkeys(shell, "\x1b]0;owned\x07mallory\x9b2J")
    said = shell.run("passkeys", typed=f"{PIN.decode()}\n")[1]
    assert "?]0;owned?mallory?2J" in said and said.rstrip("\n").isprintable()


def options_of(subcommand: str) -> t.Set[str]:
    """The options that a person gives."""
    (subcommands,) = (each for each in program.parser()._actions if each.choices)
    choices = t.cast("t.Mapping[str, t.Any]", subcommands.choices)
    shown = [each for each in choices[subcommand]._actions if each.help != "==SUPPRESS=="]
    return {option for each in shown for option in each.option_strings if option.startswith("--")} - {"--help"}


def test_the_man_page_tells_every_subcommand_option_and_exit_code() -> None:
    text = MAN.read_text().replace("\\-", "-")
    for name in program.SUBCOMMANDS:
        assert f".B {name}" in text
        for option in options_of(name):
            assert option in text
    listed = {int(code) for code in re.findall(r"^\.B (\d+)$", text, re.MULTILINE)}
    assert listed == {int(code) for code in ExitCode}


def test_the_man_page_is_well_formed() -> None:
    try:
        done = subprocess.run(["man", "--warnings", "-l", str(MAN)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs man")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["hardbound-card", ""], set(program.SUBCOMMANDS)),
        (["hardbound-card", "s"], {"status", "ssh"}),
        (["hardbound-card", "status", "--"], options_of("status")),
        (["hardbound-card", "due", "--"], options_of("due")),
        (["hardbound-card", "passkeys", "--"], options_of("passkeys")),
    ],
)
def test_bash_completes_what_there_is(words: t.Sequence[str], wanted: t.Set[str]) -> None:
    script = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hardbound_card; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "-c", f". {COMPLETION}; {script}", "bash", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == wanted
