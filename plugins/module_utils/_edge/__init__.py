# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Card edges over the core: each an interpreter of APDUs. No TPM call in here."""
