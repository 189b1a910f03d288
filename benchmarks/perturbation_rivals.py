"""Other libraries' operations at the parameters of our severity 3, for ``perturbation_speed.py``.

Rivals are read twice: from 8-bit to 8-bit clips (natively where they take bytes, as torchvision does; else with both
conversions, as their user has to write them), and from float to float clips, which spares them the conversions and
keeps their values between the 8-bit steps. torchvision, which makes one draw for all that it is given, gets the clips
one by one where ours draws for each. imagecorruptions works on 8-bit frames, one by one.
"""

import importlib.util
from collections.abc import Callable
from functools import partial

import kornia.augmentation as K
import numpy as np
import torch
from kornia.augmentation import VideoSequential
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from perturbations._apply import perturb
from perturbations._suite import load

IMAGECORRUPTIONS = {
    "gaussian_noise": "gaussian_noise",
    "shot_noise": "shot_noise",
    "impulse_noise": "impulse_noise",
    "speckle_noise": "speckle_noise",
    "gaussian_blur": "gaussian_blur",
    "defocus_blur": "defocus_blur",
    "motion_blur": "motion_blur",
    "zoom_blur": "zoom_blur",
    "fog": "fog",
    "snow": "snow",
    "spatter": "spatter",
    "brightness_up": "brightness",
    "contrast_down": "contrast",
    "oversaturate": "saturate",
    "pixelate": "pixelate",
    "jpeg": "jpeg_compression",
}


DRAWN_FOR_EACH = {"misaligned_crop", "perspective", "random_erasing", "roll"}
"""Where torchvision has to be called once a clip, as a draw for each clip demands."""


def _kornia(module: torch.nn.Module, same_on_frame: bool = True) -> Callable[[torch.Tensor], torch.Tensor]:
    return VideoSequential(module, data_format="BTCHW", same_on_frame=same_on_frame)


def kornia_contestants() -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Kornia's classes at the parameters of severity 3 at 112 px."""
    return {
        "gaussian_noise": _kornia(K.RandomGaussianNoise(std=0.12, p=1.0), same_on_frame=False),
        "gaussian_noise_frozen": _kornia(K.RandomGaussianNoise(std=0.12, p=1.0)),
        "impulse_noise": _kornia(K.RandomSaltAndPepperNoise(amount=0.05, p=1.0), same_on_frame=False),
        "gaussian_blur": _kornia(K.RandomGaussianBlur((11, 11), (1.5, 1.5), p=1.0)),
        "motion_blur": _kornia(K.RandomMotionBlur(9, (0.0, 180.0), 0.0, border_type="reflect", p=1.0)),
        "brightness_up": _kornia(K.RandomBrightness((1.3, 1.3), p=1.0)),
        "oversaturate": _kornia(K.RandomSaturation((3.0, 3.0), p=1.0)),
        "hue": _kornia(K.RandomHue((0.08, 0.08), p=1.0)),
        "gamma_dark": _kornia(K.RandomGamma((2.0, 2.0), (1.0, 1.0), p=1.0)),
        "color_quantization": _kornia(K.RandomPosterize((4.0, 4.0), p=1.0)),
        "color_cast": _kornia(K.RandomRGBShift(0.15, 0.15, 0.15, p=1.0)),
        "color_temperature_warm": _kornia(K.RandomPlanckianJitter("blackbody", select_from=[3], p=1.0)),
        "side_light": _kornia(K.RandomLinearIllumination(gain=(0.3, 0.3), p=1.0)),
        "cast_shadow": _kornia(K.RandomPlasmaShadow(p=1.0)),
        "roll": _kornia(K.RandomRotation((15.0, 15.0), p=1.0)),
        "perspective": _kornia(K.RandomPerspective(0.3, p=1.0)),
        "misaligned_crop": _kornia(K.RandomAffine(0.0, scale=(1.4, 1.4), padding_mode="border", p=1.0)),
        "random_erasing": _kornia(K.RandomErasing((0.2, 0.2), p=1.0)),
        "jpeg": _kornia(K.RandomJPEG((15.0, 15.0), p=1.0)),
        "rain": _kornia(K.RandomRain((65, 65), (20, 20), (-5, 5), p=1.0)),
        "snow": _kornia(K.RandomSnow((0.5, 0.5), (2.0, 2.0), p=1.0)),
        "hflip": _kornia(K.RandomHorizontalFlip(p=1.0)),
    }


def torchvision_contestants(size: int) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """Torchvision v2 at the parameters of severity 3; one draw for all clips, as it works."""
    coarse = partial(F.resize, size=[size // 4] * 2, antialias=True)
    return {
        "gaussian_noise": v2.GaussianNoise(sigma=0.12),
        "gaussian_blur": partial(F.gaussian_blur, kernel_size=[11, 11], sigma=[1.5, 1.5]),
        "brightness_up": partial(F.adjust_brightness, brightness_factor=1.3),
        "contrast_down": partial(F.adjust_contrast, contrast_factor=0.3),
        "desaturate": partial(F.adjust_saturation, saturation_factor=0.4),
        "hue": partial(F.adjust_hue, hue_factor=0.08),
        "gamma_dark": partial(F.adjust_gamma, gamma=2.0),
        "color_quantization": partial(F.posterize, bits=4),
        "roll": partial(F.rotate, angle=15.0, interpolation=v2.InterpolationMode.BILINEAR),
        "perspective": partial(
            F.perspective,
            startpoints=[[0, 0], [size - 1, 0], [size - 1, size - 1], [0, size - 1]],
            endpoints=[[3, 5], [size - 9, 4], [size - 5, size - 9], [8, size - 6]],
        ),
        "misaligned_crop": partial(
            F.affine, angle=0.0, translate=[6, 9], scale=1.4, shear=[0.0], interpolation=v2.InterpolationMode.BILINEAR
        ),
        "pixelate": lambda clips: F.resize(coarse(clips), [size] * 2, v2.InterpolationMode.NEAREST),
        "low_resolution": lambda clips: F.resize(coarse(clips), [size] * 2, v2.InterpolationMode.BICUBIC),
        "random_erasing": v2.RandomErasing(p=1.0, scale=(0.2, 0.2), ratio=(0.5, 2.0)),
        "jpeg": _torchvision_jpeg,
        "hflip": v2.RandomHorizontalFlip(p=1.0),
    }


def _torchvision_jpeg(clips: torch.Tensor) -> torch.Tensor:
    """A real codec, which takes bytes only, frame by frame."""
    frames = (clips if clips.dtype == torch.uint8 else (clips * 255).to(torch.uint8)).flatten(0, 1)
    return torch.stack([F.jpeg(frame, 15) for frame in frames])


def imagecorruptions_contestants() -> dict[str, Callable[[torch.Tensor], object]]:
    """imagecorruptions, where it is installed; from and to 8-bit frames."""
    if importlib.util.find_spec("imagecorruptions") is None:
        return {}
    from imagecorruptions import corrupt

    def each(clips: torch.Tensor, name: str) -> list[np.ndarray]:
        frames = clips.flatten(0, 1).permute(0, 2, 3, 1).contiguous().numpy()
        return [corrupt(frame, severity=3, corruption_name=name) for frame in frames]

    return {ours: partial(each, name=theirs) for ours, theirs in IMAGECORRUPTIONS.items()}


def in_bytes(spoil: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """An operation on floats in [0, 1], as one who holds 8-bit clips has to use it."""

    def converted(pixels: torch.Tensor) -> torch.Tensor:
        return spoil(pixels / 255).mul_(255).round_().clamp_(0, 255).to(torch.uint8)

    return converted


def one_by_one(spoil: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """An operation that draws once a call, as one who wants a draw for each clip has to use it."""
    return lambda pixels: torch.stack([spoil(clip) for clip in pixels])


def takes_bytes(spoil: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor) -> bool:
    """Whether an operation gives 8-bit clips for 8-bit clips by itself."""
    try:
        return spoil(pixels[:1]).dtype == torch.uint8
    except (RuntimeError, TypeError, ValueError):
        return False


def line_up(pixels: torch.Tensor) -> dict[str, dict[str, Callable[[], object]]]:
    """Every contestant of every perturbation, ready to run, under the column that it is shown in."""
    floats = pixels / 255
    lines: dict[str, dict[str, Callable[[], object]]] = {}
    for rival, table in (("kornia", kornia_contestants()), ("torchvision", torchvision_contestants(pixels.shape[-1]))):
        for name, spoil in table.items():
            whole = spoil if takes_bytes(spoil, pixels) else in_bytes(spoil)
            if rival == "torchvision" and name in DRAWN_FOR_EACH:
                whole = one_by_one(whole)
            lines.setdefault(name, {}).update(
                {rival: partial(whole, pixels), f"{rival} in floats": partial(spoil, floats)}
            )
    for name, corrupt in (imagecorruptions_contestants() if pixels.is_cpu else {}).items():
        lines.setdefault(name, {})["imagecorruptions"] = partial(corrupt, pixels)
    keys = list(range(len(pixels)))
    return {name: {"ours": partial(perturb, pixels, load(name), 3, keys), **lines[name]} for name in sorted(lines)}
