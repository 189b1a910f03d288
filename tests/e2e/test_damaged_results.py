"""Results that were damaged after they were written: no other number, and the same command makes them anew."""

import shutil

from harness.paths import RunPaths

LSTM = {"model": {"name": "resnet18_lstm", "width": 8, "hidden": 8, "layers": 1}}
FRAME = b"\x28\xb5\x2f\xfd"
"""How what Zstandard compressed begins (RFC 8878, section 3.1.1)."""


def spoil(path):
    """Change one bit of a page; the file begins and ends as before."""
    content = bytearray(path.read_bytes())
    content[content.index(FRAME) + 12] ^= 1
    path.write_bytes(content)


def test_a_damaged_page_is_refused_by_reports_and_made_anew_by_a_run(write_study, invoke, tmp_path):
    study, out = write_study(methods={"lstm": LSTM}, search=None), tmp_path / "runs"
    command = ("run", study, "--out", out, "--local", "--plain")
    assert invoke(*command)[0] == 0
    run = RunPaths(out, "small")
    board = run.output("leaderboard.md").read_text()
    first, second = sorted(run.units.glob("[0-9a-f]*"))
    victims = [*first.glob("predictions-test-*"), *second.glob("predictions-audit-v*")]
    before = [path.read_bytes() for path in victims]
    for path in victims:
        spoil(path)
    code, _, said = invoke("report", study, "--out", out)
    assert code == 2
    assert f"{victims[0].name} is damaged: " in said
    assert "Run its study again, which makes it anew" in said
    assert invoke(*command)[0] == 0
    assert [path.read_bytes() for path in victims] == before
    assert run.output("leaderboard.md").read_text() == board
    aside = sorted(path.name for folder in run.units.glob(".*.quarantined-*") for path in folder.glob("*.parquet"))
    assert aside == sorted(path.name for path in victims), "both are found at once, and nothing else is put aside"


def test_a_damaged_evaluation_is_made_anew_here_and_on_the_store(write_study, invoke, tmp_path):
    """The damaged file reaches the store before anybody reads it, and must not come back from there."""
    study, out = write_study(methods={"lstm": LSTM}, search=None, folds=[1]), tmp_path / "runs"
    command = ("run", study, "--out", out, "--local", "--plain")
    assert invoke(*command)[0] == 0
    run = RunPaths(out, "small")
    board = run.output("leaderboard.md").read_text()
    (victim,) = run.units.glob("*/predictions-test-*")
    before = victim.read_bytes()
    spoil(victim)
    assert invoke(*command, "--store", f"file://{tmp_path / 'store'}")[0] == 0
    there = tmp_path / "store" / victim.relative_to(out)
    assert victim.read_bytes() == there.read_bytes() == before
    assert run.output("leaderboard.md").read_text() == board
    assert len(list(run.units.glob(".*.quarantined-*"))) == 1


def test_a_trial_that_another_driver_takes_away_meanwhile_is_made_again(write_study, invoke, tmp_path, monkeypatch):
    from harness.schedule import making

    study, out = write_study(methods={"lstm": LSTM}, search=None), tmp_path / "runs"
    run, times, executed = RunPaths(out, "small"), iter(range(9)), making.run_local

    def disturbed(*args):
        executed(*args)
        if next(times) == 0:
            victim = min(run.units.glob("[0-9a-f]*"))
            victim.rename(victim.with_name(f".{victim.name}.quarantined-now"))

    monkeypatch.setattr(making, "run_local", disturbed)
    code, said, _ = invoke("run", study, "--out", out, "--local", "--plain")
    assert code == 0
    assert "2 trials trained now, 0 found finished" in said
    monkeypatch.setattr(making, "run_local", executed)
    plain = RunPaths(tmp_path / "plain", "small")
    assert invoke("run", study, "--out", plain.root, "--local", "--plain")[0] == 0
    assert run.output("leaderboard.md").read_text() == plain.output("leaderboard.md").read_text()


def test_a_folder_out_of_which_trials_are_taken_for_ever_is_an_error(write_study, invoke, tmp_path, monkeypatch):
    from harness.schedule import making

    study, out = write_study(methods={"lstm": LSTM}, search=None, folds=[1]), tmp_path / "runs"
    executed = making.run_local

    def disturbed(*args):
        executed(*args)
        for victim in (out / "units").glob("[0-9a-f]*"):
            shutil.rmtree(victim)

    monkeypatch.setattr(making, "run_local", disturbed)
    code, _, said = invoke("run", study, "--out", out, "--local", "--plain")
    assert code == 2
    assert "taken out of" in said
