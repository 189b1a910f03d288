"""Logits of clips, clean and perturbed, and the rows that they become in the predictions table."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from harness.data.clip import Source
from harness.train.ahead import read_ahead
from harness.train.batches import Batch, ClipReader
from harness.train.showing import Pass, different, shown_under

EVALUATION_BATCH = 32
"""Clips per forward pass outside training; fixed, so that logits do not depend on a study's batch size."""

OnBatch = Callable[[int, int], None]
"""Told how many clips are done, and of how many."""
OnShown = Callable[[Pass, Sequence[str], Tensor], None]
"""Given the pixels ``b t c h w`` that the network is shown under a pass, and whose they are."""


def to_floats(pixels: UInt8[Tensor, "b t c h w"], device: torch.device) -> Float[Tensor, "b t c h w"]:
    """8-bit pixels as floats in [0, 1] on the device."""
    return pixels.to(device, non_blocking=True).float().div_(255)


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
    """Logits of several networks for the same passes; each clip is read and perturbed once for all of them.

    A GPU is waited for once for each batch, not for each pass.
    """
    for model in models:
        model.eval()
    device, on_batch, on_shown = watchers
    found: list[np.ndarray] = []
    done = 0
    with torch.no_grad():
        for batch in read_ahead(reader.in_order(clip_ids, batch_size), device):
            found.append(said_of(models, batch, shown, device, on_shown).cpu().numpy())
            done += len(batch.clip_ids)
            if on_batch:
                on_batch(done, len(clip_ids))
    if not found:
        raise ValueError(f"nothing to evaluate: {len(clip_ids)} clips under {len(shown)} conditions")
    return np.concatenate(found, axis=2)


def said_of(
    models: Sequence[nn.Module],
    batch: Batch,
    shown: Sequence[Pass],
    device: torch.device,
    on_shown: OnShown | None = None,
) -> Float[Tensor, "m p b k"]:
    """Logits of several networks for one batch under every pass, on the networks' device.

    Passes that show the same pixels are made once.
    """
    made, places = different(shown)
    # one array for all: small ones kept from every pass would lie between the clips that come and go, and keep the
    # allocator from using their memory again
    said: Tensor | None = None
    for place, pixels in shown_under(batch, made, device):
        if on_shown:
            for one in (one for one, its in zip(shown, places, strict=True) if its == place):
                on_shown(one, batch.clip_ids, pixels)
        clips = to_floats(pixels, device)
        for row, model in enumerate(models):
            logits = logits_of(model, clips)
            if said is None:
                said = logits.new_empty(len(models), len(made), *logits.shape)
            said[row, place] = logits
    if said is None:
        raise ValueError("nothing is shown: give at least one pass and one network")
    return said if len(made) == len(shown) else said.index_select(1, torch.tensor(places).to(device, non_blocking=True))


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
            for batch in read_ahead(reader.in_order(clip_ids, batch_size), device)
        ]
    return np.concatenate(found)


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
