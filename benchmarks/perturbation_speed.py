"""How fast clips are perturbed, beside kornia's classes, torchvision v2 and imagecorruptions.

    OMP_NUM_THREADS=1 python benchmarks/perturbation_speed.py
    OMP_NUM_THREADS=1 python benchmarks/perturbation_speed.py --size 48 --clips 16

prints a Markdown table of clips a second on one CPU thread, in one run: ours from 8-bit clips to 8-bit clips, draws
included; kornia (VideoSequential) and torchvision v2 from float clips to float clips, which spares them the conversion;
imagecorruptions frame by frame, as it is written. Processor time is measured, rounds of the contestants alternate and
the best of each counts, so that a busy machine slows all of them alike. Ratios below one are losses.
"""

import argparse
import importlib.util
import statistics
import time
import warnings
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
    return {
        "gaussian_noise": v2.GaussianNoise(sigma=0.12),
        "gaussian_blur": partial(F.gaussian_blur, kernel_size=[11, 11], sigma=[1.5, 1.5]),
        "brightness_up": partial(F.adjust_brightness, brightness_factor=1.3),
        "contrast_down": partial(F.adjust_contrast, contrast_factor=0.3),
        "desaturate": partial(F.adjust_saturation, saturation_factor=0.4),
        "hue": partial(F.adjust_hue, hue_factor=0.08),
        "gamma_dark": partial(F.adjust_gamma, gamma=2.0),
        "color_quantization": lambda clips: F.posterize((clips * 255).to(torch.uint8), 4),
        "roll": partial(F.rotate, angle=15.0, interpolation=v2.InterpolationMode.BILINEAR),
        "perspective": partial(
            F.perspective,
            startpoints=[[0, 0], [size - 1, 0], [size - 1, size - 1], [0, size - 1]],
            endpoints=[[3, 5], [size - 9, 4], [size - 5, size - 9], [8, size - 6]],
        ),
        "pixelate": lambda clips: F.resize(
            F.resize(clips, [size // 4] * 2, antialias=True), [size] * 2, v2.InterpolationMode.NEAREST
        ),
        "low_resolution": lambda clips: F.resize(
            F.resize(clips, [size // 4] * 2, antialias=True), [size] * 2, v2.InterpolationMode.BICUBIC
        ),
        "random_erasing": partial(F.erase, i=9, j=9, h=size // 2, w=size // 2, v=torch.zeros(3, 1, 1)),
        "jpeg": lambda clips: torch.stack([F.jpeg(frame, 15) for frame in (clips * 255).to(torch.uint8).flatten(0, 1)]),
        "hflip": F.horizontal_flip,
    }


def imagecorruptions_contestants() -> dict[str, Callable[[torch.Tensor], object]]:
    """imagecorruptions, where it is installed."""
    if importlib.util.find_spec("imagecorruptions") is None:
        return {}
    from imagecorruptions import corrupt

    def each(clips: torch.Tensor, name: str) -> list[np.ndarray]:
        frames = (clips * 255).to(torch.uint8).flatten(0, 1).permute(0, 2, 3, 1).contiguous().numpy()
        return [corrupt(frame, severity=3, corruption_name=name) for frame in frames]

    return {ours: partial(each, name=theirs) for ours, theirs in IMAGECORRUPTIONS.items()}


def clips_a_second(contestants: dict[str, Callable[[], object]], clips: int, rounds: int) -> dict[str, float]:
    """The best of several alternating rounds; a contestant that raises is left out (nan)."""
    best = dict.fromkeys(contestants, float("inf"))
    for number in range(rounds + 1):
        for name, work in contestants.items():
            if best[name] is not None and not np.isnan(best[name]):
                best[name] = min(best[name], _seconds(work)) if number else _seconds(work, warm_up=True)
    return {name: clips / seconds for name, seconds in best.items()}


def _seconds(work: Callable[[], object], warm_up: bool = False) -> float:
    start = time.process_time()
    try:
        work()
    except Exception as error:
        warnings.warn(f"left out: {error!r}", stacklevel=2)
        return float("nan")
    return float("inf") if warm_up else time.process_time() - start


def _written(ratio: float) -> str:
    return f"{ratio:.2f}" if np.isfinite(ratio) else "-"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    shape = (arguments.clips, 16, 3, arguments.size, arguments.size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    floats = pixels / 255
    others = {
        "kornia": kornia_contestants(),
        "torchvision": torchvision_contestants(arguments.size),
        "imagecorruptions": imagecorruptions_contestants(),
    }
    names = arguments.only or sorted({name for contestants in others.values() for name in contestants})
    print(f"torch {torch.__version__}, 16x3x{arguments.size}x{arguments.size}, {arguments.clips} clips, 1 thread\n")
    print(f"| perturbation | ours | {' | '.join(others)} | ours / best |\n|:--|" + "--:|" * (len(others) + 2))
    ratios: list[float] = []
    of_corruptions: list[float] = []
    for name in names:
        line = {"ours": partial(perturb, pixels, load(name), 3, list(range(arguments.clips)))}
        line |= {rival: partial(table[name], floats) for rival, table in others.items() if name in table}
        speeds = clips_a_second(line, arguments.clips, arguments.rounds)
        rivals = [speeds[rival] for rival in others if np.isfinite(speeds.get(rival, np.nan))]
        shown = [f"{speeds[rival]:.0f}" if np.isfinite(speeds.get(rival, np.nan)) else "-" for rival in others]
        ratios.append(speeds["ours"] / max(rivals, default=np.nan))
        of_corruptions.append(speeds["ours"] / speeds.get("imagecorruptions", np.nan))
        print(f"| {name} | {speeds['ours']:.0f} | {' | '.join(shown)} | {_written(ratios[-1])} |", flush=True)
    for title, values in (("the best rival", ratios), ("imagecorruptions", of_corruptions)):
        known = [value for value in values if np.isfinite(value)]
        if known:
            print(f"\nGeometric mean of ours / {title} over {len(known)}: {statistics.geometric_mean(known):.1f}")


if __name__ == "__main__":
    main()
