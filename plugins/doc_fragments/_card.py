# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ansible-core merges fragments at the top level of options alone. So those that hold cards in a list take the same text
# as their suboptions, built here.

from __future__ import annotations

import re
import textwrap

_CARD = r"""
card_edge:
  description:
    - The application that programs see. A card keeps the one that it was made with.
    - V(piv) serves every program on Linux, and elliptic curve keys. Its PINs have 8 characters at most.
    - V(gids) is the application of Windows' virtual smart cards. Its keys are RSA, in containers; its PINs may be
      longer. Programs write keys and certificates with the PIN.
  type: str
  choices: [piv, gids]
  default: piv
faces:
  description:
    - The ways by which programs reach the card. They may change later.
    - Left out, a card that exists keeps its faces; a new one has V(pcsc).
    - V(pcsc) is a reader of pcscd, for OpenSC and for programs of PIV.
    - V(pkcs11) is a module that p11-kit offers, for GnuTLS, OpenSSL, ssh, browsers and all others that ask p11-kit.
      The host needs V(pkcs11) in O(hardbound.identity.tpm_host#role:main:tpm_host_faces) for it.
    - SSSD signs users in by either, and keeps the owners of several cards apart by V(pkcs11) alone.
    - A card with both is seen once by any program. While a host has such a card, p11-kit gives OpenSC's module to SSSD
      alone, so programs that ask p11-kit see smart cards in readers no more, those that are plugged in included.
  type: list
  elements: str
  choices: [pcsc, pkcs11]
generate:
  description:
    - Whether the card gets the file system without which programs see nothing on it.
      Only with O(card_edge=gids), and what Tpmvscmgr calls C(/generate).
    - Without it a GIDS card waits for a management program to write one; see the collection's page on cards.
      A file system that is there stays.
  type: bool
  default: false
pin:
  description:
    - The first PIN. Needed to make a card, and to add keys to one; a wrong one costs a try then.
    - A task that changes nothing does not look at it. So it does no harm that the owner has changed the PIN since.
    - V(random) is a PIN that the host makes for a new card by the rules of card and host. RV(pin_escrow) returns it
      once, encrypted for O(pin_escrow_key). Set O(pin_must_change) too where somebody else hands the PIN out.
    - V(default), however it is written, means V(12345678), which everybody knows; the task warns of it.
  type: str
pin_escrow_key:
  description:
    - Whom the PIN is encrypted for, with O(pin=random). PEM of an X25519, RSA (2048 bits or more) or NIST curve
      public key, or of a certificate for one.
  type: str
puk:
  description:
    - A PUK of 8 printable ASCII characters, with which a blocked card gets a new PIN.
    - Without it only the admin key helps against a forgotten PIN, if there is one.
    - A card with a PUK gets no new PIN from the admin key.
    - V(default), however it is written, means V(12345678), which everybody knows; the task warns of it.
  type: str
admin_key:
  description:
    - The admin key of a new card. Whoever has it manages keys and certificates over PC/SC,
      changes the admin key, and, on a card without a PUK, sets a new PIN. It signs nothing.
    - "V(default) is V(010203040506070801020304050607080102030405060708), as with Tpmvscmgr. Everybody knows it;
      the task warns of it."
    - A value of 48 hexadecimal digits is a 3DES key.
    - V(random) is a key that nobody ever knows, as if the option were left out. A forgotten PIN without a PUK then
      means a new card, for root too.
    - V(escrow) is a random key that RV(admin_key_escrow) returns once, encrypted for O(escrow_key).
    - The key counts when the card is made. A later task does not look at the key,
      only whether the card has one that somebody knows.
  type: str
escrow_key:
  description:
    - Whom the admin key is encrypted for, with O(admin_key=escrow). PEM of an X25519, RSA (2048 bits or more)
      or NIST curve public key, or of a certificate for one.
  type: str
has_puk:
  description:
    - Whether the card has a PUK. Left out, it has one if O(puk) is given.
    - With V(true), a card that exists needs no O(puk) any more, so that it may be kept elsewhere.
  type: bool
has_admin_key:
  description:
    - Whether the card has an admin key that somebody knows. Left out, it has one if O(admin_key) gives or makes one.
    - With V(true), a card that exists needs no O(admin_key) any more.
  type: bool
pin_retries:
  description:
    - Wrong PINs in a row after which the TPM blocks the card, 1 to 127. A task can't change it later;
      the admin key and the PIN together can, over PC/SC.
  type: int
  default: 5
puk_retries:
  description:
    - Wrong PUKs in a row after which the TPM blocks the PUK, 1 to 127. Only for a card with a PUK.
    - What is said of later changes to O(pin_retries) holds for this option too.
  type: int
  default: 5
pin_must_change:
  description:
    - Whether the first PIN of a new card can do nothing but be changed, once its keys are made with it.
    - Until its owner has changed the PIN the card logs on nowhere, and most programs do not say why. So tell the owner
      the command for it, C(hardbound-card change-pin).
    - The option says nothing about a card that exists. The host's software holds the rule, not the TPM.
  type: bool
  default: false
pin_policy:
  description:
    - Which PINs the card takes, now and at every later change. PINs are printable ASCII.
    - A change counts from the next PIN on.
    - Left out, a card that exists keeps its rules. A rule that is not named here has its default.
    - Where the host has a Hello policy, the stricter of both counts; see M(hardbound.identity.hello_policy).
  type: dict
  suboptions:
    minlen:
      description:
        - Fewest characters, 4 or more. Some clients want 6.
      type: int
      default: 8
    maxlen:
      description:
        - Most characters, 127 at most. A PIV card takes 8 at most, which is the default there.
        - A GIDS card takes 127. OpenSC's programs stop at 15 or 16; Microsoft's driver does not.
      type: int
      default: 127
    uppercase:
      description: Whether a PIN may, must or must not hold uppercase letters.
      type: str
      choices: [allowed, disallowed, required]
      default: allowed
    lowercase:
      description: Whether a PIN may, must or must not hold lowercase letters.
      type: str
      choices: [allowed, disallowed, required]
      default: allowed
    digits:
      description: Whether a PIN may, must or must not hold digits.
      type: str
      choices: [allowed, disallowed, required]
      default: allowed
    specialchars:
      description:
        - Whether a PIN may, must or must not hold special characters, which are the 32 that are neither letters,
          digits nor the space.
        - A space may stand where these may, and does not count as one of them.
      type: str
      choices: [allowed, disallowed, required]
      default: allowed
    history:
      description:
        - How many of the last PINs, the present one included, may not come back, 50 at most.
        - A PIN that the PUK sets is held to the same rule.
      type: int
      default: 0
    expiry_days:
      description:
        - Days after which a PIN can do nothing but be changed, 730 at most; with 0 it does not expire.
        - The host's clock and software hold this, not the TPM.
      type: int
      default: 0
owner:
  description:
    - User who may use the card, beside root. With neither an owner nor a O(group), only root may.
    - Left out, a card that exists keeps its owner. The empty string takes the card from its owner.
  type: str
passkeys:
  description:
    - Whether the card is a FIDO2 authenticator too, with the same PIN and the same tries, on a host that was prepared
      with V(true) in O(hardbound.identity.tpm_host#role:main:tpm_host_passkeys).
    - Such a card's PIN has 63 bytes at most, and 8 tries. A PIV card's PIN has 8 characters at most in any case.
    - Left out, a card that exists stays as it is, and a new one is none. Taken away, the passkeys stay in the card.
  type: bool
presence:
  description:
    - What tells a passkey's relying party that somebody is there. Only with O(passkeys=true).
    - With V(pin), that the PIN was given for this one request.
    - With V(ask), beside the PIN a dialog, which the card's O(owner) has to answer in the session at the computer's
      seat, for each passkey made or used. Without such a session no passkey is made or used.
    - Left out, a card that exists keeps what it has; a new one has V(pin).
  type: str
  choices: [pin, ask]
passkey_attestation:
  description:
    - Who attests a new passkey, where no relying parties are named in O(enterprise_attestation). Only with
      O(passkeys=true).
    - With V(tpm), the TPM, by the card's attestation key, once the enrolment CA has certified that. Chromium takes such
      passkeys, Firefox does not.
    - With V(self), the passkey itself, which all browsers take, and by which nobody can tell that it is in a TPM.
    - Left out, a card that exists keeps what it has; a new one has V(tpm).
  type: str
  choices: [tpm, self]
enterprise_attestation:
  description:
    - Relying parties, by their ids, that get enterprise attestation, such as V(corp.example). Only with
      O(passkeys=true), and once the enrolment CA has certified the card's attestation key.
    - The attestation key tells one card from another. With the list, relying parties that are not named don't see it;
      their passkeys attest themselves.
    - Left out, a card that exists keeps its list. Without a list none gets enterprise attestation, and
      O(passkey_attestation) says what each gets that asks for attestation.
  type: list
  elements: str
card_reset:
  description:
    - Whether a program that reaches a PIV card may make it anew over PC/SC, once PIN and PUK are both blocked, as
      C(yubico-piv-tool -a reset) and C(ykman piv reset) do. Only in a TPM without owner authorisation.
    - The keys and certificates are gone then. PIN, PUK and admin key are those that everybody knows of a new YubiKey,
      V(123456), V(12345678) and V(010203040506070801020304050607080102030405060708).
    - Left out, a card that exists stays as it is, and a new card does not allow it.
  type: bool
group:
  description:
    - Group whose members may use the card, beside root.
    - Left out, a card that exists keeps its group. The empty string takes the card from its group.
  type: str
"""

_KEY = r"""
slot:
  description:
    - One of V(authentication) (9A), V(signature) (9C, asks for the PIN before every signature),
      V(key_management) (9D), V(card_authentication) (9E, never asks for the PIN),
      or V(retired_1) to V(retired_20) (82 to 95).
    - On a GIDS card, a container, V(container_0) to V(container_29).
      Its key signs and decrypts once the PIN was verified.
  type: str
  required: true
algorithm:
  description:
    - Type of the key. Not every TPM makes all of them; see M(hardbound.identity.tpm_info).
    - Left out, it is V(ecc_p256), or in a container V(rsa_2048); programs for GIDS cards know RSA only.
    - PIV and GIDS have no number for V(ecc_p521), so a PIV or GIDS card refuses it.
  type: str
  choices: [rsa_2048, rsa_3072, rsa_4096, ecc_p256, ecc_p384, ecc_p521]
"""

_SELF_SIGNED = r"""
self_signed:
  description:
    - Whether a new key gets a certificate that it signs itself. Clients such as OpenSC show a key only with one.
  type: bool
  default: true
"""

_SELF_SIGNED_AT_FIRST = r"""
self_signed:
  description:
    - Whether a new key gets a certificate that it signs itself until it gets its own.
  type: bool
  default: false
profile:
  description: Profile of this key's certificate, if it is another than the card's.
  type: str
ssh_profile:
  description:
    - Profile of an OpenSSH user certificate for this key, such as V(ssh_user), beside the one on the card.
    - An SSH certificate has no place on the card. The task returns it in C(ssh_certificates) of RV(cards), and
      P(hardbound.identity.smartcard_enrollment#role) gives it to the card's owner.
  type: str
"""

_KEYS = r"""
keys:
  description:
    - Keys that the card shall have. A slot that is not listed is left alone.
    - A slot that holds a key of another algorithm is an error; nothing overwrites a key.
  type: list
  elements: dict
  default: []
  suboptions:
"""

_SLOT = r"""
slot:
  description:
    - Slot of the key, one of V(authentication), V(signature), V(key_management), V(card_authentication),
      or V(retired_1) to V(retired_20); on a GIDS card one of V(container_0) to V(container_29).
  type: str
  required: true
"""

_NAME = r"""
name:
  description: Name of the card, 1 to 127 printable ASCII characters. The card's reader has the same name.
  type: str
  required: true
"""

_NONCE = r"""
nonce:
  description: 32 bytes in base64 that the controller made for this card and run.
  type: str
  required: true
"""

_REQUESTS = r"""
requests:
  description: Requests to another CA, for keys of O(cards[].keys), as the controller words them. The host adds the key
    and has it sign.
  type: list
  elements: dict
  default: []
  suboptions:
    slot:
      description: Slot of the key.
      type: str
      required: true
    subject:
      description: The subject's name, DER in base64.
      type: str
      required: true
    attributes:
      description: The attributes, with the extensions that are asked for, DER in base64.
      type: str
      required: true
    needed:
      description: Whether a key that exists has to sign, too. The signature takes O(cards[].pin), and a wrong PIN
        costs a try; the PIN is tried only while no try is spent.
      type: bool
      default: true
"""

_RECOVERY = r"""
recovery:
  description: The controller's half of a PUK, for a card that is yet to be made. The host draws the other one. A card
    that is there keeps what it has.
  type: dict
  suboptions:
    identifier:
      description: By which both sides name the half, 32 digits in hexadecimal.
      type: str
      required: true
    half:
      description: The half, 32 bytes in base64.
      type: str
      required: true
"""

_IDENTITY = r"""
common_name:
  description: Common name in the certificates. UPN, principal, mail address or owner if left out.
  type: str
upn:
  description: User principal name in Active Directory.
  type: str
sid:
  description: Security identifier of the account in Active Directory.
  type: str
principal:
  description: Kerberos principal.
  type: str
email:
  description: Mail address.
  type: str
dns_names:
  description: DNS names.
  type: list
  elements: str
  default: []
ssh_principals:
  description: Login names for OpenSSH certificates.
  type: list
  elements: str
  default: []
profile:
  description: Profile of the card's certificates, if it is another than O(profile).
  type: str
"""


def _options(text: str) -> str:
    return "options:\n" + textwrap.indent(text, "  ")


def _of_each(text: str) -> str:
    """Names options and return values of a card as those of a list of cards."""
    return re.sub(r"\b(O|RV)\((?!cards\b)(?=\w+[=)])", r"\1(cards[].", text)


def _cards(text: str) -> str:
    return _options("cards:\n  suboptions:\n" + textwrap.indent(text, "    "))


def _card(key: str) -> str:
    """:param key: the options of one key"""
    return _CARD + _KEYS + textwrap.indent(key, "    ")


class ModuleDocFragment:
    # Annotated, because ansible-test takes a plain assignment here for one of a literal.
    DOCUMENTATION: str = _options(_card(_KEY + _SELF_SIGNED))
    PROVED_CARDS: str = _cards(_NAME + _NONCE + _REQUESTS + _RECOVERY + _of_each(_card(_KEY + _SELF_SIGNED)))
    ENROLLED_CARDS: str = _cards(_NAME + _IDENTITY + _of_each(_card(_KEY + _SELF_SIGNED_AT_FIRST)))
    KEY: str = _options(_KEY + _SELF_SIGNED)
    SLOT: str = _options(_SLOT)
