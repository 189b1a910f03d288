"""The report works in a browser: sorting, filtering, hiding, exporting, and the view in the address."""

import csv
import io
import json
import re

import pytest
from browser import made_report, seen_by
from fabricated_run import Fabrication

from harness.report.latex import ESCAPED

PROBE = """
<script>
window.addEventListener("load", () => {
  const board = document.getElementById("board");
  const rows = () => [...board.tBodies[0].rows].filter((row) => !row.hidden);
  const names = () => rows().map((row) => row.cells[1].textContent.trim());
  const head = (name) => board.querySelector(`th[data-name="${name}"] button`);
  const seen = { errors: window.problems, first: names(), hash_at_start: HASH };
  head("method").click(); seen.by_name = names();
  head("method").click(); seen.by_name_down = names();
  head("uar_clean").click(); seen.by_score = names();
  seen.sorted_column = board.querySelectorAll("[aria-sort]").length;
  const filter = document.querySelector("#tools input[type=search]");
  filter.value = "x3"; filter.dispatchEvent(new Event("input"));
  seen.filtered = names(); seen.count = document.getElementById("count").textContent;
  const box = document.querySelector("#tools input[data-group=clean]");
  box.click();
  const heads = [...board.querySelectorAll("th[data-name]")].filter((cell) => cell.offsetParent);
  seen.visible = heads.map((cell) => cell.dataset.name);
  const { view, formats } = window.dferbench;
  seen.csv = formats.csv(view()); seen.tex = formats.tex(view()); seen.hash = location.hash;
  seen.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  document.body.textContent = ""; document.title = "";
  const out = document.createElement("pre"); out.id = "probe"; out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    fabrication = Fabrication(clips=40, severities=(3,), perturbations=("contrast",))
    return made_report(tmp_path_factory.mktemp("runs"), fabrication)


def probe(report, folder, fragment=""):
    return seen_by(PROBE.replace("HASH", json.dumps(fragment)), report, folder, fragment=fragment)


def test_the_board_sorts_filters_hides_and_exports_without_a_request(report, tmp_path):
    seen = probe(report, tmp_path)
    assert seen["errors"] == seen["requests"] == []
    assert seen["by_name"] == sorted(seen["first"])
    assert seen["by_name_down"] == seen["by_name"][::-1]
    assert seen["by_score"] == seen["first"]
    assert seen["sorted_column"] == 1
    assert seen["filtered"] == ["x3d"]
    assert seen["count"] == "1 of 3 methods"
    assert seen["visible"] == ["rank", "method", "tie", "num_runs", "uar_perturbed", "war_perturbed"]
    assert seen["csv"].startswith("rank,method,tie,uar_perturbed,uar_perturbed_low,uar_perturbed_high,war_perturbed")
    assert seen["csv"].count("\n") == 2
    assert r"uar\_perturbed" in seen["tex"]
    assert seen["hash"] == "#sort=3.descending&filter=x3&hide=clean"


def test_the_view_in_the_address_is_shown_again(report, tmp_path):
    seen = probe(report, tmp_path, "#sort=1.descending&filter=3")
    assert seen["errors"] == []
    assert seen["first"] == ["x3d"]


def test_every_sign_of_a_name_is_exported_as_itself(tmp_path):
    name = 'a|b^2_~{x}<y>\\&%#$, "z"'
    made = made_report(tmp_path / "runs", Fabrication(skills={name: 1.5, "x3d": 1.0}, clips=30, perturbations=()))
    script = PROBE.replace('filter.value = "x3"', 'filter.value = "b^2"').replace(
        "box.click();", "box.click(); box.click(); seen.md = window.dferbench.formats.md(window.dferbench.view());"
    )
    seen = seen_by(script.replace("HASH", '""'), made, tmp_path)
    assert seen["errors"] == []
    heads, row = csv.reader(io.StringIO(seen["csv"]))
    assert dict(zip(heads, row, strict=True))["method"] == name
    assert f" & {name.translate(ESCAPED)} & " in seen["tex"]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in seen["md"].splitlines()} == {len(heads) + 1}
