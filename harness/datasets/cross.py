"""Two data sets as one: trained on the one, tested on the other, under a declared mapping of their classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from harness.data.clip import Clip, OfficialFold, Source
from harness.data.opening import open_source
from harness.data.votes import regrouped
from harness.datasets._options import read_options
from harness.datasets._roots import check_root
from harness.errors import HarnessError, unknown
from harness.seeds import digest
from harness.spec.strict import PluginSpec, Strict

Side = Literal["train", "test"]


class SharedClass(Strict):
    """The classes of either data set that are one class of the study."""

    train: tuple[str, ...] = Field(min_length=1)
    test: tuple[str, ...] = Field(min_length=1)


class CrossOptions(Strict):
    """What a study says of the two data sets.

    Attributes:
        train: name, ``folder`` under the root, and options of the data set that is trained and validated on.
        test: the same of the data set that is tested on.
        mapping: the study's classes, and what they are called on either side; clips of other classes take no part.
        on_bad_clip: handed to both.
    """

    train: PluginSpec
    test: PluginSpec
    mapping: dict[str, SharedClass]
    on_bad_clip: Literal["error", "drop"] = "error"


@dataclass(frozen=True)
class Cross:
    """The data set of a cross-data-set study: one fold, all clips of the one side against all of the other.

    Ids are ``train/<id>`` and ``test/<id>``. A clip's domain is its data set (and its domain there), so that
    heterogeneity is reported per data set.
    """

    title: str = "Two data sets"
    paper: str = "none: a pair of other data sets"

    def open(self, root: Path | None, options: dict[str, Any]) -> Source:
        """Open both data sets, which lie in two folders under the root, and map their classes.

        Raises:
            HarnessError: for a missing root, an unknown option, class or data set, a class that is mapped twice, or
                anything that either data set has to say.
        """
        home = check_root("cross", root)
        missing = {"train", "test", "mapping"} - set(options)
        if missing and set(options) <= set(CrossOptions.model_fields):
            raise HarnessError(f"dataset cross at {home} needs the options {', '.join(sorted(missing))}.")
        chosen = read_options(CrossOptions, "cross", options)
        if len(chosen.mapping) < 2:
            raise HarnessError("dataset cross, option 'mapping': give two or more classes.")
        clips: dict[str, Clip] = {}
        excluded: dict[str, str] = {}
        codes: list[str] = []
        for side, spec in (("train", chosen.train), ("test", chosen.test)):
            source = _open(spec, home, chosen.on_bad_clip)
            codes.append(source.code)
            labels = _labels(source, side, chosen.mapping)
            clips |= {clip.clip_id: clip for clip in _mapped(source, side, labels)}
            excluded |= {f"{side}/{clip_id}": reason for clip_id, reason in source.excluded.items()}
        fold = OfficialFold(*(tuple(c for c in clips if c.startswith(f"{side}/")) for side in ("train", "test")))
        return Source(
            name="cross",
            root=home,
            classes=tuple(chosen.mapping),
            clips=clips,
            folds={1: fold},
            excluded=excluded,
            code=digest(codes) if any(codes) else "",
        )


def _open(spec: PluginSpec, home: Path, on_bad_clip: str) -> Source:
    """One of the two data sets."""
    options = dict(spec.options)
    folder = options.pop("folder", None)
    if on_bad_clip == "drop":
        options["on_bad_clip"] = on_bad_clip
    return open_source(spec.name, home / str(folder) if folder is not None else None, options)


def _labels(source: Source, side: str, mapping: dict[str, SharedClass]) -> dict[int, int]:
    """The study's label for each label of a side.

    Raises:
        HarnessError: for a class that the side does not have, or that is mapped to two classes.
    """
    labels: dict[int, int] = {}
    for label, (name, shared) in enumerate(mapping.items()):
        for own in getattr(shared, side):
            if own not in source.classes:
                raise unknown(f"class of {source.name} (mapping.{name}.{side})", own, source.classes)
            if source.classes.index(own) in labels:
                raise HarnessError(f"dataset cross: class '{own}' of {source.name} is mapped to two classes.")
            labels[source.classes.index(own)] = label
    return labels


def _mapped(source: Source, side: str, labels: dict[int, int]) -> Iterator[Clip]:
    """The clips of the mapped classes under the study's ids, labels, groups and domains."""
    own = [[old for old, new in labels.items() if new == label] for label in range(max(labels.values()) + 1)]
    for clip in source.clips.values():
        if clip.label in labels:
            yield replace(
                clip,
                clip_id=f"{side}/{clip.clip_id}",
                label=labels[clip.label],
                group=f"{side}/{clip.group}" if clip.group else "",
                domain=f"{source.name} {clip.domain}".strip(),
                label_distribution=regrouped(clip.label_distribution, own),
            )


cross = Cross()
