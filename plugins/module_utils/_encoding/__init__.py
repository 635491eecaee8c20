# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure encodings: BER-TLV, APDUs, TPM wire structures, Registry.pol. No input or output."""
