#!/bin/sh
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# image.sh RELEASE NAME: the image of a bare Debian with systemd and Python, made from packages alone.
set -eu

tree=$(mktemp)
trap 'rm -f "$tree"' EXIT
# shellcheck disable=SC2016 # $1 is mmdebstrap's
# dpkg need not wait for the disk: a container that loses its power is made anew.
mmdebstrap --quiet --variant=minbase --format=tar \
    --include=systemd,systemd-sysv,dbus,python3,python3-apt,ca-certificates \
    --customize-hook='echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/unsafe-io"' \
    "$1" "$tree"
podman import --quiet "$tree" "$2"
