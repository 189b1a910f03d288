"""What a suite's file may say, and how mistakes in it are named."""

import pytest

from perturbations import _suite
from perturbations._published import with_pairs
from perturbations._suite_file import read

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
        ("severities: [1, 3]", "severities: [3, 3]", "severities: Value error, a severity is given twice"),
        ("severities: [1, 3]", "severities: []", "severities: Tuple should have at least 1 item"),
        ("rain: [5]", "rain: 5", "perturbations.rain: Input should be a valid tuple"),
        ("  rain", "  rian", "two.yaml names perturbations that there are not: rian"),
        ("{of: fog", "{of: fig", "two.yaml names perturbations that there are not: fig"),
        ("perturbations:", "perturbatons:", "perturbatons: Extra inputs are not permitted"),
        ("levels: [1, 2, 3, 4, 5]", "levels: [1, 2, 3]", "variants.snow.levels.3: Field required"),
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


def test_a_suites_file_is_read_once_however_many_conditions_ask_for_it(monkeypatch):
    seen = []
    monkeypatch.setattr(_suite, "read", lambda *told: seen.append(told) or read(*told))
    _suite._once_read.cache_clear()
    for _ in range(3):
        assert _suite.load("imagenet_c.zoom_blur").levels == (1.11, 1.16, 1.21, 1.26, 1.31)
    assert len(seen) == 1


def test_a_second_parameter_that_a_perturbation_has_not_is_refused():
    with pytest.raises(ValueError, match="Rain has no second parameter"):
        with_pairs(_suite.load("rain"), (1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 1.0, 2.0, 2.0, 2.0))
