"""What another device would do differently, watched or imitated without one.

``Rounding`` imitates arithmetic that rounds otherwise; ``Waits`` collects what makes a host wait for its device;
``Unordered`` collects operations that add up in any order on CUDA.
"""

import re
import sys

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ULPS = 4.0
"""CUDA's elementary functions are within 2 units in the last place (CUDA C++ Programming Guide, "Mathematical
Functions"); twice that leaves room for the CPU's own."""
_NAMES = (
    "exp exp2 expm1 log log1p log2 log10 pow sin cos tan asin acos atan atan2 tanh sigmoid erf lgamma special_ndtri "
    "xlogy rsqrt reciprocal hypot abs linspace lerp addcmul addcdiv sum mean prod cumsum std var std_mean var_mean "
    "index_add scatter_add _embedding_bag_forward_only avg_pool2d upsample_bilinear2d upsample_bicubic2d "
    "grid_sampler_2d linalg_vector_norm _softmax"
)
ELEMENTWISE = frozenset(_NAMES.split())
"""Operations that IEEE 754 does not round for everybody: elementary functions, fused ones, and sums in any order. Sums,
products, quotients and square roots of two numbers are the same everywhere."""
MIXED = frozenset(("convolution", "mm", "bmm", "addmm", "baddbmm", "dot", "_fft_r2c", "_fft_c2r", "_fft_c2c"))
"""Sums of products of either sign, whose errors go with the largest values and not with the result's own."""
EXACT = 2.0**14
"""Where all results are multiples of 1/EXACT and fit the format, so do their partial sums: no device rounds."""


class Rounding(TorchDispatchMode):
    """Every operation that devices may round differently is off by up to ``ULPS`` units, at random.

    Attributes:
        changed: names of the operations whose results were.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.changed: set[str] = set()
        self._noise = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::").rstrip("_")
        if name in ELEMENTWISE | MIXED or _fused(name, args, kwargs or {}) or _by_scalar(name, args):
            for result in tree_leaves(out):
                if isinstance(result, torch.Tensor) and self._off(result, by_largest=name in MIXED):
                    self.changed.add(name)
        return out

    def _off(self, result, *, by_largest):
        if not (result.is_floating_point() or result.is_complex()) or not result.numel():
            return False
        values = torch.view_as_real(result) if result.is_complex() else result
        exact = values.double() * EXACT
        room = 2.0**24 if values.dtype == torch.float32 else 2.0**53
        if bool((exact == exact.round()).all()) and bool((exact.abs() < room).all()):
            return False
        noise = torch.rand(values.shape, generator=self._noise, dtype=torch.float64) * 2 - 1
        scale = values.abs().amax() if by_largest else values
        values.copy_(values.double() + noise * ULPS * torch.finfo(values.dtype).eps * scale)
        return True


def _fused(name, args, kwargs):
    """``a + alpha * b`` may be one rounding or two."""
    return name in {"add", "sub", "rsub"} and kwargs.get("alpha", args[2] if len(args) > 2 else 1) != 1


def _by_scalar(name, args):
    """Division by one number is multiplication by its reciprocal on CUDA."""
    return name == "div" and not (isinstance(args[1], torch.Tensor) and args[1].dim())


class Waits(TorchDispatchMode):
    """Collects copies between the host and fake devices for which the host waits.

    Attributes:
        found: the shapes of what was copied, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = func._schema.name.removeprefix("aten::")
        if name not in {"_to_copy", "copy_"}:
            return out
        source = args[1] if name == "copy_" else args[0]
        told = kwargs.get("non_blocking", args[2] if name == "copy_" and len(args) > 2 else False)
        if source.device.type != out.device.type and not (told and out.device.type == "cuda"):
            self.found.append(tuple(source.shape))
        return out


UNORDERED = re.compile(
    r"_?(adaptive_(avg|max)_pool[23]d|avg_pool3d|max_pool3d_with_indices|fractional_max_pool[23]d|upsample_(linear1d|bilinear2d|bicubic2d|trilinear3d)"
    r"|reflection_pad[123]d|grid_sampler_[23]d|ctc_loss|scaled_dot_product_\w+)_backward"
    r"|max_unpool[23]d|nll_loss2d|put|histc|bincount|median|scatter_reduce"
)
"""What has no deterministic kernel on CUDA (``torch.use_deterministic_algorithms``, the list of what raises), and the
gradients of fused attention, which are deterministic only where a warning would be an error."""


class Unordered(TorchDispatchMode):
    """Collects the names of operations whose result depends on the order in which a GPU's threads come.

    Attributes:
        found: names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::").rstrip("_")
        if UNORDERED.fullmatch(name):
            self.found.add(name)
        return func(*args, **(kwargs or {}))


def forget_tables():
    """Perturbations forget the tables that they keep between calls."""
    for name, module in list(sys.modules.items()):
        if name.startswith("perturbations."):
            for kept in vars(module).values():
                if callable(getattr(kept, "cache_clear", None)):
                    kept.cache_clear()
