"""One picture for each family: its perturbations below each other, severities from left to right.

Where only the picture changes, the middle of the clip is shown. Where time does, each severity is a strip of frames.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import interpolate

from perturbations._gallery import Row, rows
from perturbations._suite import load

STRIP = 8
"""Frames of a strip."""
SIDES = {True: 56, False: 128}
"""Pixels along a thumbnail's side, in a strip and alone."""
DPI = 100


def write_families(names: Sequence[str], clip: UInt8[Tensor, "t c h w"], folder: Path) -> list[Path]:
    """Draw one WebP picture for each family of perturbations.

    Args:
        names: of the perturbations.
        clip: the clip to spoil.
        folder: is made if it is missing; gets ``<family>.webp``.

    Returns:
        The pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(load(name).family, []).append(name)
    return [_write(family, members, clip, folder / f"{family}.webp") for family, members in sorted(families.items())]


def _write(family: str, names: Sequence[str], clip: UInt8[Tensor, "t c h w"], file: Path) -> Path:
    sheets = [rows(name, clip) for name in names]
    in_time = [_shown_in_time(name) for name in names]
    pictures = [_picture(sheet, *each) for sheet, each in zip(sheets, zip(in_time, strict=True), strict=True)]
    inches = [picture.shape[1] / DPI + 0.32 for picture in pictures]
    figure = Figure(figsize=(max(picture.shape[2] for picture in pictures) / DPI + 0.1, sum(inches)))
    bottom = sum(inches)
    for name, sheet, picture, high in zip(names, sheets, pictures, inches, strict=True):
        bottom -= high
        axis = figure.add_axes(
            (
                0.05 / figure.get_figwidth(),
                bottom / sum(inches),
                1 - 0.1 / figure.get_figwidth(),
                (high - 0.2) / sum(inches),
            )
        )
        _draw(axis, picture, f"{name}: {_levels(sheet)}")
    figure.savefig(file, dpi=DPI, pil_kwargs={"quality": 82})
    return file


def _draw(axis: Axes, picture: UInt8[Tensor, "c h w"], title: str) -> None:
    axis.imshow(picture.permute(1, 2, 0).numpy(), interpolation="nearest")
    axis.set_axis_off()
    axis.set_anchor("NW")
    axis.set_title(title, fontsize=7.5, loc="left", pad=2)


def _levels(sheet: Sequence[Row]) -> str:
    return "clean, " + ", ".join(row.level for row in sheet[1:])


def _shown_in_time(name: str) -> bool:
    member = load(name)
    return member.family.startswith("temporal") or member.family == "combined" or member.granularity == "coherent"


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
