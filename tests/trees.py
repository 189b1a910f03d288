"""A small tree laid out like each data set on disk, by ``write_<name>``; clips are named files with little in them."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tiny_clips import dfew_labels, write_lines
from tiny_clips import write_dfew as write_dfew
from workbooks import write_votes

from harness.data.clip import Dataset
from harness.errors import CollectedError

__all__ = [
    "LAYOUTS",
    "problems_of",
    "write_caer",
    "write_clip_folder",
    "write_cremad",
    "write_dfew",
    "write_ferv39k",
    "write_mafw",
    "write_ravdess",
]

FERV_CLASSES = ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear")
FERV_SCENES = ("Action", "Crime", "School", "War")
MAFW_WORDS = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
)


def problems_of(dataset: Dataset, root: Path, options: dict[str, Any] | None = None) -> str:
    """What a reader finds wrong with a tree, a line each; the test fails if that is nothing."""
    with pytest.raises(CollectedError) as caught:
        dataset.open(root, options or {})
    return "\n".join(caught.value.problems)


def video(path: Path) -> Path:
    """A file that is not empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def frames(folder: Path, name: str = "01.jpg") -> Path:
    """A frame folder with one file in it."""
    video(folder / name)
    return folder


def write_ferv39k(root: Path, nested: str = "2_ClipsforFaceCrop") -> Path:
    """Four scenes of seven classes with three clips each; the last of each three is tested. Numbers repeat."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for scene, emotion, number in itertools.product(FERV_SCENES, FERV_CLASSES, range(10, 13)):
        clip = f"{scene}/{emotion}/{number:04d}"
        frames(root / nested / clip)
        lists["test" if number == 12 else "train"].append(f"{clip} {emotion}")
    for split, lines in lists.items():
        write_lines(root / "4_setups" / "All_scenes" / f"{split}_All.csv", lines)
    return root


def write_mafw(root: Path) -> Path:
    """Five clips of each of eleven classes, the k-th tested in fold k."""
    clips = {f"{5 * c + k:05d}": (MAFW_WORDS[c], k) for c in range(11) for k in range(1, 6)}
    for name in clips:
        video(root / "data" / "clips" / f"{name}.mp4")
    for fold in range(1, 6):
        for split in ("train", "test"):
            lines = [f"{name}.mp4 {word}" for name, (word, own) in clips.items() if (own == fold) == (split == "test")]
            write_lines(root / "split" / "single" / "no_caption" / f"set_{fold}" / f"{split}.txt", lines)
    return root


def write_cremad(root: Path) -> Path:
    """Ten actors, each with one clip of six emotions."""
    for actor, emotion in itertools.product(range(1001, 1011), ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")):
        video(root / "VideoFlash" / f"{actor}_DFA_{emotion}_{'HI' if actor % 2 else 'XX'}.flv")
    return root


def write_ravdess(root: Path) -> Path:
    """Twelve actors, each with one clip of eight emotions, with and without sound."""
    for actor, emotion, modality in itertools.product(range(1, 13), range(1, 9), ("01", "02")):
        video(root / f"Actor_{actor:02d}" / f"{modality}-01-{emotion:02d}-01-01-01-{actor:02d}.mp4")
    return root


def write_caer(root: Path) -> Path:
    """Three training clips, a validation and a test clip of each class; numbers repeat over splits and classes."""
    for emotion in ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"):
        for split, number in (("train", 3), ("validation", 1), ("test", 1)):
            for index in range(1, number + 1):
                video(root / split / emotion / f"{index:04d}.avi")
    return root


def write_clip_folder(root: Path) -> Path:
    """Two classes of six clips, videos and frame folders mixed."""
    for emotion, number in itertools.product(("calm", "excited"), range(6)):
        if number % 2:
            frames(root / emotion / f"c{number}")
        else:
            video(root / emotion / f"c{number}.mp4")
    return root


class Layout(NamedTuple):
    """One way in which a data set lies on people's disks: its reader, the options it needs, and who writes it."""

    dataset: str
    options: dict[str, Any]
    write: Callable[[Path], Path]


def dfew_lists(
    root: Path, line: str, *, header: str = "", suffix: str = "csv", end: str = "\n", first: int = 0
) -> Path:
    """A DFEW tree whose lists are in another form: each line is formatted with ``id`` and ``label``."""
    write_dfew(root)
    labels, folder = dfew_labels(), root / "EmoLabel_DataSplit"
    for old in sorted(folder.rglob("*.csv")):
        split, fold = old.parent.name.partition("(")[0], old.stem
        ids = [row.split(",")[0].zfill(5) for row in old.read_text().splitlines()[1:]]
        rows = [line.format(id=clip_id, label=labels[clip_id] - 1 + first) for clip_id in ids]
        write_lines(root / "lists" / f"{fold}_{split}.{suffix}", [*([header] if header else []), *rows], end)
    shutil.rmtree(folder)
    (root / "lists").rename(folder)
    return root


def with_votes(root: Path) -> Path:
    """A DFEW tree with its annotators' workbook."""
    write_dfew(root)
    write_votes(root, {i: tuple(10 * (k == label - 1) for k in range(7)) for i, label in dfew_labels().items()})
    return root


def in_integers(root: Path) -> Path:
    """FERV39k with labels as integers in DFEW's order, in the nested folder that its archive unpacks to."""
    write_ferv39k(root, "2_ClipsforFaceCrop-002/2_ClipsforFaceCrop")
    for path in (root / "4_setups").rglob("*.csv"):
        rows = [row.split() for row in path.read_text().splitlines()]
        write_lines(path, [f"{clip} {FERV_CLASSES.index(word)}" for clip, word in rows])
    return root


def listed(root: Path) -> Path:
    """A folder of clips with a list of everything that a list can say."""
    write_clip_folder(root)
    names = [f"{emotion}/c{n}{'' if n % 2 else '.mp4'}" for emotion in ("calm", "excited") for n in range(6)]
    rows = [f"{name},{name.split('/')[0]},p{n % 4},{n % 2 + 1},{n % 3},1" for n, name in enumerate(names)]
    write_lines(root / "clips.csv", ["clip,label,group,fold,votes:calm,votes:excited", *rows])
    return root


LAYOUTS = {
    **{
        f"dfew, {name}": Layout("dfew", {}, lambda root, name=name: write_dfew(root, clips=name))
        for name in ("clip_224x224", "clip_224x224_16f", "clip_224x224_avi", "clip_224x224_mp4")
    },
    "dfew, votes": Layout("dfew", {}, with_votes),
    "dfew, S2D": Layout("dfew", {}, lambda root: dfew_lists(root, "{id},{label}", header="video_name,label")),
    "dfew, Former-DFER": Layout("dfew", {}, lambda root: dfew_lists(root, "/data/{id} 16 {label}", suffix="txt")),
    "dfew, IAL": Layout("dfew", {}, lambda root: dfew_lists(root, "/d/{id} 16 {label}", suffix="txt", end="\r\n")),
    "dfew, MAE-DFER": Layout("dfew", {}, lambda root: dfew_lists(root, "/data/{id} {label}")),
    "ferv39k": Layout("ferv39k", {}, write_ferv39k),
    "ferv39k, integers": Layout("ferv39k", {}, in_integers),
    "mafw": Layout("mafw", {}, write_mafw),
    "cremad": Layout("cremad", {}, write_cremad),
    "ravdess": Layout("ravdess", {}, write_ravdess),
    "caer": Layout("caer", {}, write_caer),
    "clip_folder": Layout("clip_folder", {}, write_clip_folder),
    "clip_folder, list": Layout("clip_folder", {}, listed),
}
"""Every layout by name, each with a few clips that are only named files."""
