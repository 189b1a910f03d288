"""What may have a temporal profile, for how long it acts, and how mistakes in asking for one are named."""

import pytest
import torch

from harness.train.conditions import parts
from perturbations._apply import perturb
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._profile import profiled
from perturbations._suite import load, perturbation_files

CLIP = moving_clip(ClipShape(16, 32, 32))
TEMPORAL = [name for name in perturbation_files() if load(name).family.startswith("temporal")]


def changed(member, severity=3, key=9):
    return (perturb(CLIP[None], member, severity, [key])[0] != CLIP).flatten(1).any(1)


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"^No profile named 'peak'\. Known: constant, ramp, burst, apex\.$"):
        getattr(profiled, "__wrapped__", profiled)("fog", "peak")


def test_an_unknown_perturbation_has_no_profile():
    with pytest.raises(ValueError, match="No perturbation named 'nonesuch'"):
        profiled("nonesuch", "burst")


@pytest.mark.parametrize("profile", ["ramp", "burst", "apex"])
@pytest.mark.parametrize("name", [name for name in TEMPORAL if load(name).family != "temporal_light"])
def test_what_chooses_frames_has_no_profile(name, profile):
    with pytest.raises(ValueError, match=rf"^'{name}' has no {profile}: {name} acts on time"):
        profiled(name, profile)


def test_a_combination_with_a_temporal_member_has_no_profile():
    with pytest.raises(ValueError, match=r"^'bad_call' has no burst: frame_rate_reduction acts on time"):
        profiled("bad_call", "burst")


@pytest.mark.parametrize("name", ["flicker", "exposure_pump", "combined_lamp", "h264_crf"])
def test_what_changes_the_picture_of_each_frame_has_one(name):
    acts = changed(profiled(name, "apex"), severity=5)
    assert acts[6:10].any()
    assert not acts[:6].any()
    assert not acts[10:].any()


def test_a_variant_of_a_suite_has_profiles():
    fog, burst = load("imagenet_c.fog"), profiled("imagenet_c.fog", "burst")
    acts = changed(burst)
    assert acts.sum() == 4
    for severity in (2.5, 5):
        spoilt = perturb(CLIP[None], burst, severity, [9])[0]
        assert torch.equal(spoilt[acts], perturb(CLIP[None], fog, severity, [9])[0][acts])
    assert "imagenet_c" in burst.title
    assert "fog" in set().union(*map(parts, burst.made_of))


@pytest.mark.parametrize("profile", ["burst", "apex"])
@pytest.mark.parametrize(("share", "frames"), [(1 / 16, 1), (0.01, 1), (0.125, 2), (0.5, 8), (1.0, 16)])
def test_a_burst_and_an_apex_last_as_long_as_is_asked_for(profile, share, frames):
    acts = changed(profiled("overexposure", profile, share))
    assert acts.sum() == frames
    assert acts.diff().sum() <= 2
    assert f"{profile} of {share:g} of the clip" in profiled("overexposure", profile, share).title


def test_a_quarter_is_what_is_meant_where_no_share_is_given():
    for key in range(5):
        assert torch.equal(
            changed(profiled("overexposure", "burst"), key=key),
            changed(profiled("overexposure", "burst", 0.25), key=key),
        )
    assert profiled("overexposure", "burst", 0.25).title == "Overexposure, burst"


@pytest.mark.parametrize(
    ("name", "profile", "granularity"),
    [
        ("defocus_blur", "burst", "clip"),
        ("defocus_blur", "ramp", "coherent"),
        ("gaussian_noise", "apex", "frame"),
        ("gaussian_noise", "ramp", "frame"),
        ("face_jitter", "burst", "coherent"),
    ],
)
def test_a_profile_draws_as_often_as_its_perturbation_and_a_ramp_moves_smoothly(name, profile, granularity):
    assert profiled(name, profile).granularity == granularity


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="a burst lasts a share of the clip above 0 and up to 1, not"):
        profiled("fog", "burst", share)
