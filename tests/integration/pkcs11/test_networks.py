# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lets somebody in by a card that p11-kit shows: a server of OpenSSH, a wireless network, gateways of VPNs."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import ssl
import subprocess
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host
from ansible_collections.hardbound.identity.tests.support.waiting import until

P256 = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256),)
RSA = (KeySpecification(0x9A, KeyAlgorithm.RSA_2048),)
PORT = 2222
URL = "pkcs11:token=Corp%20card;id=%01"
ENGINE = "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so"
CHARON = "/usr/lib/ipsec/charon"
PLUGINS = (
    "random nonce aes sha1 sha2 hmac kdf gmp openssl pem pkcs1 pkcs8 x509 pubkey constraints pkcs11 socket-default "
    "kernel-netlink vici"
)
Keys = t.Tuple[KeySpecification, ...]


def certified(host: Host, keys: Keys) -> pathlib.Path:
    """Makes client.pem of the card, and server.pem and server.key. Returns the folder that these are in."""
    record = host.make("Corp card", keys=keys)
    host.register()
    host.start()
    folder = host.machine.folder
    (folder / "client.pem").write_text(ssl.DER_cert_to_PEM_cert(record.certificates[0x9A]))
    host.certify_server()
    return folder


@pytest.fixture
def server(host: Host) -> t.Iterator[pathlib.Path]:
    """A server of OpenSSH that lets the card's key in. Returns the configuration of its clients."""
    needs("/usr/sbin/sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add")
    host.make("Corp card", keys=P256)
    host.register()
    host.start()
    folder = host.machine.folder
    keys = host.run("ssh-keygen", "-D", PROXY).splitlines()
    (folder / "authorized").write_text("".join(f"{each}\n" for each in keys if each.startswith("ecdsa-")))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key")], check=True)
    (folder / "sshd_config").write_text(
        f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile {folder}/sshd.pid\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nAuthenticationMethods publickey\n"
        "PermitRootLogin prohibit-password\n"
    )
    (folder / "askpass").write_text(f"#!/bin/sh\necho {PIN}\n")
    (folder / "askpass").chmod(0o700)
    config = folder / "ssh_config"
    config.write_text(
        f"Host server\n  HostName 127.0.0.1\n  Port {PORT}\n  User root\n  UserKnownHostsFile {folder}/known\n"
        "  StrictHostKeyChecking accept-new\n  IdentityFile none\n"
    )
    host.machine.run("mkdir", "-p", "/run/sshd")
    host.machine.run("/usr/sbin/sshd", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log"))
    until((folder / "sshd.pid").exists)  # sshd goes to the background before it listens, and writes this after
    yield config
    host.machine.run("pkill", "--pidfile", str(folder / "sshd.pid"))


def test_ssh_logs_in_with_the_module(host: Host, server: pathlib.Path) -> None:
    asked = ["env", f"SSH_ASKPASS={host.machine.folder}/askpass", "SSH_ASKPASS_REQUIRE=force", "ssh", "-F", str(server)]
    assert "in by card" in host.run(*asked, "-o", f"PKCS11Provider={PROXY}", "server", "echo in by card")
    host.run(*asked, "server", "true", ok=False)


def test_ssh_logs_in_with_what_the_agent_has_of_the_card(host: Host, server: pathlib.Path) -> None:
    script = f"""
    eval $(ssh-agent) > /dev/null
    export SSH_ASKPASS={host.machine.folder}/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=none
    ssh-add -s {PROXY} && ssh -F {server} server echo in by card
    ssh-add -e {PROXY}; ssh -F {server} server echo in without && echo not taken out
    ssh-agent -k > /dev/null
    """
    said = host.run("sh", "-c", script)
    assert "in by card" in said
    assert "in without" not in said


@pytest.mark.parametrize("keys", [P256, RSA])
def test_a_wireless_network_by_eap_tls(host: Host, keys: Keys) -> None:
    """wpa_supplicant's own test program, and hostapd as the server."""
    needs("eapol_test", "hostapd")
    if not os.path.exists(ENGINE):
        pytest.skip(f"needs {ENGINE}, as in Debian's libengine-pkcs11-openssl")
    folder = certified(host, keys)
    (folder / "users").write_text("* TLS\n")
    (folder / "clients").write_text("127.0.0.1 shared\n")
    (folder / "hostapd.conf").write_text(
        f"driver=none\neap_server=1\neap_user_file={folder}/users\nradius_server_clients={folder}/clients\n"
        f"ca_cert={folder}/client.pem\nserver_cert={folder}/server.pem\nprivate_key={folder}/server.key\n"
    )
    (folder / "client.conf").write_text(
        f"pkcs11_engine_path={ENGINE}\npkcs11_module_path={PROXY}\n"
        f'network={{\n key_mgmt=WPA-EAP\n eap=TLS\n identity="alice"\n ca_cert="{folder}/server.pem"\n'
        f' client_cert="{URL}"\n private_key="{URL}"\n pin="{PIN}"\n}}\n'
    )
    script = f"""
    hostapd {folder}/hostapd.conf > {folder}/hostapd.log 2>&1 & server=$!
    until ss --listening --udp --numeric | grep -q :1812; do kill -0 $server || exit 1; sleep 0.05; done
    eapol_test -c {folder}/client.conf -a 127.0.0.1 -s shared -t 20; end=$?
    kill $server; cat {folder}/hostapd.log; exit $end
    """
    assert "SUCCESS" in host.run("sh", "-c", script)


class Charon:
    """A daemon of strongSwan on the loopback interface.

    :param port: for IKE; the next one is for IKE behind NAT
    :param plugin: configuration of its plugin for PKCS#11
    """

    def __init__(self, host: Host, name: str, port: int, connections: str, plugin: str = "") -> None:
        self._host = host
        self._folder = host.machine.folder / name
        (self._folder / "private").mkdir(parents=True)
        self._socket = f"unix://{self._folder}/vici"
        (self._folder / "strongswan.conf").write_text(
            f"charon {{\n load = {PLUGINS}\n port = {port}\n port_nat_t = {port + 1}\n"
            f" filelog {{ stderr {{ default = 1 }} }}\n"
            f" plugins {{ vici {{ socket = {self._socket} }} {plugin} }}\n}}\n"
        )
        (self._folder / "swanctl.conf").write_text(connections)

    def start(self) -> str:
        """Returns what a shell does to start it and tell it its configuration."""
        where = f"STRONGSWAN_CONF={self._folder}/strongswan.conf SWANCTL_DIR={self._folder}"
        alone = "unshare --mount sh -c 'mount -t tmpfs tmpfs /run && exec \"$0\"'"  # each has a file of its process
        return f"""
        {where} {alone} {CHARON} > {self._folder}/log 2>&1 & all="$all $!"
        until {where} swanctl --stats --uri {self._socket} > /dev/null 2>&1; do kill -0 $! || break; sleep 0.1; done
        {where} swanctl --load-all --uri {self._socket} > /dev/null 2>&1 || cat {self._folder}/log
        """

    def initiate(self) -> str:
        return f"swanctl --initiate --ike vpn --timeout 20 --uri {self._socket}; end=$?; cat {self._folder}/log"

    def key(self, file: str) -> None:
        shutil.copy(self._host.machine.folder / file, self._folder / "private" / file)


def test_a_vpn_of_strongswan(host: Host) -> None:
    needs(CHARON, "swanctl")
    folder = certified(host, RSA)
    both = "version = 2\n proposals = aes128-sha256-modp2048\n childless = force"
    gateway = Charon(
        host,
        "gateway",
        5500,
        f"connections {{ vpn {{\n {both}\n local_addrs = 127.0.0.1\n local_port = 5500\n"
        f" local {{ auth = pubkey\n certs = {folder}/server.pem\n id = localhost\n }}\n"
        f" remote {{ auth = pubkey\n certs = {folder}/client.pem\n }} }} }}\n",
    )
    gateway.key("server.key")
    client = Charon(
        host,
        "client",
        5600,
        f"connections {{ vpn {{\n {both}\n local_port = 5600\n remote_addrs = 127.0.0.1\n remote_port = 5500\n"
        " local { auth = pubkey\n cert { handle = 01\n module = card\n } }\n"
        f" remote {{ auth = pubkey\n certs = {folder}/server.pem\n id = localhost\n }} }} }}\n"
        f"secrets {{ token {{ handle = 01\n module = card\n pin = {PIN}\n }} }}\n",
        f"pkcs11 {{ modules {{ card {{ path = {PROXY} }} }} }}",
    )
    said = host.run("sh", "-c", f"{gateway.start()} {client.start()} {client.initiate()}; kill $all; exit $end")
    assert "initiate completed successfully" in said


def test_a_vpn_of_openvpn(host: Host) -> None:
    """It asks for the PIN at its terminal."""
    needs("openvpn", "script")
    folder = certified(host, RSA)
    found = re.search(r"Serialized id: +(\S+)", host.run("openvpn", "--show-pkcs11-ids", PROXY))
    assert found is not None
    both = "dev null\nifconfig-noexec\nverb 3\n"
    (folder / "server.conf").write_text(
        f"{both}tls-server\ndh none\nlocal 127.0.0.1\nlport 5700\nca {folder}/client.pem\n"
        f"cert {folder}/server.pem\nkey {folder}/server.key\n"
    )
    (folder / "client.conf").write_text(
        f"{both}tls-client\nnobind\nremote 127.0.0.1 5700\nca {folder}/server.pem\nhand-window 20\n"
        f"tls-exit\npkcs11-providers {PROXY}\npkcs11-id '{found[1]}'\n"
    )
    script = f"""
    log={folder}/client.log
    openvpn --config {folder}/server.conf > {folder}/server.log 2>&1 & server=$!
    {{
        until grep -q "token Password" $log; do kill -0 $server || exit 1; sleep 0.1; done
        echo {PIN}
        for each in $(seq 300); do grep -q "Sequence Completed\\|Exiting" $log && break; sleep 0.1; done
        kill $server
        printf '\\003'
    }} | script --flush --quiet --command "openvpn --config {folder}/client.conf" $log
    cat {folder}/server.log
    """
    said = host.run("sh", "-c", script, timeout=90)
    assert "Initialization Sequence Completed" in said
    assert "VERIFY OK: depth=0, CN=Corp card" in said
