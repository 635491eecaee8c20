# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``hardbound-card``: what the owner of a card knows and does at a terminal, without root."""
