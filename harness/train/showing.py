"""Clips as the passes of an evaluation show them: read once, and spoilt where the networks are.

On a GPU nothing waits for anything. The host goes on to launch the next pass while the device works on the last ones,
and what needs a codec on the CPU is made there by other threads meanwhile, a few passes ahead.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice, product
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from torch import Tensor

from harness.spec.trial import CLEAN, CLEAN_CONDITION, Condition
from harness.train.batches import Batch
from harness.train.conditions import perturbation
from perturbations._apply import key, perturb
from perturbations._jpeg import beside_other_threads

AHEAD = 3
"""Passes that codecs may be ahead of a GPU: they bound the memory that waits on the host, whatever the suite."""


class Pass(NamedTuple):
    """One condition and repeat under which every clip is shown."""

    condition: Condition
    repeat: int


CLEAN_PASS = (Pass(CLEAN_CONDITION, 0),)
"""The clips as they are."""


def passes_of(conditions: Iterable[Condition], repeats: int) -> list[Pass]:
    """All passes of a suite; the clean condition is shown once."""
    return [
        Pass(condition, repeat)
        for condition, repeat in product(conditions, range(repeats))
        if repeat == 0 or condition.perturbation != CLEAN
    ]


def different(passes: Sequence[Pass]) -> tuple[list[Pass], list[int]]:
    """The passes that show different pixels, and for every pass the place of its own among them.

    A perturbation that draws nothing shows the same in every repeat.
    """
    alike = [one if _draws(one) else one._replace(repeat=0) for one in passes]
    shown = list(dict.fromkeys(alike))
    place_of = {one: place for place, one in enumerate(shown)}
    return shown, [place_of[one] for one in alike]


def _draws(one: Pass) -> bool:
    return one.condition != CLEAN_CONDITION and perturbation(one.condition.perturbation).keyed


def shown_under(
    batch: Batch, passes: Sequence[Pass], device: torch.device
) -> Iterator[tuple[int, UInt8[Tensor, "b t c h w"]]]:
    """The place of every pass and what it shows of a batch, on the device, in the order of ``in_turn``.

    Args:
        batch: as read, on the CPU.
        passes: what to show.
        device: of the networks.
    """
    turns = in_turn(passes) if device.type != "cpu" else list(range(len(passes)))
    coded = [place for place in turns if device.type != "cpu" and on_host(passes[place])]
    pixels = batch.pixels.to(device, non_blocking=True).contiguous()
    with _codecs(batch, [passes[place] for place in coded], pinned=device.type == "cuda") as made:
        for place in turns:
            if place in coded:
                yield place, next(made).to(device, non_blocking=True)
            else:
                yield place, as_shown(pixels, batch.clip_ids, passes[place])


def as_shown(pixels: UInt8[Tensor, "b t c h w"], clip_ids: Sequence[str], one: Pass) -> UInt8[Tensor, "b t c h w"]:
    """Clips as a pass shows them, on the device that they are on; in halves if its memory does not hold them all."""
    condition = one.condition
    if condition == CLEAN_CONDITION:
        return pixels
    plugin = perturbation(condition.perturbation)
    keys = [key(condition.perturbation, condition.severity, clip_id, one.repeat) for clip_id in clip_ids]
    try:
        return perturb(pixels, plugin, condition.severity, keys)
    except torch.OutOfMemoryError:
        if len(pixels) == 1:
            raise
    if pixels.device.type == "cuda":
        torch.cuda.empty_cache()
    half = len(pixels) // 2
    return torch.cat([as_shown(pixels[part], clip_ids[part], one) for part in (slice(half), slice(half, None))])


def on_host(one: Pass) -> bool:
    """Whether a pass needs the CPU, wherever the networks are."""
    return one.condition != CLEAN_CONDITION and perturbation(one.condition.perturbation).on_host


def in_turn(passes: Sequence[Pass]) -> list[int]:
    """The places of passes, those that codecs make spread evenly and as late as can be: they have the longest way."""
    quick = [place for place, one in enumerate(passes) if not on_host(one)]
    coded = [place for place, one in enumerate(passes) if on_host(one)]
    turns = [(float(turn), place) for turn, place in enumerate(quick)]
    turns += [((turn + 1) * len(quick) / len(coded) - 0.5, place) for turn, place in enumerate(coded)]
    return [place for _, place in sorted(turns)]


@contextmanager
def _codecs(batch: Batch, passes: Sequence[Pass], *, pinned: bool) -> Iterator[Iterator[UInt8[Tensor, "b t c h w"]]]:
    """What passes show of a batch, on the CPU, made by threads up to ``AHEAD`` passes ahead of who takes it."""
    if not passes:
        yield iter(())
        return

    def made(one: Pass) -> Tensor:
        with beside_other_threads():
            shown = as_shown(batch.pixels, batch.clip_ids, one)
        # only pinned memory is copied to a GPU without a wait
        return shown.pin_memory() if pinned else shown

    pool = ThreadPoolExecutor(min(AHEAD, max(1, torch.get_num_threads() - 1)), thread_name_prefix="codec")
    later = iter(passes)
    waiting = deque(pool.submit(made, one) for one in islice(later, AHEAD))

    def taken() -> Iterator[Tensor]:
        while waiting:
            shown = waiting.popleft().result()
            waiting.extend(pool.submit(made, one) for one in islice(later, 1))
            yield shown

    try:
        yield taken()
    finally:
        pool.shutdown(cancel_futures=True)
