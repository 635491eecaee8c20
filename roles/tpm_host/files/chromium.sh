# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Chromium has PKCS#11 modules from its user's database alone, and its start script runs this: each user has them.
if command -v modutil >/dev/null && ! grep -Fqs p11-kit-proxy.so "$HOME/.pki/nssdb/pkcs11.txt"; then
    (umask 077 && mkdir -p "$HOME/.pki/nssdb") &&
        modutil -dbdir "sql:$HOME/.pki/nssdb" -add p11-kit -libfile p11-kit-proxy.so -force >/dev/null 2>&1
fi
