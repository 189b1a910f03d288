"""What a training step of HDF costs beside its X3D backbone, and X3D beside the same network of stock convolutions.

    OMP_NUM_THREADS=1 python benchmarks/hdf_cost.py
    python benchmarks/hdf_cost.py --device cuda --precision bfloat16 --clips 32

prints a Markdown table of forward and backward in milliseconds a clip, and as ratios to X3D's trunk under HDF's own
head, in one run. "DAM as released" repeats the filter bank over channels, as the published module does. Processor time
is measured on a CPU; rounds of the contestants alternate and the best of each counts, so that a busy machine slows all
of them alike. HDF must stay below 1.35 at 16x112x112: the script fails if it does not.
"""

import argparse
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.plugins import load
from models._blocks.dam import FrequencyGate
from models._blocks.model import ClipShape
from models._blocks.x3d_convolutions import DepthwiseConv3d, PointwiseConv3d, SpatialConv3d, TemporalDepthwiseConv3d

LARGEST_RATIO = 1.35


class RepeatedBankGate(FrequencyGate):
    """The frequency gate with its bank repeated over channels, as released."""

    def forward(self, volume: Tensor) -> Tensor:
        """Gates per pixel."""
        image = volume.mean(dim=2)
        bank = self.bank.to(image.dtype).expand(-1, image.shape[1], -1, -1)
        responses = functional.conv2d(image, bank.contiguous(), padding=3)
        both = (self.clean_weight * responses + self.perturbed_weight * (responses + self._perturbation(responses))) / 2
        return torch.sigmoid(self.collect(self.squash(both)))[:, 0]


def stock(network: nn.Module) -> nn.Module:
    """The network with PyTorch's own formulation of every convolution, weights shared."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, DepthwiseConv3d | PointwiseConv3d | SpatialConv3d | TemporalDepthwiseConv3d):
                plain = nn.utils.skip_init(
                    nn.Conv3d,
                    layer.in_channels,
                    layer.out_channels,
                    layer.kernel_size,
                    layer.stride,
                    layer.padding,
                    groups=layer.groups,
                    bias=False,
                )
                plain.weight = layer.weight
                setattr(parent, name, plain)
    return network


def released(network: nn.Module) -> nn.Module:
    """The network with frequency gates whose bank is repeated over channels."""
    for attention in network.attention:
        gate = RepeatedBankGate()
        gate.load_state_dict(attention.frequency.state_dict())
        attention.frequency = gate
    return network


def contestants(width: float, depth: float, shape: ClipShape) -> dict[str, nn.Module]:
    """The networks, all built with the same seed."""

    def build(
        name: str, change: Callable[[nn.Module], nn.Module] = lambda network: network, **options: bool
    ) -> nn.Module:
        plugin = load("model", name)
        torch.manual_seed(0)
        return change(plugin.build(plugin.config(width=width, depth=depth, **options), 7, shape))

    return {
        "X3D trunk, HDF's head": build("hdf", temporal=False, frequency=False),
        "X3D trunk of stock convolutions": build("hdf", stock, temporal=False, frequency=False),
        "X3D with its own head": build("x3d"),
        "HDF, temporal branch": build("hdf", frequency=False),
        "HDF, frequency branch": build("hdf", temporal=False),
        "HDF": build("hdf"),
        "HDF, DAM as released": build("hdf", released),
    }


def seconds(network: nn.Module, clips: Tensor, precision: str) -> float:
    """One forward and backward pass."""
    on_cpu = clips.device.type == "cpu"
    clock = time.process_time if on_cpu else time.perf_counter
    if not on_cpu:
        torch.cuda.synchronize()
    started = clock()
    with torch.autocast(clips.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = network(clips).logits
    logits.float().square().sum().backward()
    if not on_cpu:
        torch.cuda.synchronize()
    return clock() - started


def main() -> None:
    """Measure all contestants in alternating rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--width", type=float, default=2.0)
    parser.add_argument("--depth", type=float, default=2.2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args()
    shape = ClipShape(arguments.frames, arguments.size)
    networks = contestants(arguments.width, arguments.depth, shape)
    generator = torch.Generator().manual_seed(0)
    clips = torch.rand(arguments.clips, shape.frames, 3, shape.size, shape.size, generator=generator)
    clips = clips.to(arguments.device)
    best = dict.fromkeys(networks, float("inf"))
    for number in range(arguments.rounds + 1):
        for name, network in networks.items():
            took = seconds(network.to(arguments.device), clips, arguments.precision)
            best[name] = min(best[name], took) if number else best[name]
    reference = next(iter(best.values()))
    print(
        f"Forward and backward of {arguments.clips} clips of {shape.frames}x{shape.size}x{shape.size}, width "
        f"{arguments.width:g}, depth {arguments.depth:g}, {arguments.device}, {arguments.precision}\n"
    )
    print("| network | ms a clip | ratio |\n|:--|--:|--:|")
    for name, took in best.items():
        print(f"| {name} | {took / arguments.clips * 1e3:.1f} | {took / reference:.2f} |")
    if best["HDF"] > LARGEST_RATIO * reference and shape == ClipShape(16, 112):
        sys.exit(f"HDF costs more than {LARGEST_RATIO} times its backbone.")


if __name__ == "__main__":
    main()
