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


class PointwiseConv3d(nn.Conv3d):
    """A 1 x 1 x 1 convolution with spatial stride, run as one matrix product over all pixels of all frames.

    With channels last in memory that needs no copy, and unlike ``conv3d`` it leaves channels last.
    """

    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__(channels_in, channels, 1, (1, stride, stride), bias=False)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t i j"]:
        """The mixed volume."""
        frames = volume.transpose(1, 2)
        if self.stride[1] > 1:
            # A pool of single pixels picks as slices do, but its gradient keeps channels last, which a slice's loses.
            picked = functional.avg_pool2d(frames.flatten(0, 1), 1, self.stride[1:])
            frames = picked.unflatten(0, frames.shape[:2])
        mixed: Tensor = functional.linear(frames.movedim(2, 4), self.weight.flatten(1)).movedim(4, 1)
        return mixed


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

    Through a tap, output frame t reads input frame t + tap - k // 2. All frames of all clips stand in one row, so that
    the tap pairs the row with itself, moved, without a copy. Pairs that reach from one clip into the next are wrong;
    their share is taken off again.
    """
    frames = volume.shape[2]
    outputs, inputs = gradient.transpose(1, 2), volume.transpose(1, 2)

    def of_pairs(some_outputs: Tensor, some_inputs: Tensor, tap: int) -> Tensor:
        padding = [side // 2 for side in weight.shape[3:]]
        options = (None, [stride, stride], padding, [1, 1], False, [0, 0], len(weight), [False, True, False])
        gradients = torch.ops.aten.convolution_backward(some_outputs, some_inputs, weight[:, :, tap], *options)
        found: Tensor = gradients[1]
        return found

    def of_tap(tap: int) -> Tensor:
        later, earlier = max(tap - weight.shape[2] // 2, 0), max(weight.shape[2] // 2 - tap, 0)
        if later + earlier >= frames:
            return torch.zeros_like(weight[:, :, tap])
        row_of_outputs, row_of_inputs = outputs.flatten(0, 1), inputs.flatten(0, 1)
        length = len(row_of_outputs)
        found = of_pairs(row_of_outputs[earlier : length - later], row_of_inputs[later : length - earlier], tap)
        if later and len(volume) > 1:
            found -= of_pairs(outputs[:-1, -later:].flatten(0, 1), inputs[1:, :later].flatten(0, 1), tap)
        if earlier and len(volume) > 1:
            found -= of_pairs(outputs[1:, :earlier].flatten(0, 1), inputs[:-1, -earlier:].flatten(0, 1), tap)
        return found

    return torch.stack([of_tap(tap) for tap in range(weight.shape[2])], dim=2)
