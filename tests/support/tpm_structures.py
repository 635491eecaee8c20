# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for TPM structures."""

from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import (
    Algorithm,
    Curve,
    digest_size,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import (
    Attest,
    CertifyInfo,
    Clock,
    CreationInfo,
    NvInfo,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.creation import CreationData, PcrSelection
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    EccArea,
    KeyedHashArea,
    ObjectAttribute,
    Public,
    RsaArea,
    Scheme,
    Symmetric,
)
from hypothesis import strategies as st

hashes = st.sampled_from([Algorithm.SHA1, Algorithm.SHA256, Algorithm.SHA384, Algorithm.SHA512])
names = st.binary(max_size=66)
symmetrics = st.sampled_from([0, 128, 192, 256]).map(Symmetric)


def schemes(*algorithms: Algorithm) -> st.SearchStrategy[Scheme]:
    return st.just(Scheme()) | st.builds(Scheme, st.sampled_from(algorithms), hashes)


rsa_areas = st.builds(
    RsaArea,
    symmetrics,
    schemes(Algorithm.RSASSA, Algorithm.RSAPSS, Algorithm.OAEP) | st.just(Scheme(Algorithm.RSAES)),
    st.sampled_from([1024, 2048, 3072, 4096]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=512),
)
ecc_areas = st.builds(
    EccArea,
    symmetrics,
    schemes(Algorithm.ECDSA, Algorithm.ECDH),
    st.sampled_from(Curve),
    schemes(Algorithm.KDF1_SP800_56A, Algorithm.KDF1_SP800_108),
    st.binary(max_size=66),
    st.binary(max_size=66),
)
keyedhash_areas = st.builds(
    KeyedHashArea,
    schemes(Algorithm.HMAC) | st.builds(Scheme, st.just(Algorithm.XOR), hashes, st.just(Algorithm.KDF1_SP800_108)),
    st.binary(max_size=64),
)
attributes = st.integers(0, 2**32 - 1).map(lambda bits: ObjectAttribute(bits & sum(ObjectAttribute)))


@st.composite
def publics(draw: st.DrawFn) -> Public:
    name_algorithm = draw(hashes)
    size = draw(st.sampled_from([0, digest_size(name_algorithm)]))
    policy = draw(st.binary(min_size=size, max_size=size))
    return Public(name_algorithm, draw(attributes), policy, draw(rsa_areas | ecc_areas | keyedhash_areas))


@st.composite
def nv_publics(draw: st.DrawFn) -> NvPublic:
    name_algorithm = draw(hashes)
    size = draw(st.sampled_from([0, digest_size(name_algorithm)]))
    policy = draw(st.binary(min_size=size, max_size=size))
    handle = draw(st.integers(0x01000000, 0x01FFFFFF))
    return NvPublic(handle, name_algorithm, draw(st.integers(0, 2**32 - 1)), policy, draw(st.integers(0, 2048)))


creation_data = st.builds(
    CreationData,
    hashes,
    names,
    names,
    names,
    st.lists(st.builds(PcrSelection, hashes, st.binary(max_size=4)), max_size=3).map(tuple),
    st.binary(max_size=64),
    st.integers(0, 255),
)
clocks = st.builds(Clock, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
attests = st.builds(
    Attest,
    names,
    names,
    st.builds(CertifyInfo, names, names)
    | st.builds(CreationInfo, names, st.binary(max_size=64))
    | st.builds(NvInfo, names, st.integers(0, 65535), st.binary(max_size=100)),
    clocks,
    st.integers(0, 2**64 - 1),
)
