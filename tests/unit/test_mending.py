"""A call that meets a damaged file of a trial is made again once that is put aside."""

import pytest

from harness.errors import DamagedError
from harness.paths import RunPaths
from harness.schedule.operate.mending import whole
from harness.tables import store


def trial_with(run: RunPaths, content: bytes):
    """A trial of which an evaluation is what it is; nobody has said yet that the study wants it."""
    unit = run.unit("feedfeedfeedfeed")
    store.write_text('{"status": "done"}', unit.record)
    path = unit.predictions("val-v9-x")
    path.write_bytes(content)
    return path


@pytest.fixture
def run(tmp_path) -> RunPaths:
    return RunPaths(tmp_path / "runs", "mine")


def test_what_is_met_before_the_run_has_said_what_it_wants_is_put_aside(run):
    path, seen = trial_with(run, b"PAR1 no table but long enough PAR1"), []

    def once() -> str:
        seen.append(path.exists())
        if path.exists():
            store.read_columns(path, ["clip_id"])
        return "made"

    assert whole(run, once) == "made"
    assert seen == [True, False]
    (aside,) = run.units.glob(".feedfeedfeedfeed.quarantined-*")
    assert (aside / path.name).exists()
    assert run.unit("feedfeedfeedfeed").record.exists(), "the training stays"


def test_what_is_damaged_again_is_an_error(run):
    path = trial_with(run, b"PAR1 no table but long enough PAR1")

    def once() -> None:
        path.write_bytes(b"PAR1 no table but long enough PAR1")
        store.read_columns(path, ["clip_id"])

    with pytest.raises(DamagedError, match=r"val-v9-x\.parquet is damaged"):
        whole(run, once)


def test_a_file_that_is_no_trials_is_an_error_and_stays(run):
    path = run.table("trials")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 no table but long enough PAR1")
    with pytest.raises(DamagedError):
        whole(run, lambda: store.read_columns(path, ["trial_id"]))
    assert path.exists()
