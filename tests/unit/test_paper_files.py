"""Tables and figures that a paper needs are files, and say what the report says."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fabricated_run import Fabrication, fabricate

from harness.errors import HarnessError
from harness.report.build import build
from harness.report.export import export_tables
from harness.report.figure_files import write_figures
from harness.report.merge import merge_leaderboards
from harness.report.study_results import read_results

MADE = Fabrication(
    skills={"hdf": 1.6, "x_3d": -0.4}, clips=60, severities=(5,), perturbations=("contrast", "global_shuffle"),
    features=6, configurations=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = fabricate(tmp_path_factory.mktemp("runs"), MADE)
    build(made, replicates=100)
    return made


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export_tables(run, folder)
    return folder


def test_confusions_are_counted_once_for_each_network_and_recalls_are_their_diagonal(run, folder):
    outcomes = read_results(run).outcomes
    counts = pd.read_csv(folder / "confusions.csv")
    for method in outcomes.methods:
        own = counts[counts["method"] == method].pivot_table(index="class", columns="named", values="count", sort=False)
        np.testing.assert_array_equal(own.to_numpy(), outcomes.confusion(method, outcomes.clean))
    recalls = pd.read_csv(folder / "recalls.csv").set_index(["method", "class"])
    own = counts[counts["class"] == "Happy"].groupby(["method", "named"], sort=False)["count"].sum()
    assert recalls.loc[("hdf", "Happy"), "value"] == pytest.approx(own["hdf", "Happy"] / own["hdf"].sum())
    assert ((recalls["low"] <= recalls["value"]) & (recalls["value"] <= recalls["high"])).all()


def test_latex_tables_have_a_cell_for_every_column_and_bracket_what_is_chance(folder):
    for name in ("recalls", "robustness", "cost"):
        lines = (folder / f"{name}.tex").read_text().splitlines()
        columns = len(re.search(r"tabular}{(\w+)}", lines[0])[1])
        rows = [line for line in lines if line.endswith(r"\\")]
        assert {line.count(" & ") for line in rows} == {columns - 1}
    text = (folder / "robustness.tex").read_text()
    assert re.search(r"Flip rate \$\\downarrow\$ & \d+\.\d \{.*\} & \(\d+\.\d \{.*\}\)", text)
    assert r"x\_3d" in text
    assert "Change without order & $-" in text


def test_where_no_method_is_above_chance_all_that_chance_can_have_is_in_brackets(tmp_path):
    guesses = Fabrication(skills={"a": -0.4, "b": -1.5}, clips=60, severities=(5,), perturbations=("contrast",))
    made = fabricate(tmp_path / "runs", guesses)
    build(made, replicates=50)
    export_tables(made, tmp_path)
    rows = (tmp_path / "robustness.tex").read_text().splitlines()
    assert any(row.startswith("Kept above chance $\\uparrow$ & not defined & not defined") for row in rows)
    assert all(row.count("& (") == 2 for row in rows if row.startswith(("Kept $", "Flip rate", "Resist rate")))


def test_a_merged_board_has_the_same_tables(run, folder, tmp_path):
    merge_leaderboards([run], tmp_path, replicates=20)
    assert (tmp_path / "confusions.csv").read_text() == (folder / "confusions.csv").read_text()
    assert {"recalls.tex", "robustness.tex", "robustness.csv", "cost.tex"} <= {path.name for path in tmp_path.iterdir()}


def test_every_figure_of_the_report_stands_alone(run, tmp_path):
    paths = write_figures(run, tmp_path)
    assert len(paths) == len(set(paths)) == run.output("report.html").read_text().count("<svg ")
    names = {path.name for path in paths}
    assert {"curve-uar-contrast.svg", "reliability-0.svg", "cost-parameters-m.svg"} <= names
    assert any(name.startswith("pca-map") for name in names)
    assert any(name.startswith("parallel") or "coordinates" in name for name in names), names
    for path in paths:
        drawing = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(drawing.get("width")) > 0
        assert "var(--" not in path.read_text().replace("var(--v)", ""), path.name


def test_figures_of_a_study_without_a_report_cannot_be_had(tmp_path):
    with pytest.raises(HarnessError, match="dferbench report"):
        write_figures(fabricate(tmp_path, Fabrication(clips=30, perturbations=(), folds=(1,))), tmp_path / "out")
