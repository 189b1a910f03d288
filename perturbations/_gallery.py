"""Contact sheets: what every perturbation does to a clip at every severity, as PNG files and one HTML page.

A sheet has a row for the clean clip and one for each severity. Where only the picture changes, three moments are shown;
where time does, every moment is, with the source frame that it shows written below it if there is an index map.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from jaxtyping import UInt8
from matplotlib.figure import Figure
from torch import Tensor

from perturbations._apply import key, perturb
from perturbations._contract import ClipShape, Perturbation

SEVERITIES = (1, 2, 3, 4, 5)
MOMENTS = (0.1, 0.5, 0.9)
"""The shares of the clip at which a steady perturbation is shown."""
INCHES = 0.9


class Row(NamedTuple):
    """One severity of a sheet.

    Attributes:
        severity: 0 for the clean clip.
        level: the magnitude, as text.
        frames: the moments shown.
        captions: one for each moment; empty where there is nothing to say.
    """

    severity: int
    level: str
    frames: UInt8[Tensor, "f c h w"]
    captions: list[str]


def rows(name: str, member: Perturbation, clip: UInt8[Tensor, "t c h w"]) -> list[Row]:
    """What a sheet shows: the clean clip and the perturbation's severities.

    Args:
        name: of the perturbation.
        member: the perturbation.
        clip: the clip to spoil.
    """
    moments = _moments(member, len(clip))
    sheet = [Row(0, "", clip[moments], [str(moment) for moment in moments] if len(moments) == len(clip) else [])]
    single = len(set(member.levels)) == 1
    for severity in SEVERITIES[:1] if single else SEVERITIES:
        # one key for all severities: a direction or a place stays while the magnitude grows
        number = key(name, 0, "gallery", 0)
        spoilt = perturb(clip[None], member, severity, [number])[0]
        captions = _captions(member, severity, number, clip)
        sheet.append(Row(severity, f"{round(member.level(severity), 4):g}", spoilt[moments], captions))
    return sheet


def draw(title: str, sheet: Sequence[Row]) -> Figure:
    """One sheet as a figure."""
    width = len(sheet[0].frames)
    figure = Figure(figsize=(INCHES * (width + 1.2), INCHES * 1.15 * len(sheet) + 0.6), layout="compressed")
    axes = figure.subplots(len(sheet), width, squeeze=False)
    for row, line in zip(sheet, axes, strict=True):
        for place, axis in enumerate(line):
            axis.imshow(row.frames[place].permute(1, 2, 0).cpu().numpy())
            axis.set_xticks([])
            axis.set_yticks([])
            if row.captions:
                axis.set_xlabel(row.captions[place], fontsize=7, labelpad=1)
        label = f"{row.severity}\n{row.level}" if row.severity else "clean"
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def write(members: Mapping[str, Perturbation], clip: UInt8[Tensor, "t c h w"], folder: Path, dpi: int = 80) -> Path:
    """Draw a sheet for every perturbation, and a page of them all.

    Args:
        members: the perturbations by name.
        clip: the clip to spoil.
        folder: is made if it is missing; gets ``<name>.png`` and ``index.html``.
        dpi: pixels an inch of the sheets.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, member in members.items():
        draw(f"{member.title} ({name})", rows(name, member, clip)).savefig(folder / f"{name}.png", dpi=dpi)
    page = folder / "index.html"
    page.write_text(_page(members), encoding="utf-8")
    return page


def changes_over_time(member: Perturbation) -> bool:
    """Whether one frame does not show what a perturbation does."""
    return member.family.startswith("temporal") or member.family == "combined" or member.granularity == "coherent"


def _moments(member: Perturbation, frames: int) -> list[int]:
    """All frames where a perturbation changes over time, three where it does not."""
    if changes_over_time(member):
        return list(range(frames))
    return sorted({min(int(share * frames), frames - 1) for share in MOMENTS})


def _captions(member: Perturbation, severity: int, number: int, clip: UInt8[Tensor, "t c h w"]) -> list[str]:
    """The index map, where the parameters are one."""
    frames, _, height, width = clip.shape
    params = member.draw(member.level(severity), number, ClipShape(frames, height, width))
    return [str(source) for source in params["index"].tolist()] if set(params) == {"index"} else []


def _page(members: Mapping[str, Perturbation]) -> str:
    """Every sheet under its family, with what the perturbation says of itself."""
    families: dict[str, list[str]] = {}
    for name, member in members.items():
        families.setdefault(member.family, []).append(_entry(name, member))
    parts = []
    for family, entries in sorted(families.items()):
        parts += [f"<h2>{escape(family.replace('_', ' '))}</h2>", *entries]
    style = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em}img{max-width:100%}"
    head = f'<meta charset="utf-8"><title>Perturbations</title><style>{style}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Perturbations</h1>{"".join(parts)}</body></html>'
    )


def _entry(name: str, member: Perturbation) -> str:
    said = f"{member.unit}; {member.granularity}; {member.source}"
    image = f'<img src="{escape(name)}.png" alt="{escape(member.title)} at severities 0 to 5" loading="lazy">'
    return (
        f'<h3 id="{escape(name)}">{escape(member.title)} <code>{escape(name)}</code></h3><p>{escape(said)}</p>{image}'
    )
