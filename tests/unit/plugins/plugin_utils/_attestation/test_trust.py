# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anchors from folders and bundles, and the paths that real TPM makers give to build."""

from __future__ import annotations

import itertools
import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import Certificate
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.path import find_path
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust, load_certificates
from ansible_collections.hardbound.identity.tests.support import forge, tpm_makers
from ansible_collections.hardbound.identity.tests.support.forge import Authority
from cryptography.hazmat.primitives.serialization import Encoding


@pytest.fixture(scope="module", params=tpm_makers.FOLDERS)
def makers(request, tmp_path_factory):
    """A folder with the certificates of makers: with the peculiarities of real ones, or real ones."""
    if request.param == tpm_makers.REAL:
        return pathlib.Path(request.param)
    return tpm_makers.write(tmp_path_factory.mktemp("makers"))


@pytest.fixture
def roots(makers):
    return load_certificates(makers / "roots.pem").certificates


@pytest.fixture
def intermediates(makers):
    return load_certificates(makers / "intermediates.pem").certificates


def test_all_certificates_of_the_makers_are_understood(makers, roots, intermediates):
    written = [(makers / f"{each}.pem").read_text().count("BEGIN") for each in ("roots", "intermediates")]
    assert [len(roots), len(intermediates)] == written and min(written) > 10
    for certificate in [*roots, *intermediates]:
        assert certificate.public_key and certificate.version == 3 and certificate.basic_constraints.ca


def test_all_intermediates_of_the_makers_chain_to_their_roots(roots, intermediates):
    trust = Trust.of(roots)
    for certificate in intermediates:
        path, faults = find_path(certificate, intermediates, trust, certificate.not_before)
        assert not faults, (certificate.title, faults)
        assert path.certificates[0] is certificate


def test_no_intermediate_chains_without_the_root_of_its_maker(roots, intermediates):
    trust = Trust.of(roots)
    for certificate in intermediates:
        path, _unused = find_path(certificate, intermediates, trust, certificate.not_before)
        others = Trust.of(root for root in roots if root.spki != path.anchor.spki)
        _unused, faults = find_path(certificate, intermediates, others, certificate.not_before)
        assert faults, certificate.title


def test_a_folder_is_read_as_a_whole(makers, roots, intermediates):
    keys = {(each.subject, each.spki) for each in [*roots, *intermediates]}
    anchors = itertools.chain.from_iterable(Trust.load(str(makers))._anchors.values())
    assert {(each.name, each.spki) for each in anchors} == keys


CERTIFICATE = Authority("Root CA").certificate


@pytest.mark.parametrize("encoding, file", [(Encoding.PEM, "a.pem"), (Encoding.DER, "a.DER"), (Encoding.PEM, "a.crt")])
def test_a_folder_is_read(tmp_path, encoding, file):
    (tmp_path / file).write_bytes(CERTIFICATE.public_bytes(encoding))
    (tmp_path / "README").write_text("no certificate")
    trust = Trust.load(str(tmp_path))
    anchor = Certificate.parse(forge.der(CERTIFICATE))
    assert [each.spki for each in trust.anchors_named((("2.5.4.10", "maker"), ("2.5.4.3", "root ca")))] == [anchor.spki]


def test_a_bundle_is_read_with_its_comments(tmp_path):
    bundle = tmp_path / "bundle"
    pem = CERTIFICATE.public_bytes(Encoding.PEM)
    bundle.write_bytes(
        b"# Maker\n" + pem + b"\n# Another\n" + Authority("Another CA").certificate.public_bytes(Encoding.PEM)
    )
    assert len(load_certificates(bundle).certificates) == 2


def test_a_path_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"trust_anchors is .*, which is no file or folder"):
        Trust.load(str(tmp_path / "nothing"))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no certificate"):
        Trust.load(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        b"no certificate at all",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_file_that_holds_none_is_named(tmp_path, text):
    file = tmp_path / "a.pem"
    file.write_bytes(text)
    with pytest.raises(StateError, match=r"a\.pem"):
        Trust.load(str(tmp_path))


PEM, DER = CERTIFICATE.public_bytes(Encoding.PEM), forge.der(CERTIFICATE)
OTHER = Authority("Another CA").certificate
BEGIN = b"-----BEGIN CERTIFICATE-----\n"


def titles(trust):
    return {anchor.title.rpartition("=")[2] for anchor in itertools.chain.from_iterable(trust._anchors.values())}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_the_end_of_a_line_behind_a_certificate_does_no_harm(tmp_path, end):
    """As in the files of two of AMD's intermediates."""
    (tmp_path / "a.der").write_bytes(DER + end)
    trust = Trust.load(str(tmp_path))
    assert titles(trust) == {"Root CA"} and trust.warnings == ()


@pytest.mark.parametrize("behind", [b"\n\x00", b"x", b"\n" + DER])
def test_anything_else_behind_a_certificate_is_a_fault(tmp_path, behind):
    (tmp_path / "a.der").write_bytes(DER + behind)
    with pytest.raises(StateError, match=r"a\.der .*follow the end"):
        Trust.load(str(tmp_path))


@pytest.mark.parametrize(
    "bad", [b"no certificate", b"", DER[:-5], BEGIN + b"!!!\n-----END CERTIFICATE-----\n", BEGIN + b"MAA="]
)
def test_a_bad_file_does_not_hide_the_good_ones(tmp_path, bad):
    (tmp_path / "a.crt").write_bytes(bad)
    (tmp_path / "b.pem").write_bytes(PEM)
    trust = Trust.load(str(tmp_path))
    assert titles(trust) == {"Root CA"}
    [warning] = trust.warnings
    assert str(tmp_path / "a.crt") in warning and warning.endswith("and is passed over.")


@pytest.mark.parametrize("bad", [BEGIN + b"MAA=\n-----END CERTIFICATE-----\n", BEGIN + b"MAA=\n", PEM[:200] + b"\n"])
def test_a_bad_certificate_in_a_bundle_does_not_hide_those_around_it(tmp_path, bad):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(PEM + bad + OTHER.public_bytes(Encoding.PEM))
    trust = Trust.load(str(bundle))
    assert titles(trust) == {"Root CA", "Another CA"}
    [warning] = trust.warnings
    assert str(bundle) in warning


def test_a_file_that_can_not_be_read_does_not_hide_the_others(tmp_path):
    (tmp_path / "a.pem").symlink_to("/proc/self/mem")  # the first page of no process can be read, not even by root
    (tmp_path / "b.pem").write_bytes(PEM)
    trust = Trust.load(str(tmp_path))
    assert titles(trust) == {"Root CA"}
    assert trust.warnings == (f"{tmp_path / 'a.pem'} can't be read (Input/output error), and is passed over.",)
