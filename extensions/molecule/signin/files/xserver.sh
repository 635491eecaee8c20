#!/bin/sh
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# An X server without a screen, for LightDM, some of whose options Xvfb does not know.
set -eu
while [ $# -gt 0 ]; do
    case $1 in
        :*) display=$1 ;;
        -auth) authority=$2 ;;
    esac
    shift
done
exec Xvfb "$display" -auth "$authority" -fbdir /root/screen -nolisten tcp
