# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card core: specification, life cycle, secrets, keys and the store on disk."""
