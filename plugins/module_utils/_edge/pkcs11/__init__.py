# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PKCS#11 2.40, with what p11-kit carries of 3.0: an interpreter over the card core, for programs that ask p11-kit.

No reader stands between: p11-kit's own module in the program writes each call to a Unix socket, and the card service
answers. Each program is let in to its own cards by its own PIN.
"""
