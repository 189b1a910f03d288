"""X3D's convolutions: the same functions as ``nn.Conv3d``, in formulations that run several times faster on a CPU."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class DepthwiseConv3d(nn.Conv3d):
    """A k x k x k convolution of each channel with its own filter, spatial stride only, zero padding of k // 2.

    Stock libraries run its forward pass well and its backward pass very slowly. Here, on a CPU, the input gradient is
    the forward pass of the mirrored filter, and the weight gradient is two-dimensional, once per temporal tap.
    ``benchmarks/x3d_convolutions.py`` records the ratios.
    """

    def __init__(self, channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            channels, channels, kernel, (1, stride, stride), padding=kernel // 2, groups=channels, bias=False
        )

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t i j"]:
        """The filtered volume: all frames, spatial sides divided by the stride and rounded up."""
        if volume.device.type != "cpu" or not torch.is_grad_enabled():
            return super().forward(volume)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            volume, weight = volume.to(dtype), weight.to(dtype)
        filtered: Tensor = _DepthwiseOnCpu.apply(volume, weight, self.stride[1])
        return filtered


class TemporalDepthwiseConv3d(nn.Conv3d):
    """A convolution over frames alone (k x 1 x 1) of each channel with its own filter, zero padding of k // 2.

    It runs as a two-dimensional k x 1 convolution of the image whose rows are frames and whose columns are pixels.
    """

    def __init__(self, channels: int, kernel: int = 5) -> None:
        super().__init__(channels, channels, (kernel, 1, 1), padding=(kernel // 2, 0, 0), groups=channels, bias=False)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """The filtered volume, of the same shape."""
        image = volume.flatten(3)
        filtered = functional.conv2d(image, self.weight.flatten(3), padding=self.padding[:2], groups=self.groups)
        return filtered.view(*filtered.shape[:3], *volume.shape[3:])


class SpatialConv3d(nn.Conv3d):
    """A 1 x k x k convolution with spatial stride and zero padding of k // 2, run as a convolution of single frames."""

    def __init__(self, channels_in: int, channels: int, kernel: int = 3, stride: int = 1) -> None:
        half = kernel // 2
        super().__init__(channels_in, channels, (1, kernel, kernel), (1, stride, stride), (0, half, half), bias=False)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t i j"]:
        """The filtered volume; with channels last in memory, frames are split off without a copy."""
        frames = volume.transpose(1, 2).flatten(0, 1)
        filtered = functional.conv2d(frames, self.weight[:, :, 0], None, self.stride[1:], self.padding[1:])
        volumes: Tensor = filtered.unflatten(0, (volume.shape[0], volume.shape[2]))
        return volumes.transpose(1, 2)


class _DepthwiseOnCpu(torch.autograd.Function):
    """Forward by the library, backward as ``DepthwiseConv3d`` says."""

    @staticmethod
    def forward(ctx: Any, volume: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(volume, weight)
        ctx.stride = stride
        padding = [side // 2 for side in weight.shape[2:]]
        return functional.conv3d(volume, weight, None, (1, stride, stride), padding, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        volume, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
        of_volume = _input_gradient(gradient, volume, weight, ctx.stride) if ctx.needs_input_grad[0] else None
        of_weight = _weight_gradient(gradient, volume, weight, ctx.stride) if ctx.needs_input_grad[1] else None
        return of_volume, of_weight, None


def _input_gradient(gradient: Tensor, volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """The output gradient, spread out to the input's resolution with zeros, convolved with the mirrored filter."""
    if stride > 1:
        spread = torch.zeros_like(volume, dtype=gradient.dtype, memory_format=torch.channels_last_3d)
        spread[..., ::stride, ::stride] = gradient
        gradient = spread
    padding = [side // 2 for side in weight.shape[2:]]
    return functional.conv3d(gradient, weight.flip(2, 3, 4), padding=padding, groups=len(weight))


def _weight_gradient(gradient: Tensor, volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Two-dimensional weight gradients, one per temporal tap, side by side.

    Output frame t reads input frame t + tap - k // 2 through a tap, so that the tap is a convolution of single frames
    whose output gradient is the volume's, moved by as many frames.
    """
    frames = volume.transpose(1, 2).flatten(0, 1)
    gradients = gradient.transpose(1, 2)
    padding = [side // 2 for side in weight.shape[3:]]
    taps = [
        torch.ops.aten.convolution_backward(
            _moved_in_time(gradients, tap - weight.shape[2] // 2).flatten(0, 1),
            frames,
            weight[:, :, tap],
            None,
            [stride, stride],
            padding,
            [1, 1],
            False,
            [0, 0],
            len(weight),
            [False, True, False],
        )[1]
        for tap in range(weight.shape[2])
    ]
    return torch.stack(taps, dim=2)


def _moved_in_time(frames: Tensor, by: int) -> Tensor:
    """Frames ``b t c h w`` moved later by some frames, zeros moved in."""
    if by == 0:
        return frames
    moved = torch.zeros_like(frames)
    if by > 0:
        moved[:, by:] = frames[:, :-by]
    else:
        moved[:, :by] = frames[:, -by:]
    return moved
