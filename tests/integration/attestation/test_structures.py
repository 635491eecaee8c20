# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tpm2-pytss, that is tpm2-tss, reads our structures and writes the same bytes."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.tests.support import tpm_structures
from hypothesis import given, settings
from hypothesis import strategies as st
from tpm2_pytss.types import TPMS_ATTEST, TPMS_CREATION_DATA, TPMS_NV_PUBLIC, TPMT_PUBLIC

pytestmark = pytest.mark.tpm

STRUCTURES = {
    TPMT_PUBLIC: tpm_structures.publics(),
    TPMS_NV_PUBLIC: tpm_structures.nv_publics(),
    TPMS_CREATION_DATA: tpm_structures.creation_data,
    TPMS_ATTEST: tpm_structures.attests,
}


@pytest.mark.parametrize("theirs", list(STRUCTURES), ids=lambda theirs: theirs.__name__)
@settings(deadline=None, derandomize=True, database=None)
@given(st.data())
def test_tss_agrees(theirs, data):
    marshalled = data.draw(STRUCTURES[theirs]).marshal()
    structure, used = theirs.unmarshal(marshalled)
    assert used == len(marshalled) and structure.marshal() == marshalled
