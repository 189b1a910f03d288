"""Results that were damaged after they were written: no other number, and the same command makes them anew."""

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
    assert f"{victims[0].name} is not readable parquet" in said
    assert "Run its study again, which makes it anew" in said
    assert invoke(*command)[0] == 0
    assert [path.read_bytes() for path in victims] == before
    assert run.output("leaderboard.md").read_text() == board
    aside = sorted(path.name for folder in run.units.glob(".*.quarantined-*") for path in folder.glob("*.parquet"))
    assert aside == sorted(path.name for path in victims), "both are found at once, and nothing else is put aside"
