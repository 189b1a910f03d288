"""What a network file exports, and what every network returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn


class Output(NamedTuple):
    """What a network says of a batch of clips.

    Attributes:
        logits: one score per class, before softmax.
        features: the vector that the classifier reads, for contrastive objectives and t-SNE.
        auxiliary: scores of a classifier that only training uses, if the network has one.
    """

    logits: Float[Tensor, "b k"]
    features: Float[Tensor, "b d"]
    auxiliary: Float[Tensor, "b k"] | None = None


class ClipShape(NamedTuple):
    """The clips that a network is built for: frames, and side length in pixels."""

    frames: int
    size: int


USUAL_INPUT = ClipShape(16, 112)
"""What most networks of the field are given."""

SMALL_EXAMPLES = (ClipShape(4, 32), ClipShape(6, 48))
"""Two shapes that a network without demands accepts."""


def _same_name(key: str) -> str:
    """Names in checkpoints are the names here."""
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network as a plugin: ``models/x3d.py`` exports ``x3d = Model(...)``.

    The built module takes RGB clips ``b t c h w``, float in [0, 1], normalises them in its own first layer,
    and returns an ``Output``.

    Attributes:
        title: the name people know it by.
        paper: authors, title, venue, year.
        licence: licence of the original code, or ``none given``.
        config: a frozen dataclass; its fields are the options that a study may set.
        build: from config, number of classes and clip shape to the module, with fresh weights.
        verified: what the implementation was checked against, in one sentence.
        checkpoint_key: from a tensor's name in the original's published checkpoints to its name here; ``None`` for a
            tensor that has no place here (another head).
        fresh: beginnings of the names of tensors that published checkpoints lack and that keep their fresh values.
        input: clips that the original was published with, for the model card's costs.
        small: options that make the network small enough for a test on one core.
        examples: two shapes of clips that the small network accepts.
    """

    title: str
    paper: str
    licence: str
    config: type
    build: Callable[[Any, int, ClipShape], nn.Module]
    verified: str
    checkpoint_key: Callable[[str], str | None] = _same_name
    fresh: tuple[str, ...] = ("classifier.",)
    input: ClipShape = USUAL_INPUT
    small: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[ClipShape, ClipShape] = SMALL_EXAMPLES
