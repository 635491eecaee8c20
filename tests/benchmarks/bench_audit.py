# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's page of 10,000 hosts in headless Chromium: how large, when it is first seen, how long a filter takes.

Each time is also a ratio to that of a page of 100 hosts in the same run. The page is the one that an audit writes, but
for the policy that would keep this benchmark's script from it.
"""

from __future__ import annotations

import pathlib
import re
import statistics
import tempfile

from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.page import page
from ansible_collections.hardbound.identity.tests.support import audit_report, browser

ROUNDS = 5
WATCH = """<script>
document.body.getBoundingClientRect(); // lays out
const begun = performance.now();
const field = document.getElementById("search");
field.value = "7";
field.dispatchEvent(new Event("input"));
document.body.getBoundingClientRect();
document.title = `laid out ${begun} filter ${performance.now() - begun}`;
</script>"""


def measured(hosts: int) -> tuple[int, float, float]:
    """Returns bytes, ms until the hosts are laid out, and ms of a filter."""
    text = page(audit_report.fleet(hosts))
    open_page = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("</body>", WATCH + "</body>")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "audit.html")
        path.write_text(open_page, encoding="utf-8")
        path.chmod(0o644)
        found = re.search(r"laid out ([\d.]+) filter ([\d.]+)", browser.shown(path.as_uri()))
    assert found
    return len(text.encode()), float(found[1]), float(found[2])


def test_audit_page(record_property):
    rounds = [(measured(100), measured(10_000)) for _round in range(ROUNDS)]
    size = rounds[0][1][0] / 1e6
    paint, filtering = (statistics.median(large[at] for _small, large in rounds) for at in (1, 2))
    ratios = [statistics.median(large[at] / small[at] for small, large in rounds) for at in (1, 2)]
    print(f"\naudit.html of 10,000 hosts: {size:.1f} MB")
    print(f"hosts laid out after {paint:.0f} ms, {ratios[0]:.1f} times a page of 100 hosts")
    print(f"filter {filtering:.0f} ms, {ratios[1]:.1f} times")
