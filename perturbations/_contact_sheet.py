"""A small picture of each perturbation, for the documentation: the clean clip and severities 1 to 5.

Where only the picture changes, the middle of the clip is shown, severities from left to right. Where time does, each
severity is a strip of frames, below each other, with its index map beside it if it has one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import UInt8
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import interpolate

from perturbations._contract import Perturbation
from perturbations._gallery import Row, changes_over_time, rows

STRIP = 8
"""Frames of a strip."""
SIDES = {True: 56, False: 128}
"""Pixels along a thumbnail's side, in a strip and alone."""
DPI = 100
MARGIN, TITLE = 5, 20
"""Pixels around a picture, and above it."""
BESIDE = 210
"""Pixels for an index map."""


def write_pictures(members: Mapping[str, Perturbation], clip: UInt8[Tensor, "t c h w"], folder: Path) -> list[Path]:
    """Draw one WebP picture for each perturbation.

    Args:
        members: the perturbations by name.
        clip: the clip to spoil.
        folder: is made if it is missing; gets ``<name>.webp``.

    Returns:
        The pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(name, changes_over_time(member), rows(name, member, clip), folder / f"{name}.webp")
        for name, member in members.items()
    ]


def _write(name: str, in_time: bool, sheet: Sequence[Row], file: Path) -> Path:
    picture = _picture(sheet, in_time)
    high, wide = picture.shape[1:]
    mapped = in_time and bool(sheet[1].captions)
    whole = wide + 2 * MARGIN + BESIDE * mapped, high + TITLE + MARGIN
    figure = Figure(figsize=(whole[0] / DPI, whole[1] / DPI))
    axis = figure.add_axes((MARGIN / whole[0], MARGIN / whole[1], wide / whole[0], high / whole[1]))
    axis.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
    axis.set_axis_off()
    axis.set_title(f"{name}: clean, {', '.join(row.level for row in sheet[1:])}", fontsize=7.5, loc="left", pad=3)
    for place, row in enumerate(sheet if mapped else ()):
        centre = (place + 0.5) * SIDES[True]
        axis.text(wide + MARGIN, centre, " ".join(row.captions), fontsize=6, va="center")
    figure.savefig(file, dpi=DPI, pil_kwargs={"quality": 82})
    return file


def _picture(sheet: Sequence[Row], in_time: bool) -> UInt8[Tensor, "c h w"]:
    """The rows of a sheet as one picture: strips below each other, or single frames beside each other."""
    side = SIDES[in_time]
    if not in_time:
        return torch.cat([_small(row.frames[len(row.frames) // 2 :][:1], side)[0] for row in sheet], 2)
    strips = []
    for row in sheet:
        places = [place * len(row.frames) // STRIP for place in range(STRIP)]
        strips.append(torch.cat(list(_small(row.frames[places], side)), 2))
    return torch.cat(strips, 1)


def _small(frames: UInt8[Tensor, "f c h w"], side: int) -> UInt8[Tensor, "f c u v"]:
    return interpolate(frames, (side, side), mode="bilinear", antialias=True)
