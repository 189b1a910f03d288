"""kornia's augmentations as perturbations: a draw for each clip or each frame, whatever else is in the batch."""

import kornia.augmentation as augmentations
import pytest
import torch

from perturbations._apply import perturb
from perturbations._contract import ClipShape, Perturbation
from perturbations._kornia import KorniaAugmentation
from perturbations._probe import static_clip

SHAPE = ClipShape(frames=5, height=32, width=28)
CLIPS = torch.stack([static_clip(SHAPE, key=index) for index in range(3)])
JITTER = {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.2}
OPTIONS = {
    "ColorJiggle": JITTER,
    "ColorJitter": JITTER,
    "RandomAffine": {"degrees": 20.0},
    "RandomBrightness": {"brightness": (0.5, 1.5)},
    "RandomChannelDropout": {},
    "RandomChannelShuffle": {},
    "RandomCrop": {"size": (32, 28), "padding": 3},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomGaussianBlur": {"kernel_size": 5, "sigma": (0.5, 2.0)},
    "RandomGaussianNoise": {},
    "RandomJPEG": {},
    "RandomMotionBlur": {"kernel_size": 5, "angle": 30.0, "direction": 0.5},
    "RandomPerspective": {},
    "RandomPlasmaShadow": {},
    "RandomRain": {"number_of_drops": (10, 20), "drop_height": (3, 5), "drop_width": (-3, 3)},
    "RandomResizedCrop": {"size": (32, 28)},
    "RandomSaltAndPepperNoise": {},
    "RandomSharpness": {"sharpness": 0.5},
    "RandomThinPlateSpline": {},
}


def adapted(name, *, same_on_frame):
    def make(level):
        return getattr(augmentations, name)(p=1.0, **OPTIONS[name])

    adapter = KorniaAugmentation(make, same_on_frame=same_on_frame)
    return Perturbation(
        title=name,
        family="kornia",
        unit="",
        levels=(1.0, 2.0, 3.0, 4.0, 5.0),
        granularity="clip" if same_on_frame else "frame",
        label_preserving="yes",
        source="kornia",
        draw=adapter.draw,
        apply=adapter.apply,
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_a_draw_for_the_clip_spoils_all_of_its_frames_alike(name):
    spoilt = perturb(CLIPS, adapted(name, same_on_frame=True), 3, [1, 2, 3])
    assert torch.equal(spoilt, spoilt[:, :1].expand(spoilt.shape))
    assert not torch.equal(spoilt, CLIPS)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_draw_for_each_frame_spoils_them_differently(name):
    spoilt = perturb(CLIPS, adapted(name, same_on_frame=False), 3, [1, 2, 3])
    assert not torch.equal(spoilt, spoilt[:, :1].expand(spoilt.shape))


@pytest.mark.parametrize("same_on_frame", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_clip_is_spoilt_alike_in_any_batch(name, same_on_frame):
    member = adapted(name, same_on_frame=same_on_frame)
    together = perturb(CLIPS, member, 3, [1, 2, 3])
    assert torch.equal(perturb(CLIPS[[2, 0]], member, 3, [3, 1]), together[[2, 0]])


def test_no_devices_generator_is_seeded(monkeypatch):
    seeded = []
    for device in (torch.cuda, torch.xpu, torch.mtia):
        monkeypatch.setattr(device, "manual_seed_all", seeded.append)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
    assert seeded, "torch no longer seeds other devices this way, and this test sees nothing"
    seeded.clear()
    perturb(CLIPS, adapted("RandomGaussianNoise", same_on_frame=True), 3, [1, 2, 3])
    assert not seeded
