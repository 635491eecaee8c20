#!/bin/sh
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# image.sh SUITE FOLDER PACKAGES: a Debian for a virtual machine in FOLDER, from packages alone: disk, kernel, initrd,
# the key that opens it to the user "admin", and the host key by which it is known. Needs root.
# admin may use sudo, with the password "admin". alice and bob own cards, and may not.
set -eu
suite=$1 folder=$2 packages=$3

root=$(mktemp -d "$folder/root.XXXXXX")
ssh-keygen -q -t ed25519 -N '' -C admin -f "$folder/key"

# dpkg need not wait for the disk. An initial RAM disk with nothing but the drivers of this machine starts faster.
# shellcheck disable=SC2016 # $1 is mmdebstrap's
mmdebstrap --quiet --variant=minbase --include="$packages" \
    --essential-hook='echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/unsafe-io"' \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
    --essential-hook='printf "MODULES=list\nCOMPRESS=gzip\n" >"$1/etc/initramfs-tools/conf.d/machine"' \
    --essential-hook='printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
    --customize-hook='chroot "$1" update-initramfs -u' \
    "$suite" "$root"

echo machine >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 machine\n' >"$root/etc/hosts"
echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
cat >"$root/etc/systemd/network/wired.network" <<'TEXT'
[Match]
Name=eth0
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
TEXT
chroot "$root" systemctl --quiet enable systemd-networkd ssh
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap.service systemd-networkd-wait-online.service

for user in admin alice bob; do
    chroot "$root" useradd --create-home --shell /bin/bash "$user"
    echo "$user:$user" | chroot "$root" chpasswd
    mkdir -m 700 "$root/home/$user/.ssh"
    cp "$folder/key.pub" "$root/home/$user/.ssh/authorized_keys"
    chroot "$root" chown -R "$user:$user" "/home/$user/.ssh"
done
chroot "$root" adduser --quiet admin sudo
printf 'PermitRootLogin no\nUseDNS no\n' >"$root/etc/ssh/sshd_config.d/machine.conf"

cp "$root"/boot/vmlinuz-* "$folder/kernel"
cp "$root"/boot/initrd.img-* "$folder/initrd"
cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub" | sed 's/^/machine /' >"$folder/known_hosts"
truncate --size 6G "$folder/disk"
mkfs.ext4 -q -d "$root" "$folder/disk"
rm -rf "$root"
