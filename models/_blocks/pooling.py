"""Max pooling over time, height and width whose gradients are the same in every run, on GPUs too."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class MaxPool3d(nn.MaxPool3d):
    """``torch.nn.MaxPool3d``; where deterministic kernels are asked for, as on GPUs, by two pools of two sides.

    Where windows overlap, the gradients of torch's own are added up in any order on a GPU (listed by
    ``torch.use_deterministic_algorithms`` up to torch 2.11 at least); those of two-dimensional pools are not. Of equal
    values the first in time, then in space, takes the gradient in both.
    """

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c s i j"]:
        """The largest value in every window."""
        if not torch.are_deterministic_algorithms_enabled():
            pooled: Tensor = super().forward(volume)
            return pooled
        return in_two_pools(volume, *(_three(value) for value in (self.kernel_size, self.stride, self.padding)))


def in_two_pools(
    volume: Float[Tensor, "b c t h w"], kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]
) -> Float[Tensor, "b c s i j"]:
    """The largest value of every window: over space in every frame, then over time."""
    frames = functional.max_pool2d(volume.flatten(1, 2), kernel[1:], stride[1:], padding[1:])
    lines = frames.flatten(2).unflatten(1, volume.shape[1:3])
    moments = functional.max_pool2d(lines, (kernel[0], 1), (stride[0], 1), (padding[0], 0))
    pooled: Tensor = moments.unflatten(3, frames.shape[2:])
    return pooled


def with_own_pools(network: nn.Module) -> nn.Module:
    """A network of others with its max pools over three sides replaced by ours, in place."""
    for name, part in network.named_children():
        if type(part) is nn.MaxPool3d:
            setattr(network, name, MaxPool3d(part.kernel_size, part.stride, part.padding))
        else:
            with_own_pools(part)
    return network


def _three(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value,) * 3 if isinstance(value, int) else tuple(value)
