"""Identities: what a person looks like at rest, and how this person uses the face."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from harness.datasets._faces.action_units import UNITS, Deformation, effect_matrix
from harness.datasets._faces.expressions import CLASSES, usual_strengths

Colour = tuple[float, float, float]

SKINS: tuple[Colour, ...] = (
    (0.96, 0.80, 0.70),
    (0.90, 0.72, 0.58),
    (0.82, 0.62, 0.46),
    (0.70, 0.50, 0.36),
    (0.58, 0.40, 0.29),
    (0.47, 0.32, 0.24),
)
HAIRS: tuple[Colour, ...] = (
    (0.09, 0.07, 0.06),
    (0.22, 0.14, 0.09),
    (0.42, 0.27, 0.15),
    (0.74, 0.58, 0.34),
    (0.55, 0.24, 0.12),
    (0.68, 0.67, 0.66),
)
IRISES: tuple[Colour, ...] = ((0.20, 0.12, 0.07), (0.32, 0.22, 0.12), (0.22, 0.38, 0.30), (0.25, 0.42, 0.60))
HAIR_STYLES = ("bald", "crop", "short", "parted", "fringe", "long", "curly")
BEARDS = ("none", "none", "none", "none", "stubble", "moustache", "goatee", "full")
GLASSES = ("none", "none", "none", "none", "round", "square")

REST_NOISE = {
    "inner_brow": 0.035,
    "outer_brow": 0.035,
    "brow_gather": 0.018,
    "upper_lid": 0.016,
    "lower_lid": 0.011,
    "corner_up": 0.040,
    "corner_out": 0.028,
    "upper_lip": 0.008,
    "lower_lip": 0.012,
}
"""Standard deviation over identities of where a feature rests, in head units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One person. Lengths are in head units, colours are red, green and blue from 0 to 1."""

    name: str
    half_width: float
    half_height: float
    jaw_width: float
    skin: Colour
    hair: Colour
    hair_style: str
    hairline: float
    beard: str
    glasses: str
    eye_spacing: float
    eye_width: float
    eye_opening: float
    eye_tilt: float
    iris: Colour
    brow_height: float
    brow_thickness: float
    brow_arch: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_thickness: float
    lip_colour: Colour
    clothes: Colour
    age: float
    texture: int
    rest: Float[np.ndarray, " p"]
    habits: Float[np.ndarray, " a"]


def draw_identity(name: str, generator: np.random.Generator) -> Identity:
    """A person drawn at random."""
    skin = _tinted(SKINS[generator.integers(len(SKINS))], generator)
    age = float(generator.beta(1.3, 1.8))
    return Identity(
        name=name,
        **_bones(generator),
        skin=skin,
        hair=_tinted(HAIRS[-1] if age > 0.8 else HAIRS[generator.integers(len(HAIRS) - 1)], generator),
        hair_style=str(generator.choice(HAIR_STYLES)),
        beard=str(generator.choice(BEARDS)),
        glasses=str(generator.choice(GLASSES)),
        iris=IRISES[generator.integers(len(IRISES))],
        lip_colour=_lips(skin, generator.uniform(0.0, 0.5)),
        clothes=_tinted((0.45, 0.45, 0.45), generator, hue=0.8),
        age=age,
        texture=int(generator.integers(2**31)),
        rest=draw_rest(generator),
        habits=generator.uniform(0.85, 1.15, len(UNITS)).astype(np.float32),
    )


def draw_rest(generator: np.random.Generator) -> Float[np.ndarray, " p"]:
    """Where a person's features rest, in the order of ``Deformation``.

    Seven people in ten rest in a trace of some expression, nearly half to nearly as strong as one shown: a frame alone
    often cannot tell an expression from a face, only the change can.
    """
    spread = np.array([REST_NOISE.get(field, 0.0) for field in Deformation._fields], dtype=np.float32)
    noise = generator.standard_normal(len(spread), dtype=np.float32) * spread
    trace = generator.uniform(0.4, 0.9) if generator.random() < 0.7 else 0.0
    shape: Float[np.ndarray, " p"] = usual_strengths(str(generator.choice(CLASSES))) @ effect_matrix()
    return noise + np.float32(trace) * shape


def _bones(generator: np.random.Generator) -> dict[str, float]:
    """Proportions of the skull and sizes of the features."""
    ranges = {
        "half_width": (0.74, 0.88),
        "half_height": (0.96, 1.08),
        "jaw_width": (0.55, 0.85),
        "hairline": (-0.86, -0.68),
        "eye_spacing": (0.33, 0.40),
        "eye_width": (0.20, 0.25),
        "eye_opening": (0.10, 0.14),
        "eye_tilt": (-0.03, 0.04),
        "brow_height": (0.27, 0.33),
        "brow_thickness": (0.032, 0.056),
        "brow_arch": (0.01, 0.06),
        "nose_width": (0.11, 0.17),
        "nose_length": (0.36, 0.46),
        "mouth_width": (0.30, 0.39),
        "lip_thickness": (0.05, 0.09),
    }
    return {name: float(generator.uniform(low, high)) for name, (low, high) in ranges.items()}


def _tinted(colour: Colour, generator: np.random.Generator, hue: float = 0.03) -> Colour:
    """A colour varied a little, by default in brightness more than in hue."""
    factors = generator.uniform(0.92, 1.08) * generator.uniform(1 - hue, 1 + hue, 3)
    red, green, blue = np.clip(np.array(colour) * factors, 0.02, 0.98)
    return float(red), float(green), float(blue)


def _lips(skin: Colour, redness: float) -> Colour:
    """Lips: skin, redder and darker."""
    red, green, blue = skin
    return 0.80 * red, (0.52 - 0.2 * redness) * green, (0.56 - 0.2 * redness) * blue
