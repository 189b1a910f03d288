"""A plan's numbers: from finished trials where there are any, measured where not, and what remains of them."""

import json

import pytest
from fake_search import study_of

from harness.data.clip import Clip, OfficialFold, Source
from harness.paths import RunPaths, pack_folder
from harness.plan import Count, confirm_units, counts
from harness.schedule.forecasting import costs as costs_module
from harness.schedule.forecasting import forecast as forecast_module
from harness.schedule.forecasting.costs import Done, Each, each_costs, method_costs, pack_bytes
from harness.schedule.forecasting.forecast import estimate, is_over, on_storage, slots_here
from harness.schedule.forecasting.forecast_text import slots_line
from harness.schedule.forecasting.size import size
from harness.schedule.forecasting.stored_costs import PhaseCosts, StoredCosts, stored_costs
from harness.schedule.operate.wanted import Found, Wanted
from harness.spec.load import bundled_studies, dump_study, load_study
from harness.spec.resources import ResourcesSpec
from harness.spec.study import StressSpec
from harness.tables.store import write_text
from harness.train.preflight import data_ref
from harness.train.timing import ClipSeconds

QUICKSTART = load_study(bundled_studies()["quickstart"])
STUDY = QUICKSTART.model_copy(update={"folds": (1,)})
EACH = Each(basis="test", search_epoch=2.0, confirm_epoch=3.0, testing=5.0, search_bytes=100.0, confirm_bytes=1000.0)


@pytest.fixture
def source(tmp_path) -> Source:
    """Forty clips of two classes, ten of them for testing."""
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"x")
    clips = {
        f"{number:02d}": Clip(clip_id=f"{number:02d}", path=video, label=number % 2, group=f"g{number}")
        for number in range(40)
    }
    names = tuple(clips)
    return Source(
        name="test",
        root=tmp_path,
        classes=("Happy", "Sad"),
        clips=clips,
        folds={1: OfficialFold(names[:30], names[30:])},
        excluded={},
    )


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    monkeypatch.setenv("DFERBENCH_CACHE", str(tmp_path / "cache"))
    return RunPaths(tmp_path / "runs", STUDY.name)


def wanted(method: str, phase: str, fold: int, epochs: int = 10) -> Wanted:
    return Wanted(
        method=method, phase=phase, configuration=0, fold=fold, seed=0, epochs=epochs, trial_id=f"{phase}{fold}"
    )


def done(seconds: float) -> Found:
    return Found(state="done", record={"status": "done", "seconds": seconds})


@pytest.mark.parametrize(
    ("resources", "slots"),
    [({"cpus": 4}, 4), ({"cpus": 1, "gpus": 0.5}, 4), ({"cpus": 1, "gpus": "auto"}, 2), ({"cpus": 99}, 1)],
)
def test_a_plan_counts_on_as_many_trials_at_once_as_processors_and_gpus_allow(resources, slots, monkeypatch):
    monkeypatch.setattr(forecast_module.os, "cpu_count", lambda: 16)
    monkeypatch.setattr(forecast_module.torch.cuda, "device_count", lambda: 2)
    assert slots_here(STUDY.model_copy(update={"resources": ResourcesSpec.model_validate(resources)})) == slots


def test_seconds_of_an_epoch_and_bytes_are_those_of_finished_trials(run):
    found = {
        wanted("a", "confirm", 1): done(10.0),
        wanted("a", "confirm", 2, epochs=30): done(50.0),
        wanted("a", "confirm", 3): Found(state="missing", record={}),
        wanted("b", "search", 1): Found(state="failed", record={"error": "x"}),
    }
    for name, length in (("confirm1", 100), ("confirm2", 300)):
        write_text("x" * length, run.unit(name).folder / "checkpoint.pt")
    run.folder.mkdir()
    write_text(json.dumps({"testing": {"a": [8.0, 400.0]}}), run.progress)
    stored = stored_costs(run, found)
    assert set(stored) == {"a"}
    assert stored["a"].trials == 2
    assert stored["a"].phases["confirm"] == PhaseCosts(60.0 / 40, 200.0)
    told = stored["a"].told(shown=1000)
    assert told == {"search_epoch": 1.5, "confirm_epoch": 1.5, "testing": 20.0, "confirm_bytes": 200.0}


def test_nothing_is_measured_where_finished_trials_tell_all(source, run, monkeypatch):
    def measured(*arguments):
        raise AssertionError("measured")

    monkeypatch.setattr(costs_module, "time_recipe", measured)
    stored = StoredCosts(trials=4, phases={"confirm": PhaseCosts(1.5, 200.0)}, clip_seconds=0.02)
    shown = 10 * len(STUDY.stress.conditions) * STUDY.stress.repeats
    each = each_costs(STUDY, source, "x3d", stored, "cpu")
    assert each == Each(
        basis="4 finished trials",
        search_epoch=1.5,
        confirm_epoch=1.5,
        testing=shown * 0.02,
        search_bytes=0.0,
        confirm_bytes=200.0,
    )
    with pytest.raises(AssertionError, match="measured"):
        each_costs(STUDY, source, "x3d", None, "cpu")


def test_what_is_measured_scales_with_clips_and_conditions_and_yields_to_what_was_seen(source, run, monkeypatch):
    monkeypatch.setattr(costs_module, "time_recipe", lambda *arguments: ClipSeconds(0.5, 0.1, 4000))
    conditions = len(STUDY.stress.conditions)
    each = each_costs(STUDY, source, "x3d", None, "cpu")
    assert each.search_epoch + 1e-9 >= 0.5 * 20 + 0.1 * 4, "at least the training split"
    assert each.confirm_epoch == pytest.approx(each.search_epoch + 10 * 0.1), "the audit sees the test clips"
    assert each.testing == pytest.approx(3 * 10 * conditions * 0.1), "under three rules of selection"
    alone = STUDY.model_copy(update={"stress": STUDY.stress.model_copy(update={"audit": False})})
    assert each_costs(alone, source, "x3d", None, "cpu").testing == pytest.approx(10 * conditions * 0.1)
    assert each.confirm_bytes > each.search_bytes > 4000
    seen = StoredCosts(trials=1, phases={"search": PhaseCosts(7.0, 123.0)}, clip_seconds=None)
    mixed = each_costs(STUDY, source, "x3d", seen, "cpu")
    assert (mixed.search_epoch, mixed.confirm_epoch, mixed.search_bytes) == (7.0, 7.0, 123.0)
    assert mixed.testing == each.testing
    assert "the rest measured now" in mixed.basis


def test_what_is_left_is_what_is_not_done(run):
    count = Count(4, 2, 4 * 3 + 2 * STUDY.training.epochs)
    whole = method_costs(STUDY, "x3d", EACH, count, Done(), 0.5)
    confirm_epochs = 2 * STUDY.training.epochs
    assert whole.seconds == whole.left_seconds == 12 * 2.0 + confirm_epochs * 3.0 + 2 * 5.0
    assert whole.num_bytes == 4 * 100 + 2 * 1000
    assert whole.gpu_hours == pytest.approx(whole.seconds * 0.5 / 3600)
    half = method_costs(STUDY, "x3d", EACH, count, Done(search=4, confirm=1, search_epochs=12, confirm_epochs=20), 0.0)
    assert half.seconds == whole.seconds
    assert half.left_seconds == (confirm_epochs - 20) * 3.0 + 5.0
    everything = Done(search=4, confirm=2, search_epochs=12, confirm_epochs=confirm_epochs)
    assert method_costs(STUDY, "x3d", EACH, count, everything, 1.0).left_seconds == 0.0


def test_packed_clips_are_weighed_and_unpacked_ones_bounded(source, run):
    clip = STUDY.clip
    assert pack_bytes(STUDY, source) == (40 * clip.max_stored_frames * 3 * clip.size**2, False)
    pack = pack_folder(source.fingerprint, clip.size, clip.max_stored_frames)
    write_text("x" * 77, pack / "frames.u8")
    assert pack_bytes(STUDY, source) == (77, True)


def test_a_plan_knows_what_storage_holds_and_forgets_a_search_that_was_another(source, run):
    units = confirm_units(STUDY, data_ref(STUDY, source), "x3d", 0, {})
    write_text(json.dumps({"status": "done", "seconds": 1.0}), run.unit(units[0].trial.trial_id).record)
    write_text(json.dumps({"error": "x"}), run.unit("feedfeedfeedfeed").failure)
    found = on_storage(STUDY, source, run)
    states = {one.trial_id: seen.state for one, seen in found.items()}
    assert states[units[0].trial.trial_id] == "untested"
    write_text("", run.unit(units[0].trial.trial_id).folder / "predictions-test-v1-x.parquet")
    states = {one.trial_id: seen.state for one, seen in on_storage(STUDY, source, run).items()}
    assert states[units[0].trial.trial_id] == "done"
    asked = {"method": "hdf", "phase": "search", "configuration": 7, "fold": 1, "seed": 1000, "epochs": 2}
    write_text(json.dumps({**asked, "trial_id": "feedfeedfeedfeed"}) + "\n", run.wanted)
    write_text(dump_study(STUDY), run.study_file)
    states = {one.trial_id: seen.state for one, seen in on_storage(STUDY, source, run).items()}
    assert states["feedfeedfeedfeed"] == "failed"
    for change in ({"question": "Another?"}, {"seeds": (0, 9)}, {"stress": StressSpec(perturbations=("hflip",))}):
        later = STUDY.model_copy(update=change)
        assert "feedfeedfeedfeed" in {one.trial_id for one in on_storage(later, source, run)}, change
    for change in ({"folds": (1, 2)}, {"training": STUDY.training.model_copy(update={"epochs": 99})}):
        other = STUDY.model_copy(update=change)
        if change.get("folds"):
            source.folds[2] = source.folds[1]
        assert "feedfeedfeedfeed" not in {one.trial_id for one in on_storage(other, source, run)}, change


def test_of_a_search_that_is_over_nothing_is_left_and_of_one_that_is_not_its_halts_count(source, run, monkeypatch):
    each = Each(basis="b", search_epoch=1.0, confirm_epoch=1.0, testing=1.0, search_bytes=1.0, confirm_bytes=1.0)
    monkeypatch.setattr(forecast_module, "each_costs", lambda *_: each)
    asked = [(0, "done", 4), (1, "halted", 4)]
    lines = []
    for number, state, epochs in asked:
        trial_id = f"{number:016d}"
        one = {"method": "hdf", "phase": "search", "configuration": number, "fold": 1, "seed": 1000, "epochs": epochs}
        lines.append(json.dumps({**one, "trial_id": trial_id}))
        paths = run.unit(trial_id) if state == "done" else run.unit(trial_id).stopped(3)
        write_text(json.dumps({"status": "done" if state == "done" else "stopped", "seconds": 1.0}), paths.record)
    write_text("\n".join(lines) + "\n", run.wanted)
    write_text(dump_study(STUDY), run.study_file)
    found = {one: seen for one, seen in on_storage(STUDY, source, run).items() if one.trial_id.startswith("0000")}
    assert [seen.state for seen in found.values()] == ["done", "halted"]
    assert not is_over(STUDY, run)
    hdf = next(one for one in estimate(STUDY, source, run, found, over=False) if one.method == "hdf")
    assert (hdf.done.search, hdf.done.search_epochs) == (1, 4 + 3)
    assert hdf.left_seconds > 0
    write_text(json.dumps({"state": "finished"}), run.progress)
    assert is_over(STUDY, run)
    hdf = next(one for one in estimate(STUDY, source, run, found, over=True) if one.method == "hdf")
    assert (hdf.count.search, hdf.count.epochs, hdf.done.search) == (2, 4 + 3, 2)
    assert hdf.left_seconds == 0
    assert not is_over(STUDY.model_copy(update={"question": "Another?"}), run)


def test_the_known_trials_are_those_that_the_counts_count(source, run):
    found = on_storage(STUDY, source, run)
    for method, count in counts(STUDY).items():
        mine = [one for one in found if one.method == method]
        if not STUDY.methods[method].search:
            assert len(mine) == count.confirm
            assert sum(one.epochs for one in mine) == count.epochs


@pytest.mark.parametrize(
    ("num_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (2 * 10**12, "2.0 TB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_sizes_are_told_in_powers_of_ten(num_bytes, words):
    assert size(num_bytes) == words


def test_slots_that_would_wait_for_searches_are_told_with_what_keeps_them_busy():
    searched = [("hdf",), ("hdf", "other", "third")]
    one, three = (study_of({"parallel": 8, "configurations": 9}, methods=methods) for methods in searched)
    assert "parallel is 8; of 8 slots some will wait. 12 keeps" in slots_line(one, 8)
    assert slots_line(one.model_copy(update={"search": one.search.model_copy(update={"parallel": 12})}), 8) == ""
    assert slots_line(three, 16) == slots_line(one, 5) == ""
    assert slots_line(one.model_copy(update={"search": None}), 64) == ""
