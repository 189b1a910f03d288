"""Every section works in a browser, by pointer and by keyboard, and can be read by a screen reader and on paper."""

import pytest
from browser import made_report, seen_by
from fabricated_run import Fabrication

PROBE = """
<script>
window.addEventListener("load", () => {
  const seen = { errors: window.problems };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const text = (node) => node.textContent.trim().replace(/\\s+/g, " ");

  const box = document.querySelector(".parallels");
  const lines = all(".parallels polyline");
  const best = lines.find((line) => line.dataset.rank === "1");
  best.dispatchEvent(new PointerEvent("pointerenter"));
  seen.lit = lines.filter((line) => line.classList.contains("lit")).map((line) => line.dataset.number);
  seen.lit_rows = all("tr.lit").map((row) => row.dataset.number);
  seen.readout = text(box.querySelector(".readout"));
  best.dispatchEvent(new PointerEvent("pointerleave"));
  seen.lit_after = all(".lit").length;
  seen.tab_stops = lines.filter((line) => line.tabIndex === 0).length;
  best.focus();
  best.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  seen.focused = document.activeElement.dataset.rank;
  const slider = box.querySelector("input[type=range]");
  slider.value = 3; slider.dispatchEvent(new Event("input"));
  const shown = lines.filter((line) => getComputedStyle(line).display !== "none");
  seen.left = shown.map((line) => Number(line.dataset.rank));

  seen.unsorted = all("table.sortable").filter((table) => {
    const head = table.querySelector("th[data-sort] button");
    head.click();
    return table.querySelectorAll("th[aria-sort]").length !== 1;
  }).length;
  seen.sortable = all("table.sortable").length;
  const selection = document.querySelector("#selection table");
  selection.querySelectorAll("th[data-sort] button")[3].click();
  seen.by_score = [...selection.tBodies[0].rows].map((row) => Number(row.cells[3].dataset.value));
  seen.csv = window.dferbench.tableCsv(selection);
  seen.unsaved = all("table:not([id])").length - all("button.save").length;
  const saved = (selector) => window.dferbench.tableCsv(document.querySelector(selector)).trim().split("\\n");
  seen.heat = saved("#perturbations .heat");
  seen.stacked = saved("#perturbations .stacked");
  seen.matrix = saved("#classes .matrix");
  seen.clips = saved("#data table");

  seen.cut = all("figure svg text").filter((one) => {
    const [own, whole] = [one.getBoundingClientRect(), one.closest("svg").getBoundingClientRect()];
    return own.right > whole.right + 1 || own.left < whole.left - 1;
  }).map(text);

  seen.nameless_regions = all(".scroll").filter((one) => !one.getAttribute("aria-label")).length;
  seen.nameless_drawings = all("svg").filter((one) => !one.getAttribute("aria-label")).length;
  seen.unscoped = all("thead th, tbody th").filter((one) => !one.scope).length;
  seen.nameless_controls = all("button, input").filter((one) => !(one.getAttribute("aria-label") || text(one) ||
    (one.closest("label") && text(one.closest("label"))))).length;
  seen.levels = all("h1, h2, h3").map((one) => Number(one.tagName[1]));
  seen.dead_links = all("nav a").filter((one) => !document.querySelector(one.getAttribute("href"))).length;
  const linked = (id) => document.querySelector(`nav a[href="#${id}"]`);
  seen.unlinked = all("main > section[id]").map((one) => one.id).filter((id) => !linked(id));
  seen.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;

  window.dispatchEvent(new Event("beforeprint"));
  seen.folded_on_paper = all("details:not([open])").length;
  window.dispatchEvent(new Event("afterprint"));
  seen.folded_again = all("details:not([open])").length;
  seen.requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  document.body.textContent = ""; document.title = "";
  const out = document.createElement("pre"); out.id = "probe"; out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    made = Fabrication(
        clips=40, severities=(3,), perturbations=("contrast",), audit=True, features=6, configurations=12
    )
    return made_report(tmp_path_factory.mktemp("runs"), made)


@pytest.fixture(scope="module")
def seen(report, tmp_path_factory):
    return seen_by(PROBE, report, tmp_path_factory.mktemp("browser"), "--window-size=1400,900")


def test_no_section_errs_or_asks_for_anything(seen):
    assert seen["errors"] == seen["requests"] == []


def test_a_line_lights_up_with_its_row_and_is_read_out(seen):
    assert seen["lit"] == seen["lit_rows"]
    assert len(seen["lit"]) == 1
    assert seen["readout"].startswith(f"configuration {seen['lit'][0]}: ")
    assert seen["lit_after"] == 0


def test_lines_are_one_tab_stop_and_arrows_go_from_best_to_worse(seen):
    assert (seen["tab_stops"], seen["focused"]) == (1, "2")


def test_the_slider_keeps_the_best_configurations(seen):
    assert sorted(seen["left"]) == [1, 2, 3]


def test_every_table_sorts_and_is_saved_as_it_is_sorted(seen):
    assert seen["sortable"] >= 7
    assert seen["unsorted"] == seen["unsaved"] == 0
    assert seen["by_score"] == sorted(seen["by_score"], reverse=True)
    lines = seen["csv"].splitlines()
    assert lines[0].startswith("Method,Clips,Metric,Validation-selected,Last epoch,Best on test,Gain (points)")
    assert [float(line.split(",")[3]) for line in lines[1:]] == seen["by_score"]


def test_tables_that_do_not_sort_are_saved_in_full_too(seen):
    assert seen["heat"][0].startswith("Perturbation,Family,hdf,hdf_low,hdf_high,x3d,x3d_low,x3d_high,resnet18_lstm,")
    value, low, high = (float(text) for text in seen["heat"][1].split(",")[2:5])
    assert low <= value <= high < 1
    assert seen["stacked"][0].startswith("Measure,hdf,hdf_low,hdf_high,")
    assert seen["stacked"][1].startswith("Kept,0.")
    assert seen["matrix"][0] == "class,Happy,Sad,Neutral,Angry,Surprise,Disgust,Fear"
    assert sum(float(text) for text in seen["matrix"][1].split(",")[1:]) == pytest.approx(1)
    assert sum(int(text) for text in seen["clips"][1].split(",")) == 80


def test_no_word_of_a_figure_is_cut_off_at_its_edge(seen):
    assert seen["cut"] == []


def test_everything_has_a_name_for_those_who_cannot_see_it(seen):
    names = ("nameless_regions", "nameless_drawings", "unscoped", "nameless_controls", "dead_links")
    assert {name: seen[name] for name in names} == dict.fromkeys(names, 0)
    assert seen["unlinked"] == []
    assert seen["levels"][0] == 1
    steps = zip(seen["levels"], seen["levels"][1:], strict=False)
    assert all(lower <= upper + 1 for upper, lower in steps)


def test_paper_shows_what_the_screen_folds_away(seen):
    assert seen["folded_on_paper"] == 0
    assert seen["folded_again"] > 0


def test_the_page_does_not_scroll_sideways_on_a_phone(report, tmp_path):
    assert seen_by(PROBE, report, tmp_path, "--window-size=500,900")["wide"] <= 0


def test_the_page_stays_small(report):
    assert report.stat().st_size < 1_000_000
