"""What each method's training clips went through, and which test perturbations are the same or nearly so.

A method that has seen a perturbation in training is not robust to a shift: it was trained on it. Boards name that.
"""

from collections.abc import Iterable
from typing import Any

from harness.report.declarations import DECLARED, said_of
from harness.report.study_results import StudyResults
from harness.stats.suite import Suite

BRIGHTNESS = ("brightness", "brightness_up", "brightness_down", "gamma_bright", "gamma_dark", "overexposure")
CONTRAST = ("contrast", "contrast_up", "contrast_down")
SATURATION = ("desaturate", "oversaturate")
JITTER = (*BRIGHTNESS, *CONTRAST, *SATURATION)
HUE = ("hue", "color_cast", "color_temperature_warm", "color_temperature_cool")
CROP = ("misaligned_crop", "misaligned_crop_loose")
ERASING = ("random_erasing", "random_erasing_drift")
BLUR = ("gaussian_blur", "defocus_blur")
NOISE = ("gaussian_noise", "gaussian_noise_frozen")

OVERLAPS: dict[str, tuple[str, ...]] = {
    "flip": ("hflip",),
    "crop": CROP,
    "rotate": ("roll",),
    "color_jitter": JITTER,
    "brightness": BRIGHTNESS,
    "contrast": CONTRAST,
    "saturation": SATURATION,
    "hue": HUE,
    "grayscale": SATURATION,
    "gaussian_blur": BLUR,
    "motion_blur": ("motion_blur", "camera_shake"),
    "gaussian_noise": NOISE,
    "random_erasing": ERASING,
    "cutout": ERASING,
    "cutmix": ERASING,
    "videomix": ERASING,
    "mixup": (),
    "jpeg": ("jpeg",),
    "perspective": ("perspective",),
    "frame_drop": ("frame_drop", "frame_drop_blank"),
    "temporal_jitter": ("timestamp_jitter",),
    "reverse": ("reverse",),
    "randaugment": (*JITTER, "color_quantization", "roll", "hflip"),
    "autoaugment": (*JITTER, "color_quantization", "roll", "hflip"),
    "augmix": (*JITTER, "color_quantization", "roll"),
    "style_transfer": ("fourier_amplitude_mix", "fourier_low_freq_swap", "style_statistics", "histogram_match"),
    "m3dfel": (*CROP, "hflip", *JITTER, *HUE),
    "former_dfer": (*CROP, "hflip"),
    "ial": (*CROP, "hflip", "roll", *BRIGHTNESS),
    "dfer_clip_dfew": (*CROP, "hflip", *BRIGHTNESS),
    "dfer_clip_ferv39k": (*CROP, "hflip", "roll"),
    "none": (),
}
"""Augmentations, and published recipes of them, with the perturbations that do the same to a clip or nearly so.

A cut-out or pasted rectangle hides part of the face; AutoAugment, RandAugment and AugMix contain posterisation, colour
and rotation (Cubuk et al. 2019 and 2020; Hendrycks et al. 2020). Mixing whole clips (mixup) is no test perturbation.
"""


def own_augmentations(study: dict[str, Any]) -> tuple[str, ...]:
    """What a study file does to training clips: ``clip.augment`` and ``training.mix``."""
    mix = (study.get("training") or {}).get("mix") or {}
    names = (study.get("clip") or {}).get("augment") or ()
    return (*names, *([mix["name"]] if mix else []))


def declared(results: StudyResults) -> dict[str, tuple[str, ...]]:
    """Each compared method's training augmentations, from an entry's manifest or from the study itself."""
    own = own_augmentations(results.study)
    return {method: tuple(said_of(results, method, DECLARED, own) or own) for method in results.outcomes.methods}


def trained_on(results: StudyResults) -> dict[str, str]:
    """The tested perturbations that each method was trained on, for a column of boards."""
    return {method: overlap_text(names, results.suite) for method, names in declared(results).items()}


def overlap(names: Iterable[str], suite: Suite) -> dict[str, tuple[str, ...]]:
    """The tested perturbations that each augmentation resembles; augmentations without any are left out.

    A name that is itself a perturbation or a family of the suite stands for that perturbation or family.
    """
    tested = {entry.condition.perturbation: entry.family for entry in suite.conditions}
    found = {}
    for name in names:
        plain = name.strip().lower().replace("-", "_").replace(" ", "_")
        alike = {*OVERLAPS.get(plain, ()), plain}
        same = sorted(one for one, family in tested.items() if one.lower() in alike or family.lower() == plain)
        if same:
            found[name] = tuple(same)
    return found


def unknown_augmentations(names: Iterable[str], suite: Suite) -> list[str]:
    """Names of which nothing can be said: neither an augmentation of ``OVERLAPS`` nor anything of the suite."""
    known = {*OVERLAPS, *(entry.family for entry in suite.conditions)}
    known |= {entry.condition.perturbation for entry in suite.conditions}
    return [name for name in names if name.strip().lower().replace("-", "_").replace(" ", "_") not in known]


def overlap_text(names: Iterable[str], suite: Suite) -> str:
    """The overlapping perturbations of a method, for a cell of a board: each once, sorted; empty for none."""
    return ", ".join(sorted({one for alike in overlap(names, suite).values() for one in alike}))
