"""A runs folder on a store: what is finished here is finished there, and nothing half done is ever taken for whole."""

import hashlib
import json
import shutil
import threading
import uuid
from pathlib import Path

import fsspec
import pytest

from harness.errors import HarnessError
from harness.paths import RunPaths, UnitPaths
from harness.schedule.cluster import remote_folder
from harness.schedule.cluster.mirror import Mirror
from harness.schedule.cluster.remote_folder import RemoteFolder
from harness.train.quarantine import damage, is_sound

FILES = {"trial.json": b"{}", "checkpoint.pt": b"weights" * 9, "predictions-val.txt": b"logits"}


def write_unit(folder: Path, files: dict[str, bytes] = FILES) -> UnitPaths:
    """A finished trial, with the sums of its files in its record."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = {name: {"bytes": len(one), "sha256": hashlib.sha256(one).hexdigest()} for name, one in files.items()}
    (folder / "record.json").write_text(json.dumps({"status": "done", "files": sums}))
    return UnitPaths(folder)


@pytest.fixture(params=["memory", "file"])
def uri(request, tmp_path):
    if request.param == "file":
        yield f"file://{tmp_path / 'store'}"
        return
    where = f"memory://dferbench-{uuid.uuid4().hex}/runs"
    yield where
    memory = fsspec.filesystem("memory")
    for path in memory.find(where.removeprefix("memory:/")):
        memory.rm_file(path)


@pytest.fixture
def here(tmp_path) -> Path:
    return tmp_path / "here"


@pytest.fixture
def other(tmp_path) -> Path:
    return tmp_path / "other"


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_store_that_works_passes_the_check_and_is_left_empty(uri, here):
    Mirror(uri, here).check()
    assert RemoteFolder(uri).sizes("") == {}


def test_a_trial_travels_with_its_weights_only_when_they_are_needed(uri, here, other):
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    mirror = Mirror(uri, other)
    mirror.bring_unit("a")
    there = UnitPaths(other / "units" / "a")
    assert not there.checkpoint.exists()
    assert is_sound(there), "a finished trial whose weights are on the mirror counts as finished"
    assert damage(there, thorough=True), "but its weights cannot be used"
    mirror.bring_unit("a", weights=True)
    assert damage(there, thorough=True) == ""
    assert names(there.folder) == {*FILES, "record.json"}


def test_the_record_is_sent_last(uri, here, monkeypatch):
    write_unit(here / "units" / "a")
    sent = []
    monkeypatch.setattr(RemoteFolder, "send", lambda _, path, name: sent.append(path.name))
    Mirror(uri, here).send_unit("a")
    assert len(sent) == len(FILES) + 1
    assert sent[-1] == "record.json"


def test_a_transfer_that_broke_off_is_not_taken_for_a_finished_trial_and_is_repeated(uri, here, other, monkeypatch):
    write_unit(here / "units" / "a")
    whole, allowed = RemoteFolder.send, iter([True, True, False])

    def breaking(self, path, name):
        if not next(allowed):
            raise KeyboardInterrupt
        whole(self, path, name)

    monkeypatch.setattr(RemoteFolder, "send", breaking)
    with pytest.raises(KeyboardInterrupt):
        Mirror(uri, here).send_unit("a")
    monkeypatch.setattr(RemoteFolder, "send", whole)
    Mirror(uri, other).bring_unit("a")
    assert names(other) == set()
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert is_sound(UnitPaths(other / "units" / "a"))


def test_half_a_file_there_is_replaced(uri, here, other):
    write_unit(here / "units" / "a")
    half = here / "half"
    half.write_bytes(b"wei")
    RemoteFolder(uri).send(half, "units/a/checkpoint.pt")
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert is_sound(UnitPaths(other / "units" / "a"))


def test_an_evaluation_added_later_is_added_on_both_sides_and_nothing_else_is_sent(uri, here, other, monkeypatch):
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a")
    (here / "units" / "a" / "predictions-test.txt").write_bytes(b"more")
    sent = []
    whole = RemoteFolder._tried
    monkeypatch.setattr(RemoteFolder, "_tried", lambda self, act, what: (sent.append(what), whole(self, act, what))[1])
    Mirror(uri, here).send_unit("a")
    assert [what for what in sent if what.startswith("take")] == ["take predictions-test.txt"]
    Mirror(uri, other).bring_unit("a")
    assert (other / "units" / "a" / "predictions-test.txt").read_bytes() == b"more"


def test_a_training_that_is_damaged_there_is_not_brought_and_is_deleted_there(uri, here, other, caplog):
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    spoilt = here / "spoilt"
    spoilt.write_bytes(FILES["predictions-val.txt"][::-1])
    RemoteFolder(uri).send(spoilt, "units/a/predictions-val.txt")
    mirror = Mirror(uri, other)
    mirror.bring_unit("a")
    assert names(other) == set()
    assert RemoteFolder(uri).sizes("units") == {}
    assert "deleted there" in caplog.text
    write_unit(other / "units" / "a")
    mirror.send_unit("a")
    assert set(RemoteFolder(uri).sizes("units")) == {f"units/a/{name}" for name in {*FILES, "record.json"}}


def test_an_evaluation_that_is_damaged_there_is_not_brought_and_the_rest_is(uri, here, other):
    write_unit(here / "units" / "a")
    table = here / "units" / "a" / "predictions-test-v1-x.parquet"
    table.write_bytes(b"PAR1 no table PAR1")
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert names(other / "units" / "a") == {*FILES, "record.json"}
    assert f"units/a/{table.name}" not in RemoteFolder(uri).sizes("units")


def test_a_copy_that_a_network_spoils_once_is_fetched_again(uri, here, other, monkeypatch):
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    fetch, spoil = RemoteFolder.fetch, iter([True])

    def spoilt(self, name, path):
        fetch(self, name, path)
        if name.endswith(".txt") and next(spoil, False):
            path.write_bytes(path.read_bytes()[::-1])

    monkeypatch.setattr(RemoteFolder, "fetch", spoilt)
    Mirror(uri, other).bring_unit("a", weights=True)
    assert names(other / "units" / "a") == {*FILES, "record.json"}
    assert len(RemoteFolder(uri).sizes("units")) == len(FILES) + 1


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_training_made_again_is_sent_whole_however_often_it_breaks_off(cut, uri, here, other, monkeypatch):
    """Of equal sizes and another content: nothing of the older one may be left under the newer one's record."""
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    changed = {name: content[::-1] for name, content in FILES.items()} | {"predictions-val.txt": b"logits again"}
    shutil.rmtree(here / "units" / "a")
    write_unit(here / "units" / "a", changed)
    whole, allowed = RemoteFolder.send, iter([True] * (cut - 1) + [False])

    def breaking(self, path, name):
        if not next(allowed, True):
            raise KeyboardInterrupt
        whole(self, path, name)

    monkeypatch.setattr(RemoteFolder, "send", breaking)
    with pytest.raises(KeyboardInterrupt):
        Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert names(other) == set(), "half of it is nothing"
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert {name: (other / "units" / "a" / name).read_bytes() for name in FILES} == changed


def test_nothing_of_another_training_is_added_to_the_one_that_is_here(uri, here, other):
    write_unit(here / "units" / "a", {**FILES, "predictions-val.txt": b"logits again", "more.txt": b"more"})
    Mirror(uri, here).send_unit("a")
    write_unit(other / "units" / "a")
    Mirror(uri, other).bring_unit("a", weights=True)
    assert names(other / "units" / "a") == {*FILES, "record.json"}
    assert is_sound(UnitPaths(other / "units" / "a"))


def test_the_state_of_an_unfinished_training_travels_and_goes_when_it_ends(uri, here, other):
    (here / "units").mkdir(parents=True)
    UnitPaths(here / "units" / "a").resume.write_bytes(b"epoch 7")
    Mirror(uri, here).send_unit("a")
    Mirror(uri, other).bring_unit("a")
    assert names(other) == set(), "nobody needs it who does not train"
    Mirror(uri, other).bring_unit("a", weights=True)
    assert UnitPaths(other / "units" / "a").resume.read_bytes() == b"epoch 7"
    write_unit(here / "units" / "a")
    Mirror(uri, here).send_unit("a")
    assert not [name for name in RemoteFolder(uri).sizes("units") if name.endswith(".resume.pt")]


def test_the_states_of_trainings_that_a_search_gave_up_go_and_their_halts_stay(uri, here):
    for trial_id in ("a", "b"):
        halt = UnitPaths(here / "units" / trial_id).stopped(1)
        halt.folder.mkdir(parents=True)
        halt.record.write_text("{}")
        UnitPaths(here / "units" / trial_id).resume.write_bytes(b"epoch 1")
        Mirror(uri, here).send_unit(trial_id)
    Mirror(uri, here).forget_states(["a", "c"])
    left = {"units/a.stopped/epoch-1/record.json", "units/b.stopped/epoch-1/record.json", "units/b.resume.pt"}
    assert set(RemoteFolder(uri).sizes("units")) == left


def test_unfinished_folders_stay_here(uri, here):
    write_unit(here / "units" / "a")
    (here / "units" / "a" / ".hidden.tmp").write_text("half")
    Mirror(uri, here).send_unit("a")
    assert not [name for name in RemoteFolder(uri).sizes("units") if "hidden" in name]


def test_a_study_on_a_new_machine_finds_its_trials_and_its_longer_journal(uri, here, other):
    write_unit(here / "units" / "a")
    run = RunPaths(here, "mine")
    run.folder.mkdir()
    run.journal.write_text("one\ntwo\n")
    run.wanted.write_text(json.dumps({"trial_id": "a"}) + "\n" + json.dumps({"trial_id": "b"}) + "\n")
    mirror = Mirror(uri, here)
    mirror.send_unit("a")
    mirror.send_study(run)
    new = RunPaths(other, "mine")
    new.folder.mkdir(parents=True)
    new.journal.write_text("one\n")
    Mirror(uri, other).bring_study(new)
    assert new.journal.read_text() == "one\ntwo\n"
    assert UnitPaths(other / "units" / "a").record.exists()
    new.journal.write_text("one\ntwo\nthree\n")
    Mirror(uri, other).bring_study(new)
    assert new.journal.read_text().endswith("three\n"), "what is longer here stays"


def test_inputs_reach_a_machine_that_shares_nothing(uri, here, tmp_path):
    pack = tmp_path / "cache" / "pack-1"
    (pack / "part").mkdir(parents=True)
    (pack / "part" / "pixels").write_bytes(b"rgb")
    manifest = tmp_path / "manifest.json"
    manifest.write_text("old")
    Mirror(uri, here).send_inputs([manifest], pack)
    manifest.write_text("changed")
    Mirror(uri, here).send_inputs([manifest], pack)
    far = tmp_path / "far"
    Mirror(uri, far).bring_input(far / "manifest.json")
    Mirror(uri, far).bring_input(far / "pack-1")
    assert (far / "manifest.json").read_text() == "changed"
    assert (far / "pack-1" / "part" / "pixels").read_bytes() == b"rgb"
    assert names(far) == {"manifest.json", "pack-1/part/pixels"}


def test_a_network_that_stumbles_is_tried_again_and_one_that_stays_down_is_named(uri, monkeypatch):
    monkeypatch.setattr(remote_folder, "PAUSE_SECONDS", 0.0)
    folder, failures = RemoteFolder(uri), iter([OSError("reset"), OSError("reset")])

    def stumble() -> str:
        for failure in failures:
            raise failure
        return "there"

    assert folder._tried(stumble, "be read") == "there"

    def down() -> None:
        raise OSError("no route")

    with pytest.raises(HarnessError, match=r"cannot be read: no route"):
        folder._tried(down, "be read")


def test_a_place_that_nothing_can_reach_is_a_mistake_in_words(here):
    with pytest.raises(HarnessError, match=r"--store nowhere://x"):
        Mirror("nowhere://x", here)


def test_a_store_that_may_not_be_written_is_named_before_anything_is_trained(tmp_path, here, monkeypatch):
    monkeypatch.setattr(remote_folder, "PAUSE_SECONDS", 0.0)
    (tmp_path / "store").write_text("a file where a folder should be")
    with pytest.raises(HarnessError, match="--store"):
        Mirror(f"file://{tmp_path / 'store'}", here).check()


@pytest.mark.uses_global_rng
def test_the_same_on_a_server_that_speaks_s3(here, other, monkeypatch):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    monkeypatch.setattr(remote_folder, "PAUSE_SECONDS", 0.0)
    try:
        host, port = server.get_host_and_port()
        for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        fsspec.filesystem("s3").mkdir("bucket")
        mirror = Mirror("s3://bucket/runs", here)
        mirror.check()
        write_unit(here / "units" / "a")
        mirror.send_unit("a")
        Mirror("s3://bucket/runs", other).bring_unit("a", weights=True)
        assert is_sound(UnitPaths(other / "units" / "a"))
        with pytest.raises(HarnessError, match="s3://absent/runs"):
            Mirror("s3://absent/runs", here).check()
        assert fsspec.filesystem("s3").ls("") == ["bucket"], "no bucket is made that nobody asked for"
    finally:
        server.stop()


def test_a_small_file_that_is_written_again_and_again_is_never_seen_half_written(uri):
    there, contents = RemoteFolder(uri), [bytes([number]) * 100_000 for number in range(3)]
    there.write("claim", contents[0])
    ended = threading.Event()

    def write():
        for content in contents * 30:
            there.write("claim", content)
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    while not ended.is_set():
        seen.add(there.read("claim"))
    thread.join()
    assert seen <= set(contents)
    assert list(there.sizes("")) == ["claim"]
