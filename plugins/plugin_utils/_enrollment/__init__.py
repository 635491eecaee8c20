# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enrolment: what the inventory wants, what a host proved, what the CA issues, and the report on all of it."""
