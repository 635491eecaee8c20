# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the owner of a card may know and do without a program of smart cards, whichever faces the card has.

PIV, GIDS and PKCS#11 have no words for most of it: when a PIN expires, or which rule a new one breaks.
"""
