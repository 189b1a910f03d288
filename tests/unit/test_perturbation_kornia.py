"""kornia's augmentations as perturbations: a draw for each clip or each frame, whatever else is in the batch."""

import kornia.augmentation as augmentations
import pytest
import torch
from kornia.augmentation.auto import AutoAugment, RandAugment, TrivialAugment
from kornia.filters import GaussianBlur2d

from perturbations._apply import perturb
from perturbations._contract import ClipShape, Perturbation
from perturbations._kornia import KorniaAugmentation
from perturbations._probe import moving_clip, static_clip

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
CONTAINED = (("RandomChannelDropout", {}), ("ColorJiggle", JITTER), ("RandomGaussianNoise", {}))
"""A class whose draw for a clip does not reach all of its frames in kornia's VideoSequential, one with a draw for the
whole batch, and one whose draw is as large as the batch."""


def contained():
    return [getattr(augmentations, name)(p=1.0, **options) for name, options in CONTAINED]


CONTAINERS = {
    "VideoSequential": lambda same: augmentations.VideoSequential(*contained(), same_on_frame=same),
    "VideoSequential, channels first": lambda same: augmentations.VideoSequential(
        *contained(), same_on_frame=same, data_format="BCTHW"
    ),
    "ImageSequential": lambda same: augmentations.ImageSequential(*contained()),
    "ImageSequential, two at random": lambda same: augmentations.ImageSequential(*contained(), random_apply=2),
    "ImageSequential of a filter": lambda same: augmentations.ImageSequential(
        GaussianBlur2d((3, 3), (1.0, 1.0)), *contained()
    ),
    "ImageSequential, nested": lambda same: augmentations.ImageSequential(
        augmentations.ImageSequential(*contained()), augmentations.RandomJigsaw((2, 2), p=1.0)
    ),
    "ImageSequential, resized": lambda same: augmentations.ImageSequential(
        augmentations.RandomCrop((16, 16), p=1.0), augmentations.Resize((32, 28), p=1.0)
    ),
    "AugmentationSequential": lambda same: augmentations.AugmentationSequential(*contained(), data_keys=["input"]),
    "RandAugment": lambda same: RandAugment(3, 20),
    "TrivialAugment": lambda same: TrivialAugment(),
}


def adapted(name, *, same_on_frame):
    def make(level):
        if name in CONTAINERS:
            return CONTAINERS[name](same_on_frame)
        return getattr(augmentations, name)(p=1.0, **OPTIONS[name])

    return perturbed_by(make, name, same_on_frame=same_on_frame)


def perturbed_by(make, name, *, same_on_frame, whole_batch=False):
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
        whole_batch=whole_batch,
    )


@pytest.mark.parametrize("name", [*OPTIONS, *CONTAINERS])
def test_a_draw_for_the_clip_spoils_all_of_its_frames_alike(name):
    spoilt = perturb(CLIPS, adapted(name, same_on_frame=True), 3, [1, 2, 3])
    assert torch.equal(spoilt, spoilt[:, :1].expand(spoilt.shape))
    assert not torch.equal(spoilt, CLIPS)


@pytest.mark.parametrize("name", [*OPTIONS, *CONTAINERS])
def test_a_draw_for_each_frame_spoils_them_differently(name):
    spoilt = perturb(CLIPS, adapted(name, same_on_frame=False), 3, [1, 2, 3])
    assert not torch.equal(spoilt, spoilt[:, :1].expand(spoilt.shape))


@pytest.mark.parametrize("same_on_frame", [True, False])
@pytest.mark.parametrize("name", [*OPTIONS, *CONTAINERS])
def test_a_clip_is_spoilt_alike_in_any_batch(name, same_on_frame):
    member = adapted(name, same_on_frame=same_on_frame)
    together = perturb(CLIPS, member, 3, [1, 2, 3])
    assert torch.equal(perturb(CLIPS[[2, 0]], member, 3, [3, 1]), together[[2, 0]])


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_leaves_every_global_generator_as_it_was_and_repeats_its_draw(name):
    member = adapted(name, same_on_frame=True)
    assert torch.equal(perturb(CLIPS, member, 3, [1, 2, 3]), perturb(CLIPS, member, 3, [1, 2, 3]))
    assert not torch.equal(perturb(CLIPS, member, 3, [4, 5, 6]), perturb(CLIPS, member, 3, [1, 2, 3]))


def test_a_channel_dropped_for_a_clip_is_dropped_in_all_of_its_frames():
    member = perturbed_by(
        lambda level: augmentations.VideoSequential(augmentations.RandomChannelDropout(p=1.0)), "", same_on_frame=True
    )
    dropped = (perturb(CLIPS, member, 3, [1, 2, 3]) == 0).flatten(3).all(3)
    assert dropped.sum(2).eq(1).all()


def test_a_module_of_volumes_is_given_the_clip_with_time_as_its_depth():
    moving = torch.stack([moving_clip(SHAPE, key=index) for index in range(2)])
    for name, axis in {"RandomDepthicalFlip3D": 1, "RandomVerticalFlip3D": 3, "RandomHorizontalFlip3D": 4}.items():
        member = perturbed_by(lambda level, name=name: getattr(augmentations, name)(p=1.0), name, same_on_frame=True)
        assert torch.equal(perturb(moving, member, 3, [1, 2]), moving.flip(axis)), name


REFUSED = {
    "RandomMixUpV2 mixes the images": lambda: augmentations.RandomMixUpV2(p=1.0),
    "RandomCutMixV2 mixes the images": lambda: augmentations.RandomCutMixV2(p=1.0, use_correct_lambda=True),
    "RandomMosaic mixes the images": lambda: augmentations.RandomMosaic((32, 28), p=1.0),
    "PatchMix mixes the images": lambda: augmentations.ImageSequential(augmentations.PatchMix(p=1.0)),
    "RandomBrightness is applied with chance 0.5": lambda: augmentations.RandomBrightness((0.2, 0.3), p=0.5),
    "RandomGamma is applied with chance 0.5": lambda: augmentations.ImageSequential(augmentations.RandomGamma(p=0.5)),
    "RandomPosterize is applied with chance 0.4": AutoAugment,
    "may choose none of its modules": lambda: augmentations.ImageSequential(*contained(), random_apply=(0, 2)),
    "CenterCrop makes 5 frames of 16 x 16 from 5 of 32 x 28": lambda: augmentations.CenterCrop(16, p=1.0),
    "Resize makes 5 frames of 20 x 20": lambda: augmentations.Resize((20, 20), p=1.0),
    "PadTo makes 5 frames of 40 x 40": lambda: augmentations.PadTo((40, 40)),
    "PatchSequential draws for patches": lambda: augmentations.PatchSequential(
        augmentations.RandomBrightness(p=1.0), patchwise_apply=False
    ),
    "RandomHorizontalFlip3D takes whole clips": lambda: augmentations.ImageSequential(
        augmentations.RandomHorizontalFlip3D(p=1.0)
    ),
    "VideoSequential takes whole clips": lambda: augmentations.AugmentationSequential(
        augmentations.VideoSequential(*contained()), data_keys=["input"]
    ),
    "AugmentationSequential wants more than clips": lambda: augmentations.AugmentationSequential(
        *contained(), data_keys=["input", "mask"]
    ),
    "draws anew for each frame in ImageSequential": lambda: augmentations.VideoSequential(
        augmentations.ImageSequential(*contained())
    ),
    "VideoSequential has same_on_frame=False": lambda: augmentations.VideoSequential(*contained(), same_on_frame=False),
    "Identity is no augmentation": torch.nn.Identity,
}


@pytest.mark.parametrize("whole_batch", [True, False])
@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_a_perturbation_is_refused_in_a_sentence_with_its_name(message, whole_batch):
    member = perturbed_by(lambda level: REFUSED[message](), "", same_on_frame=True, whole_batch=whole_batch)
    with pytest.raises(ValueError, match=message) as error:
        perturb(CLIPS, member, 3, [1, 2, 3])
    assert "\n" not in str(error.value)


def test_a_module_of_volumes_has_no_draw_for_each_frame():
    member = perturbed_by(lambda level: augmentations.RandomHorizontalFlip3D(p=1.0), "", same_on_frame=False)
    with pytest.raises(ValueError, match=r"RandomHorizontalFlip3D takes a clip as a whole; give same_on_frame=True"):
        perturb(CLIPS, member, 3, [1, 2, 3])


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
