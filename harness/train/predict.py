"""Logits of clips, clean and perturbed, and the rows that they become in the predictions table."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from harness.data.clip import Source
from harness.spec.trial import CLEAN, CLEAN_CONDITION, Condition
from harness.train.batches import Batch, ClipReader
from harness.train.conditions import perturbation
from perturbations._apply import key, perturb

EVALUATION_BATCH = 32
"""Clips per forward pass outside training; fixed, so that logits do not depend on a study's batch size."""

OnBatch = Callable[[int, int], None]
"""Told how many clips are done, and of how many."""


class Pass(NamedTuple):
    """One condition and repeat under which every clip is shown."""

    condition: Condition
    repeat: int


OnShown = Callable[[Pass, Sequence[str], Tensor], None]
"""Given the pixels ``b t c h w`` that the network is shown under a pass, and whose they are."""
CLEAN_PASS = (Pass(CLEAN_CONDITION, 0),)
"""The clips as they are."""


def passes(conditions: Iterable[Condition], repeats: int) -> list[Pass]:
    """All passes of a suite; the clean condition is shown once."""
    return [
        Pass(condition, repeat)
        for condition, repeat in product(conditions, range(repeats))
        if repeat == 0 or condition.perturbation != CLEAN
    ]


def to_floats(pixels: UInt8[Tensor, "b t c h w"], device: torch.device) -> Float[Tensor, "b t c h w"]:
    """8-bit pixels as floats in [0, 1] on the device."""
    return pixels.to(device).float() / 255


def evaluate(
    model: nn.Module,
    reader: ClipReader,
    clip_ids: Sequence[str],
    shown: Sequence[Pass],
    batch_size: int,
    device: torch.device,
) -> Float[np.ndarray, "p n k"]:
    """Logits for every pass and clip; each clip is read once and perturbed on the device."""
    logits: np.ndarray = evaluate_together([model], reader, clip_ids, shown, batch_size, Watchers(device))[0]
    return logits


class Watchers(NamedTuple):
    """Where an evaluation runs, and who watches it."""

    device: torch.device
    on_batch: OnBatch | None = None
    on_shown: OnShown | None = None


def evaluate_together(
    models: Sequence[nn.Module],
    reader: ClipReader,
    clip_ids: Sequence[str],
    shown: Sequence[Pass],
    batch_size: int,
    watchers: Watchers,
) -> Float[np.ndarray, "m p n k"]:
    """Logits of several networks for the same passes; each clip is read and perturbed once for all of them."""
    for model in models:
        model.eval()
    device, on_batch, on_shown = watchers
    # one array for all: small ones kept from every pass would lie between the clips that come and go, and keep the
    # allocator from using their memory again
    found: np.ndarray | None = None
    done = 0
    with torch.no_grad():
        for batch in reader.in_order(clip_ids, batch_size):
            pixels = batch.pixels.to(device)
            here = slice(done, done + len(batch.clip_ids))
            for place, one in enumerate(shown):
                seen = _shown(pixels, batch, one)
                if on_shown:
                    on_shown(one, batch.clip_ids, seen)
                clips = to_floats(seen, device)
                said = torch.stack([logits_of(model, clips) for model in models]).cpu().numpy()
                if found is None:
                    found = np.empty((len(models), len(shown), len(clip_ids), said.shape[-1]), said.dtype)
                found[:, place, here] = said
            done = here.stop
            if on_batch:
                on_batch(done, len(clip_ids))
    if found is None:
        raise ValueError(f"nothing to evaluate: {len(clip_ids)} clips under {len(shown)} conditions")
    return found


def logits_of(model: nn.Module, clips: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b k"]:
    """Logits of a batch; of its halves, one after the other, if the device's memory does not hold it.

    In evaluation a clip's logits do not depend on the others, beyond rounding.
    """
    try:
        logits: Tensor = model(clips).logits.float()
        return logits
    except torch.OutOfMemoryError:
        if len(clips) == 1:
            raise
    if clips.device.type == "cuda":
        torch.cuda.empty_cache()
    return torch.cat([logits_of(model, half) for half in clips.tensor_split(2)])


def pooled_features(
    model: nn.Module, reader: ClipReader, clip_ids: Sequence[str], batch_size: int, device: torch.device
) -> Float[np.ndarray, "n d"]:
    """The vectors that the classifier reads, for clean clips."""
    model.eval()
    with torch.no_grad():
        found = [
            model(to_floats(batch.pixels, device)).features.float().cpu().numpy()
            for batch in reader.in_order(clip_ids, batch_size)
        ]
    return np.concatenate(found)


def _shown(pixels: UInt8[Tensor, "b t c h w"], batch: Batch, one: Pass) -> UInt8[Tensor, "b t c h w"]:
    """The batch as a pass shows it."""
    condition = one.condition
    if condition == CLEAN_CONDITION:
        return pixels
    plugin = perturbation(condition.perturbation)
    keys = [key(condition.perturbation, condition.severity, clip_id, one.repeat) for clip_id in batch.clip_ids]
    return perturb(pixels, plugin, condition.severity, keys)


def prediction_rows(  # noqa: PLR0913 - each argument is a column or what fills one
    trial_id: str,
    split: str,
    source: Source,
    clip_ids: Sequence[str],
    shown: Sequence[Pass],
    logits: Float[np.ndarray, "p n k"],
    selection: str = "validation",
) -> pd.DataFrame:
    """Rows of the predictions table, one per pass and clip."""
    clips = [source.clips[clip_id] for clip_id in clip_ids]
    frames = [
        pd.DataFrame(
            {
                "trial_id": trial_id,
                "selection": selection,
                "split": split,
                "perturbation": one.condition.perturbation,
                "severity": np.float32(one.condition.severity),
                "repeat": one.repeat,
                "clip_id": list(clip_ids),
                "group": [clip.group for clip in clips],
                "domain": [clip.domain for clip in clips],
                "label": [clip.label for clip in clips],
                "logits": list(logits[index]),
            }
        )
        for index, one in enumerate(shown)
    ]
    return pd.concat(frames, ignore_index=True)
