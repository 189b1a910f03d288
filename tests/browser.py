"""A report in a browser without a window: what a script of the test's sees in it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fabricated_run import Fabrication, fabricate

from harness.report.build import build

BROWSER = os.environ.get("DFERBENCH_TEST_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")

QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *QUIET, "--dump-dom")
CATCH = (
    '<script>window.problems = []; window.addEventListener("error", (e) => window.problems.push(e.message));</script>'
)


def made_report(folder: Path, fabrication: Fabrication) -> Path:
    """The report of a run that nobody trained; skips the test where there is no browser to show it in."""
    if not BROWSER:
        pytest.skip("no Chromium is installed; set DFERBENCH_TEST_BROWSER to one")
    return build(fabricate(folder, fabrication), replicates=50).html_path


def seen_by(script: str, report: Path, folder: Path, *flags: str, fragment: str = "") -> dict[str, Any]:
    """What a script at the end of the report leaves in an element ``probe``, as JSON; errors are in its ``problems``.

    Args:
        script: added to the page, with its tags.
        report: the page.
        folder: for the changed page and the browser's profile.
        flags: more for the browser.
        fragment: of the page's address, with its ``#``.
    """
    page = folder / "probe.html"
    text = report.read_text().replace("<head>", f"<head>{CATCH}", 1)
    page.write_text(text.replace("</body>", f"{script}</body>"))
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, f"{page.as_uri()}{fragment}"]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = dom.split('<pre id="probe">', 1)[1].split("</pre>", 1)[0]
    return json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
