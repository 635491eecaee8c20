# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run by the real ansible-playbook on this host."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.ansible_tasks import ansible

__all__ = ["ansible"]
