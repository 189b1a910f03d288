"""What a machine of a cluster must be able to do before it is given a trial."""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import CollectedError, HarnessError
from harness.schedule.cluster.node_probe import Found, judge, probe, wanted_of


@dataclass
class Machine:
    """A machine's files, as the driver has them."""

    units: Path
    manifest: Path
    pack: Path


@pytest.fixture
def machine(tmp_path) -> Machine:
    (tmp_path / "pack").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    return Machine(tmp_path / "units", tmp_path / "manifest.json", tmp_path / "pack")


def wanted(machine: Machine, *, weights: tuple[str, ...] = (), has_store: bool = False):
    return wanted_of(machine.units, machine.manifest, machine.pack, weights, has_store=has_store)


def test_a_machine_that_shares_the_folders_passes_and_leaves_nothing_behind(machine):
    one = wanted(machine)
    assert judge(one, [probe(one), probe(one)], [])
    assert list(machine.units.iterdir()) == []


def test_a_machine_tidies_what_its_dead_processes_left_half_written_and_nothing_of_others(machine):
    one = wanted(machine)
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = socket.gethostname()
    dead, living, elsewhere = (
        machine.units / f".a.{host}.{pid}.0a.tmp"
        for host, pid in ((here, ended.pid), (here, os.getpid()), (f"not-{here}", ended.pid))
    )
    for folder in (dead, living, elsewhere):
        folder.mkdir()
    probe(one)
    assert [folder.exists() for folder in (dead, living, elsewhere)] == [False, True, True]


def test_every_machine_is_named_with_what_is_wrong_there(machine, tmp_path):
    one = wanted(machine, weights=(str(tmp_path / "x3d.pyth"),))
    machine.manifest.write_text("another")
    machine.pack.rmdir()
    Path(one.marker).unlink()
    found = probe(one)
    with pytest.raises(CollectedError) as error:
        judge(one, [found], ["node-7"])
    for words in (
        "not the driver's folder",
        "manifest",
        "packed clips",
        "x3d.pyth",
        "node-7: did not answer",
        "--store",
    ):
        assert words in str(error.value)
    assert found.host in str(error.value)


def test_with_a_store_a_machine_needs_none_of_the_drivers_files(machine):
    one = wanted(machine, has_store=True)
    Path(one.marker).unlink()
    machine.pack.rmdir()
    assert not judge(one, [probe(one)], [])


def test_a_folder_of_the_same_name_that_is_not_shared_is_found_out(machine):
    one = wanted(machine)
    with pytest.raises(CollectedError, match="is not seen here"):
        judge(one, [Found("elsewhere", (), (), str(machine.units / ".probe-of-another-disk"))], [])


def test_another_version_of_the_program_is_found_out(machine):
    one = wanted(machine)._replace(version="0.0.1")
    assert any("the driver has 0.0.1" in problem for problem in probe(one).problems)


def test_a_runs_folder_that_cannot_be_made_is_a_mistake_in_words(machine, tmp_path):
    (tmp_path / "file").write_text("")
    machine.units = tmp_path / "file" / "units"
    with pytest.raises(HarnessError, match="--out"):
        wanted(machine)


def test_a_disk_that_cannot_be_written_is_named(machine, monkeypatch):
    one = wanted(machine)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert any("No space left" in problem for problem in probe(one).problems)
