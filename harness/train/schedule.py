"""The learning rate of every optimiser step: linear warm-up, then half a cosine."""

from __future__ import annotations

import math

from harness.spec.trial import TrainingSpec


def learning_rate(base: float, training: TrainingSpec, progress_epochs: float) -> float:
    """Learning rate after a (fractional) number of epochs.

    Warm-up rises linearly from 0 over ``warmup_epochs`` (at most half of the training), then the rate falls on half a
    cosine to ``final_learning_rate`` times the base (Loshchilov & Hutter, SGDR, ICLR 2017, eq. 5, one cycle).
    """
    warmup = min(training.warmup_epochs, training.epochs / 2)
    if progress_epochs < warmup:
        return base * progress_epochs / warmup
    share = (progress_epochs - warmup) / (training.epochs - warmup)
    low = training.final_learning_rate
    return base * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))
