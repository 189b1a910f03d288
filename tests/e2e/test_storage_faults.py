"""A disk that is full, or will be: the command line says so, exits with 2, and goes on when there is room."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import STUDY

SHORT = {
    "methods": {"lstm": STUDY["methods"]["lstm"]},
    "search": None,
    "folds": [1],
    "training": {"epochs": 1, "batch_size": 8},
    "stress": {"perturbations": []},
}


def test_a_disk_that_fills_up_ends_the_study_at_once_and_the_same_command_goes_on(
    write_study, invoke, tmp_path, monkeypatch
):
    study, out, fsync = write_study(**SHORT, seeds=[0, 1]), tmp_path / "runs", os.fsync
    tried = []

    def full(descriptor):
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if "/units/" in path:
            tried.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", out)
    assert code == 2, printed + complaint
    assert "units: the disk is full" in complaint
    assert "MB are free" in complaint
    assert len(tried) == 1, "the second trial is not even tried"
    assert list((out / "units").iterdir()) == []
    code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", out)
    assert code == 0, printed + complaint


@pytest.mark.parametrize(
    ("within", "words"), [("/runs/small/", "use --out"), ("/packs/", "set DFERBENCH_CACHE")], ids=["study", "cache"]
)
def test_a_full_disk_is_named_by_what_was_written_to_it_and_not_by_where_the_command_was_given(
    within, words, write_study, environment, invoke, tmp_path, monkeypatch
):
    study, fsync = write_study(**SHORT), os.fsync
    monkeypatch.setitem(environment, "DFERBENCH_CACHE", str(tmp_path / "cache"))

    def full(descriptor):
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if within in path and "progress.json" not in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    code, printed, complaint = invoke("run", study, "--local", "--plain", "--out", tmp_path / "runs")
    assert code == 2, printed + complaint
    where = tmp_path / ("runs" if words == "use --out" else "cache/packs")
    assert f"error: {where}: the disk is full" in complaint
    assert words in complaint


def test_results_that_will_find_no_room_are_refused_before_any_training(write_study, invoke, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=usage.total, used=0, free=100_000))
    out = tmp_path / "runs"
    code, _, complaint = invoke("run", write_study(**SHORT), "--local", "--plain", "--out", out)
    assert code == 2
    assert "units: the study's results need about" in complaint
    assert "0.0 GB are free. Make room there" in complaint
    assert list((out / "units").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(write_study, invoke, tmp_path):
    blocked = tmp_path / "runs"
    blocked.write_text("a file where the folder should be")
    code, _, complaint = invoke("run", write_study(**SHORT), "--local", "--plain", "--out", blocked)
    assert code == 2
    assert f"{blocked}/small: a file is where a folder should be" in complaint
    assert "Traceback" not in complaint
