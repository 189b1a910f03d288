"""A perturbation that another package adds is tested, shown and named like one of ours, and never takes its place."""

import pytest
from tiny_clips import textured_frames, write_video

from harness import plugins
from harness.errors import HarnessError
from harness.schedule.data_verbs import gallery_shown
from harness.spec.study import StressSpec
from harness.train.conditions import expand, perturbation

CODE = """
from perturbations._contract import Perturbation

upside_down = Perturbation(
    title="Upside down", family="geometry", unit="a single level", levels=(1.0,) * 5, granularity="clip",
    label_preserving="yes", source="test", draw=lambda level, key, shape: {},
    apply=lambda pixels, params: pixels.flip(-2), keyed=False,
)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes another package's perturbation known under a name."""

    def added(name):
        (tmp_path / "site" / "strange-1.0.dist-info").mkdir(parents=True)
        (tmp_path / "site" / "strange.py").write_text(CODE)
        (tmp_path / "site" / "strange-1.0.dist-info" / "METADATA").write_text("Name: strange\nVersion: 1.0\n")
        (tmp_path / "site" / "strange-1.0.dist-info" / "entry_points.txt").write_text(
            f"[dferbench.perturbations]\n{name} = strange:upside_down\n"
        )
        monkeypatch.syspath_prepend(tmp_path / "site")
        plugins._entry_points.cache_clear()

    yield added
    monkeypatch.undo()
    plugins._entry_points.cache_clear()


def test_it_can_be_named_in_a_study_and_beside_a_suite(install):
    install("upside_down")
    conditions = StressSpec(perturbations=("upside_down",), severities=(1,)).conditions
    assert perturbation(conditions[1].perturbation).title == "Upside down"
    assert list(expand(["validation", "upside_down"]))[-1] == "upside_down"


@pytest.mark.parametrize("small", [False, True])
def test_a_gallery_shows_it(install, tmp_path, small):
    install("upside_down")
    video = tmp_path / "clip.mp4"
    write_video(video, textured_frames(6, size=16, seed=0))
    gallery_shown(["upside_down", "hflip"], video, tmp_path / "gallery", small)
    assert {path.stem for path in (tmp_path / "gallery").iterdir()} >= {"upside_down", "hflip"}


def test_one_of_the_name_of_ours_is_refused(install):
    install("fog")
    with pytest.raises(HarnessError, match=r"'fog' is not the only one of its name: 'strange:upside_down'"):
        perturbation("fog")


def test_a_gallery_of_a_variant_that_a_suite_has_not_is_refused_with_those_it_has(tmp_path):
    with pytest.raises(HarnessError, match=r"no variant 'fig'\. Known: gaussian_noise"):
        gallery_shown(["hflip", "imagenet_c.fig"], None, tmp_path)
