"""What training clips go through, by name: single steps with the harness's own numbers, and whole published recipes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

Step = Literal["crop", "flip", "color", "rotate"]


class Window(NamedTuple):
    """A part of a frame: width and height, and left and top edge, in sides of the frame."""

    width: float
    height: float
    left: float
    top: float


WHOLE = Window(1.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Steps in their order, and their numbers.

    Attributes:
        steps: what is done, first to last; a crop is stretched to the whole frame.
        window: draws a crop.
        jitter: half-widths of the factors of brightness, contrast and saturation, each around 1, and of the shift of
            hue in turns of the colour circle.
        shuffled: whether the order of the four is drawn too; else it is the one above.
        rotation: largest angle in degrees, either way.
    """

    steps: tuple[Step, ...]
    window: Callable[[np.random.Generator], Window] = lambda _: WHOLE
    jitter: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    shuffled: bool = False
    rotation: float = 0.0


class Draw(NamedTuple):
    """What one clip goes through in one epoch.

    Attributes:
        window: of the crop.
        mirrored: whether it is flipped.
        factors: of brightness, contrast and saturation, and the shift of hue in turns.
        order: in which the four are applied.
        angle: of the rotation in degrees.
    """

    window: Window
    mirrored: bool
    factors: tuple[float, float, float, float]
    order: tuple[int, ...]
    angle: float


def draw(recipe: Recipe, generator: np.random.Generator) -> Draw:
    """One clip's draw; everything is drawn, so that a step does not depend on which other steps there are."""
    window, mirrored = recipe.window(generator), bool(generator.random() < 0.5)
    brightness, contrast, saturation, hue = (width * generator.uniform(-1, 1) for width in recipe.jitter)
    order = generator.permutation(4) if recipe.shuffled else range(4)
    angle = recipe.rotation * generator.uniform(-1, 1)
    return Draw(window, mirrored, (1 + brightness, 1 + contrast, 1 + saturation, hue), tuple(map(int, order)), angle)


def half_or_more(generator: np.random.Generator) -> Window:
    """At least half of the frame: below it the mouth or the brows leave an aligned face."""
    area, ratio = generator.uniform(0.5, 1.0), np.exp(generator.uniform(*np.log((3 / 4, 4 / 3))))
    width, height = min(1.0, float(np.sqrt(area * ratio))), min(1.0, float(np.sqrt(area / ratio)))
    left, top = generator.uniform(0, 1, size=2)
    return Window(width, height, float(left * (1 - width)), float(top * (1 - height)))


def inception(generator: np.random.Generator) -> Window:
    """8 to 100 % of the frame at an aspect ratio of 3/4 to 4/3, lying or standing.

    The crop of GoogLeNet (Szegedy et al., CVPR 2015) in the form that the field's loaders share: ten tries, then the
    whole frame.
    """
    for _ in range(10):
        area, ratio = generator.uniform(0.08, 1.0), generator.uniform(3 / 4, 4 / 3)
        width, height = float(np.sqrt(area * ratio)), float(np.sqrt(area / ratio))
        if generator.random() < 0.5:
            width, height = height, width
        left, top = generator.uniform(0, 1, size=2)
        if width <= 1 and height <= 1:
            return Window(width, height, float(left * (1 - width)), float(top * (1 - height)))
    return WHOLE


PARTS: dict[str, Recipe] = {
    "flip": Recipe(steps=("flip",)),
    "crop": Recipe(steps=("crop",), window=half_or_more),
    "color_jitter": Recipe(steps=("color",), jitter=(0.4, 0.4, 0.4, 0.0)),
}
"""Steps that a study may put together. The widths of the jitter are M3DFEL's, without its shift of hue."""

PUBLISHED: dict[str, Recipe] = {
    "m3dfel": Recipe(steps=("crop", "flip", "color"), window=inception, jitter=(0.4, 0.4, 0.4, 0.4), shuffled=True),
    "former_dfer": Recipe(steps=("crop", "flip"), window=inception),
    "ial": Recipe(
        steps=("crop", "flip", "color", "rotate"), window=inception, jitter=(0.6, 0.0, 0.0, 0.0), rotation=4.0
    ),
    "dfer_clip_dfew": Recipe(steps=("color", "crop", "flip"), window=inception, jitter=(0.5, 0.0, 0.0, 0.0)),
    "dfer_clip_ferv39k": Recipe(steps=("rotate", "crop", "flip"), window=inception, rotation=4.0),
}
"""Recipes of released code, each with one draw per clip.

========================= ==========================================================================================
m3dfel                    Wang et al., CVPR 2023: Tencent/TFace at 171ec14, attribute/M3DFEL/datasets/video_transform.py
former_dfer               Zhao and Liu, ACM MM 2021: zengqunzhao/Former-DFER at 1b5ad6f
ial                       Li et al., AAAI 2023: muse1998/IAL-for-Facial-Expression-Recognition at 39a24b6
dfer_clip_dfew, _ferv39k  Zhao and Patras, BMVC 2023: zengqunzhao/DFER-CLIP at d10d5a4, a recipe for each set
========================= ==========================================================================================

They crop the original frames of 224 or 256 pixels; here the packed frames are cropped, so that a small crop is less
sharp. Rotations fill the corners with black and take the nearest pixel, as they do.
"""


@lru_cache
def recipe_of(names: Sequence[str]) -> Recipe:
    """The published recipe of that name, or the named parts put together in the order crop, flip, color."""
    if len(names) == 1 and names[0] in PUBLISHED:
        return PUBLISHED[names[0]]
    steps: list[Step] = ["crop", "flip", "color"]
    named = {step for name in names for step in PARTS[name].steps}
    return Recipe(
        steps=tuple(step for step in steps if step in named),
        window=PARTS["crop"].window,
        jitter=PARTS["color_jitter"].jitter,
    )
