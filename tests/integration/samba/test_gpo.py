# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPOs in a real Samba domain: written by the collection, read back by Samba's own programs."""

from __future__ import annotations

import pathlib
import re
import shutil

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import preg
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.preg import Entry
from ansible_collections.hardbound.identity.tests.support.waiting import until

HELLO = "SOFTWARE\\Policies\\Microsoft\\PassportForWork"
REGISTRY = "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]"
REGISTRY_OF_USERS = REGISTRY.replace("D02B1F72", "D02B1F73")
SECURITY = "[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]"
SCRIPTS = "[{42B5FAAE-6536-11D2-AE5A-0000F87571E3}{40B6664F-4972-11D1-A7CA-0000F87571E3}]"
COPY = "Registry.pol.hardbound"
MACHINE_NAMES = "gPCMachineExtensionNames"
ON = {"use_hello": "enabled"}
UNITS = "OU=Domain Controllers,DC=corp,DC=example"


@pytest.fixture
def name(request):
    """A GPO name of the test's own."""
    return re.sub(r"[^\w-]+", " ", request.node.name).strip()


def folder(gpo):
    return f"corp.example/Policies/{gpo['guid']}"


def number(gpo):
    return gpo["version"]["user"] << 16 | gpo["version"]["machine"]


def pol(dc, gpo, half="Machine"):
    return dc.get(f"{folder(gpo)}/{half}/Registry.pol")


def assert_consistent(dc, gpo):
    """Versions equal, nothing left lying about, no mark, file rights as Samba's own check wants them."""
    attributes = dc.attributes(gpo["dn"], scope="sub")
    assert "extensionName" not in attributes
    assert {"Machine", "User"} < set(attributes["cn"])
    ini = dc.get(f"{folder(gpo)}/GPT.INI").decode()
    assert re.findall(r"Version=(\d+)\r\n", ini) == [str(int(attributes["versionNumber"][0]) & 0xFFFFFFFF)]
    assert dc.names(folder(gpo)) == {"GPT.INI", "Machine", "User", "Registry.pol"}


def made_by_another_tool(dc, name, entries, version=7, names=SECURITY):
    """A GPO as samba-tool makes it, with a Registry.pol, extension names and a gpt.ini of others."""
    guid = re.search(r"{[-0-9A-F]+}", dc.tool("gpo", "create", name))[0]
    gpo = {"guid": guid, "dn": f"CN={guid},CN=Policies,CN=System,{dc.base}"}
    blob = preg.encode(entries)
    dc.put(f"{folder(gpo)}/Machine/Registry.pol", blob)
    dc.put(f"{folder(gpo)}/GPT.INI", f"[General]\r\nVersion={version}\r\ndisplayName=Other\r\n".encode())
    dc.modify(gpo["dn"], f"replace: versionNumber\nversionNumber: {version}")
    if names:
        dc.modify(gpo["dn"], f"replace: gPCMachineExtensionNames\ngPCMachineExtensionNames: {names}")
    return gpo, blob


FOREIGN = (
    Entry.dword("Software\\Other", "Bracket", 93),
    Entry.string("Software\\Other", "Text", "];["),
    Entry("Software\\Other", "Blob", 3, b"]\0;\0[\0"),
    Entry.string("Software\\Other", "**SecureKey=1", ""),
    Entry.dword(HELLO.lower(), "SomethingElse", 59),
)


class TestCreated:
    def test_made_linked_and_read_back_by_other_programs(self, dc, name):
        done = dc.drive(want={"name": name, "link": UNITS}, settings={**ON, "pin_digits": "enabled"})
        gpo = done["gpo"]
        assert done["changed"] and done["chores"] == ["create the GPO", f"link it to {UNITS}"]
        assert gpo["version"] == {"machine": 1, "user": 0}
        assert preg.decode(pol(dc, gpo))[0] == Entry.dword(HELLO, "Enabled", 1)
        assert gpo["guid"] in dc.tool("gpo", "getlink", UNITS)
        shown = dc.tool("gpo", "show", gpo["guid"])
        assert re.search(rf"display name *: {name}\n", shown) and re.search(r"version *: 1\n", shown)
        assert dc.attributes(gpo["dn"])["gPCMachineExtensionNames"] == [REGISTRY]
        assert_consistent(dc, gpo)

    def test_access_rights_are_those_that_samba_expects(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        check = dc.run("samba-tool", "ntacl", "sysvolcheck", "-s", dc.config, check=False)
        assert gpo["guid"] not in check.stdout + check.stderr

    def test_a_second_run_searches_once_reads_two_files_and_changes_nothing(self, dc, name):
        order = {"want": {"name": name, "link": UNITS}, "settings": ON}
        first = dc.drive(**order)
        before = dc.attributes(first["gpo"]["dn"])
        second = dc.drive(**order)
        assert not second["changed"]
        assert second["changes"] == 0
        assert second["reads"] == ["search", "loadfile", "loadfile"]
        assert second["gpo"] == first["gpo"]
        assert dc.attributes(first["gpo"]["dn"]) == before

    def test_check_mode_writes_nothing(self, dc, name):
        done = dc.drive(want={"name": name, "link": UNITS}, settings=ON, check=True)
        assert done["changed"] and done["changes"] == 0 and done["gpo"] is None
        assert done["title"] == f'GPO "{name}" (new)'
        assert name not in dc.tool("gpo", "listall")

    def test_the_halves_have_counters_and_extensions_of_their_own(self, dc, name):
        dc.drive(want={"name": name}, settings=ON)
        gpo = dc.drive(want={"name": name, "scope": "user"}, settings={"use_hello": "disabled"})["gpo"]
        assert gpo["version"] == {"machine": 1, "user": 1}
        attributes = dc.attributes(gpo["dn"])
        assert attributes["versionNumber"] == [str(0x10001)]
        assert attributes["gPCMachineExtensionNames"] == [REGISTRY]
        assert attributes["gPCUserExtensionNames"] == [REGISTRY_OF_USERS]
        assert preg.decode(pol(dc, gpo, "User"))[0] == Entry.dword(HELLO, "Enabled", 0)

    def test_taking_all_out_again_leaves_an_empty_policy(self, dc, name):
        dc.drive(want={"name": name}, settings=ON)
        done = dc.drive(want={"name": name, "missing": "ignore"}, settings={"use_hello": "not_configured"})
        assert pol(dc, done["gpo"]) == preg.EMPTY
        assert number(done["gpo"]) == 2
        assert (done["title"], done["after_title"]) == (f'GPO "{name}" (version 1)', f'GPO "{name}" (version 2)')


class TestOfOthers:
    def test_every_foreign_byte_stays(self, dc, name):
        gpo, before = made_by_another_tool(dc, name, FOREIGN)
        done = dc.drive(want={"name": name}, settings=ON)
        assert pol(dc, gpo) == before + preg.encode([Entry.dword(HELLO.lower(), "Enabled", 1)])[8:]
        assert dc.get(f"{folder(gpo)}/GPT.INI") == b"[General]\r\nVersion=8\r\ndisplayName=Other\r\n"
        assert number(done["gpo"]) == 8
        dc.drive(want={"name": gpo["guid"], "missing": "refuse"}, settings={"use_hello": "not_configured"})
        assert pol(dc, gpo) == before

    def test_extension_names_are_merged_and_sorted(self, dc, name):
        gpo, _unused = made_by_another_tool(dc, name, FOREIGN, names=SECURITY + SCRIPTS)
        dc.drive(want={"name": name}, settings=ON)
        assert dc.attributes(gpo["dn"])["gPCMachineExtensionNames"] == [REGISTRY + SCRIPTS + SECURITY]

    def test_a_missing_extension_name_is_reason_enough_to_write(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        dc.modify(gpo["dn"], "delete: gPCMachineExtensionNames")
        done = dc.drive(want={"name": name}, settings=ON)
        assert done["chores"] == ["list the registry extension"]
        assert number(done["gpo"]) == 2
        assert dc.attributes(gpo["dn"])["gPCMachineExtensionNames"] == [REGISTRY]

    @pytest.mark.parametrize(
        "before, after", [(0x0003FFFF, 0x00030001), (0xFFFF0005, 0xFFFF0006), (0x8000FFFF, 0x80000001)]
    )
    def test_a_counter_never_carries_into_the_other(self, dc, name, before, after):
        gpo, _unused = made_by_another_tool(dc, name, FOREIGN, version=(before ^ 0x80000000) - 0x80000000)
        done = dc.drive(want={"name": gpo["guid"], "missing": "refuse"}, settings=ON)
        assert number(done["gpo"]) == after
        assert f"Version={after}\r\n".encode() in dc.get(f"{folder(gpo)}/GPT.INI")

    def test_links_of_others_keep_their_rank(self, dc, name):
        dc.drive(want={"name": name, "link": dc.base}, settings=ON)
        (links,) = dc.attributes(dc.base)["gPLink"]
        assert links.startswith("[LDAP://CN={") and links.upper().endswith(
            "[LDAP://CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=POLICIES,CN=SYSTEM,DC=CORP,DC=EXAMPLE;0]"
        )

    def test_a_link_that_is_turned_off_is_turned_on(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        dc.tool("gpo", "setlink", UNITS, gpo["guid"], "--disable", "--enforce")
        done = dc.drive(want={"name": name, "link": UNITS}, settings=ON)
        assert done["chores"] == [f"link it to {UNITS}"]
        assert number(done["gpo"]) == 1
        assert f"{gpo['dn']};2]".lower() in dc.attributes(UNITS)["gPLink"][0].lower()

    def test_a_half_that_is_turned_off_is_warned_of(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        dc.modify(gpo["dn"], "replace: flags\nflags: 2")
        assert "computer settings" in dc.drive(want={"name": name}, settings=ON)["warnings"][0]

    def test_a_file_that_others_hold_open_is_waited_for(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        path = f"{folder(gpo)}/Machine/Registry.pol"
        held = dc.run("smbclient", f"//{dc.server}/sysvol", *dc.account, "-c", f'open "{path}"; !sleep 2', check=False)
        assert held.returncode == 0
        assert number(dc.drive(want={"name": name}, settings={"use_hello": "disabled"})["gpo"]) == 2


BOM = b"\xef\xbb\xbf"


class TestRepaired:
    """What keeps a client from applying a GPO is told in check mode and mended by one run."""

    def broken(self, dc, name):
        """A GPO of version 3 whose settings are right, for a test to break."""
        dc.drive(want={"name": name, "link": UNITS}, settings={"use_hello": "disabled"})
        dc.drive(want={"name": name}, settings={"use_hello": "disabled", "pin_digits": "enabled"})
        return dc.drive(want={"name": name}, settings=ON)["gpo"]

    def mended(self, dc, gpo, name, *chores):
        """Checks, runs, and runs again. Returns the GPO."""
        order = {"want": {"name": name, "link": UNITS}, "settings": ON}
        before = dc.attributes(gpo["dn"])
        would = dc.drive(check=True, **order)
        assert would["changed"] and would["changes"] == 0
        assert [text.partition(" (")[0] for text in would["chores"]] == [*chores], would["chores"]
        assert dc.attributes(gpo["dn"]) == before
        done = dc.drive(**order)
        assert done["chores"] == would["chores"] and "error" not in done
        assert_consistent(dc, gpo)
        again = dc.drive(**order)
        assert not again["changed"] and again["chores"] == [] and again["changes"] == 0
        return done["gpo"]

    def test_versions_that_are_both_0(self, dc, name):
        gpo = self.broken(dc, name)
        dc.modify(gpo["dn"], "replace: versionNumber\nversionNumber: 0")
        dc.put(f"{folder(gpo)}/GPT.INI", b"[General]\r\nVersion=0\r\n")
        raised = "raise the version of the computer settings, which is 0, so that clients read them"
        assert number(self.mended(dc, gpo, name, raised)) == 1

    @pytest.mark.parametrize("version", [0, 2, 9, 0x10003])
    @pytest.mark.parametrize("where", ["directory", "file"])
    def test_versions_that_differ(self, dc, name, version, where):
        gpo = self.broken(dc, name)
        if where == "directory":
            dc.modify(gpo["dn"], f"replace: versionNumber\nversionNumber: {version}")
        else:
            dc.put(f"{folder(gpo)}/GPT.INI", f"[General]\r\nVersion={version}\r\n".encode())
        new = self.mended(dc, gpo, name, "let the directory")["version"]
        assert new["machine"] == max(3, version & 0xFFFF) + 1
        assert (new["user"] != 0) == (version > 0xFFFF)

    @pytest.mark.parametrize("text", [BOM + b"[General]\r\nVersion=3\r\n", b"[General]\r\nVersion=abc\r\n", b"?"])
    def test_a_gpt_ini_in_which_clients_find_no_version(self, dc, name, text):
        gpo = self.broken(dc, name)
        dc.put(f"{folder(gpo)}/GPT.INI", text)
        self.mended(dc, gpo, name, "let the directory")

    def test_a_gpt_ini_that_is_missing(self, dc, name):
        gpo = self.broken(dc, name)
        dc.smb(f'del "{folder(gpo)}/GPT.INI"')
        self.mended(dc, gpo, name, "write GPT.INI, which is missing")
        check = dc.run("samba-tool", "ntacl", "sysvolcheck", "-s", dc.config, check=False)
        assert gpo["guid"] not in check.stdout + check.stderr

    @pytest.mark.parametrize("names", ["", SECURITY, SECURITY + REGISTRY])
    def test_extension_names_that_are_missing_or_out_of_order(self, dc, name, names):
        gpo = self.broken(dc, name)
        dc.modify(
            gpo["dn"], f"replace: {MACHINE_NAMES}\n{MACHINE_NAMES}: {names}" if names else f"delete: {MACHINE_NAMES}"
        )
        self.mended(dc, gpo, name, "list the registry extension")
        assert dc.attributes(gpo["dn"])[MACHINE_NAMES] == [REGISTRY + (SECURITY if names else "")]

    @pytest.mark.parametrize("change", ["replace: {0}\n{0}: 1", "delete: {0}"])
    def test_a_functionality_version_that_clients_skip(self, dc, name, change):
        gpo = self.broken(dc, name)
        dc.modify(gpo["dn"], change.format("gPCFunctionalityVersion"))
        self.mended(dc, gpo, name, "set gPCFunctionalityVersion to 2")
        assert dc.attributes(gpo["dn"])["gPCFunctionalityVersion"] == ["2"]

    def test_all_of_it_at_once(self, dc, name):
        gpo = self.broken(dc, name)
        dc.modify(gpo["dn"], f"delete: gPCFunctionalityVersion\n-\ndelete: {MACHINE_NAMES}")
        dc.smb(f'del "{folder(gpo)}/GPT.INI"')
        dc.tool("gpo", "dellink", UNITS, gpo["guid"])
        self.mended(
            dc,
            gpo,
            name,
            "list the registry extension",
            "set gPCFunctionalityVersion to 2",
            "write GPT.INI, which is missing",
            f"link it to {UNITS}",
        )

    def test_what_samba_tool_leaves_behind(self, dc, name):
        """It adds its entry and the extension. Samba 4.17 leaves a version of 0, where no client would read ours."""
        gpo = {"guid": re.search(r"{[-0-9A-F]+}", dc.tool("gpo", "create", name))[0]}
        gpo["dn"] = f"CN={gpo['guid']},CN=Policies,CN=System,{dc.base}"
        ours = Entry.dword(HELLO, "Enabled", 1)
        dc.put(f"{folder(gpo)}/Machine/Registry.pol", preg.encode([ours]))
        dc.tool("gpo", "manage", "smb_conf", "set", gpo["guid"], "apply gpo policies", "yes", "-s", dc.config)
        unread = dc.attributes(gpo["dn"])["versionNumber"] == ["0"]
        done = dc.drive(want={"name": name, "link": UNITS}, settings=ON)
        assert any("raise the version" in chore for chore in done["chores"]) is unread, done
        assert number(done["gpo"]) == 1
        assert not dc.drive(want={"name": name, "link": UNITS}, settings=ON)["changed"]
        first, theirs = preg.decode(pol(dc, gpo))
        assert (first, theirs.value) == (ours, "apply gpo policies")

    @pytest.mark.parametrize(
        "command",
        [
            Entry.string(HELLO, "**DeleteValues", "Other;enabled"),
            Entry.string(HELLO, "**delvals.", " "),
            Entry.string(HELLO, "**DelVals", " "),
            Entry.string(HELLO.rpartition("\\")[0], "**DeleteKeys", "Edge;PASSPORTFORWORK"),
            Entry.deletion(HELLO, "Enabled"),
        ],
        ids=lambda command: command.value,
    )
    def test_a_later_command_that_undoes_ours(self, dc, name, command):
        gpo = self.broken(dc, name)
        dc.put(f"{folder(gpo)}/Machine/Registry.pol", preg.encode([*preg.decode(pol(dc, gpo)), command]))
        order = {"want": {"name": name}, "settings": ON}
        would = dc.drive(check=True, **order)
        assert would["changed"] and would["changes"] == 0
        dc.drive(**order)
        entries = preg.decode(pol(dc, gpo))
        ours = [at for at, entry in enumerate(entries) if (entry.key, entry.value) == (HELLO, "Enabled")]
        assert len(ours) == 1 and entries[ours[0]].number == 1
        assert command not in entries[ours[0] :]
        assert not dc.drive(**order)["changed"]

    def test_a_gpo_that_is_linked_nowhere_is_warned_of(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        order = {"want": {"name": name}, "settings": ON}
        assert any("linked to no domain" in text for text in dc.drive(**order)["warnings"])
        for container in (UNITS, dc.base):
            dc.tool("gpo", "setlink", container, gpo["guid"])
            assert dc.drive(**order)["warnings"] == []
            dc.tool("gpo", "dellink", container, gpo["guid"])
            dc.tool("gpo", "setlink", container, gpo["guid"], "--disable")
            assert any("linked to no domain" in text for text in dc.drive(**order)["warnings"])
        site = f"CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{dc.base}"
        dc.drive(want={"name": name, "link": site}, settings=ON)
        assert dc.drive(**order)["warnings"] == []


class TestRefused:
    def test_a_gpo_that_is_not_there(self, dc):
        done = dc.drive(want={"name": "Nowhere", "missing": "refuse"}, settings=ON)
        assert 'there is no GPO "Nowhere" in corp.example' in done["error"]
        assert done["changes"] == 0

    def test_a_gpo_that_may_be_missing(self, dc):
        done = dc.drive(want={"name": "Nowhere", "missing": "ignore"}, settings={"use_hello": "not_configured"})
        assert not done["changed"]

    def test_a_name_that_two_have(self, dc, name):
        for number in range(2):
            guid = re.search(r"{[-0-9A-F]+}", dc.tool("gpo", "create", f"{name} {number}"))[0]
            dc.modify(f"CN={guid},CN=Policies,CN=System,{dc.base}", f"replace: displayName\ndisplayName: {name}")
        done = dc.drive(want={"name": name}, settings=ON)
        assert f'2 GPOs have the name "{name}"' in done["error"] and guid in done["error"]
        assert done["changes"] == 0

    @pytest.mark.parametrize("link", ["OU=Nowhere,DC=corp,DC=example", "Workstations"])
    def test_a_container_that_is_not_there(self, dc, name, link):
        done = dc.drive(want={"name": name, "link": link}, settings=ON)
        assert done["error"].startswith("gpo.link is") and link in done["error"]
        assert name not in dc.tool("gpo", "listall")

    @pytest.mark.parametrize("kind", ["CN=Users", "CN=Computers", "CN=Administrator,CN=Users"])
    @pytest.mark.parametrize("check", [True, False])
    def test_a_container_that_holds_no_links(self, dc, name, kind, check):
        link = f"{kind},{dc.base}"
        done = dc.drive(want={"name": name, "link": link}, settings=ON, check=check)
        assert done["error"].startswith(f"gpo.link is {link}, to which no GPO can be linked"), done
        assert name not in dc.tool("gpo", "listall")

    @pytest.mark.parametrize("check", [True, False])
    def test_a_folder_that_has_not_been_replicated(self, dc, name, check):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        dc.smb(f'deltree "{folder(gpo)}"')
        done = dc.drive(want={"name": name}, settings=ON, check=check)
        assert f"is not in SYSVOL of {dc.server}" in done["error"] and "replicated" in done["error"], done
        assert done["changes"] == 0

    @pytest.mark.parametrize("cut", [-3, 12, 3, 0])
    def test_a_truncated_registry_pol(self, dc, name, cut):
        gpo, blob = made_by_another_tool(dc, name, FOREIGN)
        blob = blob[:cut]
        dc.put(f"{folder(gpo)}/Machine/Registry.pol", blob)
        done = dc.drive(want={"name": gpo["guid"], "missing": "refuse"}, settings=ON)
        assert re.search(r"damaged.* at offset \d+", done["error"]) and done["changes"] == 0
        assert pol(dc, gpo) == blob

    def test_malformed_extension_names(self, dc, name):
        made_by_another_tool(dc, name, FOREIGN, names="[{827D319E")
        done = dc.drive(want={"name": name}, settings=ON)
        assert "gPCMachineExtensionNames of the GPO is malformed at character 0" in done["error"]
        assert done["changes"] == 0

    def test_a_controller_that_is_away(self, dc):
        for server in ("10.53.57.9", "nowhere.corp.example"):
            done = dc.drive(want={"name": "Any"}, login={"server": server})
            assert server in done["error"] and "check that the domain controller is up" in done["error"]

    def test_a_wrong_password_is_refused_and_never_shown(self, dc):
        done = dc.drive(want={"name": "Any"}, login={"password": "Vaulted.Wrong.77"})
        assert "refused the account" in done["error"]
        assert "Vaulted.Wrong.77" not in done["output"]

    def test_an_account_without_rights_changes_nothing(self, dc, name):
        dc.run("samba-tool", "user", "create", "mallory", "Vaulted.Passw0rd.2", "-s", dc.config, check=False)
        login = {"username": "mallory", "password": "Vaulted.Passw0rd.2"}
        gpo, blob = made_by_another_tool(dc, name, FOREIGN)
        before = dc.attributes(gpo["dn"])
        for want in ({"name": name}, {"name": f"{name} new"}):
            done = dc.drive(want=want, settings=ON, login=login)
            assert "no right" in done["error"], done
        assert dc.attributes(gpo["dn"]) == before
        assert pol(dc, gpo) == blob
        assert f"{name} new" not in dc.tool("gpo", "listall")

    def test_an_account_that_is_no_administrator_may_make_a_gpo_of_its_own(self, dc, name):
        dc.run("samba-tool", "user", "create", "creator", "Vaulted.Passw0rd.2", "-s", dc.config, check=False)
        group = "Group Policy Creator Owners"
        dc.run("samba-tool", "group", "addmembers", group, "creator", "-s", dc.config)
        policies, creators = f"CN=Policies,CN=System,{dc.base}", f"CN={group},CN=Users,{dc.base}"
        ace = f"(A;;CC;;;{dc.attributes(creators)['objectSid'][0]})"  # as Windows grants it, and Samba does not
        dc.tool("dsacl", "set", "--objectdn", policies, "--action", "allow", "--trusteedn", creators, "--sddl", ace)
        login = {"username": "creator", "password": "Vaulted.Passw0rd.2"}
        done = dc.drive(want={"name": name}, settings=ON, login=login)
        assert "error" not in done, done["error"]
        assert_consistent(dc, done["gpo"])
        again = dc.drive(want={"name": name}, settings={"use_hello": "disabled"}, login=login)
        assert number(again["gpo"]) == 2


class TestTogether:
    SETTINGS = ("use_hello", "pin_digits", "pin_special", "pin_uppercase", "pin_lowercase", "use_biometrics")

    def test_concurrent_writers_lose_nothing(self, dc, name, tmp_path):
        meet = {"folder": str(tmp_path), "count": len(self.SETTINGS)}
        runs = [
            dc.started(want={"name": name, "link": UNITS}, settings={setting: "disabled"}, meet=meet)
            for setting in self.SETTINGS
        ]
        answers = [dc.answer(run) for run in runs]
        assert not [each["error"] for each in answers if "error" in each]
        assert len({each["gpo"]["guid"] for each in answers}) == 1
        last = dc.drive(want={"name": name}, settings=dict.fromkeys(self.SETTINGS, "disabled"))
        assert not last["changed"], last
        assert number(last["gpo"]) == len(self.SETTINGS)
        assert dc.tool("gpo", "getlink", UNITS).count(last["gpo"]["guid"]) == 1
        assert_consistent(dc, last["gpo"])

    def test_an_editor_that_takes_no_turns_makes_the_run_start_over(self, dc, name, tmp_path):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        hold = {"after": COPY, "until_there": str(tmp_path / "edited")}
        run = dc.started(want={"name": name}, settings={"pin_digits": "enabled"}, hold=hold)
        until(lambda: COPY in dc.names(folder(gpo)) or run.poll() is not None)
        assert run.poll() is None
        dc.modify(gpo["dn"], "replace: versionNumber\nversionNumber: 40")
        (tmp_path / "edited").touch()
        done = dc.answer(run)
        assert done["gpo"]["version"]["machine"] > 40
        assert_consistent(dc, gpo)


@pytest.mark.slow
class TestKilled:
    """A run is killed before its first change, then its second, and so on; the next run repairs all."""

    def killed_everywhere(self, dc, name, order, prepare=lambda name: None):
        for step in range(1, 60):
            this = f"{name} {step}"
            prepare(this)
            order["want"] = {**order["want"], "name": this}
            if not dc.drive(kill_at=step, **order)["killed"]:
                break
            repaired = dc.drive(**order)
            yield repaired["gpo"]
            assert_consistent(dc, repaired["gpo"])
            again = dc.drive(**order)
            assert not again["changed"] and again["changes"] == 0
        assert step > 12

    def test_while_it_makes_a_gpo(self, dc, name):
        order = {"want": {"link": UNITS}, "settings": ON}
        for gpo in self.killed_everywhere(dc, name, order):
            assert preg.decode(pol(dc, gpo))[0] == Entry.dword(HELLO, "Enabled", 1)
            assert dc.attributes(gpo["dn"])["gPCMachineExtensionNames"] == [REGISTRY]
            assert gpo["guid"] in dc.tool("gpo", "getlink", UNITS)
            assert number(gpo) in (1, 2)

    def test_while_it_changes_a_gpo_of_others(self, dc, name):
        before = {}

        def prepare(this):
            before["gpo"], before["pol"] = made_by_another_tool(dc, this, FOREIGN)

        order = {"want": {"missing": "refuse"}, "settings": ON}
        for gpo in self.killed_everywhere(dc, name, order, prepare):
            assert pol(dc, gpo).startswith(before["pol"])
            assert number(gpo) in (8, 9)

    def test_a_run_for_the_other_half_repairs_it_too(self, dc, name):
        dc.drive(want={"name": name, "scope": "user"}, settings=ON)
        for step in (7, 8, 9, 12):
            order = {
                "want": {"name": name, "scope": "user"},
                "settings": {"use_hello": ("enabled", "disabled")[step % 2]},
            }
            assert dc.drive(kill_at=step, **order)["killed"]
            done = dc.drive(want={"name": name}, settings=ON)
            assert "finish a write that was interrupted" in done["chores"]
            assert_consistent(dc, done["gpo"])
            finished = dc.drive(**order)
            assert finished["settings"] == order["settings"]
            assert not dc.drive(want={"name": name}, settings=ON)["changed"]

    def test_a_run_that_wants_something_else_repairs_it_too(self, dc, name):
        gpo, blob = made_by_another_tool(dc, name, FOREIGN)
        # Killed after Registry.pol was emptied, before the new bytes were in it.
        for step in range(2, 30):
            dc.drive(want={"name": name}, settings={"pin_digits": "enabled"}, kill_at=step)
            if COPY in dc.names(folder(gpo)) and pol(dc, gpo) == b"":
                break
        else:
            pytest.fail("no step left the file empty")
        done = dc.drive(want={"name": name}, settings=ON)
        assert done["chores"][0] == "finish a write that was interrupted"
        assert done["settings"] == {"use_hello": "enabled", "pin_digits": "enabled"}
        assert pol(dc, gpo).startswith(blob)
        assert_consistent(dc, gpo)


KINIT = """
import sys
from samba.credentials import Credentials
from samba.param import LoadParm
parameters = LoadParm(filename_for_non_global_lp="/dev/null")
parameters.set("realm", "CORP.EXAMPLE")
who = Credentials()
who.guess(parameters)
who.set_principal("administrator@CORP.EXAMPLE")
who.set_password(sys.stdin.read())
who.get_named_ccache(parameters, sys.argv[1])
"""


class TestKerberos:
    def test_a_ticket_and_the_domains_name_are_enough(self, dc, name):
        cache = f"FILE:{dc.folder}/ticket"
        config = {"KRB5_CONFIG": str(dc.config.parents[1] / "private" / "krb5.conf")}
        dc.run("env", f"KRB5_CONFIG={config['KRB5_CONFIG']}", "/usr/bin/python3", "-c", KINIT, cache, input=dc.password)
        ticket = {"server": "", "username": "", "password": ""}
        for login, environment in (({**ticket, "ccache": cache}, config), (ticket, {**config, "KRB5CCNAME": cache})):
            done = dc.drive(want={"name": name}, settings=ON, login=login, environment=environment)
            assert "gpo" in done, done
            assert number(done["gpo"]) == 1

    def test_no_ticket(self, dc):
        login = {"username": "", "password": "", "ccache": "FILE:/nonexistent/ticket"}
        assert "ticket" in dc.drive(want={"name": "Any"}, login=login)["error"]


class TestSambaAsClient:
    """Samba's own Group Policy client applies what stands in the file that was rewritten."""

    @pytest.mark.skipif(
        not list(pathlib.Path("/usr/lib").glob("*/libnss_winbind.so.2")),
        reason="samba-gpupdate looks its computer up with libnss-winbind, which is not installed",
    )
    def test_samba_gpupdate_applies_a_setting_beside_ours(self, dc, name):
        theirs = Entry.dword("Software\\Policies\\Samba\\smb_conf", "max log size", 4093)
        made_by_another_tool(dc, name, [theirs], names="")
        dc.drive(want={"name": name, "link": UNITS}, settings=ON)
        ticket = f"KRB5CCNAME=FILE:{dc.folder}/machine"  # else it would stay in /tmp
        update = dc.run("env", ticket, "samba-gpupdate", "-s", dc.config, "--force", "--target=Computer", check=False)
        assert update.returncode == 0, update.stdout + update.stderr
        assert re.search(r"max log size *= *4093", dc.config.read_text())

    def test_samba_tool_fetches_what_was_written(self, dc, name):
        gpo = dc.drive(want={"name": name}, settings=ON)["gpo"]
        target = dc.folder / "fetch"
        target.mkdir(exist_ok=True)
        dc.tool("gpo", "fetch", gpo["guid"], "--tmpdir", target)
        (fetched,) = (path for path in target.rglob("*") if path.name.lower() == "registry.pol")
        samba_reads = (
            "import sys; from samba.dcerpc import preg; from samba.ndr import ndr_unpack;"
            "entries = ndr_unpack(preg.file, open(sys.argv[1], 'rb').read()).entries;"
            "print([(e.keyname, e.valuename, e.type, e.data) for e in entries][0])"
        )
        assert dc.run("/usr/bin/python3", "-c", samba_reads, fetched).stdout.strip() == repr((HELLO, "Enabled", 4, 1))
        shutil.rmtree(target)
