#!/bin/sh
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A session that says whose it is.
echo "in as $(id -un)" >"/tmp/session-$(id -un)"
exec sleep infinity
