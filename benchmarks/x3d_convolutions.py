"""What X3D's convolutions cost in the formulations that compute the same function, forward and backward.

    OMP_NUM_THREADS=1 python benchmarks/x3d_convolutions.py
    python benchmarks/x3d_convolutions.py --device cuda --precision bfloat16

prints one Markdown table per kind of convolution, one row per layer of X3D-M on a 16x112x112 batch of clips, in
milliseconds and as ratios to PyTorch's own ``conv3d`` in the usual memory layout. Processor time is measured on a CPU;
rounds of the contestants alternate and the best of each counts, so that a busy machine slows all of them alike.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from models._blocks.x3d_convolutions import DepthwiseConv3d, TemporalDepthwiseConv3d

Convolution = Callable[[Tensor, Tensor, int], Tensor]
USUAL, LAST = torch.contiguous_format, torch.channels_last_3d

DEPTHWISE_LAYERS = {
    "stage 1, strided": (54, 56, 2),
    "stage 1": (54, 28, 1),
    "stage 2, strided": (108, 28, 2),
    "stage 2": (108, 14, 1),
    "stage 3, strided": (216, 14, 2),
    "stage 3": (216, 7, 1),
    "stage 4, strided": (432, 7, 2),
    "stage 4": (432, 4, 1),
}
"""Channels, side of the input, stride."""


def library(volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """PyTorch's conv3d."""
    padding = [side // 2 for side in weight.shape[2:]]
    return functional.conv3d(volume, weight, None, (1, stride, stride), padding, groups=len(weight))


def folded(volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """One depthwise conv2d of all frames per temporal tap, outputs moved in time and added."""
    b, _, t, _, _ = volume.shape
    frames = volume.transpose(1, 2).flatten(0, 1)
    taps = [functional.conv2d(frames, weight[:, :, tap], None, stride, 1, groups=len(weight)) for tap in range(3)]
    before, same, after = (tap.unflatten(0, (b, t)) for tap in taps)
    zeros = (0, 0, 0, 0, 0, 0)
    out = same + functional.pad(before[:, :-1], (*zeros, 1, 0)) + functional.pad(after[:, 1:], (*zeros, 0, 1))
    return out.transpose(1, 2)


def shifted(volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """All 27 taps as shifted, scaled copies, added."""
    _, c, t, h, w = volume.shape
    padded = functional.pad(volume, (1, 1, 1, 1, 1, 1))
    rows, columns = stride * ((h - 1) // stride) + 1, stride * ((w - 1) // stride) + 1
    out = torch.zeros((), device=volume.device)
    for i in range(3):
        for j in range(3):
            for k in range(3):
                window = padded[:, :, i : i + t, j : j + rows : stride, k : k + columns : stride]
                out = out + window * weight[:, 0, i, j, k].view(1, c, 1, 1, 1)
    return out


def ours(kind: type[DepthwiseConv3d] | type[TemporalDepthwiseConv3d]) -> Convolution:
    """The layer that the networks use, with the given weight."""

    def convolve(volume: Tensor, weight: Tensor, stride: int) -> Tensor:
        layer = kind(len(weight), weight.shape[2], *((stride,) if kind is DepthwiseConv3d else ()))
        layer.to(volume.device)
        return torch.func.functional_call(layer, {"weight": weight}, (volume,))

    return convolve


DEPTHWISE: dict[str, tuple[Convolution, torch.memory_format]] = {
    "conv3d": (library, USUAL),
    "conv3d, channels last": (library, LAST),
    "conv2d per tap": (folded, USUAL),
    "conv2d per tap, channels last": (folded, LAST),
    "27 shifted copies": (shifted, USUAL),
    "ours, channels last": (ours(DepthwiseConv3d), LAST),
}
TEMPORAL: dict[str, tuple[Convolution, torch.memory_format]] = {
    "conv3d": (library, USUAL),
    "conv3d, channels last": (library, LAST),
    "ours, channels last": (ours(TemporalDepthwiseConv3d), LAST),
}


def clock(device: str) -> float:
    """Seconds: of the processor on a CPU, on the wall after the queue is empty elsewhere."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def milliseconds(
    contestants: dict[str, tuple[Convolution, torch.memory_format]], volume: Tensor, weight: Tensor, stride: int
) -> dict[str, float]:
    """Best of alternating rounds, forward and backward; every output is checked against the library's."""
    device = volume.device.type
    expected = library(volume, weight, stride)
    towards = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1)).to(expected)
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(4):
        for name, (convolve, layout) in contestants.items():
            given = volume.contiguous(memory_format=layout).requires_grad_()
            learned = weight.clone().requires_grad_()
            gradient = towards.contiguous(memory_format=layout)
            started = clock(device)
            out = convolve(given, learned, stride)
            out.backward(gradient)
            best[name] = min(best[name], (clock(device) - started) * 1e3)
            torch.testing.assert_close(out, expected, rtol=1e-2, atol=1e-2 if out.dtype == torch.float32 else 0.5)
    return best


def table(title: str, rows: dict[str, dict[str, float]]) -> str:
    """Milliseconds of the first contestant, and every one's share of it."""
    names = list(next(iter(rows.values())))
    lines = [f"\n{title}\n", f"| layer | {names[0]}, ms | " + " | ".join(names[1:]) + " |"]
    lines.append("|:--|" + "--:|" * len(names))
    for layer, best in rows.items():
        shares = " | ".join(f"{best[name] / best[names[0]]:.2f}" for name in names[1:])
        lines.append(f"| {layer} | {best[names[0]]:.2f} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Measure every layer of every kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    dtype = getattr(torch, arguments.precision)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(arguments.device, dtype)

    def measure(
        contestants: dict[str, tuple[Convolution, torch.memory_format]],
        layer: tuple[int, int, int],
        kernel: tuple[int, ...],
    ) -> dict[str, float]:
        channels, side, stride = layer
        volume = draw(arguments.clips, channels, arguments.frames, side, side)
        return milliseconds(contestants, volume, draw(channels, 1, *kernel), stride)

    title = f"{arguments.clips} clips of {arguments.frames} frames, {arguments.device}, {arguments.precision}"
    depthwise = {name: measure(DEPTHWISE, layer, (3, 3, 3)) for name, layer in DEPTHWISE_LAYERS.items()}
    print(table(f"Depthwise 3x3x3, forward and backward: {title}", depthwise))
    temporal = {"stem": measure(TEMPORAL, (24, 56, 1), (5, 1, 1))}
    print(table(f"Depthwise 5x1x1, forward and backward: {title}", temporal))


if __name__ == "__main__":
    main()
