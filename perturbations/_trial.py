"""A perturbation tried out on a small clip, before anybody waits for a result of it."""

import torch

from perturbations._contract import ClipShape, Perturbation

SHAPE = ClipShape(frames=4, height=32, width=32)
KEYS = tuple(range(8))
"""Enough for a draw that takes one of two directions to show both."""


def try_out(perturbation: Perturbation) -> None:
    """Draws at all five severities, which show a level beyond a perturbation's reach; no pixel is touched.

    Raises:
        ValueError: if a draw fails or is not finite, with the severity.
    """
    for severity in range(1, 6):
        level = perturbation.level(severity)
        try:
            for key in KEYS if perturbation.keyed else KEYS[:1]:
                drawn = perturbation.draw(level, key, SHAPE)
                if not all(torch.isfinite(value).all() for value in drawn.values()):
                    raise ValueError("its draw is not finite")
        except (ArithmeticError, IndexError, RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())
            raise ValueError(f"at severity {severity}, {said}") from error
