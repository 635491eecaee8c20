# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows Hello for Business policy core: catalogue, plan, resolver and writers."""
