# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's verifier of TPM evidence. Never imports a TPM stack."""
