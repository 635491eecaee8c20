#!/bin/sh
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The first process of the domain controller's namespaces. Takes $DC (its folder), $ADDRESS, $PASSWORD.
set -eu

ip link set lo up
ip address add "$ADDRESS/24" dev lo

# What other programs of the host use stays theirs.
for folder in /run/samba /var/lib/samba /var/cache/samba; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
done
mkdir -p /run/samba/ncalrpc /var/lib/samba/private
printf '%s\n' '127.0.0.1 localhost' "$ADDRESS dc1.corp.example dc1 corp.example" >"$DC/hosts"
printf '%s\n' "nameserver $ADDRESS" 'options timeout:1 attempts:1' >"$DC/resolv.conf"
mount --bind "$DC/hosts" /etc/hosts
mount --bind "$DC/resolv.conf" /etc/resolv.conf

mkdir "$DC/dc"
samba-tool domain provision --realm=CORP.EXAMPLE --domain=CORP --server-role=dc --dns-backend=SAMBA_INTERNAL \
    --adminpass="$PASSWORD" --targetdir="$DC/dc" --host-name=dc1 --host-ip="$ADDRESS" \
    --option="interfaces=$ADDRESS/24" --option='bind interfaces only=yes' --option="log file=$DC/log.%m"
sed -i '/dns forwarder/d' "$DC/dc/etc/smb.conf" # it would be asked for names of other domains, and is not there
[ ! -e "$DC/krb5.conf" ] || export KRB5_CONFIG="$DC/krb5.conf" # what a test tells the KDC
exec samba -s "$DC/dc/etc/smb.conf" --foreground --no-process-group
