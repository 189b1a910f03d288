"""What a suite's file may say, and how mistakes in it are named."""

import sys
from dataclasses import replace

import pytest
import torch

from harness.cli import main
from harness.errors import HarnessError
from harness.schedule.data_verbs import gallery_shown
from perturbations import _suite
from perturbations._levels import along
from perturbations._published import with_pairs
from perturbations._suite_file import read
from perturbations._trial import try_out

GOOD = """
title: Two.
severities: [1, 3]
source: somebody
perturbations:
  fog:
  rain: [5]
variants:
  snow: {levels: [1, 2, 3, 4, 5], scale: 0.5}
  mist: {of: fog, levels: [5, 4, 3, 2, 1]}
missing:
  hail: hurts
"""


def parsed(tmp_path, text):
    file = tmp_path / "two.yaml"
    file.write_text(text)
    return read(file, _suite.perturbation_files())


def test_a_suites_file_is_read_as_it_is(tmp_path):
    told = parsed(tmp_path, GOOD)
    assert told.perturbations == {"fog": None, "rain": (5,)}
    assert told.variants["mist"].of == "fog"
    assert told.missing == {"hail": "hurts"}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("title: Two.", "", "two.yaml: title: Field required"),
        ("severities: [1, 3]", "severities: [0, 3]", "severities.0: Input should be greater than or equal to 1"),
        ("severities: [1, 3]", "severities: [1, 6]", "severities.1: Input should be less than or equal to 5"),
        ("severities: [1, 3]", "severities: [1.5]", "severities.0: Input should be a valid integer"),
        ("severities: [1, 3]", "severities: [true]", "severities.0: Input should be a valid integer"),
        ("severities: [1, 3]", "severities: [3, 3]", "severities: a severity is given twice"),
        ("severities: [1, 3]", "severities: []", "severities: Tuple should have at least 1 item"),
        ("rain: [5]", "rain: 5", "perturbations.rain: Input should be a valid tuple"),
        ("  rain", "  rian", "two.yaml names perturbations that there are not: rian"),
        ("{of: fog", "{of: fig", "two.yaml names perturbations that there are not: fig"),
        ("perturbations:", "perturbatons:", "perturbatons: Extra inputs are not permitted"),
        ("levels: [1, 2, 3, 4, 5]", "levels: [1, 2, 3]", "variants.snow.levels.3: Field required"),
        (
            "[1, 2, 3, 4, 5], scale: 0.5",
            "[.nan, 2, 3, 4, 5]",
            "variants.snow.levels.0: Input should be a finite number",
        ),
        (
            "[1, 2, 3, 4, 5], scale: 0.5",
            "[1, 2, 3, 4, .inf]",
            "variants.snow.levels.4: Input should be a finite number",
        ),
        ("[1, 2, 3, 4, 5], scale: 0.5", "[-1, 2, 3, 4, 5]", "variants.snow.levels.0: Input should be greater than or"),
        ("[1, 2, 3, 4, 5], scale: 0.5", "[1, 3, 2, 4, 5]", "variants.snow.levels: levels rise and fall"),
        ("[1, 2, 3, 4, 5], scale: 0.5", "[2, 2, 2, 2, 2]", "variants.snow: levels are all the same"),
        ("scale: 0.5", "scale: 0", "variants.snow.scale: Input should be greater than 0"),
        ("scale: 0.5", "scale: .inf", "variants.snow.scale: Input should be a finite number"),
        ("  rain: [5]", "  rain: [5]\n  fog: [2]", "two.yaml, line 8: key 'fog' is given twice"),
        ("title: Two.", "title: Two.\ntitle: Three.", "two.yaml, line 3: key 'title' is given twice"),
        ("source: somebody", "", "say in 'source' where their levels come from"),
        ("missing:", "missing: [", "two.yaml is not YAML"),
    ],
)
def test_a_mistake_in_a_suites_file_is_named_with_its_key(tmp_path, before, after, message):
    text = GOOD.replace(before, after, 1)
    assert text != GOOD
    with pytest.raises(ValueError, match=r"two\.yaml") as error:
        parsed(tmp_path, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("members", ["", "every_file_but: two"])
def test_a_suite_without_members_is_refused(tmp_path, members):
    with pytest.raises(ValueError, match=r"two\.yaml has no members"):
        parsed(tmp_path, f"title: None.\nseverities: [1]\n{members}\n")


def test_an_empty_suites_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"two\.yaml: the file: Input should be a valid dictionary"):
        parsed(tmp_path, "")


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Writes a suite's file where suites are looked for, beside nothing else."""
    (tmp_path / "suites").mkdir()
    files = _suite.perturbation_files()
    monkeypatch.setattr(_suite, "PACKAGE", tmp_path)
    monkeypatch.setattr(_suite, "perturbation_files", lambda: files)
    return lambda name, text: (tmp_path / "suites" / f"{name}.yaml").write_text(f"title: T.\nsource: s\n{text}")


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("low_light: {levels: [0.9, 0.8, 0.7, 0.65, 0.62]}", "at severity 1, level 0.9 is outside 0.2..0.6"),
        ("contrast: {levels: [0.9, 0.8, 0.7, 0.6, 0.55]}", "at severity 1, level 0.9 is outside 0.1..0.5"),
        ("gaussian_noise_burst: {levels: [0.08, 0.12, 0.18, 0.26, 0.38]}", "at severity 4, level 0.26 is outside"),
        ("bad_call: {levels: [1, 2, 3, 4, 6]}", "at severity 5, level 6 is outside 1..5"),
        ("jpeg: {levels: [500, 200, 150, 110, 101]}", "at severity 1, level 500 is outside 1..100"),
        ("h264_crf: {levels: [20, 30, 40, 50, 60]}", "at severity 5, level 60 is outside 0..51"),
        ("shot_noise: {levels: [60, 25, 12, 5, 0]}", "at severity 5, level 0 is outside 0.1..inf"),
        ("color_quantization: {levels: [9, 8, 7, 6, 0]}", "at severity 1, negative shift count"),
        ("rain: {levels: [1, 2, 3, 4, 5], second: [1, 1, 2, 2, 3]}", "Rain has no second parameter"),
    ],
)
def test_levels_beyond_a_perturbations_reach_are_refused_when_the_suite_is_read(put, variant, message):
    put("lab", f"severities: [1]\nvariants:\n  {variant}\n")
    name = variant.partition(":")[0]
    for asked in (lambda: _suite.suite("lab"), lambda: _suite.load(f"lab.{name}")):
        with pytest.raises(ValueError, match=rf"^lab\.yaml: variants\.{name}: ") as error:
            asked()
        assert message in str(error.value)
        assert "\n" not in str(error.value)


def test_a_draw_that_is_not_finite_is_refused():
    broken = replace(_suite.load("fog"), draw=lambda level, key, shape: {"x": torch.tensor(float("nan"))})
    with pytest.raises(ValueError, match=r"^at severity 1, its draw is not finite$"):
        try_out(broken)


def test_variants_within_reach_are_accepted_to_the_ends_of_their_tables(put):
    put("lab", "severities: [1]\nvariants:\n  low_light: {levels: [6, 5, 4, 3, 2], scale: 0.1}\n")
    assert _suite.load("lab.low_light").levels == pytest.approx((0.6, 0.5, 0.4, 0.3, 0.2))


def test_suites_that_leave_out_each_others_members_are_refused(put):
    put("one", "severities: [1]\nevery_file_but: other\n")
    put("other", "severities: [1]\nevery_file_but: one\n")
    with pytest.raises(ValueError, match=r"^other\.yaml: every_file_but: .* one -> other -> one$"):
        _suite.suite("one")


def test_leaving_out_the_members_of_no_suite_is_refused_with_the_file(put):
    put("one", "severities: [1]\nevery_file_but: nothing\n")
    with pytest.raises(ValueError, match=r"^one\.yaml: every_file_but: no suite named 'nothing'\. Known: one\.$"):
        _suite.suite("one")


def test_a_mistake_in_a_suites_file_is_one_line_on_the_command_line(put, monkeypatch, capsys, tmp_path):
    put("lab", "severities: [1]\nvariants:\n  fog: {levels: [3, 1, 2, 9, 0]}\n")
    for wanted in ("lab", "lab.fog"):
        with pytest.raises(HarnessError, match=r"^lab\.yaml: variants\.fog"):
            gallery_shown([wanted], None, tmp_path)
    monkeypatch.setattr(sys, "argv", ["dferbench", "gallery", "lab"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "lab.yaml: variants.fog.levels: levels rise and fall" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("level", [0.9, 0.1, float("nan")])
def test_a_level_outside_a_table_is_refused(level):
    with pytest.raises(ValueError, match=r"is outside 0\.2\.\.0\.6"):
        along(level, (0.6, 0.5, 0.4, 0.3, 0.2), (1, 2, 3, 4, 5))


def test_rounding_puts_no_level_outside_its_table():
    assert along(0.1 + 0.2, (0.1, 0.2, 0.3), (1, 2, 3)) == 3


def test_a_suites_file_is_read_once_however_many_conditions_ask_for_it(monkeypatch):
    seen = []
    monkeypatch.setattr(_suite, "read", lambda *told: seen.append(told) or read(*told))
    _suite._once_read.cache_clear()
    for _ in range(3):
        assert _suite.load("imagenet_c.contrast").levels == (0.4, 0.3, 0.2, 0.1, 0.05)
    assert len(seen) == 1


def test_a_second_parameter_that_a_perturbation_has_not_is_refused():
    with pytest.raises(ValueError, match="Rain has no second parameter"):
        with_pairs(_suite.load("rain"), (1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 1.0, 2.0, 2.0, 2.0))
