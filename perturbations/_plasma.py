"""Plasma: fractal fields by kornia's diamond-square algorithm, fed with keyed draws."""

from collections.abc import Sequence

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from perturbations._random import uniform


def plasma(keys: Int64[Tensor, " b"], height: int, width: int, roughness: float) -> Float32[Tensor, "b h w"]:
    """A fractal field for each key, scaled to fill 0..1 (Fournier, Fussell and Carpenter 1982).

    Args:
        keys: one for each field.
        height: in pixels.
        width: in pixels.
        roughness: the factor on the random displacement from one octave to the next; ImageNet-C's wibble decay is its
            inverse.
    """
    from kornia.contrib import diamond_square

    streams = iter(range(1, 1 << 20))

    def keyed(shape: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
        return uniform(keys, next(streams), tuple(shape)[1:]).to(device, dtype)

    size = (len(keys), 1, height, width)
    field: Tensor = diamond_square(size, roughness, 1.0, keyed, (0.0, 1.0), keys.device, torch.float32)
    return field[:, 0]
