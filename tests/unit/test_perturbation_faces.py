"""Facial regions about supplied landmarks, frosted glass, rubber, and colour statistics in CIELAB."""

import pytest
import torch

from perturbations._apply import key, perturb
from perturbations._contract import ClipShape, Landmarks
from perturbations._donors import COUNT, donor
from perturbations._face import REGIONS, face_size, region
from perturbations._probe import moving_clip
from perturbations._suite import load

SHAPE = ClipShape(4, 64, 64)
WHITE = torch.full((1, 4, 3, 64, 64), 255, dtype=torch.uint8)
ALIGNED = Landmarks((0.32, 0.325), (0.68, 0.325), (0.5, 0.5), (0.38, 0.76), (0.62, 0.76))


def moved(face, right, down):
    return Landmarks(*((x + right, y + down) for x, y in face))


@pytest.mark.parametrize("name", REGIONS)
def test_an_aligned_faces_landmarks_give_the_canonical_regions(name):
    assert region(name, ALIGNED) == pytest.approx(REGIONS[name])


@pytest.mark.parametrize("name", ["eyes", "mouth"])
def test_a_region_follows_the_face(name):
    here, there = region(name, ALIGNED), region(name, moved(ALIGNED, 0.1, -0.05))
    assert there == pytest.approx((here.top - 0.05, here.left + 0.1, here.height, here.width))


def test_halves_meet_at_the_middle_of_a_face_and_fill_the_frame():
    face = moved(ALIGNED, 0.2, 0.0)
    left, right = region("left", face), region("right", face)
    assert left.width == pytest.approx(0.7)
    assert right.left == left.width
    assert left.width + right.width == pytest.approx(1)


def test_only_clips_whose_landmarks_are_known_are_covered_there():
    clips = WHITE.repeat(2, 1, 1, 1, 1)
    keys = [key("occlude_eyes", 5, clip_id, 0) for clip_id in "ab"]
    low = moved(ALIGNED, 0.0, 0.25)
    spoilt = perturb(clips, load("occlude_eyes"), 5, keys, landmarks=[low, None])
    covered = [(clip[0, 0] == 0).any(1).nonzero().flatten().tolist() for clip in spoilt]
    assert covered[0] == [row + 16 for row in covered[1]]
    assert torch.equal(spoilt[1:], perturb(clips[1:], load("occlude_eyes"), 5, keys[1:]))


PROFILES = {
    "eyes close together": Landmarks((0.5, 0.325), (0.52, 0.325), (0.56, 0.5), (0.5, 0.76), (0.52, 0.76)),
    "one eye behind the other": Landmarks((0.5, 0.325), (0.5, 0.325), (0.56, 0.5), (0.5, 0.76), (0.5, 0.76)),
}


@pytest.mark.parametrize("face", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("name", REGIONS)
def test_a_profile_is_covered_as_much_as_a_face_seen_from_the_front(name, face):
    spoilt = perturb(WHITE, load(f"occlude_{name}"), 5, [1], landmarks=[face])
    front = perturb(WHITE, load(f"occlude_{name}"), 5, [1])
    assert (spoilt == 0).sum().item() == pytest.approx((front == 0).sum().item(), rel=0.1)


def test_a_bowed_head_is_as_large_as_its_eyes_are_apart():
    bowed = ALIGNED._replace(left_mouth=(0.4, 0.45), right_mouth=(0.6, 0.45))
    assert face_size(bowed) == pytest.approx(1)
    assert region("eyes", bowed) == pytest.approx(REGIONS["eyes"])


@pytest.mark.parametrize(("right", "down"), [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.85), (0.0, -0.9), (0.9, 0.8)], ids=str)
@pytest.mark.parametrize("name", REGIONS)
def test_a_region_off_the_frame_is_covered_at_its_canonical_place(name, right, down):
    face = moved(ALIGNED, right, down)
    spoilt = perturb(WHITE, load(f"occlude_{name}"), 5, [1], landmarks=[face])
    assert 0 < (spoilt == 0).float().mean() < 0.6
    if right and name != "lower_face":
        assert torch.equal(spoilt, perturb(WHITE, load(f"occlude_{name}"), 5, [1]))


@pytest.mark.parametrize("down", [-0.5, -0.4, -0.3, 0.0, 0.2, 0.3])
@pytest.mark.parametrize("name", REGIONS)
def test_a_region_partly_off_the_frame_is_covered_more_with_severity(name, down):
    face = moved(ALIGNED, 0.25, down)
    spoilt = [perturb(WHITE, load(f"occlude_{name}"), severity, [1], landmarks=[face]) for severity in range(1, 6)]
    covered = [(clip == 0).sum().item() for clip in spoilt]
    assert covered[0] > 0
    assert covered == sorted(set(covered))


def test_landmarks_of_too_few_faces_are_refused():
    with pytest.raises(ValueError, match="landmarks of 0 faces were given for 1 clips"):
        perturb(WHITE, load("occlude_eyes"), 1, [1], landmarks=[])


@pytest.mark.parametrize(
    ("face", "message"),
    [
        (Landmarks(*((64 * x, 64 * y) for x, y in ALIGNED)), "fractions of the frame"),
        (ALIGNED._replace(nose=(float("nan"), 0.5)), "fractions of the frame"),
        (Landmarks(*[(0.5, 0.5)] * 5), r"eyes and mouth are all at \(0\.5, 0\.5\), so the face has no size"),
    ],
)
@pytest.mark.parametrize("name", ["occlude_eyes", "occlude_region", "combined_crop_occlusion"])
def test_landmarks_that_are_no_face_in_the_frame_are_refused(name, face, message):
    with pytest.raises(ValueError, match=message):
        perturb(WHITE, load(name), 5, [1], landmarks=[face])


def test_glass_shows_every_neighbour_within_reach_alike_and_none_beyond():
    glass = load("glass_blur")
    params = glass.draw(2 / 64, 5, SHAPE)
    impulse = {name: value[None] for name, value in params.items()}
    impulse["kernel"] = torch.tensor([[1.0, 0.0]])
    ramp = torch.arange(64, dtype=torch.uint8).expand(1, 4, 3, 64, 64).contiguous()
    away = glass.apply(ramp, impulse)[0, 0, 0, :, 8:56].int() - torch.arange(8, 56)
    # the sum of two even draws over -2 .. 2 is triangular over -4 .. 4, of variance 4
    assert away.abs().max() == 4
    assert away.float().var() == pytest.approx(4, rel=0.1)
    assert away.float().mean() == pytest.approx(0, abs=0.15)


def test_rubber_is_pulled_by_its_level_in_root_mean_square():
    ramp = (2 * torch.arange(112)).to(torch.uint8).expand(1, 1, 3, 112, 112).contiguous()
    clips, shape = ramp.repeat(24, 1, 1, 1, 1), ClipShape(1, 112, 112)
    elastic = load("elastic")
    drawn = [elastic.draw(0.02, number, shape) for number in range(24)]
    params = {name: torch.stack([each[name] for each in drawn]) for name in drawn[0]}
    pulled = (elastic.apply(clips, params)[..., 20:92].float() - ramp[..., 20:92].float()) / 2
    assert pulled.square().mean().sqrt() == pytest.approx(0.02 * 112, rel=0.1)


def test_rubber_is_smooth():
    ramp = (2 * torch.arange(112)).to(torch.uint8).expand(1, 1, 3, 112, 112).contiguous()
    pulled = perturb(ramp, load("elastic"), 5, [3])[0, 0, 0].float()
    assert pulled.diff(dim=0).abs().max() < 0.25 * (pulled - ramp[0, 0, 0]).abs().max()


def test_a_clip_takes_all_of_its_donors_lightness_and_colour_at_the_highest_severity():
    clips = moving_clip(SHAPE)[None] // 4 + 96
    number = next(n for n in range(1000) if load("style_statistics_lab").draw(1.0, n, SHAPE)["host_donor"] == 1)
    assert COUNT > 1
    spoilt = perturb(clips, load("style_statistics_lab"), 5, [number])[0]
    assert mean_lab(spoilt) == pytest.approx(mean_lab(donor(1, 64, 64)[None]), abs=4)


def mean_lab(frames):
    """Mean L, a and b by the formulas of IEC 61966-2-1 and CIE 15, white D65; kornia's are used otherwise."""
    values = frames.permute(0, 2, 3, 1).reshape(-1, 3).double() / 255
    linear = torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ torch.tensor(to_xyz, dtype=torch.float64).T / torch.tensor([0.9505, 1.0, 1.089])
    x, y, z = torch.where(xyz > (6 / 29) ** 3, xyz ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29).unbind(1)
    return [(116 * y - 16).mean().item(), (500 * (x - y)).mean().item(), (200 * (y - z)).mean().item()]
