"""What a GPU would move and launch to perturb clips of a suite, beside a network's forward pass. Needs no GPU.

    python benchmarks/suite_traffic.py
    python benchmarks/suite_traffic.py --suite full --precision float32

Perturbations and X3D run on torch's fake CUDA tensors, which know shapes and no values, and every operation's reads and
writes of the GPU's memory are added up, as if nothing were kept in a cache. Nearly all of it is elementwise work or
small convolutions, which a GPU does about as fast as it can move the bytes, so the ratio foretells the overhead of an
evaluation (``suite_overhead.py`` measures it where there is a GPU): an estimate, and no time. An operation is a launch
or two; the host goes on to the next pass meanwhile, so launches count only where they take longer than the work.

What codecs make on the CPU while the GPU works costs the GPU one copy.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from harness.plugins import load
from harness.train.predict import to_floats
from models._blocks.model import ClipShape as NetworkShape
from perturbations._apply import key, perturb, stack, to_device
from perturbations._contract import ClipShape
from perturbations._probe import moving_clip
from perturbations._suite import suite

_NAMES = (
    "alias as_strided detach device diagonal empty empty_like expand lift_fresh permute select slice split "
    "split_with_sizes squeeze squeeze_ t transpose unbind unflatten unfold unsqueeze view _reshape_alias _unsafe_view"
)
FREE = frozenset(_NAMES.split())
"""Operations that touch no values."""


class Traffic(TorchDispatchMode):
    """Adds up the bytes that operations on the GPU read and write.

    Attributes:
        moved: bytes; a value that is repeated by its strides counts once.
        operations: how many.
    """

    def __init__(self) -> None:
        super().__init__()
        self.moved = self.operations = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        out = func(*args, **(kwargs or {}))
        if func._schema.name.partition("::")[2] in FREE:
            return out
        tensors = [one for one in tree_leaves((args, kwargs, out)) if isinstance(one, Tensor) and one.is_cuda]
        if tensors:
            self.moved += sum(map(_bytes, tensors))
            self.operations += 1
        return out


@dataclass(frozen=True)
class Cost:
    """Of a batch: megabytes (10^6) for each clip, and operations."""

    megabytes: float
    operations: int


def main() -> None:
    """Count and print."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # a real GPU would have what is sent to it pinned, which fakes cannot be
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="core")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16", help="of the network")
    for option, default in (("batch", 32), ("frames", 16), ("size", 112)):
        parser.add_argument(f"--{option}", type=int, default=default)
    chosen = parser.parse_args()
    shape = ClipShape(chosen.frames, chosen.size, chosen.size)
    bare = of_network(shape, chosen.batch, getattr(torch, chosen.precision))
    costs: dict[str, list[Cost]] = {}
    left_out: set[str] = set()
    for name, severity in suite(chosen.suite).conditions:
        try:
            costs.setdefault(name, []).append(of_perturbation(name, severity, shape, chosen.batch))
        except DataDependentOutputException:
            left_out.add(name)
    costs = {name: of_one for name, of_one in costs.items() if name not in left_out}
    passes = [cost for of_one in costs.values() for cost in of_one]
    total = sum(cost.megabytes for cost in passes) / len(passes)
    print(f"X3D-M, {chosen.precision}, {chosen.batch} clips of {chosen.frames}x{chosen.size}x{chosen.size}: ", end="")
    print(f"{bare.megabytes:.0f} MB a clip, {bare.operations} operations a batch\n")
    print("| perturbation | MB a clip | share of the forward pass | operations a batch |\n|:--|--:|--:|--:|")
    for name, of_one in sorted(costs.items(), key=lambda item: -_mean(item[1])):
        operations = max(cost.operations for cost in of_one)
        print(f"| {name} | {_mean(of_one):.1f} | {_mean(of_one) / bare.megabytes:.3f} | {operations} |")
    print(f"\n{len(passes)} passes move {1 + total / bare.megabytes:.3f} times what as many forward passes move")
    if left_out:
        print(f"left out, because they look at values while they work: {', '.join(sorted(left_out))}")


def of_network(shape: ClipShape, batch: int, precision: torch.dtype) -> Cost:
    """X3D-M's forward pass on clips that are floats already."""
    model = load("model", "x3d")
    torch.set_default_dtype(precision)  # fakes cannot be made anew in another type
    with FakeTensorMode(), torch.no_grad(), torch.device("cuda"):
        network: nn.Module = model.build(model.config(width=2.0, depth=2.2), 7, NetworkShape(shape.frames, shape.width))
        clips = torch.empty(batch, shape.frames, 3, shape.height, shape.width)
        network.eval()
        cost = _counted(lambda: network(clips), batch)
    torch.set_default_dtype(torch.float32)
    return cost


def of_perturbation(name: str, severity: float, shape: ClipShape, batch: int) -> Cost:
    """One condition of a suite, from 8-bit clips to the network's floats."""
    member = load("perturbation", name)
    pixels = torch.empty(batch, shape.frames, 3, shape.height, shape.width, dtype=torch.uint8)
    # tables that are made on the CPU are made of values
    perturb(moving_clip(shape, 0)[None], member, severity, [1])
    keys = [key(name, severity, f"clip-{number}", 0) for number in range(batch)]
    drawn = stack([member.draw(member.level(severity), each, shape) for each in keys])

    def work(device: torch.device) -> Tensor:
        if member.on_host:
            return pixels.to(device)
        spoilt: Tensor = member.apply(torch.empty_like(pixels, device=device), to_device(drawn, device))
        return spoilt

    with FakeTensorMode(allow_non_fake_inputs=True):
        device = torch.device("cuda")
        work(device)  # tables that stay on the GPU are sent once
        return _counted(lambda: to_floats(work(device), device), batch)


def _counted(work: Callable[[], object], batch: int) -> Cost:
    with Traffic() as traffic:
        work()
    return Cost(traffic.moved / batch / 1e6, traffic.operations)


def _bytes(tensor: Tensor) -> int:
    sides = zip(tensor.shape, tensor.stride(), strict=True)
    return torch.Size(side for side, stride in sides if stride).numel() * tensor.element_size()


def _mean(costs: list[Cost]) -> float:
    return sum(cost.megabytes for cost in costs) / len(costs)


if __name__ == "__main__":
    main()
