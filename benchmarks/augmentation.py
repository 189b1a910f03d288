"""What training augmentation costs, beside other ways of doing it, as ratios in one run.

    python benchmarks/augmentation.py [--batch 8] [--rounds 9] [--device cpu]

A batch of clips of 16 frames of 112 pixels goes through each recipe: by ``harness.train.augment`` (kornia's functions
with a draw per clip); by the same arithmetic written out in plain torch (where there is such a form: crop, flip and
jitter as the harness had them before); and by torchvision's v2 functions, a clip at a time. Draws are part of all of
them. Times are CPU seconds of one thread (wall seconds on a GPU); the ways take turns, the median round counts, and the
range over rounds is printed. All three give the same clips to within the tolerances that the tests state.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import functional as tv

from harness.seeds import derive
from harness.train.augment import augment
from harness.train.augment_recipes import Draw, draw, recipe_of

FRAMES, SIZE = 16, 112
RECIPES = (("crop", "flip"), ("crop", "flip", "color_jitter"), ("former_dfer",), ("ial",), ("m3dfel",))


def draws_of(names: tuple[str, ...], ids: list[str], epoch: int) -> list[Draw]:
    """The draws that ``augment`` makes."""
    import numpy as np

    return [draw(recipe_of(names), np.random.default_rng(derive(0, "augment", epoch, i))) for i in ids]


def with_torch(clips: Tensor, names: tuple[str, ...], epoch: int, ids: list[str]) -> Tensor:
    """One affine sampling of all clips, then brightness, contrast and saturation in that order."""
    draws = draws_of(names, ids, epoch)
    windows = torch.tensor(
        [
            [
                [(-1 if one.mirrored else 1) * one.window.width, 0, 2 * one.window.left + one.window.width - 1],
                [0, one.window.height, 2 * one.window.top + one.window.height - 1],
            ]
            for one in draws
        ]
    ).to(clips)
    flat = clips.flatten(1, 2)
    grid = functional.affine_grid(windows, list(flat.shape), align_corners=False)
    clips = functional.grid_sample(flat, grid, padding_mode="border", align_corners=False).view(clips.shape)
    if "color_jitter" not in names:
        return clips
    factors = torch.tensor([one.factors[:3] for one in draws]).to(clips)
    brightness, contrast, saturation = factors[:, :, None, None, None, None].unbind(1)
    clips = (clips * brightness).clamp(0, 1)
    mean = grey(clips).mean(dim=(2, 3, 4), keepdim=True)
    clips = (mean + (clips - mean) * contrast).clamp(0, 1)
    pixels = grey(clips)
    return (pixels + (clips - pixels) * saturation).clamp(0, 1)


def grey(clips: Tensor) -> Tensor:
    """Luma of BT.601."""
    return (clips * clips.new_tensor([0.299, 0.587, 0.114]).view(1, 1, 3, 1, 1)).sum(dim=2, keepdim=True)


def with_torchvision(clips: Tensor, names: tuple[str, ...], epoch: int, ids: list[str]) -> Tensor:
    """Clip by clip with torchvision's functions."""
    recipe = recipe_of(names)
    adjust = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    out = []
    for clip, one in zip(clips, draws_of(names, ids, epoch), strict=True):
        top, left, height, width = (
            round(SIZE * part) for part in (one.window.top, one.window.left, one.window.height, one.window.width)
        )
        for step in recipe.steps:
            if step == "crop":
                clip = tv.resized_crop(clip, top, left, max(height, 1), max(width, 1), [SIZE, SIZE], antialias=False)
            elif step == "flip":
                clip = tv.horizontal_flip(clip) if one.mirrored else clip
            elif step == "rotate":
                clip = tv.rotate(clip, one.angle)
            else:
                for index in (index for index in one.order if recipe.jitter[index]):
                    clip = adjust[index](clip, one.factors[index])
        out.append(clip)
    return torch.stack(out)


def seconds_of(function: Callable[[], Tensor], device: torch.device) -> float:
    """One call's CPU seconds, or its wall seconds on a GPU."""
    if device.type != "cuda":
        start = time.process_time()
        function()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    """Measure every recipe in every way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(chosen.device)
    stored = torch.rand(chosen.batch, FRAMES, SIZE, SIZE, 3, generator=torch.Generator().manual_seed(0)).to(device)
    clips = stored.permute(0, 1, 4, 2, 3)
    ids = [f"{number:05d}" for number in range(chosen.batch)]
    print(f"{'recipe':>24} {'way':>12} {'clips / s':>10} {'range over rounds':>22} {'harness is':>11}")
    for names in RECIPES:
        ways: dict[str, Callable[..., Tensor]] = {"harness": lambda c, n, e, i: augment(c, n, 0, e, i)}
        if set(names) <= {"crop", "flip", "color_jitter"}:
            ways["plain torch"] = with_torch
        ways["torchvision"] = with_torchvision
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(-1, chosen.rounds):
            for name, way in ways.items():
                spent = seconds_of(partial(way, clips, names, turn + 1, ids), device)
                if turn >= 0:
                    seconds[name].append(spent)
        for name, values in seconds.items():
            rates = [chosen.batch / value for value in values]
            ratio = statistics.median(values) / statistics.median(seconds["harness"])
            span = f"{min(rates):,.0f} to {max(rates):,.0f}"
            label = "+".join(names) if name == "harness" else ""
            print(f"{label:>24} {name:>12} {statistics.median(rates):>10,.0f} {span:>22} {ratio:>9.2f} x")


if __name__ == "__main__":
    main()
