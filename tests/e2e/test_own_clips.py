"""A first user's own clips: mistakes in the list are found before training, and people on both sides are told of."""

from pathlib import Path

import pytest
from tiny_clips import textured_frames, write_video

STUDY = {"folds": [1], "search": None}


@pytest.fixture
def own(write_study, tmp_path):
    """Write clips of two classes with a list, in which clip 0's label is given, and a study on them."""

    def write(label: str, **changes):
        home, rows = tmp_path / "own", ["clip,label,group,split"]
        for number in range(12):
            name = ("Happy", "Neutral")[number % 2]
            write_video(home / name / f"{number}.mp4", textured_frames(5, size=32, seed=number))
            side = "test" if number < 4 else "train"
            rows.append(f"{name}/{number}.mp4,{label if number == 0 else name},person{number % 5},{side}")
        (home / "clips.csv").write_text("\n".join(rows))
        methods = {"lstm": {"model": {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}}}
        return write_study(**STUDY, dataset={"name": "clip_folder", "root": str(home)}, methods=methods, **changes)

    return write


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_label_that_is_typed_otherwise_is_found_before_training(verb, own, invoke, tmp_path):
    code, _, complaint = invoke(verb, own("happy"), "--out", tmp_path / "runs", *(["--local"] if verb == "run" else []))
    assert code == 2
    assert "fold 1: class 'happy' (there is also 'Happy') has 0 training and 1 test clips" in complaint
    assert not list((tmp_path / "runs").glob("units/*"))


def test_a_studys_folder_is_planned_and_run_again_as_its_file_is(own, invoke, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    study, folder = own("Happy"), tmp_path / "runs" / "small"
    assert invoke("run", study, "--out", folder.parent, "--local")[0] == 0
    trained = sorted(folder.parent.glob("units/*"))
    assert invoke("plan", folder)[0] == 0
    assert invoke("run", folder, "--local")[0] == 0
    assert sorted(folder.parent.glob("units/*")) == trained
    assert not Path("runs").exists()


def test_people_on_both_sides_are_counted_by_plan_run_and_inspect(own, invoke, tmp_path):
    study = own("Happy")
    told = "fold 1: 4 of 5 groups, with 4 of 4 test clips, are on both sides"
    runs = ("--out", tmp_path / "runs")
    for asked in (
        ("plan", study, *runs),
        ("run", study, *runs, "--local"),
        ("data", "inspect", tmp_path / "own", "--no-decode"),
    ):
        code, printed, _ = invoke(*asked)
        assert code == 0
        assert told in printed
