"""Published tables of two magnitudes, one pair for each severity."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from perturbations._combine import STEPS
from perturbations._contract import ClipShape, Params, Perturbation, SecondParameter
from perturbations._levels import along


def with_pairs(base: Perturbation, first: Sequence[float], second: Sequence[float]) -> Perturbation:
    """A perturbation whose level is the severity, which walks along its own magnitude and the second one together.

    Either may then be the same at two severities, as the strength of ImageNet-C's fog is at 3 and 4.

    Args:
        base: the perturbation.
        first: what its levels are at severities 1 to 5.
        second: what its second parameter is at severities 1 to 5.

    Raises:
        ValueError: if it has no second parameter.
    """
    if base.second is None:
        raise ValueError(f"{base.title} has no second parameter")
    unit = f"severity; {base.unit} {_written(first)}; {base.second.unit} {_written(second)}"
    draw = partial(_draw, base.second, tuple(first), tuple(second))
    return replace(base, unit=unit, levels=STEPS, draw=draw)


def _draw(
    parameter: SecondParameter,
    first: Sequence[float],
    second: Sequence[float],
    level: float,
    key: int,
    shape: ClipShape,
) -> Params:
    return parameter.draw(along(level, STEPS, first), along(level, STEPS, second), key, shape)


def _written(values: Sequence[float]) -> str:
    return "/".join(f"{value:g}" for value in values)
