"""Going on with an unfinished training at its last epoch that was stored, with the result that it would have had.

The state lies beside the trial's folder, in one file that is replaced atomically: a SHA-256 and what ``torch.save``
made. It is read with ``weights_only``, so that a file from elsewhere can run no code. A state that does not fit, or is
not whole, is left aside and the training starts from its beginning, which gives the same result later.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from time import perf_counter
from typing import Any

import numpy as np
import torch

from harness.tables.store import write_bytes
from harness.train.audit import Auditor
from harness.train.fit import Course, Training
from harness.train.provenance import versions

VERSION = 2
"""Raised when the content of a state changes."""
SAVE_SECONDS = 30.0
"""A state is stored no oftener than this, so that short trainings pay nothing for it."""
SAVE_SHARE = 0.05
"""Largest share of a training's time that storing states may take."""
DIGEST_BYTES = hashlib.sha256().digest_size


class Journey:
    """A training, its course and its audit, stored and taken up together.

    Attributes:
        training: between two epochs.
        course: how far it has come.
        auditor: of the trial, if it is audited.
        pretrained: what became of the tensors of published weights, in words.
        note: why a stored state was not used; empty if there was none, or it was.
        resumed_from: the epoch at which this process took it up.
        spent: seconds that earlier processes had trained.
    """

    def __init__(self, training: Training, auditor: Auditor | None, identity: Mapping[str, Any]) -> None:
        self.training, self.auditor, self.course = training, auditor, Course()
        self.identity = {"version": VERSION, **identity}
        self.note, self.pretrained, self.resumed_from, self.spent = "", "", 0, 0.0
        self._started = self._saved = perf_counter()
        self._cost = 0.0

    @property
    def seconds(self) -> float:
        """Trained until now, in this process and in earlier ones."""
        return self.spent + perf_counter() - self._started

    def take_up(self, path: Path) -> None:
        """Go on from a stored state, if there is one of this very training."""
        try:
            content = read_state(path)
        except FileNotFoundError:
            return
        except ValueError as error:
            self.note = f"started again: {error}"
            return
        if content["identity"] != self.identity:
            self.note = f"started again: the stored state is of {content['identity']}, this training is {self.identity}"
            return
        self._take(content)

    def save_if_due(self, path: Path) -> None:
        """Store the state if the last one is old enough."""
        wait = max(SAVE_SECONDS, self._cost / SAVE_SHARE)
        if perf_counter() - self._saved >= wait:
            self.save(path)

    def save(self, path: Path) -> None:
        """Store the state."""
        started = perf_counter()
        write_state(self._content(), path)
        self._saved = perf_counter()
        self._cost = self._saved - started

    def _content(self) -> dict[str, Any]:
        kept = self.course.kept
        return {
            "identity": self.identity,
            "training": self.training.state(),
            "rows": json.dumps(self.course.rows),
            "kept": {
                "score": [float(value) for value in kept.score],
                "epoch": kept.epoch,
                "weights": kept.weights,
                "logits": torch.from_numpy(np.ascontiguousarray(kept.logits)),
            },
            "audit": self.auditor.state() if self.auditor else None,
            "random": _random_state(self.training.device),
            "seconds": self.seconds,
        }

    def _take(self, content: dict[str, Any]) -> None:
        """Be where the state was; torch's generators last, because building a network draws from them."""
        self.training.take(content["training"])
        rows = json.loads(content["rows"])
        self.course.rows = [{**row, "train_parts": [tuple(part) for part in row["train_parts"]]} for row in rows]
        kept, stored, device = self.course.kept, content["kept"], self.training.device
        kept.score, kept.epoch = tuple(stored["score"]), stored["epoch"]
        kept.weights = {name: value.to(device) for name, value in stored["weights"].items()}
        kept.logits = stored["logits"].numpy()
        if self.auditor:
            self.auditor.take(content["audit"])
        self.resumed_from, self.spent = self.course.epoch, content["seconds"]
        _set_random_state(content["random"], device)


def identity(training: Training, *, audited: bool, accumulation: int) -> dict[str, Any]:
    """What a state must agree in to be gone on from with the same result."""
    known = versions()
    return {
        "trial_id": training.trial.trial_id,
        "audited": audited,
        "accumulation": accumulation,
        "device": training.device.type,
        "versions": {name: known[name] for name in ("dferbench", "torch", "pytorch-optimizer")},
    }


def write_state(content: dict[str, Any], path: Path) -> None:
    """Replace a stored state atomically."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    payload = buffer.getvalue()
    write_bytes(hashlib.sha256(payload).digest() + payload, path)


def read_state(path: Path) -> dict[str, Any]:
    """The state that was stored.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file is not whole, or is not a state.
    """
    stored = path.read_bytes()
    payload = stored[DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != stored[:DIGEST_BYTES]:
        raise ValueError(f"{path.name} is damaged")
    try:
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError) as error:
        raise ValueError(f"{path.name} is not a state ({error})") from error
    if not isinstance(content, dict) or "identity" not in content:
        raise ValueError(f"{path.name} is not a state")
    return content


def _random_state(device: torch.device) -> dict[str, Any]:
    """Torch's generators, which draw dropout masks."""
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _set_random_state(state: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
